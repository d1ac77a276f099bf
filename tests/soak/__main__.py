"""`python -m tests.soak`: mixed load for some minutes; says after each round what is wrong."""

import argparse
import faulthandler
import logging
import sys
import tempfile
import time
from pathlib import Path

from ._round import Soak

_MIB = 2**20
_WARM = 0.1
"""Which share of the time the warm-up takes; memory is held against what it was then."""


def main() -> int:
    """Soak as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long")
    parser.add_argument("--every", type=float, default=10.0, help="seconds from look to look")
    parser.add_argument("--seed", type=int, default=None, help="what is drawn; any, if not given")
    given = parser.parse_args()
    seed = time.time_ns() % 1_000_000 if given.seed is None else given.seed
    logging.disable()  # thousands of branches are shed and cancelled here, each worth a line
    faulthandler.enable()
    with tempfile.TemporaryDirectory(prefix="understudy-soak-") as folder:
        return soak(Path(folder), seed, 60 * given.minutes, given.every)


def soak(folder: Path, seed: int, seconds: float, every: float) -> int:
    """Play rounds until the time is over; return 1 if something was wrong after one, else 0."""
    soak = Soak(folder, seed)
    began = time.monotonic()
    number, is_warm = 0, False
    problems: list[str] = []
    while not problems and (number < 3 or time.monotonic() - began < seconds):
        number += 1
        faulthandler.dump_traceback_later(every + 120, exit=True)
        problems = [*soak.play(number, every)]
        faulthandler.cancel_dump_traceback_later()
        if not is_warm and (number >= 2 and time.monotonic() - began >= _WARM * seconds):
            is_warm = True
            soak.warm()
        print(line_of(soak, number, time.monotonic() - began, problems), flush=True)
    for problem in problems:
        print(f"  {problem}")
    calls = ", ".join(f"{count} {name}" for name, count in soak.ledger.calls.most_common())
    trouble = ", ".join(f"{count} x {name}" for name, count in soak.trouble.most_common())
    print(f"calls: {calls}\ntrouble: {trouble}")
    if problems:
        print(f"broken in round {number}; to repeat: python -m tests.soak --seed {seed}")
        return 1
    print(f"fine after {number} rounds with seed {seed}")
    return 0


def line_of(soak: Soak, number: int, seconds: float, problems: list[str]) -> str:
    """Return what a look found, in a line."""
    statistics = soak.runtime.statistics()
    branches = sum(experiment.planned for experiment in statistics.experiments)
    reading = soak.reading
    verdict = f"{len(problems)} PROBLEMS" if problems else "fine"
    return (
        f"{seconds:6.0f} s  round {number}: {sum(soak.ledger.calls.values())} calls, "
        f"{branches} branches, {soak.events} events, {soak.dropped} untold, "
        f"{reading.resident / _MIB:.1f} MiB, {reading.blocks} blocks, {reading.files} files, "
        f"{len(reading.threads)} threads, {sum(reading.objects.values())} objects: {verdict}"
    )


if __name__ == "__main__":
    sys.exit(main())
