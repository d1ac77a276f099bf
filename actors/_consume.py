"""The items of a stream: those that somebody reads, and of one that nobody does, all."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from typing import Any

from ._branch import Branch
from ._items import Items, StreamLimitReached

_SLICE = 1_000_000
"""How many nanoseconds a stream that never suspends may hold the loop."""


async def gather_items(branch: Branch, stream: AsyncGenerator[Any, Any]) -> list[Any]:
    """Return the items of an async generator; a shadow's is ended at its limits."""
    items = branch.items = _items_for(branch)
    clock = branch.part.actor.stage.clock
    slice_end = clock() + _SLICE
    async with aclosing(stream):
        async for item in stream:
            _take(branch, items, item)
            if clock() > slice_end:
                await asyncio.sleep(0)
                slice_end = clock() + _SLICE
    return items.kept


def list_items(branch: Branch, stream: Generator[Any, Any, Any]) -> list[Any]:
    """Return the items of a generator, in this thread; a shadow's is ended at its limits."""
    items = branch.items = _items_for(branch)
    with closing(stream):
        for item in stream:
            if branch.is_over:  # cancelled, which does not end a thread
                break
            _take(branch, items, item)
    return items.kept


def items_to_read(branch: Branch) -> Items:
    """Return the items of a stream that somebody reads; they are kept for those who listen."""
    part = branch.part
    is_wanted = part.observer is not None or bool(part.actor.stage.listeners)
    return Items(part.limits, is_kept=is_wanted)


def _items_for(branch: Branch) -> Items:
    return Items(branch.part.limits if branch.part.role == "shadow" else None)


def _take(branch: Branch, items: Items, item: Any) -> None:
    items.add(item, branch.part.actor.stage.clock)
    if items.limit is not None:
        items.count = len(items.kept)  # the one too many only told that the limit is come to
        raise StreamLimitReached(
            f"{branch.part.actor.name}: ended after {len(items.kept):,} items, by the limit "
            f"{items.limit} for a shadow's stream",
            items.limit,
        )
