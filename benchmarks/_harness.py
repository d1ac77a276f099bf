"""Measures cases side by side, so that noise falls on all of them alike.

The cases of a table take turns: each round measures every case once, in an order of its own. One
measurement repeats the case until 20 ms of CPU time have passed, without the garbage collector. A
case is compared with its baseline within each round; what is told is the median of the rounds.
"""

import gc
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

LEAST_ROUNDS = 9
_LEAST_NS = 20_000_000
_SEED = 1


@dataclass(frozen=True, slots=True)
class Goal:
    """What a case is to stay within, beside its baseline."""

    ratio: float = math.inf
    """So many times the baseline."""
    extra: float = math.inf
    """So many seconds per operation on top of the baseline."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure."""

    name: str
    run: Callable[[], object]
    operations: int = 1
    """How many operations one `run()` does; times are told per operation."""
    baseline: str = ""
    """The name of the case it is compared with."""
    goal: Goal | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The cases that answer one question."""

    title: str
    cases: Sequence[Case]
    clock: Callable[[], int] = time.process_time_ns
    """The nanoseconds used so far: all threads of this process, unless it is another clock."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured of a case."""

    case: Case
    seconds: float
    least: float
    ratio: float | None
    extra: float | None

    @property
    def is_reached(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.case.goal is None or self.ratio is None or self.extra is None:
            return None
        return self.ratio <= self.case.goal.ratio and self.extra <= self.case.goal.extra


def repeated(times: int, function: Callable[..., object], *args: object) -> Callable[[], None]:
    """Return a function that calls `function(*args)` so many times: a `run` of many operations."""

    def run() -> None:
        for _ in range(times):
            function(*args)

    return run


def measure(table: Table, rounds: int) -> list[Result]:
    """Measure the cases of a table, each once in every round."""
    repeats = {case.name: _repeats(case, table.clock) for case in table.cases}
    gc.collect()
    gc.freeze()  # what is there by now need not be looked through again before each measurement
    times: dict[str, list[float]] = {case.name: [] for case in table.cases}
    order = random.Random(_SEED)
    for _ in range(rounds):
        for case in order.sample(table.cases, len(table.cases)):
            spent = _spent(case, repeats[case.name], table.clock)
            times[case.name].append(spent / 1e9 / repeats[case.name] / case.operations)
    gc.unfreeze()
    return [_result(case, times) for case in table.cases]


def _repeats(case: Case, clock: Callable[[], int]) -> int:
    """Return how often to repeat a case, so that one measurement takes long enough."""
    case.run()
    repeats = 1
    while _spent(case, repeats, clock) < _LEAST_NS:
        repeats *= 2
    return repeats


def _spent(case: Case, repeats: int, clock: Callable[[], int]) -> int:
    run = case.run
    gc.collect()
    gc.disable()
    try:
        start = clock()
        for _ in range(repeats):
            run()
        return clock() - start
    finally:
        gc.enable()


def _result(case: Case, times: dict[str, list[float]]) -> Result:
    own = times[case.name]
    if not case.baseline:
        return Result(case, median(own), min(own), None, None)
    pairs = list(zip(own, times[case.baseline], strict=True))
    ratio = median(mine / base for mine, base in pairs)
    extra = median(mine - base for mine, base in pairs)
    return Result(case, median(own), min(own), ratio, extra)
