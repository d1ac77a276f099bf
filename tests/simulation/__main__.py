"""`python -m tests.simulation`: play many seeds; print those that fail, each of which replays."""

import argparse
import multiprocessing
import sys
import time
from collections import Counter

from ._seeds import play

_CHUNK = 250
_SHOWN = 10


def main() -> int:
    """Play the seeds that the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--until-failure", action="store_true", help="stop at the first failure")
    given = parser.parse_args()
    last = given.first + given.seeds
    chunks = [range(at, min(at + _CHUNK, last)) for at in range(given.first, last, _CHUNK)]
    outcomes: Counter[str] = Counter()
    steps, failed, began = 0, 0, time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
        for found, taken, failures in pool.imap_unordered(play, chunks):
            outcomes += found
            steps += taken
            for seed, problem in failures:
                failed += 1
                if failed <= _SHOWN:
                    print(f"seed {seed} fails; replay it: --first {seed} --seeds 1\n{problem}")
            if failures and given.until_failure:
                break
    seconds = time.perf_counter() - began
    told = ", ".join(f"{count} {name}" for name, count in outcomes.most_common())
    print(f"{given.seeds} seeds, {failed} failed, {steps} steps in {seconds:.0f} s: {told}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
