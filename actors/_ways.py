"""The ways a function is played: here, on the loop, as a stream; one value or many."""

import functools
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any, NamedTuple

from ._bridge import bridged, bridged_stream
from ._consume import gather_items, list_items
from ._current import playing_branch
from ._kind import Kind


class Ways(NamedTuple):
    """The ways a function is played.

    Attributes:
        here: in the thread that calls.
        on_loop: awaited, out of the loop's way if it is sync; the value of a stream is its items.
        streamed: item by item, on the loop; None if it gives one value.
        stepped: item by item, in the thread that calls; None if it is async, or gives one value.
    """

    here: Callable[..., Any]
    on_loop: Callable[..., Coroutine[Any, Any, Any]]
    streamed: Callable[..., AsyncGenerator[Any, Any]] | None = None
    stepped: Callable[..., Generator[Any, Any, Any]] | None = None


def ways_of(function: Callable[..., Any], kind: Kind) -> Ways:
    """Return the ways a function of some kind is played."""
    if kind is Kind.ASYNC:
        return Ways(function, function)
    if kind is Kind.ASYNC_STREAM:
        return Ways(function, _gathered(function), function)
    if kind is Kind.STREAM:
        return Ways(_listed(function), bridged(function), bridged_stream(function), function)
    return Ways(function, bridged(function))


def _gathered(function: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, list[Any]]]:
    """Return an async function that returns what an async generator gives."""

    @functools.wraps(function)
    async def play(*args: Any, **kwargs: Any) -> list[Any]:
        return await gather_items(playing_branch(), function(*args, **kwargs))

    return play


def _listed(function: Callable[..., Any]) -> Callable[..., list[Any]]:
    """Return a function that returns what a generator gives."""

    @functools.wraps(function)
    def play(*args: Any, **kwargs: Any) -> list[Any]:
        return list_items(playing_branch(), function(*args, **kwargs))

    return play
