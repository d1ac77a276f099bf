"""The calls in the hands of Spearmint, with its tracing off and on."""

import asyncio
import inspect
import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from benchmarks._peers import load

from ._contender import Contender, Open, Way, Ways
from ._kinds import KINDS
from ._understudy import FOUR
from ._ways import awaited, called, in_tasks

_PATIENCE: Final = 60.0


def _opened(is_traced: bool) -> Open:
    @contextmanager
    def opened(loop: asyncio.AbstractEventLoop) -> Generator[Ways]:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        mlflow, spearmint = load("mlflow"), load("spearmint")
        if not is_traced:
            mlflow.tracing.disable()
        yield {key: _until_written(way) if is_traced else way for key, way in _ways(spearmint)}

    return opened


def _until_written(way: Way) -> Way:
    """Return a way that does not end before all its traces are in the store."""
    flush = load("mlflow").flush_trace_async_logging
    if not inspect.iscoroutinefunction(way):

        def and_flush(calls: int) -> Any:
            answer = way(calls)
            flush()
            return answer

        return and_flush

    async def and_flush_after(calls: int) -> Any:
        answer = await way(calls)
        flush()
        return answer

    return and_flush_after


def _ways(spearmint: Any) -> list[tuple[str, Way]]:
    strategies = spearmint.strategies

    def experiment(function: Any, configs: int = 1, strategy: str = "SingleConfig") -> Any:
        function.__annotations__["config"] = spearmint.config.Config
        mint = spearmint.Spearmint(
            configs=FOUR[:configs], strategy=getattr(strategies, f"{strategy}Strategy")
        )
        return mint.experiment()(function)

    async def play(x: int, config: Any) -> int:
        return x

    async def play_suspending(x: int, config: Any) -> int:
        await asyncio.sleep(0)
        return x

    def play_sync(x: int, config: Any) -> int:
        return x

    inner = experiment(play)

    async def play_outer(x: int, config: Any) -> Any:
        return await inner(x)

    branches = experiment(play, 4, "MultiBranch")

    async def all_answers(x: int) -> Any:
        return [branch.output for branch in await branches(x)][-1]

    def shadowed(shadows: int) -> Way:
        played = 0

        async def play_counted(x: int, config: Any) -> int:
            nonlocal played
            played += 1
            return x

        answer = experiment(play_counted, 1 + shadows, "Shadow")

        async def until_all_played(last: int) -> None:
            while played < (1 + shadows) * last:  # noqa: ASYNC110  # it knows of no drain
                await asyncio.sleep(0)

        async def way(calls: int) -> Any:
            nonlocal played
            played = 0
            last = await awaited(answer)(calls)
            async with asyncio.timeout(_PATIENCE):
                await until_all_played(calls)
            return last

        return way

    flight = in_tasks(experiment(play_suspending))
    return [
        ("single", awaited(inner)),
        ("shadow_1", shadowed(1)),
        ("shadow_3", shadowed(3)),
        ("multi_4", awaited(all_answers)),
        ("robin_4", awaited(experiment(play, 4, "RoundRobin"))),
        ("nested_2", awaited(experiment(play_outer))),
        ("sync_direct", called(experiment(play_sync))),
        ("sync_shadow", called(experiment(play_sync, 2, "Shadow"))),
        ("flight_1000", flight),
        ("flight_10000", flight),
    ]


_CANNOT: Final = {
    "stream_100": "it gives a generator back as it is: no branch plays it",
    "bridge": "it has no call for it: a sync function blocks the loop that calls it",
    "bridge_1000": "it has no call for it: a sync function blocks the loop that calls it",
}

CONTENDERS: Final = (
    Contender(
        key="spearmint",
        title="Spearmint, tracing off",
        how="a strategy for each experiment, its printing to nowhere",
        open=_opened(is_traced=False),
        cannot=_CANNOT,
        distribution="spearmint-framework",
        wall=("sync_direct", "sync_shadow"),
        calls=50,
    ),
    Contender(
        key="spearmint_traced",
        title="Spearmint, tracing on",
        how="as it comes: a thread writes traces to SQLite; until they are written, as for shadows",
        open=_opened(is_traced=True),
        cannot=_CANNOT
        | {"flight_10000": "left out: to write as many traces takes minutes, as 1,000 show"},
        distribution="spearmint-framework",
        loops=("asyncio",),
        wall=tuple(KINDS),
        calls=50,
    ),
)
