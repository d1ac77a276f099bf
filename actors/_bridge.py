"""The bridge: a sync function is played in a thread of the runtime's own, and awaited."""

import asyncio
import functools
import inspect
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any, Final, NamedTuple, final

from ._branch import CURRENT, Branch
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
        branch = _branch()
        value = await _in_thread(
            branch, functools.partial(copy_context().run, function, *args, **kwargs)
        )
        return await value if inspect.iscoroutine(value) else value

    return play


def bridged_stream(function: Callable[..., Any]) -> Callable[..., AsyncGenerator[Any, Any]]:
    """Return an async generator that plays a sync one in threads, step by step.

    Between two items it holds no thread, so the next step may be in another one.
    """

    @functools.wraps(function)
    async def play(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        branch = _branch()
        steps = _Steps(function(*args, **kwargs), copy_context())
        step = functools.partial(steps.make, "send", None)
        try:
            while (item := await _in_thread(branch, step)) is not _END:
                try:
                    sent = yield item
                except GeneratorExit:
                    raise
                except BaseException as error:
                    step = functools.partial(steps.make, "throw", error)
                else:
                    step = functools.partial(steps.make, "send", sent)
        finally:
            if steps.leave():
                await _in_thread(branch, steps.close)

    return play


@final
class _Steps:
    """A generator whose steps are made in threads, one at a time, in one context."""

    def __init__(self, generator: Generator[Any, Any, Any], context: Context) -> None:
        self._generator = generator
        self._context = context
        self._lock = threading.Lock()
        self._is_running = False
        self._is_left = False
        self._is_over = False

    def make(self, method: str, argument: Any) -> Any:
        """Make a step, and return the item; `_END` if there is none."""
        with self._lock:
            if self._is_left:
                return _END
            self._is_running = True
        try:
            return self._context.run(getattr(self._generator, method), argument)
        except StopIteration:
            self._is_over = True
            return _END
        except BaseException:
            self._is_over = True
            raise
        finally:
            with self._lock:
                self._is_running = False
                must_close = self._is_left
            if must_close:
                self.close()

    def leave(self) -> bool:
        """Make no more steps; return whether it must be closed: a step that runs does so itself."""
        with self._lock:
            self._is_left = True
            return not self._is_running and not self._is_over

    def close(self) -> None:
        """Close the generator."""
        self._context.run(self._generator.close)


def _branch() -> Branch:
    branch = CURRENT.get()
    assert branch is not None
    return branch


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
    workers.post(call, done)
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
        branch.part.actor.mailbox.give_back()
