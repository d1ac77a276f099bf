"""The bridge: a sync function is played in a thread of the runtime's own, and awaited."""

import asyncio
import functools
import inspect
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from contextvars import Context, copy_context
from typing import Any, Final, NamedTuple, final

from ._branch import Branch
from ._consume import gather_items, list_items
from ._current import playing_branch
from ._reading import LATER, async_stream_of
from ._seen import play_in_thread
from ._workers import Workers

_MOST = 64
_END: Final = object()


class Crew(NamedTuple):
    """The threads of a runtime: shadows have theirs apart, so that they take none from a lead."""

    leads: Workers
    understudies: Workers

    @classmethod
    def of(cls, most: int = _MOST) -> "Crew":
        """Return a crew of so many threads of each kind, at most; none is started yet."""
        return cls(Workers("understudy lead", most), Workers("understudy shadow", most))

    def rest(self) -> None:
        """Have the threads that wait end now."""
        for workers in self:
            workers.rest()


def bridged(function: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Return an async function that plays a sync one in a thread, in the branch that runs.

    Cancelling it does not end the thread, as nothing can. The branch is over then, and what the
    function still brings is dropped; but it keeps its permit until it has ended, so that there are
    never more threads in a case than its limit says.
    """
    play_here = _listed(function) if inspect.isgeneratorfunction(function) else function

    @functools.wraps(function)
    async def play(*args: Any, **kwargs: Any) -> Any:
        branch = playing_branch()
        context = copy_context()
        visit = _Visit(branch, functools.partial(context.run, play_here, *args, **kwargs))
        await visit.over
        value = visit.leave()
        if inspect.isgenerator(value):  # of a function that does not look like it
            items = functools.partial(list_items, branch, value)
            visit = _Visit(branch, functools.partial(context.run, items))
            await visit.over
            return visit.leave()
        if inspect.iscoroutine(value):
            return await value
        return await gather_items(branch, value) if inspect.isasyncgen(value) else value

    return play


def _listed(function: Callable[..., Generator[Any, Any, Any]]) -> Callable[..., list[Any]]:
    return lambda *args, **kwargs: list_items(playing_branch(), function(*args, **kwargs))


def bridged_stream(function: Callable[..., Any]) -> Callable[..., AsyncGenerator[Any, Any]]:
    """Return an async generator function that plays a generator in threads, step by step.

    Between two items it holds no thread, so the next step may be in another one.
    """

    def begin(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> _Steps:
        return _Steps(playing_branch(), function(*args, **kwargs), copy_context())

    return async_stream_of(begin)


@final
class _Steps:
    """A generator whose steps are made in threads, one at a time, in one context."""

    def __init__(
        self, branch: Branch, generator: Generator[Any, Any, Any], context: Context
    ) -> None:
        self._branch = branch
        self._generator = generator
        self._context = context
        self._sent: Any = None
        self._lock = threading.Lock()
        self._is_running = False
        self._is_left = False

    async def first(self) -> Any:
        """Begin, and return the first item."""
        return await self._make(self._generator.send, None)

    def send(self, value: Any) -> Any:
        """Send a value in; the next item comes from a thread."""
        self._sent = value
        return LATER

    async def wait(self) -> Any:
        """Return the item that comes of what was sent."""
        sent, self._sent = self._sent, None
        return await self._make(self._generator.send, sent)

    async def throw(self, error: BaseException) -> Any:
        """Throw an error in, and return the next item."""
        return await self._make(self._generator.throw, error)

    async def close(self) -> None:
        """Close the generator; a step that still runs in its thread does that at its end."""
        with self._lock:
            self._is_left = True
            is_running = self._is_running
        if not is_running and inspect.getgeneratorstate(self._generator) != inspect.GEN_CLOSED:
            visit = _Visit(self._branch, self._close)
            await visit.over
            visit.leave()

    async def _make(self, advance: Callable[[Any], Any], argument: Any) -> Any:
        visit = _Visit(self._branch, functools.partial(self._step, advance, argument))
        await visit.over
        item = visit.leave()
        if item is _END:
            raise StopAsyncIteration
        return item

    def _step(self, advance: Callable[[Any], Any], argument: Any) -> Any:
        with self._lock:
            if self._is_left:
                return _END
            self._is_running = True
        try:
            return self._context.run(advance, argument)
        except StopIteration:
            return _END
        finally:
            with self._lock:
                self._is_running = False
                must_close = self._is_left
            if must_close:
                self._close()

    def _close(self) -> None:
        self._context.run(self._generator.close)


@final
class _Visit:
    """Something that is done in a thread for a branch, and is awaited on the loop."""

    __slots__ = ("_branch", "_error", "_value", "over")

    def __init__(self, branch: Branch, call: Callable[[], Any]) -> None:
        stage = branch.part.actor.stage
        self._branch = branch
        self._value: Any = None
        self._error: BaseException | None = None
        self.over: asyncio.Future[None] = stage.loop.create_future()
        """Has no value: tracebacks hold the future, and would hold that as well."""
        workers = stage.crew.understudies if branch.is_shadowed else stage.crew.leads
        workers.post(functools.partial(play_in_thread, branch, call), self._end, stage.loop)
        branch.threads += 1

    def _end(self, value: Any, error: BaseException | None) -> None:
        branch = self._branch
        branch.threads -= 1
        if not branch.threads and branch.is_over and branch.holds_permit:
            branch.holds_permit = False  # its task may be about to give it back as well
            branch.part.actor.mailbox.give_back()
        if not self.over.done():
            self._value, self._error = value, error
            self.over.set_result(None)

    def leave(self) -> Any:
        """Return what came of it, or raise that, once it is over."""
        value, error = self._value, self._error
        self._value = self._error = None
        if error is not None:
            try:
                raise error
            finally:
                del error  # its traceback holds this frame: no cycle stays behind
        return value
