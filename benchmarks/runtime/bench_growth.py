"""What a call costs when there is much of something: configs, experiments, calls, depth, branches.

Each table has one question, on asyncio and on uvloop; the cost is the CPU time of the loop's
thread. It has to be flat: the cost of one call, whatever the number of configs, of experiments, or
of calls in flight; the cost of one branch, whatever their number; the cost of one level, however
deep. Under each table stands whether it is, and how much more is allowed. Where the floor grows as
well, as with calls in flight, what has to be flat is the ratio to that floor.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar, copy_context
from dataclasses import replace
from itertools import cycle
from time import thread_time_ns
from typing import Any, Final

from benchmarks._command import main
from benchmarks._harness import Case, Law, Table
from understudy import Config, MultiBranchStrategy, RoundRobinStrategy

from ._stand import Many, Stand, stands
from .bench_calls import bare_suspending, play, play_suspending

_CALLS: Final = 1_000
_UNBOUNDED: Final = 1_000_000
_BRANCHES_IN_A_RUN: Final = 2_000
_LEVELS_IN_A_RUN: Final = 2_000
_LEAST_IN_A_RUN: Final = 500
_PATIENCE: Final = 60.0

CONFIGS: Final = (1, 10, 100, 1_000)
EXPERIMENTS: Final = (1, 10, 100, 1_000, 10_000)
IN_FLIGHT: Final = (1, 10, 100, 1_000, 10_000, 100_000)
DEPTHS: Final = (1, 2, 5, 10, 20, 50)
BRANCHES: Final = (1, 2, 4, 8, 16, 32, 64)

Cases = Callable[[Stand, int], Iterator[Case]]

_LEVEL: Final = ContextVar[int]("level")


def _configs(count: int) -> list[dict[str, Any]]:
    return [{"model": f"model-{number}", "temp": 0.7} for number in range(count)]


def _single(stand: Stand, size: int) -> Many:
    runtime = stand.runtime(configs=_configs(size))
    answer = runtime.experiment(play)

    async def many() -> None:
        for number in range(stand.calls):
            await runtime.call(answer, number)

    return many


def _round_robin(stand: Stand, size: int) -> Many:
    runtime = stand.runtime(configs=_configs(size), strategy=RoundRobinStrategy())
    answer = runtime.experiment(play)

    async def many() -> None:
        for number in range(stand.calls):
            await runtime.call(answer, number)

    return many


def _experiments(stand: Stand, size: int) -> tuple[Many, Many]:
    """Return what calls one of so many experiments, and what calls all of them in turn."""
    runtime = stand.runtime(configs=_configs(1))
    made = [runtime.experiment(play) for _ in range(size)]
    first, turns = made[0], cycle(made)

    async def first_calls() -> None:
        for each in made:
            await runtime.call(each, 0)

    stand.run(first_calls)()  # they start the actors, which is measured elsewhere

    async def one() -> None:
        for number in range(stand.calls):
            await runtime.call(first, number)

    async def in_turn() -> None:
        for number in range(stand.calls):
            await runtime.call(next(turns), number)

    return one, in_turn


def _one_and_in_turn(stand: Stand, size: int) -> Iterator[Case]:
    one, in_turn = _experiments(stand, size)
    same = stand.case(f"always the same experiment of: {size:,}", one)
    yield same
    yield replace(stand.case(f"experiments: {size:,}", in_turn), baseline=same.name)


def _batches(size: int) -> int:
    """Return how often so many are put in flight in one run: a run has a cost of its own."""
    return max(1, _LEAST_IN_A_RUN // size)


def _in_flight(stand: Stand, size: int) -> Many:
    runtime = stand.runtime(
        configs=_configs(1), concurrency=_UNBOUNDED, mailbox=_UNBOUNDED, lag=None
    )
    answer = runtime.experiment(play_suspending)
    create_task, call = stand.loop.create_task, runtime.call

    async def many() -> None:
        for _ in range(_batches(size)):
            for task in [create_task(call(answer, number)) for number in range(size)]:
                await task

    return many


def _tasks_in_flight(stand: Stand, size: int) -> Many:
    create_task = stand.loop.create_task

    async def many() -> None:
        for _ in range(_batches(size)):
            for task in [create_task(bare_suspending(number)) for number in range(size)]:
                await task

    return many


def _nested(stand: Stand, size: int) -> Many:
    runtime = stand.runtime(configs=_configs(1))
    call = runtime.call

    def around(inner: Any) -> Any:
        async def outer(x: int, config: Config) -> Any:
            return await call(inner, x)

        return runtime.experiment(outer)

    outmost: Any = runtime.experiment(play)
    for _ in range(size - 1):
        outmost = around(outmost)

    async def many() -> None:
        for number in range(max(1, _LEVELS_IN_A_RUN // size)):
            await call(outmost, number)

    return many


def _contexts(size: int) -> Many:
    """Return what awaits as deep as `_nested`, by hand, each level in a context of its own."""

    def around(inner: Any) -> Any:
        async def outer(x: int) -> Any:
            context = copy_context()
            context.run(_LEVEL.set, x)
            try:
                context.run(inner(x).send, None)
            except StopIteration as stop:
                return stop.value

        return outer

    async def innermost(x: int) -> int:
        return x

    outmost: Any = around(innermost)
    for _ in range(size - 1):
        outmost = around(outmost)

    async def many() -> None:
        for number in range(max(1, _LEVELS_IN_A_RUN // size)):
            await outmost(number)

    return many


def _levels(stand: Stand, size: int) -> Iterator[Case]:
    parts = max(1, _LEVELS_IN_A_RUN // size) * size
    by_hand = stand.case(f"contexts in each other, by hand: {size:,}", _contexts(size), calls=parts)
    yield by_hand
    ours = stand.case(f"levels: {size:,}", _nested(stand, size), calls=parts)
    yield replace(ours, baseline=by_hand.name)


def _branches(stand: Stand, size: int) -> Many:
    runtime = stand.runtime(
        configs=_configs(size), strategy=MultiBranchStrategy(), max_cases=max(BRANCHES)
    )
    answer: Any = runtime.experiment(play)

    async def many() -> None:
        for number in range(max(1, _BRANCHES_IN_A_RUN // size)):
            await runtime.call(answer, number)

    return many


def _called(what: str, many: Callable[[Stand, int], Many]) -> Cases:
    """Return the cases of what makes as many calls whatever the size."""

    def cases(stand: Stand, size: int) -> Iterator[Case]:
        yield stand.case(f"{what}: {size:,}", many(stand, size))

    return cases


def _in_parts(what: str, many: Callable[[Stand, int], Many], in_a_run: int) -> Cases:
    """Return the cases of which a call has as many parts as the size; told is the cost of one."""

    def cases(stand: Stand, size: int) -> Iterator[Case]:
        parts = max(1, in_a_run // size) * size
        yield stand.case(f"{what}: {size:,}", many(stand, size), calls=parts)

    return cases


def _beside_the_floor(stand: Stand, size: int) -> Iterator[Case]:
    tasks, calls = stand.run(_tasks_in_flight(stand, size)), stand.run(_in_flight(stand, size))
    count = _batches(size) * size
    floor = Case(stand.named(f"tasks in flight: {size:,}"), tasks, count)
    yield floor
    yield Case(stand.named(f"calls in flight: {size:,}"), calls, count, floor.name)


def _table(
    made: list[Stand],
    title: str,
    of: str,
    sizes: tuple[int, ...],
    lines: Mapping[str, Cases],
    within: float,
    note: str,
    first: int = 1,
) -> Table:
    """Return a table; the law is for the sizes from `first` on, which is what they are held to."""
    cases: list[Case] = []
    law: dict[str, dict[int, str]] = {}
    for stand in made:
        for name, cases_of in lines.items():
            line = law[stand.named(name)] = {}
            for size in sorted(sizes, key=lambda size: (size < first, size)):
                found = [*cases_of(stand, size)]
                if line and len(found) == 1:
                    found = [replace(found[0], baseline=next(iter(line.values())))]
                if size >= first or not line:
                    line[size] = found[-1].name
                cases += found
    return Table(
        title,
        cases,
        thread_time_ns,
        patience=_PATIENCE,
        note=note,
        law=Law(of=of, sizes=law, within=within),
    )


def tables(
    calls: int = _CALLS,
    *,
    configs: tuple[int, ...] = CONFIGS,
    experiments: tuple[int, ...] = EXPERIMENTS,
    in_flight: tuple[int, ...] = IN_FLIGHT,
    depths: tuple[int, ...] = DEPTHS,
    branches: tuple[int, ...] = BRANCHES,
) -> Iterator[Table]:
    """Yield a table for each question."""

    def standing() -> AbstractContextManager[list[Stand]]:
        return stands(calls, "")

    with standing() as made:
        lines = {
            "single": _called("single, configs", _single),
            "round-robin": _called("round-robin, configs", _round_robin),
        }
        yield _table(
            made,
            "one call, by the number of configs",
            "configs",
            configs,
            lines,
            within=1.5,
            note="Round-robin plays all of them in turn: each has actors of its own.",
        )
    with standing() as made:
        yield _table(
            made,
            "one call, by the number of experiments, called in turn",
            "experiments",
            experiments,
            {"single": _one_and_in_turn},
            within=2.5,
            note="Ten thousand of them do not fit into the caches of a CPU: the one that is called "
            "again and again does, among as many.",
        )
    with standing() as made:
        yield _table(
            made,
            "one call, by the number of calls in flight, each of which suspends once",
            "calls in flight",
            in_flight,
            {"single": _beside_the_floor},
            within=1.5,
            note="Held to the ratio of ten in flight: with one, the loop's own turn is most of it.",
            first=10,
        )
    with standing() as made:
        yield _table(
            made,
            "one level of nested calls, by their depth",
            "levels",
            depths,
            {"nested": _levels},
            within=1.5,
            note="Held to the ratio of two levels to as many contexts in each other.",
            first=2,
        )
    with standing() as made:
        yield _table(
            made,
            "one branch of a multi-branch call, by their number",
            "branches",
            branches,
            {"multi-branch": _in_parts("branches", _branches, _BRANCHES_IN_A_RUN)},
            within=1.2,
            note="Held to the cost of two branches: one alone is a single call.",
            first=2,
        )


QUICK: Final = {
    "calls": 3,
    "configs": (1, 10),
    "experiments": (1, 10),
    "in_flight": (1, 10, 100),
    "depths": (1, 2, 5),
    "branches": (1, 2, 4),
}

if __name__ == "__main__":
    main(tables, quick=QUICK)
