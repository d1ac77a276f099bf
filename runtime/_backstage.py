"""The Backstage: a loop in a thread of the runtime's own, for what no other loop can play."""

import asyncio
import sys
import threading
from asyncio.tasks import _unregister_task
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar, final

from understudy.actors import Doorbell

from ._outlet import begin_again_after_fork
from ._settings import ExperimentError

P = ParamSpec("P")
R = TypeVar("R")

_PIPES: Final = 16
"""How many who wait have a pipe: two files each, of which a process may have no more than 1024."""


@final
class Backstage:
    """A loop in a thread of its own, started when it is first needed.

    The thread is a daemon: what hangs there does not keep the interpreter from ending.
    """

    def __init__(self) -> None:
        self.begin()
        begin_again_after_fork(self)

    def begin(self) -> None:
        """Start afresh: when it is made, and in a forked child, where the thread is gone."""
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._coming = deque[_Visit]()
        self._has_called = False  # whether the loop is about to let in those who come
        self._visits = set[_Visit]()
        self._doorbells = deque[Doorbell]()  # of those who waited, for those who will
        self._pipes = 0  # how many of them are pipes, and not queues, which are slower

    @property
    def is_running(self) -> bool:
        """Whether there is a loop."""
        return self._loop is not None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop; it is started at first use."""
        return self._loop or self._start()

    def _start(self) -> asyncio.AbstractEventLoop:
        """Start a loop, without the lock: a finalizer that runs meanwhile may start one as well."""
        loop = asyncio.new_event_loop()
        work = Context().run  # of nobody's context: each call brings its own
        thread = threading.Thread(
            target=work, args=(_run, loop), name="understudy backstage", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as problem:
            loop.close()
            raise ExperimentError(
                f"a call without a loop needs a thread of the runtime's own, and none can be "
                f"started: {problem}; make one such call earlier, or await it on a loop"
            ) from None
        with self._lock:
            first = self._loop
            if first is None:
                self._loop, self._thread = loop, thread
                return loop
        loop.call_soon_threadsafe(loop.stop)
        return first

    def do(self, act: Callable[[], R]) -> R:
        """Have something done there, and return what comes of it."""

        async def done() -> R:
            return act()

        return self.play(done)

    def play(
        self, make: Callable[P, Coroutine[Any, Any, R]], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a coroutine there, in a copy of this context, and wait for what comes of it.

        Raises:
            ExperimentError: this is the thread of the loop, which waiting would block.
        """
        if threading.current_thread() is self._thread:
            raise ExperimentError(
                "this runs on the loop that the call would wait for: await it, or call it from "
                "another thread"
            )
        doorbell = self._fetch_doorbell()
        visit = _Visit(partial(make, *args, **kwargs), lambda: doorbell.ring())
        try:
            self._let_in(visit)
            doorbell.wait()
        except BaseException:  # Ctrl-C; nobody else may have the doorbell, as it will ring
            self._call_off(visit)
            raise
        self._bring_back(doorbell)
        value: R = visit.value
        error = visit.error
        if error is not None:
            try:
                raise error
            finally:
                del error, visit  # its traceback holds this frame: no cycle stays behind
        return value

    def _fetch_doorbell(self) -> Doorbell:
        with suppress(IndexError):
            return self._doorbells.pop()
        doorbell = Doorbell()
        if self._pipes < _PIPES:
            self._pipes += 1
            doorbell.open()
        return doorbell

    def _bring_back(self, doorbell: Doorbell) -> None:
        """Keep a doorbell for the next who waits, pipes first; none while there is no loop."""
        if self._loop is None:
            return
        if doorbell.is_pipe:
            self._doorbells.append(doorbell)
        else:
            self._doorbells.appendleft(doorbell)

    def hand_over(self, make: Callable[[], Coroutine[Any, Any, R]]) -> Future[R]:
        """Run a coroutine there, in a copy of this context; cancelling the future cancels it."""
        told: Future[R] = Future()
        visit = _Visit(make, lambda: _tell(told, visit))
        self._let_in(visit)
        told.add_done_callback(lambda told: self._call_off(visit) if told.cancelled() else None)
        return told

    def _let_in(self, visit: "_Visit") -> None:
        """Have the loop begin with something soon: one wake-up for all who come meanwhile."""
        if sys.is_finalizing():  # a finalizer, at the very end: no other thread runs any more
            raise ExperimentError(
                "a call without a loop needs a thread of the runtime's own, and the interpreter "
                "has ended all: make it earlier, as in a function given to atexit.register"
            )
        while True:
            loop = self.loop
            with self._lock:
                if loop is self._loop:
                    visit.loop = loop
                    self._coming.append(visit)
                    must_call, self._has_called = not self._has_called, True
                    break
        if must_call:
            loop.call_soon_threadsafe(self._begin_all)

    def _begin_all(self) -> None:
        self._has_called = False
        coming = self._coming
        while coming:
            visit = coming.popleft()
            self._visits.add(visit)
            task = asyncio.Task(self._perform(visit), loop=self._loop, context=visit.context)
            visit.task = task
            _unregister_task(task)  # who cancels all tasks would leave us without an answer

    def _call_off(self, visit: "_Visit") -> None:
        """Have something cancelled, from any thread; it may have ended, or not be let in."""
        loop = visit.loop
        if loop is None:
            return

        def cancel() -> None:
            self._begin_all()  # Ctrl-C may have come before that was called
            if visit.task is not None:
                loop.call_soon(visit.task.cancel)  # it begins first, or it would never tell

        with suppress(RuntimeError):  # it is closed: all has ended there
            loop.call_soon_threadsafe(cancel)

    async def _perform(self, visit: "_Visit") -> None:
        try:
            visit.value = await visit.make()
        except asyncio.CancelledError:
            visit.error = CancelledError()
        except BaseException as error:
            visit.error = error
        self._visits.discard(visit)
        tell = visit.tell
        del visit  # who is told goes on at once, and may want that nothing is held any more
        tell()

    def stop(self) -> bool:
        """End the loop and its thread, on which this is called; the next use starts another.

        False while somebody waits for something there, which would never come.
        """
        current = asyncio.current_task()
        with self._lock:
            loop = self._loop
            if loop is None or self._coming:
                return loop is None
            if any(visit.task is not current for visit in self._visits):
                return False
            self._loop = self._thread = None
            self._doorbells.clear()
            self._pipes = 0
            loop.call_soon(loop.stop)
            return True


@final
class _Visit:
    """Something that is run there, for somebody who waits elsewhere."""

    __slots__ = ("context", "error", "loop", "make", "task", "tell", "value")

    def __init__(
        self, make: Callable[[], Coroutine[Any, Any, Any]], tell: Callable[[], object]
    ) -> None:
        self.make = make
        self.tell = tell
        """Is called when it is over."""
        self.context: Context = copy_context()
        self.task: asyncio.Task[None] | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.value: Any = None
        self.error: BaseException | None = None


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        while not _runs_to_its_end(loop):
            pass
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def _runs_to_its_end(loop: asyncio.AbstractEventLoop) -> bool:
    """Run a loop; False if a task that a user made wanted to exit, which is not obeyed here."""
    try:
        loop.run_forever()
    except (SystemExit, KeyboardInterrupt):
        return False
    return True


def _tell(told: Future[R], visit: _Visit) -> None:
    if isinstance(visit.error, CancelledError):
        told.cancel()
    elif told.set_running_or_notify_cancel():
        if visit.error is None:
            told.set_result(visit.value)
        else:
            told.set_exception(visit.error)
