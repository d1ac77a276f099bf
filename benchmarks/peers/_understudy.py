"""The calls in the hands of understudy."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager
from itertools import count
from typing import Any, Final

from understudy import (
    Config,
    MultiBranchStrategy,
    RoundRobinStrategy,
    Runtime,
    ShadowStrategy,
    Strategy,
)

from ._contender import Contender, Way, Ways
from ._kinds import ITEMS
from ._ways import awaited, called, in_tasks, read

FOUR: Final = [{"model": f"model-{number}", "temp": 0.7} for number in range(4)]
_UNBOUNDED: Final = 1_000_000
_SETTLED: Final = 60.0


async def play(x: int, config: Config) -> int:
    return x


async def play_suspending(x: int, config: Config) -> int:
    await asyncio.sleep(0)
    return x


async def play_items(x: int, config: Config) -> AsyncIterator[int]:
    for number in range(ITEMS):
        yield number


def play_sync(x: int, config: Config) -> int:
    return x


@contextmanager
def _understudy(loop: asyncio.AbstractEventLoop) -> Generator[Ways]:
    runtimes: list[Runtime] = []

    def runtime_of(configs: int, strategy: Strategy | None = None) -> Runtime:
        runtime = Runtime(
            configs=FOUR[:configs], strategy=strategy, concurrency=_UNBOUNDED, mailbox=_UNBOUNDED
        )
        runtimes.append(runtime)
        return runtime

    one, robin = runtime_of(1), runtime_of(4, RoundRobinStrategy())
    many = runtime_of(4, MultiBranchStrategy())
    answer, outer = one.experiment(play), _nested(one)
    suspending, in_thread = one.experiment(play_suspending), one.experiment(play_sync)
    items, in_turn = one.experiment(play_items), robin.experiment(play)
    branches: Any = many.experiment(play)
    call = one.call

    async def all_answers(x: int) -> Any:
        results = await many.call(branches, x)
        return [each.result for each in results][-1]

    try:
        yield {
            "single": awaited(lambda x: call(answer, x)),
            "shadow_1": _shadowed(runtime_of(2, ShadowStrategy())),
            "shadow_3": _shadowed(runtime_of(4, ShadowStrategy())),
            "multi_4": awaited(all_answers),
            "robin_4": awaited(lambda x: robin.call(in_turn, x)),
            "nested_2": awaited(lambda x: call(outer, x)),
            "stream_100": read(lambda x: one.stream(items, x)),
            "sync_direct": called(in_thread),
            "sync_shadow": _shadowed_sync(runtime_of(2, ShadowStrategy())),
            "bridge": awaited(lambda x: call(in_thread, x)),
            "bridge_1000": in_tasks(lambda x: call(in_thread, x)),
            "flight_1000": in_tasks(lambda x: call(suspending, x)),
            "flight_10000": in_tasks(lambda x: call(suspending, x)),
        }
    finally:
        for runtime in runtimes:
            loop.run_until_complete(runtime.aclose())
            runtime.close()


def _nested(runtime: Runtime) -> Callable[..., Any]:
    inner = runtime.experiment(play)

    @runtime.experiment
    async def outer(x: int, config: Config) -> int:
        return await runtime.call(inner, x)

    return outer


def _shadowed(runtime: Runtime) -> Way:
    answer = runtime.experiment(play)

    async def way(calls: int) -> Any:
        last: Any = None
        for x in range(calls):
            last = await runtime.call(answer, x)
        await runtime.drain()
        return last

    return way


def _shadowed_sync(runtime: Runtime) -> Way:
    played, plays, done = count(1), 0, threading.Event()

    @runtime.experiment
    def answer(x: int, config: Config) -> int:
        if next(played) == plays:
            done.set()
        return x

    def way(calls: int) -> Any:
        nonlocal played, plays
        played, plays = count(1), 2 * calls
        done.clear()
        last: Any = None
        for x in range(calls):
            last = answer(x)
        if not done.wait(_SETTLED):
            raise RuntimeError("not all shadows have played")
        return last

    return way


CONTENDER = Contender(
    key="understudy",
    title="understudy",
    how="as it comes; no limit on concurrency where many calls are in flight",
    open=_understudy,
)
