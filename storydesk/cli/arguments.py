"""Arguments that say in a sentence what they can't be."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import NoReturn

from storydesk.domain.failures import FailureCode, StorydeskError

MAXIMUM_SEED = 2**31 - 1


class UsageError(Exception):
    """A command line that can't be understood; ``usage`` is the command whose help explains it."""

    def __init__(self, message: str, usage: str) -> None:
        """Keep the sentence and the remedy's command."""
        sentence = f"{message[:1].upper()}{message[1:]}"
        self.sentence = sentence if sentence.endswith(".") else f"{sentence}."
        self.remedy = f"`{usage} --help` explains it."
        super().__init__(self.sentence)


class ArgumentParser(argparse.ArgumentParser):
    """argparse without its own way out: mistakes are raised, so that they are told like everything else."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError instead of printing the usage and leaving."""
        raise UsageError(message.replace("\n", " "), self.prog)


def whole_number(name: str, low: int, high: int) -> Callable[[str], int]:
    """Return a type for argparse: a whole number within limits."""

    def read(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            expected = f"a whole number from {low} to {high}"
            raise StorydeskError(FailureCode.BAD_ARGUMENT, name=name, value=value or "empty", expected=expected)
        return number

    return read


def decimal_number(name: str, low: float, high: float, *, above: bool = False) -> Callable[[str], float]:
    """Return a type for argparse: a number within limits; ``above`` leaves out the lower one itself."""

    def read(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not (low < number if above else low <= number) or not number <= high:
            expected = f"a number {'above' if above else 'from'} {low:g} {'up ' if above else ''}to {high:g}"
            raise StorydeskError(FailureCode.BAD_ARGUMENT, name=name, value=value or "empty", expected=expected)
        return number

    return read


def one_of(name: str, *choices: str) -> Callable[[str], str]:
    """Return a type for argparse: one of some words."""

    def read(value: str) -> str:
        if value not in choices:
            expected = ", ".join(choices)
            raise StorydeskError(FailureCode.BAD_ARGUMENT, name=name, value=value or "empty", expected=expected)
        return value

    return read


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of words")
