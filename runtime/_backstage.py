"""The Backstage: a loop in a thread of the runtime's own, for what no other loop can play."""

import asyncio
import threading
from asyncio.events import _get_running_loop
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any, TypeVar, final

from ._outlet import begin_again_after_fork
from ._settings import ExperimentError

R = TypeVar("R")


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
        self._coming = 0  # coroutines that were handed over, and have no task yet
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def is_running(self) -> bool:
        """Whether there is a loop."""
        return self._loop is not None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop; it is started at first use."""
        with self._lock:
            if self._loop is None:
                self._loop = self._start()
            return self._loop

    def _start(self) -> asyncio.AbstractEventLoop:
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
        return loop

    def do(self, act: Callable[[], R]) -> R:
        """Have something done there, and return what comes of it."""

        async def done() -> R:
            return act()

        return self.play(done())

    def play(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """Run a coroutine there, in a copy of this context, and wait for what comes of it.

        Raises:
            ExperimentError: this thread runs a loop, which waiting would block.
        """
        here = _get_running_loop()
        if here is not None and here is self._loop:
            coroutine.close()
            raise ExperimentError(
                "this runs on the loop that the call would wait for: await it, or call it from "
                "another thread"
            )
        told = self.hand_over(coroutine)
        try:
            return told.result()
        except BaseException:
            told.cancel()  # Ctrl-C
            raise

    def hand_over(self, coroutine: Coroutine[Any, Any, R]) -> Future[R]:
        """Run a coroutine there, in a copy of this context; cancelling the future cancels it."""
        told: Future[R] = Future()
        context = copy_context()
        try:
            with self._lock:
                loop = self._loop = self._loop or self._start()
                self._coming += 1
        except BaseException:
            coroutine.close()
            raise

        def cancel(task: asyncio.Task[R]) -> None:
            if told.cancelled() and not task.done():
                with suppress(RuntimeError):  # the loop is closed: it has ended
                    loop.call_soon_threadsafe(task.cancel)

        def start() -> None:
            task = asyncio.Task(coroutine, loop=loop, context=context)
            self._tasks.add(task)
            with self._lock:
                self._coming -= 1
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda task: _tell(told, task))
            told.add_done_callback(lambda _: cancel(task))

        loop.call_soon_threadsafe(start)
        return told

    def stop(self) -> bool:
        """End the loop and its thread, on which this is called; the next use starts another.

        False while somebody waits for something there, which would never come.
        """
        current = asyncio.current_task()
        with self._lock:
            loop = self._loop
            if loop is None or self._coming:
                return loop is None
            if any(task is not current and not task.done() for task in self._tasks):
                return False
            self._loop = None
            loop.call_soon(loop.stop)
            return True


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


def _tell(told: Future[R], task: asyncio.Task[R]) -> None:
    if task.cancelled():
        told.cancel()
        return
    error = task.exception()
    if not told.set_running_or_notify_cancel():
        return
    if error is None:
        told.set_result(task.result())
    else:
        told.set_exception(error)
