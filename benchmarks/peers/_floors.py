"""The floors: the same work without any library, and with none of what a library is for."""

import asyncio
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

from ._contender import Contender, Way, Ways
from ._ways import (
    awaited,
    called,
    fn,
    fn_items,
    fn_suspending,
    fn_sync,
    gathered,
    in_futures,
    in_tasks,
    read,
)


async def _outer(x: int) -> int:
    return await fn(x)


def _in_tasks_beside(shadows: int) -> Way:
    async def way(calls: int) -> Any:
        create_task = asyncio.get_running_loop().create_task
        answer: Any = None
        for x in range(calls):
            tasks = [create_task(fn(x)) for _ in range(shadows)]
            answer = await fn(x)
            for task in tasks:
                await task
        return answer

    return way


@contextmanager
def _floors(loop: asyncio.AbstractEventLoop) -> Generator[Ways]:
    create_task = loop.create_task
    with ThreadPoolExecutor(1) as pool:

        def in_executor(x: int) -> asyncio.Future[int]:
            return loop.run_in_executor(pool, fn_sync, x)

        def submitted(calls: int) -> Any:
            answer: Any = None
            shadows: list[Any] = []
            for x in range(calls):
                shadows.append(pool.submit(fn_sync, x))
                answer = fn_sync(x)
            wait(shadows)
            return answer

        yield {
            "single": awaited(lambda x: create_task(fn(x))),
            "single: await fn(x), nothing else": awaited(fn),
            "shadow_1": _in_tasks_beside(1),
            "shadow_3": _in_tasks_beside(3),
            "multi_4": gathered([fn] * 4),
            "robin_4": awaited(lambda x: create_task(fn(x))),
            "nested_2": awaited(lambda x: create_task(_outer(x))),
            "nested_2: await outer(x), nothing else": awaited(_outer),
            "stream_100": read(fn_items),
            "sync_direct": called(fn_sync),
            "sync_shadow": submitted,
            "bridge": awaited(in_executor),
            "bridge_1000": in_futures(in_executor),
            "flight_1000": in_tasks(fn_suspending),
            "flight_10000": in_tasks(fn_suspending),
        }


CONTENDER = Contender(
    key="floors", title="the floor", how="no library, and none of what one is for", open=_floors
)
