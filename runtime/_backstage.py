"""The Backstage: a loop in a thread of the runtime's own, for what no other loop can play."""

import asyncio
import threading
from asyncio.events import _get_running_loop
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
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

    @property
    def is_running(self) -> bool:
        """Whether there is a loop."""
        return self._loop is not None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop; it is started at first use."""
        loop = self._loop
        if loop is None:
            with self._lock:
                loop = self._loop
                if loop is None:
                    loop = self._loop = self._start()
        return loop

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        work = Context().run  # of nobody's context: each call brings its own
        threading.Thread(
            target=work, args=(_run, loop), name="understudy backstage", daemon=True
        ).start()
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
        loop = self.loop
        if here is loop:
            coroutine.close()
            raise ExperimentError(
                "this runs on the loop that the call would wait for: await it, or call it from "
                "another thread"
            )
        told: Future[R] = Future()
        context = copy_context()
        tasks: list[asyncio.Task[R]] = []

        def start() -> None:
            task = asyncio.Task(coroutine, loop=loop, context=context)
            tasks.append(task)
            task.add_done_callback(lambda task: _tell(told, task))

        loop.call_soon_threadsafe(start)
        try:
            return told.result()
        except BaseException:
            if not told.done():  # Ctrl-C
                loop.call_soon_threadsafe(lambda: [task.cancel() for task in tasks])
            raise

    def stop(self) -> None:
        """End the loop and its thread; the next use starts another."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def _tell(told: Future[R], task: asyncio.Task[R]) -> None:
    if task.cancelled():
        told.cancel()
        return
    error = task.exception()
    if error is None:
        told.set_result(task.result())
    else:
        told.set_exception(error)
