"""Measures cases side by side, so that noise falls on all of them alike.

The cases of a table take turns: each round measures every case once, in an order of its own. One
measurement repeats the case until 20 ms of CPU time have passed, without the garbage collector. A
case is compared with its baseline within each round; what is told is the median of the rounds.

Instead of time, a table may be about memory: then one measurement is one run, and what counts is
how many bytes what it returns takes up.
"""

import gc
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

LEAST_ROUNDS = 9
LEAST_NS = 20_000_000
_PER_UNIT = {"s": 1e9, "B": 1, "n": 1}
_SEED = 1


@dataclass(frozen=True, slots=True)
class Goal:
    """What a case is to stay within, beside its baseline."""

    ratio: float = math.inf
    """So many times the baseline."""
    extra: float = math.inf
    """So many seconds (or bytes) per operation on top of the baseline."""
    over: str = ""
    """The name of a case that comes off first: `ratio` is for what this one adds to it."""
    total: float = math.inf
    """So many seconds (or bytes) per operation, whatever the baseline takes."""


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
    clock: Callable[[], int] | None = None
    """A clock of its own, for a case of which only a part counts."""


@dataclass(frozen=True, slots=True)
class Law:
    """That the cost of one operation does not grow with how many there are of something."""

    of: str
    """How many of what."""
    sizes: Mapping[str, Mapping[int, str]]
    """For each line of the plot, the names of its cases by how many there are."""
    within: float
    """It is flat if no ratio is more than so many times that of the first: the others have the
    first as their baseline; or each has its own floor, where that grows as well."""


@dataclass(frozen=True, slots=True)
class Table:
    """The cases that answer one question."""

    title: str
    cases: Sequence[Case]
    clock: Callable[[], int] = time.process_time_ns
    """The nanoseconds used so far: all threads of this process, unless it is another clock."""
    unit: Literal["s", "B", "n"] = "s"
    """What is measured: time; or memory, then the clock tells the bytes in use; or a number."""
    patience: float = math.inf
    """After how many seconds no further round begins, though there was one at least."""
    is_once: bool = False
    """Whether one run is one measurement, however short it is, and none is to warm up."""
    note: str = ""
    """What a reader has to know of this table alone."""
    law: Law | None = None
    """What its cases are to keep to together."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured of a case: seconds, or bytes, per operation."""

    case: Case
    median: float
    least: float
    ratio: float | None = None
    extra: float | None = None
    over: float | None = None
    """What it adds to the case that its goal is `over`, in baselines."""

    @property
    def is_reached(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        goal = self.case.goal
        if goal is None:
            return None
        ratio = self.ratio if self.over is None else self.over
        return (
            self.median <= goal.total
            and (ratio is None or ratio <= goal.ratio)
            and (self.extra is None or self.extra <= goal.extra)
        )


def repeated(times: int, function: Callable[..., object], *args: object) -> Callable[[], None]:
    """Return a function that calls `function(*args)` so many times: a `run` of many operations."""

    def run() -> None:
        for _ in range(times):
            function(*args)

    return run


def measure(table: Table, rounds: int, least_ns: int = LEAST_NS) -> list[Result]:
    """Measure the cases of a table, each once in every round.

    Args:
        table: the cases.
        rounds: how often, if the patience of the table allows it.
        least_ns: how long one measurement takes at least.
    """
    over = time.perf_counter() + table.patience
    repeats = {case.name: _repeats(case, table, least_ns) for case in table.cases}
    gc.collect()
    gc.freeze()  # what is there by now need not be looked through again before each measurement
    spent: dict[str, list[float]] = {case.name: [] for case in table.cases}
    order = random.Random(_SEED)
    for number in range(rounds):
        if number and time.perf_counter() > over:
            break
        for case in order.sample(table.cases, len(table.cases)):
            amount = _spent(case, repeats[case.name], table) / _PER_UNIT[table.unit]
            spent[case.name].append(amount / repeats[case.name] / case.operations)
    gc.unfreeze()
    return [_result(case, spent) for case in table.cases]


def _repeats(case: Case, table: Table, least_ns: int) -> int:
    """Return how often to repeat a case, so that one measurement takes long enough."""
    if table.is_once or least_ns <= 0:
        return 1
    case.run()
    repeats = 1
    while table.unit == "s" and _spent(case, repeats, table) < least_ns:
        repeats *= 2
    return repeats


def _spent(case: Case, repeats: int, table: Table) -> int:
    run, clock = case.run, case.clock or table.clock
    gc.collect()
    gc.disable()
    try:
        start = clock()
        made: object = None
        for _ in range(repeats):
            made = run()
        spent = clock() - start
        del made  # memory is taken up as long as somebody holds it
        return spent
    finally:
        gc.enable()


def _result(case: Case, spent: dict[str, list[float]]) -> Result:
    own = spent[case.name]
    if not case.baseline:
        return Result(case, median(own), min(own))
    bases = spent[case.baseline]
    ratio = median(mine / base for mine, base in zip(own, bases, strict=True))
    extra = median(mine - base for mine, base in zip(own, bases, strict=True))
    over = None
    if case.goal is not None and case.goal.over:
        others = zip(own, spent[case.goal.over], bases, strict=True)
        over = median((mine - other) / base for mine, other, base in others)
    return Result(case, median(own), min(own), ratio, extra, over)
