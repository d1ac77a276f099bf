"""The Watchdog: a thread that watches, while calls are in flight, that none holds the others up."""

import threading
import time
import weakref
from asyncio.events import AbstractEventLoop, _get_running_loop
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from contextvars import Context
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple, final

from understudy.actors import Crew, Stage, cpu_clock_here

from ._outlet import begin_again_after_fork
from ._patrol import Patrol
from ._telling import Telling

_LOOKS: Final = 4
"""How often it looks, at least, before it tells."""
_LINGER: Final = 10.0
"""After how many seconds without any call the thread ends; the next call starts another."""
_GOODBYE: Final = 0.05
"""How many seconds leaving waits for the thread."""


class Notice(NamedTuple):
    """That a call begins: where and when, and how much its thread has computed until then."""

    stage: weakref.ref[Stage]
    thread: int
    loop: weakref.ref[AbstractEventLoop] | None
    clock: int | None
    computed: float
    at: float


@final
class Watch:
    """A thread of the watchdog, and what it is told."""

    __slots__ = ("awake", "bell", "notices", "sleeps", "thread")

    def __init__(self) -> None:
        self.awake: dict[weakref.ref[Stage], None] = {}
        self.notices: deque[Notice] = deque()
        self.bell: SimpleQueue[bool] = SimpleQueue()
        """Rings with False when it is time to end."""
        self.sleeps = False
        self.thread: threading.Thread | None = None


@final
class Watchdog:
    """A thread that looks what the loops of a runtime do while calls are in flight, else sleeps.

    Calls do nothing for it, but for the first one after each look: that one rings.

    Args:
        lag: for how many seconds one may hold the loop.
        telling: hands events on.
        crew: the threads of the runtime.
    """

    def __init__(self, lag: float, telling: Telling, crew: Crew) -> None:
        self._lag = lag
        self._pause = lag / _LOOKS
        self._telling = telling
        self._crew = crew
        self._watch: Watch | None = None
        self.wakings: int = 0
        """How often the thread has had something to do: it looked, or was rung for."""
        self.begin()
        begin_again_after_fork(self)

    @property
    def is_asleep(self) -> bool:
        """Whether nothing is in flight, so that nothing happens until the next call."""
        watch = self._watch
        return watch is None or watch.sleeps

    def begin(self) -> None:
        """Start afresh: when it is made, and in a forked child, where the thread is gone."""
        self._lock = threading.RLock()
        watch, self._watch = self._watch, None
        if watch is not None:
            self._guard_all(watch)

    def guard(self, stage: Stage) -> None:
        """Be there from the next call on."""
        stage.ring_at_next(self._ring)

    def _guard_all(self, watch: Watch) -> None:
        for reference in [*watch.awake, *(notice.stage for notice in [*watch.notices])]:
            stage = reference()
            if stage is not None:
                self.guard(stage)

    def retire(self) -> None:
        """Have the thread end, as there is nothing left to watch; the next call starts another."""
        with self._lock:
            watch, self._watch = self._watch, None
        if watch is not None and watch.thread is not None:
            watch.bell.put(False)
            with suppress(RuntimeError):  # it never came to life
                watch.thread.join(_GOODBYE)

    def _ring(self, stage: Stage) -> None:
        """Be told, in its thread, that a call begins."""
        loop = _get_running_loop()
        notice = Notice(
            weakref.ref(stage),
            threading.get_ident(),
            None if loop is None else weakref.ref(loop),
            cpu_clock_here(),
            time.thread_time(),
            time.perf_counter(),
        )
        with self._lock:
            watch = self._watch
            if watch is not None:
                watch.notices.append(notice)
                if watch.sleeps:
                    watch.bell.put(True)
                return
            watch = self._watch = Watch()
            watch.notices.append(notice)
            work = Context().run  # of nobody's context: the first call is not special
            thread = watch.thread = threading.Thread(
                target=work, args=(self._work, watch), name="understudy watchdog", daemon=True
            )
        try:
            thread.start()
        except RuntimeError:  # the limits of the process, or its end: nobody watches this call
            with self._lock:
                if self._watch is watch:
                    self._watch = None
            self._guard_all(watch)

    def _work(self, watch: Watch) -> None:
        try:
            while self._sleep(watch) and self._walk(watch):
                pass
        finally:
            with self._lock:
                if self._watch is watch:
                    self._watch = None
            self._guard_all(watch)

    def _sleep(self, watch: Watch) -> bool:
        """Wait until a call begins; False when it is time to end."""
        watch.sleeps = True
        try:
            while not watch.notices:
                try:
                    if not watch.bell.get(timeout=_LINGER):
                        return False
                except Empty:
                    with self._lock:  # nobody rings meanwhile
                        if not watch.notices:
                            self._watch = None if self._watch is watch else self._watch
                            return False
        finally:
            watch.sleeps = False
        return True

    def _walk(self, watch: Watch) -> bool:
        """Look again and again until nothing is in flight; False when it is time to end."""
        due = watch.notices[0].at
        patrol = Patrol(self._lag, self._telling, self._crew, due)
        try:
            while True:
                self.wakings += 1
                rang = self._heed(watch, patrol)
                late = time.perf_counter() - due
                patrol.look(late, _alive(watch.awake))
                for reference in [*watch.awake]:
                    if reference not in rang and not _is_busy(reference()):
                        del watch.awake[reference]
                if not watch.awake and not patrol.is_waiting:
                    return True
                self._telling.pulse()
                due = time.perf_counter() + self._pause
                if not self._wait(watch, due):
                    return False
        finally:
            patrol.end()

    def _heed(self, watch: Watch, patrol: Patrol) -> set[weakref.ref[Stage]]:
        """Return where calls began since the last look, and be rung for again."""
        rang: set[weakref.ref[Stage]] = set()
        while watch.notices:
            notice = watch.notices[0]
            stage = notice.stage()
            if stage is not None:
                watch.awake[notice.stage] = None
                rang.add(notice.stage)
                self.guard(stage)
            watch.notices.popleft()
            loop = None if notice.loop is None else notice.loop()
            if loop is not None:
                patrol.add(notice.thread, loop, notice.clock, notice.computed)
        return rang

    def _wait(self, watch: Watch, due: float) -> bool:
        """Wait for the next look; False when it is time to end."""
        while (left := due - time.perf_counter()) > 0:
            try:
                if not watch.bell.get(timeout=left):
                    return False
                self.wakings += 1  # a bell from before it rose
            except Empty:
                return True
        return True


def _alive(references: Iterable[weakref.ref[Stage]]) -> list[Stage]:
    found = (reference() for reference in references)
    return [stage for stage in found if stage is not None]


def _is_busy(stage: Stage | None) -> bool:
    return stage is not None and not stage.loop.is_closed() and stage.is_busy
