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

    @functools.wraps(function)
    async def play(*args: Any, **kwargs: Any) -> Any:
        branch = playing_branch()
        call = functools.partial(_play, branch, function, args, kwargs)
        value = await _in_thread(branch, functools.partial(copy_context().run, call))
        if inspect.iscoroutine(value):
            return await value
        return await gather_items(branch, value) if inspect.isasyncgen(value) else value

    return play


def _play(
    branch: Branch, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    value = function(*args, **kwargs)
    return list_items(branch, value) if inspect.isgenerator(value) else value


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
            await _in_thread(self._branch, self._close)

    async def _make(self, advance: Callable[[Any], Any], argument: Any) -> Any:
        item = await _in_thread(self._branch, functools.partial(self._step, advance, argument))
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


async def _in_thread(branch: Branch, call: Callable[[], Any]) -> Any:
    """Have something done in a thread for a branch, and return what comes of it."""
    future = asyncio.get_running_loop().create_future()
    told: list[tuple[Any, BaseException | None]] = []  # not in the future, which tracebacks hold

    def done(value: Any, error: BaseException | None) -> None:
        _leave_thread(branch)
        if not future.done():
            told.append((value, error))
            future.set_result(None)

    crew = branch.part.actor.stage.crew
    workers = crew.understudies if branch.is_shadowed else crew.leads
    workers.post(functools.partial(play_in_thread, branch, call), done)
    branch.threads += 1
    await future
    value, error = told.pop()
    if error is not None:
        try:
            raise error
        finally:
            del error, done  # its traceback holds this frame: no cycle stays behind
    return value


def _leave_thread(branch: Branch) -> None:
    branch.threads -= 1
    if not branch.threads and branch.is_over and branch.holds_permit:
        branch.holds_permit = False  # its task may be about to give it back as well
        branch.part.actor.mailbox.give_back()
