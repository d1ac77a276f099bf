"""What came of the phases with those who look on: as a table for people, and as Markdown."""

from collections.abc import Sequence
from statistics import median
from typing import Final

import msgspec

from benchmarks._text import aligned, markdown
from benchmarks.never_harm._verdict import EXTRA, RATIO

ALONE: Final = "no dashboard"
_HEAD: Final = ("", "p50", "p99", "more p99", "loop lag p99", "lost", "patches", "p99 harmed")


class Way(msgspec.Struct, frozen=True):
    """Who looks on."""

    name: str
    has_page: bool = True
    clients: int = 0
    reads: bool = True


class Amount(msgspec.Struct, frozen=True):
    """How much load there is."""

    rate: float
    """So many requests come in a second, ..."""
    seconds: float
    """... for so long; ..."""
    before: int
    """... and so many calls there were before: what is shown is as long as it gets."""


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured in one; times are in seconds."""

    requests: int
    lost: int
    """How many have no right answer."""
    p50: float
    p99: float
    """From the time on the schedule to the answer."""
    lag: float
    """The p99 of how late the loop took requests from the schedule."""
    patches: int
    """How many the clients read, all together."""
    behind: int
    """How many calls the page does not know of when all is over."""


class Told(msgspec.Struct, frozen=True, kw_only=True, tag="onlookers"):
    """What came of all rounds: the phases of each way."""

    amount: Amount
    phases: dict[str, list[Phase]]

    def is_harmed(self, way: str) -> bool:
        """Tell whether the p99 is beyond what is allowed."""
        ours, alone = (self.median_of(name, "p99") for name in (way, ALONE))
        return ours > alone * RATIO + EXTRA

    def median_of(self, way: str, what: str) -> float:
        """Return the median of the rounds."""
        return median(float(getattr(phase, what)) for phase in self.phases[way])

    def more(self, way: str) -> float:
        """Return how much longer the p99 is than without a dashboard: the median of the rounds."""
        pairs = zip(self.phases[way], self.phases[ALONE], strict=True)
        return median(ours.p99 - alone.p99 for ours, alone in pairs)


def render(told: Told) -> str:
    """Return a table of it."""
    return f"{_title(told)}\n{aligned(_rows(told))}"


def as_markdown(told: Told) -> str:
    """Write it as Markdown."""
    return f"#### {_title(told)}\n\n{markdown(_rows(told))}"


def _title(told: Told) -> str:
    return f"{told.amount.rate:g} requests a second for {told.amount.seconds:g} s"


def _rows(told: Told) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [_HEAD]
    for way, phases in told.phases.items():
        times = [_ms(told.median_of(way, what)) for what in ("p50", "p99")]
        times += [_ms(told.more(way)), _ms(told.median_of(way, "lag"))]
        counts = [sum(getattr(phase, what) for phase in phases) for what in ("lost", "patches")]
        harm = "yes" if told.is_harmed(way) else "no"
        rows.append((way, *times, *map(str, counts), "" if way == ALONE else harm))
    return rows


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms"
