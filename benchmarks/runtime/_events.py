"""What events cost, written to a file, and a record, beside the same calls with neither.

A loop only notes what happens; the rest is done in a thread of the file, or of the run. So there
are two numbers: the CPU time of the loop's thread, which the goals are for, and that of all
threads, until everything is written. Both are told per branch. The baseline, `t`, is a task of
asyncio.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time_ns, thread_time_ns
from typing import Any, Final

from benchmarks._harness import Case, Goal, Table
from understudy import FileSink, Runtime, ShadowStrategy
from understudy.runs import Run

from ._stand import Many, Stand, stands
from .bench_calls import T, bare, play

_CALLS: Final = 2_000
_SHADOWS: Final = 3
_FLUSH: Final = 60.0
_UNBOUNDED: Final = 1_000_000
_TURNS: Final = 8
"""After so many turns of the loop all shadows have played."""
_FOUR: Final = [{"model": f"model-{number}", "temp": 0.7} for number in range(1 + _SHADOWS)]
_GOALS: Final = {"asyncio": 0.06, "uvloop": 0.15}


def _cases(
    stand: Stand, folder: Path, runs: ExitStack, calls: int, is_written: bool
) -> Iterator[Case]:
    create_task = stand.loop.create_task

    async def tasks() -> None:
        for number in range(calls):
            await create_task(bare(number))

    yield stand.case(T, tasks, calls=calls)
    for shadows in (0, _SHADOWS):
        name = f"shadow with {shadows}" if shadows else "single"
        branches = calls * (1 + shadows)
        many, _ = played(stand, shadows, calls)
        yield stand.case(name, many, calls=branches)
        path = folder / f"{stand.name}-{shadows}-{is_written}.jsonl"
        sink = FileSink(path, capacity=_UNBOUNDED)
        many, _ = played(stand, shadows, calls, events=sink)
        told = f"{name}, events to a file"
        goal = None if is_written else Goal(_GOALS[stand.name], over=stand.named(name))
        run = stand.run(written(many, sink))
        yield Case(stand.named(told), run, branches, stand.named(T), goal)
        record = runs.enter_context(Run(prefix=path.stem, root=folder, capture=False))
        many, runtime = played(stand, shadows, calls, record=record)
        run = stand.run(_recorded(many, runtime))
        told = f"{name}, recorded into a run"
        yield Case(stand.named(told), run, branches, stand.named(T))


def played(stand: Stand, shadows: int, calls: int, **options: Any) -> tuple[Many, Runtime]:
    """Return what plays so many calls, and their shadows; and the runtime that plays them."""
    if shadows:
        options["strategy"] = ShadowStrategy()
    runtime = stand.runtime(
        configs=_FOUR[: 1 + shadows],
        concurrency=_UNBOUNDED,
        mailbox=_UNBOUNDED,
        **options,
    )
    answer, call = runtime.experiment(play), runtime.call

    async def many() -> None:
        for number in range(calls):
            await call(answer, number)
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    return many, runtime


def written(many: Many, sink: FileSink) -> Many:
    """Return what plays, and waits until the events of it are in the file."""

    async def played_and_written() -> None:
        await many()
        if not await asyncio.to_thread(sink.flush, _FLUSH):  # it is not for the loop to do
            raise RuntimeError("the events are not written")

    return played_and_written


def _recorded(many: Many, runtime: Runtime) -> Many:
    async def played_and_recorded() -> None:
        await many()
        await runtime.drain(_FLUSH)

    return played_and_recorded


def tables(calls: int = _CALLS) -> Iterator[Table]:
    """Yield the tables of this benchmark."""
    for clock, told in (
        (thread_time_ns, "of the loop's thread"),
        (process_time_ns, "of all threads, until it is written"),
    ):
        with TemporaryDirectory() as folder, ExitStack() as runs, stands(calls, T) as made:
            is_written = clock is process_time_ns
            cases = [
                case
                for stand in made
                for case in _cases(stand, Path(folder), runs, calls, is_written)
            ]
            yield Table(
                f"one branch, events to a file, a record or neither, in CPU time {told}",
                cases,
                clock,
            )
