"""The ways a function is played: here, on the loop, as a stream; one value or many."""

import asyncio
import functools
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, closing
from typing import Any, NamedTuple

from ._branch import CURRENT, Branch
from ._bridge import bridged, bridged_stream
from ._items import Items, StreamLimitReached
from ._kind import Kind

_SLICE = 1_000_000
"""How many nanoseconds a stream that never suspends may hold the loop."""


class Ways(NamedTuple):
    """The ways a function is played.

    Attributes:
        here: in the thread that calls.
        on_loop: awaited, out of the loop's way if it is sync; the value of a stream is its items.
        streamed: item by item, on the loop; None if it gives one value.
    """

    here: Callable[..., Any]
    on_loop: Callable[..., Coroutine[Any, Any, Any]]
    streamed: Callable[..., AsyncGenerator[Any, Any]] | None = None


def ways_of(function: Callable[..., Any], kind: Kind) -> Ways:
    """Return the ways a function of some kind is played."""
    if kind is Kind.ASYNC:
        return Ways(function, function)
    if kind is Kind.ASYNC_STREAM:
        return Ways(function, _gathered(function), function)
    if kind is Kind.STREAM:
        listed = _listed(function)
        return Ways(listed, bridged(listed), bridged_stream(function))
    return Ways(function, bridged(function))


def _gathered(function: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, list[Any]]]:
    """Return an async function that returns what an async generator gives."""

    @functools.wraps(function)
    async def play(*args: Any, **kwargs: Any) -> list[Any]:
        branch, items = _begin()
        clock = branch.part.actor.stage.clock
        slice_end = clock() + _SLICE
        async with aclosing(function(*args, **kwargs)) as stream:
            async for item in stream:
                _take(branch, items, item)
                if clock() > slice_end:
                    await asyncio.sleep(0)
                    slice_end = clock() + _SLICE
        return items.kept

    return play


def _listed(function: Callable[..., Any]) -> Callable[..., list[Any]]:
    """Return a function that returns what a generator gives."""

    @functools.wraps(function)
    def play(*args: Any, **kwargs: Any) -> list[Any]:
        branch, items = _begin()
        with closing(function(*args, **kwargs)) as stream:
            for item in stream:
                if branch.is_over:  # cancelled, which does not end a thread
                    break
                _take(branch, items, item)
        return items.kept

    return play


def _begin() -> tuple[Branch, Items]:
    branch = CURRENT.get()
    assert branch is not None
    is_limited = branch.part.role == "shadow"
    items = branch.items = Items(branch.part.limits if is_limited else None)
    return branch, items


def _take(branch: Branch, items: Items, item: Any) -> None:
    items.add(item, branch.part.actor.stage.clock)
    if items.limit is not None:
        raise StreamLimitReached(
            f"{branch.part.actor.name}: ended after {len(items.kept):,} items, by the limit "
            f"{items.limit} for a shadow's stream",
            items.limit,
        )
