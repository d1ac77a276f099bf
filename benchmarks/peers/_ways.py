"""The ways that contenders share: what differs is the function that makes one call."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from itertools import cycle
from typing import Any

from ._contender import Way
from ._kinds import ITEMS

Ask = Callable[[int], Awaitable[Any]]


def fn_sync(x: int) -> int:
    """Be the work itself."""
    return x


async def fn(x: int) -> int:
    """Be the work itself."""
    return x


async def fn_suspending(x: int) -> int:
    """Be the work itself, with one turn of the loop in it."""
    await asyncio.sleep(0)
    return x


async def fn_items(x: int) -> AsyncIterator[int]:
    """Be a stream."""
    for number in range(ITEMS):
        yield number


def called(ask: Callable[[int], Any]) -> Way:
    """Return the way to call it, one at a time."""

    def way(calls: int) -> Any:
        answer: Any = None
        for x in range(calls):
            answer = ask(x)
        return answer

    return way


def awaited(ask: Ask) -> Way:
    """Return the way to await it, one at a time."""

    async def way(calls: int) -> Any:
        answer: Any = None
        for x in range(calls):
            answer = await ask(x)
        return answer

    return way


def in_turn(asks: Sequence[Ask]) -> Way:
    """Return the way to await one of them after the other."""

    async def way(calls: int) -> Any:
        answer: Any = None
        turns = cycle(asks)
        for x in range(calls):
            answer = await next(turns)(x)
        return answer

    return way


def gathered(asks: Sequence[Ask]) -> Way:
    """Return the way to await all of them at once."""

    async def way(calls: int) -> Any:
        answers: list[Any] = [None]
        for x in range(calls):
            answers = await asyncio.gather(*[ask(x) for ask in asks])
        return answers[-1]

    return way


def told_beside(
    lead: Ask,
    tells: Sequence[Callable[[int], object]],
    settle: Callable[[int], Awaitable[object]],
) -> Way:
    """Return the way to tell the shadows, await the lead, and wait for the shadows at the end."""

    async def way(calls: int) -> Any:
        answer: Any = None
        for x in range(calls):
            for tell in tells:
                tell(x)
            answer = await lead(x)
        await settle(calls)
        return answer

    return way


def in_tasks(ask: Callable[[int], Any]) -> Way:
    """Return the way to have all calls in flight at once, each in a task."""

    async def way(calls: int) -> Any:
        create_task = asyncio.get_running_loop().create_task
        answer: Any = None
        for task in [create_task(ask(x)) for x in range(calls)]:
            answer = await task
        return answer

    return way


def in_futures(ask: Ask) -> Way:
    """Return the way to have all calls in flight at once, where a call gives a future at once."""

    async def way(calls: int) -> Any:
        answer: Any = None
        for future in [ask(x) for x in range(calls)]:
            answer = await future
        return answer

    return way


def read(items: Callable[[int], AsyncIterable[Any]]) -> Way:
    """Return the way to read streams, one after the other."""

    async def way(calls: int) -> Any:
        answer: Any = None
        for x in range(calls):
            async for item in items(x):
                answer = item
        return answer

    return way
