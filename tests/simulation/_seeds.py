"""Many seeds, one after the other."""

import logging
import traceback
from collections import Counter

from ._world import simulate


def play(seeds: range) -> tuple[Counter[str], int, list[tuple[int, str]]]:
    """Play some seeds; return the outcomes, the steps, and the failures."""
    logging.getLogger("understudy").setLevel(logging.CRITICAL)  # crashes are what it is about
    outcomes: Counter[str] = Counter()
    steps = 0
    failures: list[tuple[int, str]] = []
    for seed in seeds:
        try:
            found, taken, digest = simulate(seed)
            if seed % 100 == 0 and simulate(seed)[2] != digest:
                failures.append((seed, "not reproducible"))
        except BaseException as error:
            failures.append((seed, "".join(traceback.format_exception(error, limit=-3))))
            if isinstance(error, KeyboardInterrupt):
                raise
        else:
            outcomes += found
            steps += taken
    return outcomes, steps, failures
