"""The kind of a function: how it is called, and what comes of it."""

import functools
import inspect
from collections.abc import Callable
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The kind of a function: plain or async, one value or a stream of them.

    Example:
        >>> from understudy.actors import Kind, kind_of
        >>> async def numbers():
        ...     yield 1
        >>> print(kind_of(numbers), kind_of(print))
        async_stream sync
        >>> Kind.STREAM.is_stream
        True
    """

    SYNC = "sync"
    ASYNC = "async"
    STREAM = "stream"
    ASYNC_STREAM = "async_stream"

    @property
    def is_stream(self) -> bool:
        """Whether it gives items."""
        return self in (Kind.STREAM, Kind.ASYNC_STREAM)

    @property
    def is_async(self) -> bool:
        """Whether it runs on a loop."""
        return self in (Kind.ASYNC, Kind.ASYNC_STREAM)


def kind_of(function: Callable[..., Any]) -> Kind:
    """Return the kind of a function, of a partial of one, or of an object that is called.

    Example:
        >>> import functools
        >>> from understudy.actors import kind_of
        >>> kind_of(functools.partial(print, end=""))
        <Kind.SYNC: 'sync'>
    """
    while isinstance(function, functools.partial):
        function = function.func
    called: Any = getattr(type(function), "__call__", None)  # noqa: B004  # the method itself
    for each in (function, called):
        if inspect.isasyncgenfunction(each):
            return Kind.ASYNC_STREAM
        if inspect.iscoroutinefunction(each):
            return Kind.ASYNC
        if inspect.isgeneratorfunction(each):
            return Kind.STREAM
    return Kind.SYNC
