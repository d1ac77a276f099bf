"""Whether those who look at the dashboard of a live service harm its primaries.

A service plays an experiment (a primary that waits 5 ms and two shadows, one of which fails) and
has `runtime.dashboard()` mounted, on one loop. Requests arrive on a schedule, whatever became of
those before, and a latency counts from the time on the schedule. Those who look on are in a process
of their own. The ways take turns, on the same schedules; what is told is the median of the rounds,
and of p99 also the difference within each round, since rounds differ more than ways do.

With the dashboard the p99 is to be within 5 % and 1 ms of that without, and no request lost. Before
each phase there were so many calls that what is shown is as long as it gets.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

import msgspec

from benchmarks._command import Teller, options
from benchmarks._text import aligned
from benchmarks.never_harm._verdict import EXTRA, RATIO

from ._service import Amount, Phase, Way, play

WAYS: Final = (
    Way("no dashboard", has_page=False),
    Way("nobody looks"),
    Way("5 that read", clients=5),
    Way("50 that never read", clients=50, reads=False),
)
QUICK: Final = Amount(rate=100.0, seconds=0.3, before=20)
_BEFORE: Final = 1_000
_ALONE: Final = WAYS[0].name
_HEAD: Final = ("", "p50", "p99", "more p99", "loop lag p99", "lost", "patches", "p99 harmed")


class Told(msgspec.Struct, frozen=True, kw_only=True, tag="onlookers"):
    """What came of all rounds: the phases of each way."""

    amount: Amount
    phases: dict[str, list[Phase]]

    def is_harmed(self, way: str) -> bool:
        """Tell whether the p99 is beyond what is allowed."""
        ours, alone = (self.median_of(name, "p99") for name in (way, _ALONE))
        return ours > alone * RATIO + EXTRA

    def median_of(self, way: str, what: str) -> float:
        """Return the median of the rounds."""
        return median(float(getattr(phase, what)) for phase in self.phases[way])

    def more(self, way: str) -> float:
        """Return how much longer the p99 is than without a dashboard: the median of the rounds."""
        pairs = zip(self.phases[way], self.phases[_ALONE], strict=True)
        return median(ours.p99 - alone.p99 for ours, alone in pairs)


def measure(rounds: int, amount: Amount) -> Told:
    """Play all rounds."""
    phases: Mapping[str, list[Phase]] = {way.name: [] for way in WAYS}
    for number in range(rounds):
        for way in WAYS if number % 2 else reversed(WAYS):
            phases[way.name].append(play(way, amount, number))
    return Told(amount=amount, phases=dict(phases))


def render(told: Told) -> str:
    """Return a table of it."""
    rows: list[Sequence[str]] = [_HEAD]
    for way, phases in told.phases.items():
        times = [_ms(told.median_of(way, what)) for what in ("p50", "p99")]
        times += [_ms(told.more(way)), _ms(told.median_of(way, "lag"))]
        counts = [sum(getattr(phase, what) for phase in phases) for what in ("lost", "patches")]
        harm = "yes" if told.is_harmed(way) else "no"
        rows.append((way, *times, *map(str, counts), "" if way == _ALONE else harm))
    title = f"{told.amount.rate:g} requests a second for {told.amount.seconds:g} s"
    return f"{title}\n{aligned(rows)}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and tell; return 1 if a request was lost, or one that the page never knew of."""
    about = __doc__ or ""
    parser = argparse.ArgumentParser(description=about.partition("\n")[0], parents=[options()])
    parser.add_argument("--seconds", type=float, default=4.0, help="how long a phase is")
    parser.add_argument("--rate", type=float, default=200.0, help="requests in a second")
    given = parser.parse_args(arguments)
    teller = Teller(about, given)
    asked = Amount(given.rate, given.seconds, _BEFORE)
    told = measure(teller.rounds, QUICK if given.quick else asked)
    teller.tell(told, render(told))
    several = [phase for phases in told.phases.values() for phase in phases]
    return int(any(phase.lost or phase.behind for phase in several))


if __name__ == "__main__":
    sys.exit(main())
