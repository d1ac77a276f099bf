"""What other kinds of calls cost: streams, sync functions, calls from threads, a busy loop.

Each table has a floor of its own: the bare async generator, the bare call, `run_in_executor`,
`run_coroutine_threadsafe`. Where threads hand work to each other it is wall time, with one CPU for
all of them: there it is fastest, and what counts is what each hand-over takes.

The lag of a loop is how long everybody else on it waits. Calls that never suspend would never let
them have a turn, so a runtime takes a break by itself; told is the p99 of the time between two
turns while one task makes such calls as fast as it can. It is CPU time, so that what else the
machine does is not in it.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from time import perf_counter_ns, thread_time_ns
from typing import Any, Final

from benchmarks._command import main
from benchmarks._harness import Case, Goal, Table
from benchmarks._meter import Meter, metered
from understudy import Config

from ._events import tables as tables_of_events
from ._stand import Many, Stand, stands
from .bench_calls import bare, play

_CALLS: Final = 1_000
_CALLS_OF_THREADS: Final = 200
_IN_FLIGHT: Final = 1_000
_ITEMS: Final = 100
_STREAMS: Final = 20
_BUSY_CALLS: Final = 100_000
_ONE: Final = [{"model": "model-0", "temp": 0.7}]
_UNBOUNDED: Final = 1_000_000
_P99: Final = 0.99

_GENERATOR: Final = "the bare async generator"
_BARE: Final = "fn(x)"
_EXECUTOR: Final = "run_in_executor, one at a time"
_EXECUTORS: Final = "run_in_executor, 1,000 in flight"
_THREADSAFE: Final = "run_coroutine_threadsafe(fn(x)).result()"


def bare_sync(x: int) -> int:
    return x


def play_sync(x: int, config: Config) -> int:
    return x


async def bare_items(x: int) -> AsyncIterator[int]:
    for number in range(_ITEMS):
        yield number


async def play_items(x: int, config: Config) -> AsyncIterator[int]:
    for number in range(_ITEMS):
        yield number


def _goals(asyncio: float, uvloop: float) -> dict[str, float]:
    return {"asyncio": asyncio, "uvloop": uvloop}


def _streams(made: list[Stand], streams: int) -> Iterator[Case]:
    def read(items: Callable[[int], AsyncIterator[int]]) -> Many:
        async def many() -> None:
            for number in range(streams):
                async for _ in items(number):
                    pass

        return many

    for stand in made:
        runtime = stand.runtime(configs=_ONE)
        items = runtime.experiment(play_items)
        count, create_task = streams * _ITEMS, stand.loop.create_task

        async def tasks(create_task: Any = create_task, count: int = count) -> None:
            for number in range(count):
                await create_task(bare(number))

        task = stand.case("t = await create_task(fn(x))", tasks, calls=count)
        floor = Case(stand.named(_GENERATOR), stand.run(read(bare_items)), count, task.name)
        ours = stand.run(read(partial(runtime.stream, items)))
        goal = Goal(0.05, over=floor.name)
        yield from (task, floor)
        yield Case(stand.named("runtime.stream, per item"), ours, count, task.name, goal)


def _sync(made: list[Stand]) -> Iterator[Case]:
    stand = made[0]  # no loop is used
    runtime = stand.runtime(configs=_ONE)
    answer, create_task = runtime.experiment(play_sync), stand.loop.create_task

    def called(function: Callable[[int], object]) -> Callable[[], None]:
        def many() -> None:
            for number in range(stand.calls):
                function(number)

        return many

    async def tasks() -> None:
        for number in range(stand.calls):
            await create_task(bare(number))

    task = stand.case("t = await create_task(fn(x))", tasks)
    yield task
    yield Case(_BARE, called(bare_sync), stand.calls, task.name)
    yield Case("a sync experiment, called", called(answer), stand.calls, task.name, Goal(0.15))


def _bridged(stand: Stand, pool: ThreadPoolExecutor, in_flight: int) -> Iterator[Case]:
    runtime = stand.runtime(configs=_ONE, concurrency=_UNBOUNDED, mailbox=_UNBOUNDED)
    answer, loop, call = runtime.experiment(play_sync), stand.loop, runtime.call

    async def one_by_one() -> None:
        for number in range(stand.calls):
            await loop.run_in_executor(pool, bare_sync, number)

    async def ours_one_by_one() -> None:
        for number in range(stand.calls):
            await call(answer, number)

    async def at_once() -> None:
        for each in [loop.run_in_executor(pool, bare_sync, number) for number in range(in_flight)]:
            await each

    async def ours_at_once() -> None:
        for each in [loop.create_task(call(answer, number)) for number in range(in_flight)]:
            await each

    goals, at_once_goals = _goals(0.6, 0.5), _goals(0.3, 0.25)
    floor = stand.case(_EXECUTOR, one_by_one)
    floor_at_once = stand.case(_EXECUTORS, at_once, calls=in_flight)
    yield floor
    yield _over(stand, "the bridge, one at a time", ours_one_by_one, stand.calls, floor, goals)
    yield floor_at_once
    yield _over(
        stand, "the bridge, 1,000 in flight", ours_at_once, in_flight, floor_at_once, at_once_goals
    )


def _over(
    stand: Stand, name: str, many: Many, calls: int, floor: Case, goals: dict[str, float]
) -> Case:
    goal = Goal(goals[stand.name])
    return Case(stand.named(name), stand.run(many), calls, floor.name, goal)


def _from_threads(stand: Stand) -> Iterator[Case]:
    """Yield calls from a thread beside the loop: of an async function, waited for."""
    runtime = stand.runtime(configs=_ONE)
    answer, loop = runtime.experiment(play), stand.loop

    def asked_for(ask: Callable[[int], object]) -> Callable[[], None]:
        def many() -> None:
            for number in range(stand.calls):
                ask(number)

        async def beside() -> None:
            await asyncio.to_thread(many)

        return lambda: loop.run_until_complete(beside())

    def threadsafe(
        coroutine: Callable[[int], Coroutine[Any, Any, object]],
    ) -> Callable[[int], object]:
        def ask(x: int) -> object:
            return asyncio.run_coroutine_threadsafe(coroutine(x), loop).result()

        return ask

    floor = stand.named(_THREADSAFE)
    yield Case(floor, asked_for(threadsafe(bare)), stand.calls)
    yield Case(
        stand.named("call_blocking, on a loop of the runtime's own"),
        asked_for(lambda x: runtime.call_blocking(answer, x)),
        stand.calls,
        floor,
        Goal(_goals(0.7, 0.65)[stand.name]),
    )
    yield Case(
        stand.named("run_coroutine_threadsafe(runtime.call(...)).result()"),
        asked_for(threadsafe(lambda x: runtime.call(answer, x))),
        stand.calls,
        floor,
    )


def _lags(made: list[Stand], calls: int) -> Iterator[Case]:
    for stand in made:
        runtime, meter = stand.runtime(configs=_ONE), Meter()
        answer = runtime.experiment(play)

        async def busy(runtime: Any = runtime, answer: Any = answer) -> None:
            for number in range(calls):
                await runtime.call(answer, number)

        def lag(stand: Stand = stand, busy: Many = busy) -> float:
            return stand.loop.run_until_complete(_p99_of_turns(busy))

        name = f"a loop of {calls:,} calls that never suspend"
        yield Case(
            stand.named(name), metered(meter, lag), 1, goal=Goal(total=2e-3), clock=meter.read
        )


async def _p99_of_turns(busy: Many) -> float:
    """Return the p99 of the CPU time between two turns of the loop, in nanoseconds."""
    loop = asyncio.get_running_loop()
    turns: list[int] = []
    is_over = False

    def turn() -> None:
        turns.append(thread_time_ns())
        if not is_over:
            loop.call_soon(turn)

    turn()
    await asyncio.sleep(0)
    await busy()
    is_over = True
    await asyncio.sleep(0)
    turns.append(thread_time_ns())
    gaps = sorted(after - before for before, after in pairwise(turns))
    return gaps[int(_P99 * (len(gaps) - 1))]


@contextmanager
def _on_one_cpu() -> Generator[None]:
    """Have one CPU only, and threads begun meanwhile as well, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def tables(
    calls: int = _CALLS,
    *,
    calls_of_threads: int = _CALLS_OF_THREADS,
    in_flight: int = _IN_FLIGHT,
    streams: int = _STREAMS,
    busy_calls: int = _BUSY_CALLS,
) -> Iterator[Table]:
    """Yield the tables of this benchmark."""
    with stands(calls, "") as made:
        title = f"one item of a stream of {_ITEMS}, CPU time"
        yield Table(title, [*_streams(made, streams)], thread_time_ns)
        yield Table("one call of a sync function, CPU time", [*_sync(made)], thread_time_ns)
    with _on_one_cpu(), stands(calls_of_threads, "") as made, ThreadPoolExecutor(1) as pool:
        cases = [case for stand in made for case in _bridged(stand, pool, in_flight)]
        title = "a sync function, awaited, out of the loop's way: wall time, on one CPU"
        yield Table(title, cases, perf_counter_ns)
        cases = [case for stand in made for case in _from_threads(stand)]
        title = "an async function, called from a thread: wall time, on one CPU"
        yield Table(title, cases, perf_counter_ns)
    yield from tables_of_events(calls)
    with stands(calls, "") as made:
        title = "the lag of a busy loop: the p99 of the CPU time between two turns"
        yield Table(title, [*_lags(made, busy_calls)], is_once=True)


QUICK: Final = {
    "calls": 5,
    "calls_of_threads": 5,
    "in_flight": 10,
    "streams": 1,
    "busy_calls": 100,
}

if __name__ == "__main__":
    main(tables, quick=QUICK)
