"""Workers: threads of the runtime's own, where sync functions play out of the loop's way."""

import asyncio
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from queue import Empty, SimpleQueue
from typing import Any, Final, NamedTuple, final

Done = Callable[[Any, BaseException | None], None]
"""Is told, on the loop, what a function returned, or raised."""

_LINGER: Final = 10.0
"""How many seconds a thread waits for more to do."""


class Job(NamedTuple):
    """Something to be done in a thread."""

    call: Callable[[], Any]
    desk: "Desk"
    done: Done


@final
class Workers:
    """Some threads at most, started when they are needed, that end after a rest.

    A thread that takes a job while no other waits starts the next one first, so that nobody waits
    for a thread to start but the very first who needs one.

    They are daemons: a function that never returns does not keep the interpreter from ending.

    Args:
        name: begins the names of the threads.
        most: how many threads there may be.

    Example:
        >>> import asyncio
        >>> from understudy.actors import Workers
        >>> async def main():
        ...     workers = Workers("example", most=2)
        ...     told = asyncio.get_running_loop().create_future()
        ...     workers.post(lambda: 6 * 7, lambda value, error: told.set_result(value))
        ...     return await told
        >>> asyncio.run(main())
        42
    """

    def __init__(self, name: str, most: int, linger: float = _LINGER) -> None:
        self.name = name
        self.most = most
        self._linger = linger
        self.begin()
        _ALL.add(self)

    def begin(self) -> None:
        """Start afresh: when they are made, and in a forked child, where the threads are gone."""
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._count = 0
        self._spare = 0  # threads that wait, less the jobs that wait: below 0, some jobs do
        self._desks = weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Desk]()

    @property
    def count(self) -> int:
        """How many threads there are."""
        return self._count

    def post(self, call: Callable[[], Any], done: Done) -> None:
        """Have a function called in a thread, and the loop that runs told how that ended.

        Raises:
            RuntimeError: there is no thread, and none can be started.
        """
        job = Job(call, self._desk(asyncio.get_running_loop()), done)
        with self._lock:
            self._spare -= 1
            is_first = self._count == 0
            if is_first:
                self._count += 1
                self._spare += 1
        if is_first and not self._starts():
            raise RuntimeError(f"{self.name}: no thread can be started")
        self._jobs.put(job)

    def prepare(self) -> None:
        """Have a thread wait for the first job, which then need not start one.

        Where none can be started, the first job will find that out.
        """
        with self._lock:
            if self._count:
                return
            self._count += 1
            self._spare += 1
        if not self._starts():
            with self._lock:
                self._spare -= 1

    def _starts(self) -> bool:
        """Start one more thread; True if that went well, or there are others."""
        work = Context().run  # of nobody's context: each job brings its own
        name = f"{self.name} {self._count}"
        try:
            threading.Thread(target=work, args=(self._work,), name=name, daemon=True).start()
        except (RuntimeError, MemoryError):  # the limits of the process
            with self._lock:
                self._count -= 1
                self._spare -= 1
                if not self._count:
                    self._spare += 1  # the job is not posted
                    self._refuse_all()
                    return False
        return True

    def _refuse_all(self) -> None:
        """Tell those who counted on the thread that there is none."""
        while not self._jobs.empty():
            job = self._jobs.get_nowait()
            if job is not None:
                self._spare += 1
                error = RuntimeError(f"{self.name}: no thread can be started")
                job.desk.hand_in(job.done, None, error)

    def _see_to_the_next(self) -> None:
        """Have one more thread wait, unless one does; a loop would wait for it to start."""
        if self._spare > 0:
            return
        with self._lock:
            if self._spare > 0 or self._count >= self.most:
                return
            self._count += 1
            self._spare += 1
        self._starts()

    def _desk(self, loop: asyncio.AbstractEventLoop) -> "Desk":
        desk = self._desks.get(loop)
        if desk is None:
            desk = self._desks[loop] = Desk(loop)
        return desk

    def _work(self) -> None:
        jobs = self._jobs
        while True:
            try:
                job = jobs.get(timeout=self._linger)
            except Empty:
                with self._lock:
                    if self._spare <= 0:  # somebody counts on this thread
                        continue
                    self._spare -= 1
                    self._count -= 1
                    return
            if job is None:
                with self._lock:
                    if self._spare < 0:  # a job came after the rest was ordered
                        self._spare += 1
                        continue
                    self._count -= 1
                return
            self._see_to_the_next()
            value = error = None
            try:
                value = job.call()
            except BaseException as raised:  # SystemExit too: it would end nothing but this thread
                error = raised
            with self._lock:
                self._spare += 1
            job.desk.hand_in(job.done, value, error)
            del job, value, error  # the rest may be long

    def rest(self) -> None:
        """Have the threads that wait end now."""
        with self._lock:
            waiting = max(0, self._spare)
            self._spare -= waiting
        for _ in range(waiting):
            self._jobs.put(None)


@final
class Desk:
    """Where threads hand in what a loop is to be told: one wake-up for all that waits."""

    __slots__ = ("_has_called", "_loop", "_results")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._results: deque[tuple[Done, Any, BaseException | None]] = deque()
        self._has_called = False

    def hand_in(self, done: Done, value: Any, error: BaseException | None) -> None:
        """Have the loop told, soon; it may be closed already."""
        self._results.append((done, value, error))
        if self._has_called:
            return
        self._has_called = True
        loop = self._loop()
        with suppress(RuntimeError):  # closed: nobody waits any more
            if loop is not None:
                loop.call_soon_threadsafe(self._tell_all)

    def _tell_all(self) -> None:
        self._has_called = False
        results = self._results
        while results:
            done, value, error = results.popleft()
            done(value, error)


_ALL: Final = weakref.WeakSet[Workers]()


def _begin_in_child() -> None:
    for workers in [*_ALL]:
        workers.begin()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_begin_in_child)
