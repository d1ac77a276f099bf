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
from typing import Final

from benchmarks._command import Teller, options

from ._service import play
from ._told import ALONE, Amount, Phase, Told, Way, render

WAYS: Final = (
    Way(ALONE, has_page=False),
    Way("nobody looks"),
    Way("5 that read", clients=5),
    Way("50 that never read", clients=50, reads=False),
)
QUICK: Final = Amount(rate=100.0, seconds=0.3, before=20)
_BEFORE: Final = 1_000


def measure(rounds: int, amount: Amount) -> Told:
    """Play all rounds."""
    phases: Mapping[str, list[Phase]] = {way.name: [] for way in WAYS}
    for number in range(rounds):
        for way in WAYS if number % 2 else reversed(WAYS):
            phases[way.name].append(play(way, amount, number))
    return Told(amount=amount, phases=dict(phases))


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
