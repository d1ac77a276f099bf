"""Threads for sync functions: `asyncio.to_thread` and `anyio.to_thread.run_sync`."""

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import anyio
import anyio.to_thread

from ._contender import Contender, Ways
from ._kinds import KINDS
from ._ways import awaited, fn_sync, in_tasks

_BRIDGES: Final = ("bridge", "bridge_1000")
_CANNOT: Final = {key: "it runs sync functions only" for key in KINDS if key not in _BRIDGES} | {
    "sync_direct": "it is awaited: there is nothing to call without a loop",
    "sync_shadow": "it is awaited: there is nothing to call without a loop",
}


def _bridged(ask: Callable[[int], Any]) -> Ways:
    return {"bridge": awaited(ask), "bridge_1000": in_tasks(ask)}


@contextmanager
def _asyncio(loop: asyncio.AbstractEventLoop) -> Generator[Ways]:
    with ThreadPoolExecutor(1) as pool:
        loop.set_default_executor(pool)
        yield _bridged(lambda x: asyncio.to_thread(fn_sync, x))


@contextmanager
def _anyio(loop: asyncio.AbstractEventLoop) -> Generator[Ways]:
    async def limiter() -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(1)

    one = loop.run_until_complete(limiter())
    yield _bridged(lambda x: anyio.to_thread.run_sync(fn_sync, x, limiter=one))


CONTENDERS: Final = (
    Contender(
        key="to_thread",
        title="asyncio.to_thread",
        how="one thread; the floor of these tables is run_in_executor itself",
        open=_asyncio,
        cannot=_CANNOT,
        wall=_BRIDGES,
        calls=300,
    ),
    Contender(
        key="anyio_to_thread",
        title="anyio.to_thread",
        how="a limiter of one thread",
        open=_anyio,
        cannot=_CANNOT,
        wall=_BRIDGES,
        calls=300,
    ),
)
