"""The Patrol: looks what the threads do, and says which case holds a loop, or the interpreter.

A loop is held when one step of it takes too long. Where a branch is seen on a loop's thread, the
loop is sent a ping; as long as that is not answered, it is still the same step. The culprit is the
innermost branch that is there at every look.

The interpreter is held by a worker thread that computes while others have to wait for it. How long
they wait shows in how late the patrol itself is; how much the thread computes, its CPU clock says.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import final

from understudy.actors import (
    Branch,
    CaseActor,
    Crew,
    branch_of_task,
    cpu_time,
    place_in,
    seen_in,
)

from ._telling import Telling

_SHARE = 0.25
"""Which part of the time a thread computes at least that holds the interpreter."""


@final
class Ping:
    """Is called on a loop, and notes when."""

    __slots__ = ("answered",)

    def __init__(self) -> None:
        self.answered: float | None = None

    def __call__(self) -> None:
        self.answered = time.perf_counter()


@final
class LoopWatch:
    """A loop, its thread, and what holds it."""

    __slots__ = ("clock", "computed", "culprit", "loop", "ping", "since", "suspects")

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: int | None, computed: float) -> None:
        self.loop = loop
        self.clock = clock
        self.computed: float | None = computed
        self.ping: Ping | None = None
        self.since = 0.0
        self.suspects: tuple[Branch, ...] = ()
        self.culprit: Branch | None = None


@final
class WorkerWatch:
    """A worker thread, and for how long its branch has held the interpreter."""

    __slots__ = ("branch", "computed", "held", "is_told")

    def __init__(self) -> None:
        self.branch: Branch | None = None
        self.computed = 0.0
        self.held = 0.0
        self.is_told = False


@final
class Patrol:
    """Looks what the threads of one runtime do, again and again, while calls are in flight.

    Args:
        lag: for how many seconds one may hold the loop, or the interpreter.
        telling: hands events on.
        crew: the threads of the runtime.
        since: when it was called for.
    """

    def __init__(self, lag: float, telling: Telling, crew: Crew, since: float) -> None:
        self._lag = lag
        self._telling = telling
        self._crew = crew
        self._loops: dict[int, LoopWatch] = {}
        self._workers: dict[int, WorkerWatch] = {}
        self._looked = since

    @property
    def has_culprit(self) -> bool:
        """Whether one is told of that has not let go yet."""
        return any(watch.culprit for watch in self._loops.values())

    def add(
        self, thread: int, loop: asyncio.AbstractEventLoop, clock: int | None, computed: float
    ) -> None:
        """Watch a loop, too, that runs in this thread, which has computed for so many seconds."""
        watch = self._loops.get(thread)
        if watch is None or watch.loop is not loop:
            self._loops[thread] = LoopWatch(loop, clock, computed)

    def look(self, late: float) -> None:
        """Look what all do; `late` is how many seconds later than it was to be."""
        now = time.perf_counter()
        frames = sys._current_frames()  # noqa: SLF001  # the only way to see other threads
        frames.pop(threading.get_ident(), None)
        for thread, watch in [*self._loops.items()]:
            if not self._look_at_loop(watch, frames.pop(thread, None), now, late):
                self._free(watch, now)
                del self._loops[thread]
        self._look_at_workers(frames, now - self._looked, late)
        self._looked = now

    def end(self) -> None:
        """Look for the last time: tell what is over, and forget what goes on."""
        self.look(0.0)
        for watch in self._loops.values():
            self._free(watch, time.perf_counter())
        for worker in self._workers.values():
            self._leave(worker)
        self._loops.clear()
        self._workers.clear()

    def _look_at_loop(
        self, watch: LoopWatch, frame: FrameType | None, now: float, late: float
    ) -> bool:
        """Look at one loop; False if it is gone."""
        if frame is None or watch.loop.is_closed():
            return False
        if watch.ping is not None and watch.ping.answered is not None:
            self._free(watch, watch.ping.answered)
        branches = seen_in(frame).branches
        if not branches:
            branch = branch_of_task(watch.loop)
            branches = () if branch is None else (branch,)
        computed, before = cpu_time(watch.clock), watch.computed
        watch.computed = computed
        is_own_doing = computed is None or before is None or computed - before >= late * _SHARE
        if watch.ping is None:
            if not branches:
                return True
            watch.ping = Ping()
            try:
                watch.loop.call_soon_threadsafe(watch.ping)
            except RuntimeError:  # closed just now
                return False
            watch.since, watch.suspects = now, branches
            if late >= self._lag and is_own_doing:  # in C, where nobody could look meanwhile
                watch.since -= late
        else:
            if watch.culprit is not None and watch.culprit not in branches:
                self._let_go(watch, now)  # it is somebody else's turn, and the loop's still not
            still = tuple(branch for branch in watch.suspects if branch in branches)
            if not still:
                watch.since = now
            elif late >= self._lag and not is_own_doing:  # somebody else held all of us
                watch.since += late
            watch.suspects = still or branches
        held = now - watch.since
        if watch.culprit is None and watch.suspects and held >= self._lag:
            self._accuse(watch.suspects[0], "loop", held, frame)
            watch.culprit = watch.suspects[0]
        return True

    def _free(self, watch: LoopWatch, answered: float) -> None:
        watch.ping, watch.suspects = None, ()
        self._let_go(watch, answered)

    def _let_go(self, watch: LoopWatch, when: float) -> None:
        culprit, watch.culprit = watch.culprit, None
        if culprit is not None and self._is_ours(culprit):
            self._telling.resumed(culprit, "loop", when - watch.since)

    def _look_at_workers(
        self, frames: Mapping[int, FrameType], elapsed: float, late: float
    ) -> None:
        """Look at the worker threads."""
        before, self._workers = self._workers, {}
        if not (before or any(workers.count for workers in self._crew)):
            return
        is_waited_for = late >= sys.getswitchinterval() / 2
        for thread, frame in frames.items():
            seen = seen_in(frame)
            computed = cpu_time(seen.cpu_clock)
            if not seen.is_worker or computed is None:
                continue
            worker = before.pop(thread, None) or WorkerWatch()
            self._workers[thread] = worker
            used = min(computed - worker.computed, elapsed)
            worker.computed = computed
            branch = seen.branches[0] if seen.branches else None
            if worker.branch is not branch:
                self._leave(worker)
                worker.branch = branch
            if branch is None:
                continue
            if is_waited_for and used >= elapsed * _SHARE:
                worker.held += used
            elif not worker.is_told:
                worker.held = max(0.0, worker.held - elapsed)
            if worker.held >= self._lag and not worker.is_told:
                worker.is_told = True
                self._accuse(branch, "thread", worker.held, frame)
        for worker in before.values():
            self._leave(worker)

    def _leave(self, worker: WorkerWatch) -> None:
        if worker.branch is not None and worker.is_told and self._is_ours(worker.branch):
            self._telling.resumed(worker.branch, "thread", worker.held)
        worker.branch, worker.held, worker.is_told = None, 0.0, False

    def _accuse(self, branch: Branch, place: str, held: float, frame: FrameType) -> None:
        """Tell of a culprit, and count it, unless it is another runtime's."""
        if not self._is_ours(branch):
            return
        branch.has_lagged = True
        actor = branch.part.actor
        with suppress(RuntimeError):  # its loop is closed
            actor.stage.post(partial(_count, actor))
        self._telling.lagged(branch, place, held, place_in(frame, branch))

    def _is_ours(self, branch: Branch) -> bool:
        return branch.part.actor.stage.crew is self._crew


def _count(actor: CaseActor) -> None:
    actor.tally.lagged += 1
