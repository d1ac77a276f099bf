"""Workers: threads of the runtime's own, where sync functions play out of the loop's way."""

import asyncio
import os
import threading
import time
import weakref
from asyncio.events import get_running_loop
from collections import deque
from collections.abc import Callable
from contextvars import Context
from enum import Enum, auto
from queue import Empty, SimpleQueue
from typing import Any, Final, final

from ._desk import Desk, Desks, Done
from ._doorbell import Doorbell

_LINGER: Final = 10.0
"""How many seconds a thread waits for more to do."""
_PATIENCE: Final = 0.001
"""How many seconds jobs wait for the threads that play before they get one more."""
_QUICK: Final = 4
"""If a thread does so many jobs meanwhile, or more, another one would only be in its way."""

Job = tuple[Callable[[], Any], Desk, Done]
"""What is to be done in a thread, and where that is handed in, and who is told."""


class _Turn(Enum):
    """What a thread is to do that has no job."""

    WAIT = auto()
    STAND_BY = auto()
    END = auto()


@final
class Workers:
    """Some threads at most, started when they are needed, that end after a rest.

    One thread waits for the next job, and takes what else is there before it waits again: short
    jobs are done soonest if threads do not take turns. The other threads are spare. When jobs wait
    and no thread does, a spare one is rung for. It looks whether they get their turn; where none
    has for a millisecond, it takes one itself, and has as many more do that as play already.

    A thread that takes a job while none is spare starts one first, so that nobody waits for a
    thread to start but the very first who needs one.

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
        self._doorbell = Doorbell()
        self.begin()
        _ALL.add(self)

    def begin(self) -> None:
        """Start afresh: when they are made, and in a forked child, where the threads are gone."""
        self._lock = threading.Lock()
        self._count = 0
        self._jobs = deque[Job]()
        self._is_awaited = False  # whether a thread waits at the doorbell
        self._is_dismissed = False  # whether one that waited there is to end
        self._spare = 0
        self._bell = SimpleQueue[bool]()  # for a spare thread: True if jobs wait, False to end
        self._is_rung = False  # whether a spare thread looks after the jobs that wait, or is to
        self._is_left = False  # whether no spare thread will answer the bell
        self._wanted = 0  # how many spare threads are to take a job at once
        self._turns = 0  # how often a thread was through with a job
        self._desks = Desks()
        self._doorbell.close()

    @property
    def count(self) -> int:
        """How many threads there are."""
        return self._count

    def post(
        self,
        call: Callable[[], Any],
        done: Done,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Have a function called in a thread, and a loop told how that ended.

        Args:
            call: the function.
            done: is told on the loop.
            loop: the one that runs here, whoever knows it; asking asyncio takes a system call.

        Raises:
            RuntimeError: there is no thread, and none can be started.
        """
        job = (call, self._desks.of(loop or get_running_loop()), done)
        must_start = must_ring = False
        with self._lock:
            self._jobs.append(job)
            is_awaited = self._is_awaited
            if is_awaited:
                self._is_awaited = False
            elif not self._count or (self._is_left and self._count < self.most):
                must_start = True
                self._add(spare=0)
            elif not self._is_rung:
                self._is_rung = must_ring = True
        if is_awaited:
            self._doorbell.ring()
        elif must_ring:
            self._bell.put(True)
        elif must_start and not self._starts(mine=job):
            raise RuntimeError(f"{self.name}: no thread can be started")

    def prepare(self) -> None:
        """Have a thread wait for the first job, which then need not start one.

        Where none can be started, the first job will find that out.
        """
        with self._lock:
            if self._count:
                return
            self._add(spare=0)
        self._starts()

    def rest(self) -> None:
        """Have the threads that wait end now."""
        with self._lock:
            is_awaited, self._is_awaited = self._is_awaited, False
            self._is_dismissed |= is_awaited
            spare = self._spare
        if is_awaited:
            self._doorbell.ring()
        for _ in range(spare):
            self._bell.put(False)

    # Coming and going

    def _add(self, spare: int) -> None:
        """Count one more thread, which is about to be started."""
        if not self._count:
            self._doorbell.open()
        self._count += 1
        self._spare += spare
        self._is_left = False

    def _starts(self, spare: int = 0, mine: Job | None = None) -> bool:
        """Start a thread that was counted; True if that went well, or there are others.

        If there are none, those who counted on it are told, but for `mine`, who knows.
        """
        work = Context().run  # of nobody's context: each job brings its own
        name = f"{self.name} {self._count}"
        args = (self._work, bool(spare))
        try:
            threading.Thread(target=work, args=args, name=name, daemon=True).start()
        except (RuntimeError, MemoryError):  # the limits of the process
            with self._lock:
                self._spare -= spare
                self._leave()
                if self._count:
                    return True
                refused = [job for job in self._jobs if job is not mine]
                self._jobs.clear()
            for _, desk, done in refused:
                desk.hand_in(done, None, RuntimeError(f"{self.name}: no thread can be started"))
            return False
        return True

    def _see_to_a_spare(self) -> None:
        """Have one more thread stand by, as none does; a loop would wait for it to start."""
        with self._lock:
            if self._spare or self._count >= self.most:
                return
            self._add(spare=1)
        self._starts(spare=1)

    def _leave(self) -> None:
        self._count -= 1
        self._is_left = not self._spare
        if not self._count:
            self._doorbell.close()

    # What a thread does

    def _work(self, is_spare: bool) -> None:
        while not is_spare or self._stands_by():
            if not self._plays():
                return
            is_spare = True

    def _plays(self) -> bool:
        """Do one job after the other, until another thread waits for the next; False to end."""
        wait = self._doorbell.wait
        turn = self._next()
        while True:
            if turn is _Turn.WAIT:
                wait()
                turn = self._next()
                continue
            if isinstance(turn, _Turn):
                return turn is _Turn.STAND_BY
            if not self._spare:
                self._see_to_a_spare()
            call, desk, done = turn
            value = error = None
            try:
                value = call()
            except BaseException as raised:  # SystemExit too: it would end nothing but this thread
                error = raised
            turn = self._next()  # before the loop is told, which may have one more job at once
            desk.hand_in(done, value, error)
            del call, done, value, error  # the rest may be long

    def _next(self) -> "Job | _Turn":
        """Return what this thread is to do next."""
        with self._lock:
            self._turns += 1
            is_dismissed, self._is_dismissed = self._is_dismissed, False
            if self._jobs:
                return self._jobs.popleft()
            if is_dismissed:
                self._leave()
                return _Turn.END
            if self._is_awaited:
                self._spare += 1
                self._is_left = False
                return _Turn.STAND_BY
            self._is_awaited = True
            return _Turn.WAIT

    def _stands_by(self) -> bool:
        """Wait until this spare thread is to take a job; False if it is to end."""
        while True:
            turns = self._turns
            try:
                is_rung = self._bell.get(timeout=self._linger)
            except Empty:
                if self._is_superfluous(turns):
                    return False
                continue
            if not is_rung:
                with self._lock:
                    if not self._jobs:  # none came after the rest was ordered
                        self._spare -= 1
                        self._leave()
                        return False
            if self._is_needed():
                return True

    def _is_superfluous(self, turns: int) -> bool:
        """Whether this spare thread is to end; the last one sees to it that all do, together."""
        with self._lock:
            if self._spare > 1:
                self._spare -= 1
                self._leave()
                return True
            others = self._count - self._spare - self._is_awaited
            nothing_happened = self._turns == turns and not self._jobs
        if nothing_happened and not others:
            self.rest()
        return False

    def _is_needed(self) -> bool:
        """Look after the jobs that wait; True if this spare thread is to take one."""
        was_late = False
        while True:
            turns = self._turns
            if not self._wanted:
                looked = time.perf_counter()
                time.sleep(_PATIENCE)
                is_late = time.perf_counter() - looked > 2 * _PATIENCE
                if is_late and not was_late:
                    was_late = True  # what kept this thread from running may have kept all others
                    continue
            with self._lock:
                if not self._jobs:
                    self._is_rung = False
                    self._wanted = 0
                    return False
                playing = max(1, self._count - self._spare)
                if self._wanted:
                    self._wanted -= 1
                elif self._turns - turns >= _QUICK * playing:
                    continue
                else:
                    self._wanted = playing - 1
                self._spare -= 1
                are_more = self._is_rung = len(self._jobs) > 1
                if not are_more:
                    self._wanted = 0
            if are_more:
                self._bell.put(True)
            return True


_ALL: Final = weakref.WeakSet[Workers]()


def _begin_in_child() -> None:
    for workers in [*_ALL]:
        workers.begin()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_begin_in_child)
