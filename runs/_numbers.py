"""What a metric comes to: for each field how many, the first, the last, least, greatest, mean."""

from collections.abc import Iterable, Mapping
from math import inf, isnan
from typing import Any

import msgspec

from ._lines import Line

OURS = frozenset({"ts", "attempt"})
"""What a line says besides what was logged."""

_NUMBERS = (float, int)


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


def add(sums: dict[str, Sums], lines: Iterable[Line]) -> None:
    """Take points into the sums, which are by field."""
    for line in lines:
        for name, value in line.items():
            if name in OURS:
                continue
            kept = sums.get(name)
            if kept is None:
                kept = sums[name] = Sums(first=value)
            kept.count += 1
            kept.last = value
            if type(value) in _NUMBERS and not isnan(value):
                kept.numbers += 1
                kept.total += value
                kept.least = min(kept.least, value)
                kept.greatest = max(kept.greatest, value)


def summaries(sums: Mapping[str, Sums]) -> dict[str, Summary]:
    """Return what each field came to."""
    return {name: kept.summary() for name, kept in sums.items()}


def corners(lines: list[Line]) -> list[Line]:
    """Return the points that a curve cannot do without, in order.

    They are, for each field, the least and the greatest, and the first that is no number, as NaN.
    """
    kept: set[int] = set()
    for name in {name for line in lines for name in line} - OURS - {"step"}:
        least = greatest = odd = -1
        low, high = inf, -inf
        for place, line in enumerate(lines):
            value: Any = line.get(name)
            if type(value) not in _NUMBERS or isnan(value):
                odd = place if odd < 0 and value is not None else odd
                continue
            if value < low or least < 0:
                low, least = value, place
            if value > high or greatest < 0:
                high, greatest = value, place
        kept.update(place for place in (least, greatest, odd) if place >= 0)
    return [lines[place] for place in sorted(kept)]
