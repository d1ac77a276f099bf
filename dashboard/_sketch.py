"""Sketch: the quantiles of a stream of numbers, in bounded memory."""

from math import ceil, exp, log, log1p
from typing import Final, final

import msgspec

_TINY: Final = 1e-9
_HUGE: Final = 1e12
_PARTS: Final = 1_000_000  # the sum is kept in whole millionths: it is the same in any order
_MOST_TOTAL: Final = 2**63 - 1


@final
class Sketch(msgspec.Struct, gc=False):
    """The quantiles of a stream of numbers from 0 on, each within a share of the true one.

    Numbers are counted in buckets that grow by a factor, so that a bucket tells each of its numbers
    within `error`. Count, least and greatest are exact, the sum to a millionth. Of more than `most`
    buckets the lowest are put together; then it is the low quantiles that are told as too high.
    What it holds does not depend on the order of the numbers: two halves merged are the whole.

    Numbers below zero count as 0, and those that are no numbers not at all.

    Attributes:
        error: how far a quantile may be from the true one, as a share of it.
        most: how many buckets there are at most.
        count: how many numbers there were.
        total: their sum, in millionths.
        low: the least; of none, more than any.
        high: the greatest.
        zeros: how many were 0, or too small to tell.
        buckets: how many were in each of the others, by the exponent of its upper bound.
        scale: the inverse of the width of a bucket.

    Example:
        >>> from understudy.dashboard import Sketch
        >>> sketch = Sketch()
        >>> for milliseconds in range(1, 1001):
        ...     sketch.add(milliseconds)
        >>> sketch.count, sketch.low, sketch.high, sketch.mean
        (1000, 1, 1000, 500.5)
        >>> [round(sketch.quantile(share)) for share in (0.5, 0.99)]
        [498, 983]
    """

    error: float = 0.01
    most: int = 512
    count: int = 0
    total: int = 0
    low: float = _HUGE
    high: float = 0.0
    zeros: int = 0
    buckets: dict[int, int] = {}
    scale: float = 0.0

    def __post_init__(self) -> None:
        self.scale = 1.0 / (log1p(self.error) - log1p(-self.error))

    def add(self, value: float) -> None:
        """Count one number."""
        if value > _TINY:
            if value > _HUGE:  # a call of `min` would take a tenth of the time of all this
                value = _HUGE
            key = ceil(log(value) * self.scale)
            buckets = self.buckets
            try:
                buckets[key] += 1
            except KeyError:
                buckets[key] = 1
                if len(buckets) > self.most:
                    self._put_together()
            total = self.total + int(value * _PARTS + 0.5)
            self.total = total if total < _MOST_TOTAL else _MOST_TOTAL
        elif value <= _TINY:
            if value < 0.0:
                value = 0.0
            self.zeros += 1
        else:  # it is no number
            return
        self.count += 1
        if value > self.high:
            self.high = value
        if value < self.low:
            self.low = value

    def merge(self, other: "Sketch") -> None:
        """Add what another one counted.

        Raises:
            ValueError: the other one has buckets of another size, or another number of them.
        """
        if (self.error, self.most) != (other.error, other.most):
            raise ValueError(
                f"a Sketch of {self.most} buckets of {self.error:g} cannot take in one of "
                f"{other.most} buckets of {other.error:g}: make them alike"
            )
        if not other.count:
            return
        buckets = self.buckets
        for key, count in other.buckets.items():
            buckets[key] = buckets.get(key, 0) + count
        self._put_together()
        self.low = min(self.low, other.low)
        self.high = max(self.high, other.high)
        self.zeros += other.zeros
        self.count += other.count
        self.total = min(_MOST_TOTAL, self.total + other.total)

    @property
    def mean(self) -> float | None:
        """The mean; None if there were no numbers."""
        return self.total / _PARTS / self.count if self.count else None

    def quantile(self, share: float) -> float | None:
        """Return the number that a share of all is not above; None if there were no numbers."""
        if not self.count:
            return None
        rank = max(1, ceil(share * self.count))
        if rank >= self.count:
            return self.high
        seen = self.zeros
        if rank <= seen:
            return max(0.0, self.low)
        for key in sorted(self.buckets):
            seen += self.buckets[key]
            if seen >= rank:
                return min(self.high, max(self.low, self._middle(key)))
        return self.high

    def histogram(self, bars: int = 40) -> list[tuple[float, int]]:
        """Return how many numbers there were up to each of some bounds, each as far as the next."""
        found: list[tuple[float, int]] = [(0.0, self.zeros)] if self.zeros else []
        if self.buckets:
            lowest, highest = min(self.buckets), max(self.buckets)
            width = ceil((highest - lowest + 1) / (bars - len(found)))
            counts = [0] * ceil((highest - lowest + 1) / width)
            for key, count in self.buckets.items():
                counts[(key - lowest) // width] += count
            for place, count in enumerate(counts):
                upper = exp((lowest + (place + 1) * width - 1) / self.scale)
                found.append((upper, count))
        return found

    def _middle(self, key: int) -> float:
        """Return what stands for the numbers of a bucket: within `error` of each of them."""
        return exp(key / self.scale) * (1.0 - self.error)

    def _put_together(self) -> None:
        """Count what is in the lowest buckets, of too many, in the lowest that is kept."""
        over = len(self.buckets) - self.most
        if over > 0:
            ordered = sorted(self.buckets)
            kept = ordered[over]
            for key in ordered[:over]:
                self.buckets[kept] += self.buckets.pop(key)
