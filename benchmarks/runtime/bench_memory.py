"""How much memory is taken up, and how long it takes to make it: actors, calls, what is left.

An experiment that was never called is its function, its settings and its configs. The first call
starts its actors: a supervisor, one for the strategy, and one for each config; from then on they
wait for the next. A call in flight takes up memory too, when it is suspended and when it waits for
its turn. After a drain nothing is to be left of the calls.

Objects are weighed by `tracemalloc`, but for very many actors, where it takes too long: there it
is what a process of their own has more of (its resident set), which is more than the objects are.
"""

import asyncio
import gc
import sys
import tracemalloc
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from benchmarks._command import main
from benchmarks._harness import Case, Goal, Table
from benchmarks._meter import Meter, metered, told_by_process
from understudy import Config, Runtime, ShadowStrategy

_COUNT: Final = 1_000
_VERY_MANY: Final = 100_000
_IN_FLIGHT: Final = 10_000
_DRAINED: Final = 100_000
_AT_A_TIME: Final = 100
_PATIENCE: Final = 60.0
_CONFIGS: Final = "a config of an experiment with 1,000, never called"
_EXPERIMENT: Final = "an experiment with one config, never called"
_TASK: Final = "a task that is suspended: the floor"
_SPAWN: Final = "benchmarks.runtime._spawn"
_KINDS: Final = {
    "case actors": "a case actor (1,000 to an experiment)",
    "experiments": "an experiment, declared",
    "actors of experiments": "the actors of an experiment with one config, by its first call",
}


async def play(x: int, config: Config) -> int:
    return x


def _bytes_in_use() -> int:
    return tracemalloc.get_traced_memory()[0]


@contextmanager
def _traced() -> Generator[None]:
    tracemalloc.start(1)
    try:
        yield
    finally:
        tracemalloc.stop()


def _played(loop: asyncio.AbstractEventLoop, runtime: Runtime, function: Any) -> Any:
    loop.run_until_complete(runtime.call(function, 1))
    return function


def _idle(loop: asyncio.AbstractEventLoop, count: int) -> Table:
    numbers = [{"number": number} for number in range(count)]

    def configs() -> Any:
        runtime = Runtime(configs=numbers)
        answer = runtime.experiment(play)
        labels = [config.label for config in answer.experiment.settings.configs]
        return runtime, answer, labels

    def actors() -> Any:
        runtime, answer, labels = configs()
        return runtime, _played(loop, runtime, answer), labels

    def experiments() -> Any:
        runtime = Runtime(configs=numbers[:1])
        return runtime, [runtime.experiment(play) for _ in range(count)]

    def played() -> Any:
        runtime, made = experiments()
        return runtime, [_played(loop, runtime, each) for each in made]

    cases = [
        Case(_CONFIGS, configs, count),
        Case("the same with its case actor, idle", actors, count, _CONFIGS, Goal(extra=700)),
        Case(_EXPERIMENT, experiments, count),
        Case("the same with its actors, idle", played, count, _EXPERIMENT),
    ]
    return Table("what is taken up, each", cases, _bytes_in_use, "B")


def _weighed_in_flight(
    loop: asyncio.AbstractEventLoop, count: int, play_until: Callable[[asyncio.Event], Any]
) -> float:
    """Return how many bytes so many calls take up that wait for an event."""

    async def weigh() -> float:
        event = asyncio.Event()
        ask = play_until(event)
        gc.collect()
        before = _bytes_in_use()
        tasks = [asyncio.create_task(ask(number)) for number in range(count)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gc.collect()
        weight = _bytes_in_use() - before
        event.set()
        for task in tasks:
            await task
        return weight

    return loop.run_until_complete(weigh())


def _in_flight(loop: asyncio.AbstractEventLoop, count: int) -> Table:
    meters = {"task": Meter(), "suspended": Meter(), "queued": Meter()}

    def bare(event: asyncio.Event) -> Any:
        async def wait(x: int) -> int:
            await event.wait()
            return x

        return wait

    def called(concurrency: int) -> Callable[[asyncio.Event], Any]:
        runtime = Runtime(configs=[{"number": 0}], concurrency=concurrency, mailbox=count)

        def ask_until(event: asyncio.Event) -> Any:
            @runtime.experiment
            async def wait(x: int, config: Config) -> int:
                await event.wait()
                return x

            def ask(x: int) -> Coroutine[Any, Any, int]:
                return runtime.call(wait, x)

            return ask

        return ask_until

    def case(
        name: str, key: str, play_until: Any, baseline: str = "", goal: Goal | None = None
    ) -> Case:
        meter = meters[key]
        run = metered(meter, lambda: _weighed_in_flight(loop, count, play_until))
        return Case(name, run, count, baseline, goal, meter.read)

    suspended, queued = Goal(total=2.6 * 1024), Goal(extra=600)
    cases = [
        case(_TASK, "task", bare),
        case(
            "a call that is suspended, and its task", "suspended", called(count), _TASK, suspended
        ),
        case("a call that is queued, and its task", "queued", called(1), _TASK, queued),
    ]
    return Table(f"a call in flight, of {count:,}", cases, _bytes_in_use, "B", _PATIENCE)


def _left_behind(loop: asyncio.AbstractEventLoop, count: int) -> Table:
    runtime = Runtime(configs=[{"number": 0}, {"number": 1}], strategy=ShadowStrategy())
    answer = runtime.experiment(play)
    meter = Meter()

    async def call_and_drain(calls: int) -> None:
        for number in range(calls):
            await runtime.call(answer, number)
            if number % _AT_A_TIME == 0:
                await asyncio.sleep(0)  # or the mailbox is full, and shadows are shed
        await runtime.drain()

    def blocks_left() -> int:
        loop.run_until_complete(call_and_drain(_AT_A_TIME))
        gc.collect()
        before = sys.getallocatedblocks()
        loop.run_until_complete(call_and_drain(count))
        gc.collect()
        return sys.getallocatedblocks() - before

    run = metered(meter, blocks_left)
    name = "blocks of memory more than before"
    cases = [Case(name, run, clock=meter.read, goal=Goal(total=_AT_A_TIME))]
    title = f"what is left after {count:,} calls with a shadow, drained"
    return Table(title, cases, unit="n", patience=_PATIENCE)


def _very_many(count: int) -> Iterator[Table]:
    """Yield how long it takes to make them, and, of the same processes, what they take up."""
    times, weights = Meter(), list[tuple[str, float]]()

    def spawned(what: str) -> float:
        told = told_by_process(_SPAWN, what, count)
        weights.append((what, told["bytes"]))
        return float(told["ns"]) * count

    cases = [
        Case(name, metered(times, partial(spawned, what)), count, clock=times.read)
        for what, name in _KINDS.items()
    ]
    title = f"to make one of {count:,}, CPU time"
    yield Table(title, cases, patience=_PATIENCE, is_once=True)
    told, sizes = dict(weights), Meter()

    def told_of(what: str) -> float:
        return told[what]

    cases = [
        Case(name, metered(sizes, partial(told_of, what)), clock=sizes.read)
        for what, name in _KINDS.items()
    ]
    yield Table(f"what one of {count:,} takes up, resident", cases, unit="B", is_once=True)


def tables(
    count: int = _COUNT,
    *,
    very_many: int = _VERY_MANY,
    in_flight: int = _IN_FLIGHT,
    drained: int = _DRAINED,
) -> Iterator[Table]:
    """Yield the tables of this benchmark."""
    loop = asyncio.new_event_loop()
    try:
        with _traced():
            yield _idle(loop, count)
            yield _in_flight(loop, in_flight)
        yield _left_behind(loop, drained)
        yield from _very_many(very_many)
    finally:
        loop.close()


QUICK: Final = {"count": 20, "very_many": 20, "in_flight": 20, "drained": 20}

if __name__ == "__main__":
    main(tables, quick=QUICK)
