"""What a call costs, beside a task of asyncio: on asyncio and on uvloop, in one run.

The baseline, `t`, is `await loop.create_task(fn(x))`: the cheapest way asyncio itself has to run
something in a context of its own. What is told is the CPU time of the loop's thread, per call. All
branches of a call are played and accounted for within it, but for the two rows that say otherwise.
The goals for events are for what they add to the same call without them.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import thread_time_ns
from typing import Any

from benchmarks._command import main
from benchmarks._harness import Case, Table
from benchmarks._peers import PYDANTIC, SPEARMINT, load_spearmint
from understudy import (
    Config,
    FileSink,
    MemorySink,
    MultiBranchStrategy,
    RoundRobinStrategy,
    Runtime,
    ShadowStrategy,
)

from ._spearmint import spearmint_cases
from ._stand import Many, Stand, Stopwatch, stands

_CALLS = 5_000
_CALLS_OF_FOUR = 1_000
_IN_FLIGHT = 1_000
_FLUSH = 60.0
_UNBOUNDED = 1_000_000
_ALL_SHADOWS = 3

T = "t = await create_task(fn(x))"
_SINGLE = "single"
_SUSPENDING = "single, suspends once"
_FOUR = [{"model": f"model-{number}", "temp": 0.7} for number in range(4)]
_ONE = _FOUR[:1]


def _of(asyncio: float, uvloop: float) -> dict[str, float]:
    return {"asyncio": asyncio, "uvloop": uvloop}


async def bare(x: int) -> int:
    return x


async def bare_suspending(x: int) -> int:
    await asyncio.sleep(0)
    return x


async def play(x: int, config: Config) -> int:
    return x


async def play_suspending(x: int, config: Config) -> int:
    await asyncio.sleep(0)
    return x


def _awaited(calls: int, function: Callable[[int], Coroutine[Any, Any, object]]) -> Many:
    async def many() -> None:
        for number in range(calls):
            await function(number)

    return many


def _in_tasks(stand: Stand, function: Callable[[int], Coroutine[Any, Any, object]]) -> Many:
    create_task = stand.loop.create_task

    async def many() -> None:
        for number in range(stand.calls):
            await create_task(function(number))

    return many


def _called(calls: int, runtime: Runtime, function: Callable[..., Any]) -> Many:
    """Call `runtime.call(function, x)`, one at a time."""
    call = runtime.call

    async def many() -> None:
        for number in range(calls):
            await call(function, number)

    return many


def _in_flight(stand: Stand, concurrency: int) -> Many:
    runtime = stand.runtime(configs=_ONE, concurrency=concurrency, mailbox=_UNBOUNDED)
    answer = runtime.experiment(play_suspending)
    create_task, call = stand.loop.create_task, runtime.call

    async def many() -> None:
        for task in [create_task(call(answer, number)) for number in range(_IN_FLIGHT)]:
            await task

    return many


def _floors(stand: Stand) -> Iterator[Case]:
    yield stand.case(T, _in_tasks(stand, bare))
    yield stand.case("t, fn suspends once", _in_tasks(stand, bare_suspending))
    yield stand.case("bare await fn(x)", _awaited(stand.calls, bare))


def _single(stand: Stand) -> Iterator[Case]:
    calls = stand.calls
    runtime = stand.runtime(configs=_ONE)
    timed = stand.runtime(configs=_ONE, timeout=5.0)
    switched_off = stand.runtime(configs=_FOUR, strategy=ShadowStrategy())
    switched_off.disable()
    answer, suspending = map(runtime.experiment, (play, play_suspending))
    timely, timely_suspending = map(timed.experiment, (play, play_suspending))
    yield stand.case(_SINGLE, _called(calls, runtime, answer), _of(0.25, 0.55))
    yield stand.case("single, called directly: await fn(x)", _awaited(calls, answer))
    yield stand.case(_SUSPENDING, _called(calls, runtime, suspending), _of(0.9, 1.4))
    yield stand.case(
        "single, 5 s deadline", _called(calls, timed, timely), _of(0.02, 0.02), over=_SINGLE
    )
    yield stand.case(
        "single, suspends once, 5 s deadline",
        _called(calls, timed, timely_suspending),
        _of(0.02, 0.02),
        over=_SUSPENDING,
    )
    yield stand.case(
        "kill switch on",
        _called(calls, switched_off, switched_off.experiment(play)),
        _of(0.12, 0.12),
    )


def _several(stand: Stand, calls: int) -> Iterator[Case]:
    in_turn = stand.runtime(configs=_FOUR, strategy=RoundRobinStrategy())
    all_four = stand.runtime(configs=_FOUR, strategy=MultiBranchStrategy())
    yield stand.case(
        "round-robin over 4",
        _called(stand.calls, in_turn, in_turn.experiment(play)),
        _of(0.30, 0.70),
    )
    yield stand.case(
        "multi-branch of 4",
        _called(calls, all_four, all_four.experiment(play)),
        _of(4.2, 6.5),
        calls=calls,
    )
    yield stand.case("nested, 3 deep", _nested(stand), _of(0.8, 1.7))
    for concurrency, goals in ((_IN_FLIGHT, _of(1.4, 2.3)), (1, _of(2.0, 2.9))):
        yield stand.case(
            f"1,000 in flight, suspending, concurrency {concurrency:,}",
            _in_flight(stand, concurrency),
            goals,
            calls=_IN_FLIGHT,
        )


def _nested(stand: Stand) -> Many:
    runtime = stand.runtime(configs=_ONE)
    call = runtime.call

    @runtime.experiment
    async def inmost(x: int, config: Config) -> int:
        return x

    @runtime.experiment
    async def inner(x: int, config: Config) -> Any:
        return await call(inmost, x)

    @runtime.experiment
    async def outer(x: int, config: Config) -> Any:
        return await call(inner, x)

    return _called(stand.calls, runtime, outer)


def _shadows(stand: Stand, calls: int, shadows: int) -> Iterator[Case]:
    runtime = stand.runtime(
        configs=_FOUR[: 1 + shadows],
        strategy=ShadowStrategy(),
        concurrency=_UNBOUNDED,
        mailbox=_UNBOUNDED,
    )
    call = runtime.call
    played = 0

    @runtime.experiment
    async def answer(x: int, config: Config) -> int:
        nonlocal played
        played += 1
        return x

    async def all_counted() -> None:
        nonlocal played
        played = 0
        for number in range(calls):
            await call(answer, number)
        while played < (1 + shadows) * calls:  # noqa: ASYNC110  # nothing but turns of the loop is wanted
            await asyncio.sleep(0)
        await runtime.drain()

    name = f"shadow with {shadows}, all drained"
    goals = _of(3.8, 6.5) if shadows == _ALL_SHADOWS else None
    yield stand.case(name, all_counted, goals, calls=calls)


def _before_the_shadows(stand: Stand, calls: int) -> Iterator[Case]:
    runtime = stand.runtime(
        configs=_FOUR, strategy=ShadowStrategy(), concurrency=_UNBOUNDED, mailbox=_UNBOUNDED
    )
    call, until_primary, until_answer = runtime.call, Stopwatch(), Stopwatch()

    @runtime.experiment
    async def answer(x: int, config: Config) -> int:
        until_primary.stop()  # the primary does: a shadow finds it stopped
        return x

    async def to_the_primary() -> None:
        for number in range(calls):
            until_primary.start()
            await call(answer, number)
        until_primary.take_off(calls)
        await runtime.drain()

    async def to_the_answer() -> None:
        for number in range(calls):
            until_answer.start()
            await call(answer, number)
            until_answer.stop()
            await asyncio.sleep(0)  # the shadows play now, and so not while it runs
        until_answer.take_off(calls)
        await runtime.drain()

    yield stand.case(
        "shadow with 3: until the primary starts",
        to_the_primary,
        _of(0.5, 0.5),
        calls=calls,
        clock=until_primary.read,
    )
    yield stand.case(
        "shadow with 3: until the answer is there",
        to_the_answer,
        calls=calls,
        clock=until_answer.read,
    )


def _events(stand: Stand, folder: Path) -> Iterator[Case]:
    memory = MemorySink(limit=None)
    kept = stand.runtime(configs=_ONE, events=memory)
    keeping = _called(stand.calls, kept, kept.experiment(play))
    file = FileSink(folder / f"{stand.name}.jsonl", capacity=_UNBOUNDED)
    written = stand.runtime(configs=_ONE, events=file)
    writing = _called(stand.calls, written, written.experiment(play))

    async def kept_and_forgotten() -> None:
        await keeping()
        memory.clear()

    async def written_out() -> None:
        await writing()
        if not await asyncio.to_thread(file.flush, _FLUSH):
            raise RuntimeError("the events are not written")

    yield stand.case("single, events to a MemorySink", kept_and_forgotten)
    yield stand.case("single, events to a file", written_out, _of(0.06, 0.15), over=_SINGLE)


def tables(calls: int = _CALLS, calls_of_four: int = _CALLS_OF_FOUR) -> Iterator[Table]:
    """Yield the table of this benchmark."""
    spearmint = load_spearmint()
    with TemporaryDirectory() as folder, stands(calls, T) as made:
        cases: list[Case] = []
        for stand in made:
            cases += [*_floors(stand), *_single(stand), *_several(stand, calls_of_four)]
            for shadows in (1, _ALL_SHADOWS):
                cases += _shadows(stand, calls_of_four, shadows)
            cases += _before_the_shadows(stand, calls_of_four)
            cases += _events(stand, Path(folder))
            if spearmint is not None:
                cases += spearmint_cases(stand, spearmint, _ONE, _FOUR)
        yield Table(
            "one call of an async function, in CPU time of its thread", cases, thread_time_ns
        )


if __name__ == "__main__":
    main(tables, peers=(SPEARMINT, PYDANTIC), quick={"calls": 20, "calls_of_four": 20})
