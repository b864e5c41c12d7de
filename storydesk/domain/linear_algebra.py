"""Small systems of linear equations, rows of numbers, with nothing but the standard library."""

from __future__ import annotations

import math
from collections.abc import Sequence


def solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """Return the solution of a system of linear equations; raise ValueError where it has not exactly one."""
    columns = _eliminate(matrix, [[value] for value in right])
    return [row[0] for row in columns]


def invert(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the inverse of a matrix; raise ValueError where it has none."""
    size = len(matrix)
    return _eliminate(matrix, [[float(one == other) for other in range(size)] for one in range(size)])


def _eliminate(matrix: Sequence[Sequence[float]], right: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return what the matrix has to be multiplied with to give ``right``, by elimination with pivots."""
    size = len(matrix)
    rows = [[*row, *other] for row, other in zip(matrix, right, strict=True)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        if abs(rows[pivot][column]) < 1e-14:
            raise ValueError("singular")
        rows[column], rows[pivot] = rows[pivot], rows[column]
        head = rows[column]
        scale = head[column]
        rows[column] = head = [value / scale for value in head]
        for place, row in enumerate(rows):
            if place != column and row[column]:
                factor = row[column]
                rows[place] = [value - factor * top for value, top in zip(row, head, strict=True)]
    return [row[size:] for row in rows]


def multiply(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the product of two matrices."""
    columns = list(zip(*second, strict=True))
    return [[math.fsum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in first]
