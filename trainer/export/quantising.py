"""Weights in whole numbers: 8 bits in blocks, 4 bits in blocks with a chosen range, 8 bits by output."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.export.weights import Float32

# Rows of a matrix that are quantised at once, which bounds the memory it takes.
_ROWS_AT_ONCE = 4096
# Shares of a block's range that are tried at 4 bits: cutting off its ends may round the rest better.
_SHARES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.62)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Weights in whole numbers of ``bits`` with one scale for every ``size`` of them."""

    bits: int
    size: int

    def fit(self, inputs: int) -> int | None:
        """Return the largest block up to ``size`` that divides a row of ``inputs`` weights, None without one."""
        return next((size for size in (self.size, 128, 64, 32, 16) if size <= self.size and inputs % size == 0), None)


def quantise_blocks(matrix: Float32, bits: int, size: int) -> tuple[NDArray[np.uint8], Float32]:
    """Return [rows, blocks, size] unsigned numbers around the middle and [rows, blocks] scales of [rows, columns].

    Symmetric, one scale for each block of ``size`` columns, which has to divide their number. For 8 bits.
    """
    if bits != 8:
        raise ValueError(f"{bits} bits are not supported")
    rows, columns = matrix.shape
    largest = (1 << (bits - 1)) - 1
    numbers = np.empty((rows, columns // size, size), np.uint8)
    scales = np.empty((rows, columns // size), np.float32)
    for start in range(0, rows, _ROWS_AT_ONCE):
        part = matrix[start : start + _ROWS_AT_ONCE].reshape(-1, columns // size, size)
        scale = np.abs(part).max(-1) / np.float32(largest)
        steps = np.rint(part / np.where(scale == 0, 1, scale)[..., None])
        numbers[start : start + _ROWS_AT_ONCE] = np.clip(steps, -largest, largest) + (largest + 1)
        scales[start : start + _ROWS_AT_ONCE] = scale
    return numbers, scales


@dataclass(frozen=True, slots=True)
class FourBits:
    """[rows, columns] weights as ``(numbers - zeros) * scales``: numbers and zeros 0 to 15, one byte each.

    ``numbers`` [rows, blocks, size], ``scales`` and ``zeros`` [rows, blocks].
    """

    numbers: NDArray[np.uint8]
    scales: Float32
    zeros: NDArray[np.uint8]

    def pack_numbers(self) -> NDArray[np.uint8]:
        """Return two numbers a byte, the first in the low half: [rows, blocks, size / 2]."""
        return _pack(self.numbers)

    def pack_zeros(self) -> NDArray[np.uint8]:
        """Return two zero points a byte: [rows, blocks / 2 rounded up]."""
        padded = np.pad(self.zeros, ((0, 0), (0, self.zeros.shape[1] % 2)))
        return _pack(padded)

    def restore(self) -> Float32:
        """Return the weights as they are read back."""
        steps = self.numbers.astype(np.float32) - self.zeros[..., None]
        restored: Float32 = (steps * self.scales[..., None]).reshape(len(self.numbers), -1)
        return restored


def _pack(numbers: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return two numbers a byte along the last axis, the first in the low half."""
    return np.bitwise_or(numbers[..., 0::2], np.left_shift(numbers[..., 1::2], 4), dtype=np.uint8)


def quantise_four_bits(matrix: Float32, size: int, importance: Float32 | None = None) -> FourBits:
    """Return [rows, columns] weights in 4 bits, each block with the range that leaves the smallest squared error.

    ``importance`` [columns] weighs the error of each column: the mean square of what the column is multiplied with.
    """
    rows, columns = matrix.shape
    blocks = columns // size
    result = FourBits(
        np.empty((rows, blocks, size), np.uint8),
        np.empty((rows, blocks), np.float32),
        np.empty((rows, blocks), np.uint8),
    )
    weigh = None if importance is None else importance.reshape(1, blocks, size)
    step = max(_ROWS_AT_ONCE * 768 // max(columns, 1) // 4, 1)
    for start in range(0, rows, step):
        part = matrix[start : start + step].reshape(-1, blocks, size)
        best = np.full(part.shape[:2], np.inf, np.float32)
        low, high = np.minimum(part.min(-1), 0), np.maximum(part.max(-1), 0)
        for share in _SHARES:
            scale = (high - low) * np.float32(share / 15)
            scale = np.where(scale == 0, np.float32(1), scale)
            zero = np.clip(np.rint(-low * np.float32(share) / scale), 0, 15)
            numbers = np.clip(np.rint(part / scale[..., None]) + zero[..., None], 0, 15)
            error = np.square((numbers - zero[..., None]) * scale[..., None] - part)
            total = (error if weigh is None else error * weigh).sum(-1)
            better = total < best
            best[better] = total[better]
            end = start + len(part)
            result.numbers[start:end][better] = numbers[better]
            result.scales[start:end][better] = scale[better]
            result.zeros[start:end][better] = zero[better]
    return result


def quantise_outputs(matrix: Float32) -> tuple[NDArray[np.int8], Float32]:
    """Return [inputs, outputs] numbers and [outputs] scales of an [outputs, inputs] matrix: a scale an output."""
    outputs, inputs = matrix.shape
    numbers = np.empty((inputs, outputs), np.int8)
    scales = np.abs(matrix).max(-1) / np.float32(127)
    divisors = np.where(scales == 0, np.float32(1), scales)
    for start in range(0, outputs, _ROWS_AT_ONCE):
        end = start + _ROWS_AT_ONCE
        numbers[:, start:end] = np.rint(matrix[start:end] / divisors[start:end, None]).T
    return numbers, divisors
