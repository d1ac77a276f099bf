"""What one case actor has done so far, in numbers."""

from array import array
from math import ceil

import msgspec

_WINDOW = 256
"""Latencies are those of so many branches, the latest."""
_NONE = array("q")
"""Those of all who have none yet."""


class Tally(msgspec.Struct):
    """Counts what became of the branches of a case: once planned, each ends in one of six ways.

    Attributes:
        lagged: how many of them held the loop, or the interpreter.
        taken: how many durations were noted.
        durations: the latest of them, in nanoseconds, in no order.
    """

    planned: int = 0
    ok: int = 0
    error: int = 0
    timeout: int = 0
    cancelled: int = 0
    shed: int = 0
    skipped: int = 0
    lagged: int = 0
    taken: int = 0
    durations: "array[int]" = _NONE

    @property
    def ended(self) -> int:
        """How many have ended."""
        return self.ok + self.error + self.timeout + self.cancelled + self.shed + self.skipped

    def took(self, duration: int) -> None:
        """Note how many nanoseconds a branch ran."""
        taken = self.taken
        if taken >= _WINDOW:
            self.durations[taken % _WINDOW] = duration
        elif taken:
            self.durations.append(duration)
        else:
            self.durations = array("q", (duration,))
        self.taken = taken + 1

    def plus(self, other: "Tally") -> "Tally":
        """Return the sum of two."""
        counts = {name: getattr(self, name) + getattr(other, name) for name in _COUNTS}
        return Tally(**counts, durations=(self.durations + other.durations)[-_WINDOW:])

    def quantile(self, share: float) -> float | None:
        """Return the seconds that a share (of the latest branches) took at most."""
        if not self.durations:
            return None
        ordered = sorted(self.durations)
        return ordered[max(0, ceil(share * len(ordered)) - 1)] / 1e9


_COUNTS = [name for name in Tally.__struct_fields__ if name != "durations"]
