"""What a function returned that goes on: its branch ends with it.

A plain function may return a coroutine, a generator or an async generator: it is the decorator of
somebody around a function of that kind, or hands on what another one made.
"""

import asyncio
import inspect
import weakref
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import suppress
from contextvars import copy_context
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Final, final

from ._branch import CURRENT, Branch
from ._consume import gather_items, items_to_read
from ._deadline import arm
from ._here import end_here
from ._outcome import in_task, take_task
from ._reading import LATER, async_stream_of
from ._stepping import carry_on, first_of, first_step
from ._stream_here import read_here

_enter = CURRENT.set
_GOES_ON: Final[frozenset[type]] = frozenset({CoroutineType, GeneratorType, AsyncGeneratorType})


def later_of(branch: Branch, value: Any, whole: bool) -> Any:
    """Return what stands for a value that goes on, and ends the branch; None for any other.

    Where the FunctionResult is wanted (`whole`) it is a coroutine.
    """
    if type(value) not in _GOES_ON:
        return None
    unread = [branch]
    if inspect.iscoroutine(value):
        later: Any = _awaited(unread, value, whole)
    elif whole and inspect.isasyncgen(value):
        later = _awaited(unread, gather_items(branch, value), whole)
    elif inspect.isgenerator(value):
        later = _read(unread, value)
    elif inspect.isasyncgen(value):
        later = async_stream_of(lambda _args, _kwargs: _Reading(unread.pop(), value))()
    else:
        return None
    weakref.finalize(later, _end_forgotten, unread).atexit = False
    return later


def _end_forgotten(unread: list[Branch]) -> None:
    """End a branch whose value was dropped, without anybody having asked for it.

    One that somebody began to read is closed by that, and ends then: this is called before.
    """
    for branch in unread:
        with suppress(asyncio.CancelledError):
            end_here(branch, None, asyncio.CancelledError(), whole=False)


async def _awaited(unread: list[Branch], inner: Coroutine[Any, Any, Any], whole: bool) -> Any:
    branch = unread.pop()
    value = error = None
    try:
        value = await _Steps(branch).make(inner)
    except BaseException as raised:
        error = raised
    try:
        return end_here(branch, value, error, whole)
    finally:
        error = None  # its traceback holds this frame: no cycle must stay behind


def _read(unread: list[Branch], inner: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    branch = unread.pop()
    value = error = None
    try:
        value = yield from read_here(branch, inner)
    except BaseException as raised:
        error = raised
    try:
        return end_here(branch, value, error, whole=False)
    finally:
        error = None  # as above


@final
class _Steps:
    """Makes the steps of what is awaited within a branch."""

    def __init__(self, branch: Branch) -> None:
        self._branch = branch
        self._context = copy_context()
        self._context.run(_enter, branch)

    async def make(self, step: Coroutine[Any, Any, Any]) -> Any:
        """Make one, and return what comes of it."""
        branch = self._branch
        context = self._context
        try:
            awaited = first_of(branch, context, step)
        except StopIteration as stop:
            return stop.value
        take_task(branch)
        if branch.deadline:
            arm(branch)
        try:
            return await in_task(branch, carry_on(branch, context, step, awaited))
        finally:
            if branch.timer is not None:  # nothing can end it between two steps
                branch.timer.cancel()
                branch.timer = None


@final
class _Reading:
    """An async generator that is read within its branch."""

    def __init__(self, branch: Branch, inner: AsyncGenerator[Any, Any]) -> None:
        self._branch = branch
        self._inner = inner
        self._steps = _Steps(branch)
        self._items = branch.items = items_to_read(branch)
        self._sent: Any = None

    async def first(self) -> Any:
        """Begin, and return the first item."""
        return await self._next(first_step(self._inner))

    def send(self, value: Any) -> Any:
        """Send a value in; the next item is waited for."""
        self._sent = value
        return LATER

    async def wait(self) -> Any:
        """Return the item that comes of what was sent."""
        sent, self._sent = self._sent, None
        return await self._next(self._inner.asend(sent))

    async def throw(self, error: BaseException) -> Any:
        """Throw an error in, and return the next item."""
        return await self._next(self._inner.athrow(error))

    async def close(self) -> None:
        """End it, as the reader wants no more; it may have ended already."""
        if self._branch.is_over:
            return
        try:
            await self._steps.make(self._inner.aclose())
        except BaseException as error:
            end_here(self._branch, None, error, whole=False)
            raise
        with suppress(GeneratorExit):
            end_here(self._branch, None, GeneratorExit(), whole=False)

    async def _next(self, step: Coroutine[Any, Any, Any]) -> Any:
        try:
            item = await self._steps.make(step)
        except StopAsyncIteration:
            end_here(self._branch, None, None, whole=False)
            raise
        except BaseException as error:
            end_here(self._branch, None, error, whole=False)
            raise
        self._items.add(item, self._branch.part.actor.stage.clock)
        return item
