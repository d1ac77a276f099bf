"""What a metric comes to: for each field how many, the first, the last, least, greatest, mean."""

from collections.abc import Mapping
from math import inf, isnan
from typing import Any

import msgspec

from ._lines import Line

OURS = frozenset({"ts", "attempt"})
"""What a line says besides what was logged."""

_NUMBERS = {float, int}
_GREATEST_INT = 1 << 1000
"""An int beyond is no number to reckon with: floats do not go so far."""


class Summary(msgspec.Struct, kw_only=True):
    """What one field of a metric comes to.

    What is no number has a first and a last, and is counted. NaN is counted too, and is neither
    least nor greatest nor in the mean.

    Attributes:
        count: how many points have it.
        first: its value in the first of them,
        last: and in the last.
        min: the least.
        max: the greatest.
        mean: the mean.

    Example:
        >>> from understudy.runs import Run
        >>> with Run(prefix="my-experiment") as run:
        ...     for loss in (4.0, 2.0, 3.0):
        ...         run.metrics("train").log(loss=loss)
        ...     loss = run.metrics("train").summary()["loss"]
        >>> loss.count, loss.first, loss.last, loss.min, loss.max, loss.mean
        (3, 4.0, 3.0, 2.0, 4.0, 3.0)
    """

    __module__ = "understudy.runs"

    count: int = 0
    first: Any = None
    last: Any = None
    min: float | None = None
    max: float | None = None
    mean: float | None = None


class Sums(msgspec.Struct):
    """What is kept of one field while points go by."""

    count: int = 0
    first: Any = None
    last: Any = None
    least: float = inf
    greatest: float = -inf
    total: float = 0.0
    numbers: int = 0

    def summary(self) -> Summary:
        """Return what it came to."""
        told = Summary(count=self.count, first=self.first, last=self.last)
        if self.numbers:
            told.min, told.max = self.least, self.greatest
            told.mean = self.total / self.numbers
        return told


def summaries(sums: Mapping[str, Sums]) -> dict[str, Summary]:
    """Return what each field came to."""
    return {name: kept.summary() for name, kept in sums.items()}


def take(sums: dict[str, Sums], lines: list[Line]) -> list[Line]:
    """Take a few points into the sums, by field, and return those that a curve needs.

    They are, for each field, the least and the greatest, and the first that is no number, as NaN.
    """
    kept: set[int] = set()
    for name in set[str]().union(*lines) - OURS:
        column = [line.get(name) for line in lines]
        places = _take_numbers(sums, name, column) or _take_others(sums, name, column)
        if name != "step":
            kept.update(places)
    return [lines[place] for place in sorted(kept)]


def _take_numbers(sums: dict[str, Sums], name: str, column: list[Any]) -> list[int]:
    """Take a field that is a number in each point, as most are; return nothing if it is not."""
    if not {*map(type, column)} <= _NUMBERS:
        return []
    try:
        total = sum(column)
        if isnan(total):  # one of them is, or infinities met
            return []
    except OverflowError:  # an int that no float is as great as
        return []
    kept = sums.setdefault(name, Sums(first=column[0]))
    kept.count += len(column)
    kept.numbers += len(column)
    kept.last = column[-1]
    kept.total += total
    least, greatest = min(column), max(column)
    kept.least = min(kept.least, least)
    kept.greatest = max(kept.greatest, greatest)
    return [column.index(least), column.index(greatest)]


def _take_others(sums: dict[str, Sums], name: str, column: list[Any]) -> list[int]:
    """Take a field whatever it is."""
    told = [(place, value) for place, value in enumerate(column) if value is not None]
    if not told:
        return []
    kept = sums.setdefault(name, Sums(first=told[0][1]))
    kept.count += len(told)
    kept.last = told[-1][1]
    numbers = [(value, place) for place, value in told if _is_number(value)]
    odd = [place for place, value in told if not _is_number(value)][:1]
    if not numbers:
        return odd
    least = min(numbers, key=lambda each: each[0])
    greatest = max(numbers, key=lambda each: each[0])
    kept.numbers += len(numbers)
    kept.total += sum(value for value, _ in numbers)
    kept.least = min(kept.least, least[0])
    kept.greatest = max(kept.greatest, greatest[0])
    return [least[1], greatest[1], *odd]


def _is_number(value: Any) -> bool:
    if type(value) is int:
        return -_GREATEST_INT <= value <= _GREATEST_INT
    return type(value) is float and not isnan(value)
