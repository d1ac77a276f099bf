"""The same recording in the hands of the trackers that people use, as installed, beside the floors.

Each has a process and a store of its own, empty at the beginning; in each round all of them take
turns. What is by hand is the baseline; the floor is what recording cannot be cheaper than. A point
is acknowledged when the call that logs it has returned.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from benchmarks._command import Teller, options

from .trackers._report import TrackersTold, gathered, render
from .trackers._rounds import Rounds
from .trackers._trackers import BY_HAND, TRACKERS, UNDERSTUDY, version_of
from .trackers._works import QUICK, Load

_ALWAYS: Final = (BY_HAND, "floor", UNDERSTUDY)
_DISTRIBUTIONS: Final = [
    *dict.fromkeys(each.distribution for each in TRACKERS.values() if each.distribution)
]


def told_by(rounds: int, load: Load, only: Sequence[str] = tuple(TRACKERS)) -> TrackersTold:
    """Measure the trackers that are installed, beside the floors and understudy."""
    keys = [key for key in TRACKERS if key in (*_ALWAYS, *only)]
    measured = Rounds([key for key in keys if version_of(TRACKERS[key]) is not None], rounds, load)
    measured.measure()
    return gathered(measured)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.runs.bench_trackers",
        description=(__doc__ or "").partition("\n")[0],
        parents=[options()],
    )
    parser.add_argument(
        "--only", action="append", choices=[*TRACKERS], help="one tracker; may be given again"
    )
    given = parser.parse_args(arguments)
    teller = Teller(__doc__ or "", given, _DISTRIBUTIONS)
    told = told_by(teller.rounds, QUICK if given.quick else Load(), given.only or [*TRACKERS])
    teller.tell(told, render(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
