"""The Patrol: looks what the threads do, and says which case holds a loop, or the interpreter.

A loop is held when one step of it takes too long. Where a branch is seen on a loop's thread, the
loop is sent a ping; as long as that is not answered, it is still the same step. The culprit is the
innermost branch that is there at every look. If there is another one at each, nobody holds it: it
has too much to do, and many short steps make one long turn. While the garbage collector goes
through everything, it is nobody's doing who happens to be there.

The interpreter is held by a worker thread that computes while others have to wait for it. How long
they wait shows in how late the patrol itself is; how much the thread computes, its CPU clock says.
"""

import asyncio
import gc
import sys
import time
import weakref
from collections.abc import Collection
from contextlib import suppress
from functools import partial
from typing import final

from understudy.actors import (
    Branch,
    CaseActor,
    Crew,
    Playing,
    Stage,
    cpu_time,
    played_by_workers,
    played_on,
)

from ._telling import Telling

_SHARE = 0.25
"""Which part of the time a thread computes at least that holds the interpreter,"""
_LEAST = 0.1
"""or, where the machine is busy with others, if it is most of what the process computes."""


Key = tuple[int, int]
"""Stands for a branch without keeping it alive."""


@final
class Ping:
    """Is called on a loop, and notes when; until then it is the same turn of the loop, or the next.

    Args:
        computed: how many seconds the loop's thread had computed when it was sent.
    """

    __slots__ = ("answered", "computed", "has_begun", "last", "looks", "met", "sent")

    def __init__(self, computed: float | None) -> None:
        self.sent = time.perf_counter()
        self.answered: float | None = None
        self.computed = computed
        self.has_begun = False
        """Whether a call has begun since the last look."""
        self.last: Key | None = None
        self.looks = 0
        self.met = 0
        """How often somebody looked, and met another branch than before."""

    def meet(self, branch: Branch | None) -> bool:
        """Be told who is there now; whether it is another one, as it often was before."""
        self.looks += 1
        now = self.last if branch is None else _key(branch)
        is_another = now != self.last or self.has_begun
        self.last, self.has_begun = now, False
        self.met += is_another
        return is_another and self.met > 1 and self.met >= self.looks * _SHARE

    def __call__(self) -> None:
        self.answered = time.perf_counter()


@final
class LoopWatch:
    """A loop, its thread, and what holds it; it keeps alive only who is told of."""

    __slots__ = ("clock", "computed", "crowd", "culprit", "loop", "ping", "since", "suspects")

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: int | None, computed: float) -> None:
        self.loop = weakref.ref(loop)
        self.clock = clock
        self.computed: float | None = computed
        self.ping: Ping | None = None
        self.since = 0.0
        self.suspects: list[Key] = []
        self.culprit: Branch | None = None
        self.crowd: Ping | None = None
        """The ping that many short steps kept waiting."""

    @property
    def running_loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop, if it runs."""
        loop = self.loop()
        return loop if loop is not None and loop.is_running() else None

    def send_ping(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send one, unless one is on its way."""
        if self.ping is None:
            ping = Ping(self.computed)
            with suppress(RuntimeError):  # closed just now
                loop.call_soon_threadsafe(ping)
                self.ping = ping


@final
class WorkerWatch:
    """A worker thread, and for how long its branch has held the interpreter."""

    __slots__ = ("computed", "culprit", "held", "plays")

    def __init__(self, playing: Playing) -> None:
        self.plays = _key(playing.branch)
        self.computed = playing.computed
        self.held = 0.0
        self.culprit: Branch | None = None


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
        self._computed = time.process_time()
        self._collections = _full_collections()
        self._is_collected = False
        """Whether the garbage collector went through everything since the last look."""

    @property
    def is_waiting(self) -> bool:
        """Whether any loop has not answered: the step is not over in which a call began."""
        return any(watch.ping is not None for watch in self._loops.values())

    def add(
        self, thread: int, loop: asyncio.AbstractEventLoop, clock: int | None, computed: float
    ) -> None:
        """Watch a loop, too, that runs in this thread, which has computed for so many seconds."""
        watch = self._loops.get(thread)
        if watch is None or watch.loop() is not loop:
            if watch is not None:  # that loop is over, and what held it
                self._free(watch, time.perf_counter())
            watch = self._loops[thread] = LoopWatch(loop, clock, computed)
        watch.send_ping(loop)
        if watch.ping is not None:
            watch.ping.has_begun = True

    def look(self, late: float, stages: Collection[Stage]) -> None:
        """Look what all do; `late` is how many seconds later than it was to be."""
        now = time.perf_counter()
        before, self._collections = self._collections, _full_collections()
        self._is_collected = self._collections != before
        for thread, watch in [*self._loops.items()]:
            if not self._look_at_loop(watch, thread, stages, now, late):
                self._free(watch, now)
                del self._loops[thread]
        self._look_at_workers(stages, now - self._looked, late)
        self._looked = now

    def end(self) -> None:
        """Look for the last time: tell what is over, and forget what goes on."""
        self.look(0.0, ())
        for watch in self._loops.values():
            self._free(watch, time.perf_counter())
        for worker in self._workers.values():
            self._leave(worker)
        self._loops.clear()
        self._workers.clear()

    def _look_at_loop(
        self,
        watch: LoopWatch,
        thread: int,
        stages: Collection[Stage],
        now: float,
        late: float,
    ) -> bool:
        """Look at one loop; False if it is gone."""
        loop = watch.running_loop
        if loop is None:
            return False
        if watch.ping is not None and watch.ping.answered is not None:
            self._free(watch, watch.ping.answered)
        branches = played_on(loop, thread, stages)
        computed, before = cpu_time(watch.clock), watch.computed
        watch.computed = computed
        has_computed = computed is None or before is None or computed - before >= late * _SHARE
        is_own_doing = has_computed and not self._is_collected
        if watch.culprit is not None and watch.culprit not in branches:
            self._let_go(watch, now)  # it is somebody else's turn, and the loop's still not
        if branches:
            watch.send_ping(loop)
        here = [_key(branch) for branch in branches]
        still = [suspect for suspect in watch.suspects if suspect in here]
        if not still:
            watch.since = now
            if late >= self._lag and is_own_doing:  # in C, where nobody could look meanwhile
                watch.since -= late
        elif late >= self._lag and not is_own_doing:  # somebody else held all of us
            watch.since += late
        watch.suspects = still or here
        held = now - watch.since
        if watch.culprit is None and watch.suspects and held >= self._lag:
            watch.culprit = next(each for each in branches if _key(each) == watch.suspects[0])
            self._accuse(watch.culprit, "loop", held, thread)
        if watch.ping is not None:
            self._look_at_turn(watch, watch.ping, branches, now)
        return True

    def _look_at_turn(
        self, watch: LoopWatch, ping: Ping, branches: list[Branch], now: float
    ) -> None:
        """Tell of a turn of the loop that is long though nobody in it is."""
        are_many = ping.meet(branches[0] if branches and self._is_ours(branches[0]) else None)
        if watch.crowd is not None or watch.culprit is not None or not are_many:
            return
        lasted, computed = now - ping.sent, watch.computed
        used = None if computed is None or ping.computed is None else computed - ping.computed
        if lasted >= self._lag and (used is None or used >= lasted * _SHARE):
            watch.crowd = ping
            self._telling.crowded(lasted)

    def _free(self, watch: LoopWatch, answered: float) -> None:
        watch.ping, watch.suspects = None, []
        self._let_go(watch, answered)
        crowd, watch.crowd = watch.crowd, None
        if crowd is not None:
            self._telling.uncrowded(answered - crowd.sent)

    def _let_go(self, watch: LoopWatch, when: float) -> None:
        culprit, watch.culprit = watch.culprit, None
        if culprit is not None and self._is_ours(culprit):
            self._telling.resumed(culprit, "loop", when - watch.since)

    def _look_at_workers(self, stages: Collection[Stage], elapsed: float, late: float) -> None:
        """Look at the worker threads."""
        before, self._workers = self._workers, {}
        until_now, self._computed = self._computed, time.process_time()
        most = (self._computed - until_now) / 2
        is_waited_for = late >= sys.getswitchinterval() / 2
        for thread, playing in played_by_workers().items():
            computed = cpu_time(playing.clock)
            if computed is None or not self._is_ours(playing.branch):
                continue
            worker = before.pop(thread, None)
            if worker is None or worker.plays != _key(playing.branch):
                if worker is not None:
                    self._leave(worker)
                worker = WorkerWatch(playing)
            self._workers[thread] = worker
            used, worker.computed = computed - worker.computed, computed
            if is_waited_for and used >= min(elapsed * _SHARE, max(elapsed * _LEAST, most)):
                worker.held += used
            elif worker.culprit is None:
                worker.held = max(0.0, worker.held - elapsed)
            if worker.held >= self._lag and worker.culprit is None:
                inner = [each for stage in stages for each in stage.played_directly(thread)]
                worker.culprit = max([playing.branch, *inner], key=lambda branch: branch.asked)
                self._accuse(worker.culprit, "thread", worker.held, thread)
        for worker in before.values():
            self._leave(worker)

    def _leave(self, worker: WorkerWatch) -> None:
        if worker.culprit is not None and self._is_ours(worker.culprit):
            self._telling.resumed(worker.culprit, "thread", worker.held)

    def _accuse(self, branch: Branch, place: str, held: float, thread: int) -> None:
        """Tell of a culprit, and count it, unless it is another runtime's."""
        if not self._is_ours(branch):
            return
        branch.has_lagged = True
        actor = branch.part.actor
        with suppress(RuntimeError):  # its loop is closed
            actor.stage.post(partial(_count, actor))
        from ._whereabouts import where_is  # what it imports is large, and this happens rarely

        self._telling.lagged(branch, place, held, where_is(thread))

    def _is_ours(self, branch: Branch) -> bool:
        return branch.part.actor.stage.crew is self._crew


def _full_collections() -> int:
    return int(gc.get_stats()[-1]["collections"])


def _key(branch: Branch) -> Key:
    return id(branch), branch.id


def _count(actor: CaseActor) -> None:
    actor.tally.lagged += 1
