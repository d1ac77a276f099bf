"""The contest by hand: the shadow in a task or a thread beside the lead, and nobody who looks.

What harms a lead here harms it in any library: it is what the same work costs the same process.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from ._cells import Way
from ._contest import Accounts, Contest
from ._shadows import Shadow, lead_async, lead_sync

_THREADS: Final = 64
"""As many as a runtime has at most for leads, and for shadows."""


def contest(way: Way, shadow: Shadow | None) -> Contest:
    """Return a contest; it has no limits but for threads, and keeps no accounts."""
    if way == "async":
        return _in_tasks(shadow)
    return _in_threads(shadow, is_awaited=way == "awaited")


def _in_tasks(shadow: Shadow | None) -> Contest:
    tasks: set[asyncio.Task[object]] = set()

    async def ask(number: int) -> int:
        if shadow is not None:
            task = asyncio.create_task(shadow.run_async())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        return await lead_async(number)

    async def drain() -> Accounts | None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return None

    return Contest(ask=ask, drain=drain)


def _in_threads(shadow: Shadow | None, *, is_awaited: bool) -> Contest:
    shadows, leads = ThreadPoolExecutor(_THREADS), ThreadPoolExecutor(_THREADS)

    def ask(number: int) -> int:
        if shadow is not None:
            shadows.submit(shadow.run_sync)
        return lead_sync(number)

    async def ask_for(number: int) -> int:
        if shadow is not None:
            shadows.submit(shadow.run_sync)
        return await asyncio.get_running_loop().run_in_executor(leads, lead_sync, number)

    async def drain() -> Accounts | None:
        for pool in (shadows, leads):
            pool.shutdown(wait=False, cancel_futures=True)
        return None

    chosen: Callable[[int], Any] = ask_for if is_awaited else ask
    return Contest(ask=chosen, drain=drain)
