"""The Stage: what all actors of one runtime share on one event loop."""

import asyncio
import itertools
import threading
import time
import weakref
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import Context, ContextVar
from operator import attrgetter
from typing import TYPE_CHECKING, Any, final

from understudy.configs import Config

from ._alarms import Alarms
from ._bridge import Crew
from ._state import Emit

if TYPE_CHECKING:
    from ._branch import Branch
    from ._case_actor import CaseActor
    from ._cast import Cast
    from ._experiment_supervisor import ExperimentSupervisor
    from ._message import Message
    from ._notes import Notes
    from ._results import FunctionResult

_SLICE = 1_000_000
"""How many nanoseconds calls that never suspend may hold the loop before others get a turn."""

_PINNED: ContextVar["Mapping[int, _Pin] | None"] = ContextVar("understudy_pinned", default=None)
"""What is pinned in this context, by the keys of experiments."""


@final
class _Pin:
    """A config that is pinned for as long as a block is open; tasks may outlive that."""

    __slots__ = ("config_id", "is_open")

    def __init__(self, config_id: str) -> None:
        self.config_id = config_id
        self.is_open = True


@final
class Switches:
    """What somebody chose by hand, for all stages of a runtime: configs pinned, experiments off.

    Attributes:
        are_set: whether there is any of that; if not, nobody need look further.
    """

    __slots__ = ("_disabled", "_forces", "_is_all_off", "_lock", "_pinned", "are_set")

    def __init__(self) -> None:
        self.are_set: bool = False
        self._forces = 0
        self._is_all_off = False
        self._disabled = set[int]()
        self._pinned: dict[int, str] = {}
        self.begin()

    def begin(self) -> None:
        """Have a lock that nobody holds, as in a forked child a thread may that is gone."""
        self._lock = threading.Lock()

    def disable(self, key: int | None, is_disabled: bool) -> None:
        """Have an experiment, or with None all of them, play first configs only, or not."""
        with self._lock:
            if key is None:
                self._is_all_off = is_disabled
            elif is_disabled:
                self._disabled.add(key)
            else:
                self._disabled.discard(key)
            self._note()

    def has_disabled(self, key: int) -> bool:
        """Whether an experiment was switched off by itself."""
        return key in self._disabled

    def are_off_for(self, key: int) -> bool:
        """Whether an experiment plays its first config only."""
        return self._is_all_off or key in self._disabled

    def pin(self, key: int, config_id: str | None) -> None:
        """Pin a config for all calls of an experiment; None lets go of it."""
        with self._lock:
            if config_id is None:
                self._pinned.pop(key, None)
            else:
                self._pinned[key] = config_id
            self._note()

    @contextmanager
    def force(self, key: int, config_id: str) -> Generator[None]:
        """Pin a config for an experiment, in this context."""
        pin = _Pin(config_id)
        token = _PINNED.set({**(_PINNED.get() or {}), key: pin})
        self._count(+1)
        try:
            yield
        finally:
            pin.is_open = False
            self._count(-1)
            _PINNED.reset(token)

    def forced(self, key: int) -> str | None:
        """Return the id of the config that is pinned, here or else for all."""
        here = self._forced_here(key)
        return self._pinned.get(key) if here is None else here

    def why_forced(self, key: int) -> str:
        """Return the reason of what is played then: `forced` here, or `pinned` for all."""
        return "pinned" if self._forced_here(key) is None else "forced"

    def _forced_here(self, key: int) -> str | None:
        pin = (_PINNED.get() or {}).get(key) if self._forces else None
        return pin.config_id if pin is not None and pin.is_open else None

    def _count(self, more: int) -> None:
        with self._lock:
            self._forces += more
            self._note()

    def _note(self) -> None:
        any_by_name = bool(self._disabled or self._pinned)
        self.are_set = self._forces > 0 or self._is_all_off or any_by_name


@final
class Stage:
    """What all actors of one runtime share on one event loop.

    Args:
        loop: the loop.
        clock: tells the time, in nanoseconds, steadily.
        emit: takes events; None while nobody listens.
        prefix: begins the ids of the calls.
        switches: what the runtime tells all its stages.
        crew: the threads of the runtime.
        is_shared: whether other threads than the loop's make calls here.
        notes: where to put down what becomes of the branches; None while nobody listens.
        label_of: returns the label of a config, as far as it may be told.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], int] = time.perf_counter_ns,
        emit: Emit | None = None,
        prefix: str = "",
        switches: Switches | None = None,
        crew: Crew | None = None,
        *,
        is_shared: bool = False,
        notes: "Notes | None" = None,
        label_of: Callable[[Config], str] = attrgetter("label"),
    ) -> None:
        self.loop = loop
        self.clock = clock
        self.emit = emit
        self.notes = notes
        self.label_of = label_of
        self.prefix = prefix
        self.switches: Switches = switches or Switches()
        self.crew: Crew = crew or Crew.of()
        self.alarms: Alarms = Alarms(loop, clock)
        self._count = itertools.count(1).__next__
        self.next_id: Callable[[], int] = self._count
        self.is_shared = is_shared
        self.lock: threading.RLock = threading.RLock()
        """Guards what other threads than the loop's touch, where they may."""
        self.is_gone = False
        """Whether it takes no calls from other threads any more: there is another one."""
        self.is_draining = False
        """Whether no shadow starts any more."""
        self.is_closed = False
        """Whether its actors are stopped; the next call starts them again."""
        self.supervisors: weakref.WeakValueDictionary[int, ExperimentSupervisor] = (
            weakref.WeakValueDictionary()
        )
        self.parked: dict[Any, CaseActor] = {}
        """Those who wait in a mailbox (the future of each, or its thread), and for whom."""
        self.gathering: dict[asyncio.Future[None], Cast] = {}
        """The futures of those who wait for all branches of a call."""
        self.playing: dict[asyncio.Task[None], Message] = {}
        """The tasks of the branches that are nobody's but ours: a strong reference to each."""
        self.listeners: list[Callable[[FunctionResult[Any]], object]] = []
        """Who is told every result; none of them waits or raises."""
        self.late_listeners: list[Callable[[FunctionResult[Any]], object]] = []
        """Those of them whom any thread may tell: what ends when the loop takes nothing more."""
        self.on_detached: Callable[[], None] | None = None
        """Called, once, when a branch begins to run in a task of its own."""
        self.epoch: float = time.time() - clock() / 1e9
        """When the clock stood at 0, in seconds since 1970."""
        self.slice_end: int = 0
        self._busiest: CaseActor | None = None
        self.stepping: Branch | None = None
        """The branch that is stepped now in a task that is its caller's, the innermost one."""
        self._has_turned = True

    def ring_at_next(self, ring: "Callable[[Stage], object]") -> None:
        """Have somebody told, once, when the next call begins, in its thread.

        The bell hangs on what numbers the calls: while it does not hang, it costs them nothing.
        """

        def ring_and_count() -> int:
            self.next_id = self._count
            ring(self)
            return self._count()

        self.next_id = ring_and_count

    @property
    def is_busy(self) -> bool:
        """Whether anything is in flight; asked from any thread, so that it may be just over."""
        if self._busiest is not None and self._busiest.in_flight:
            return True
        self._busiest = next((actor for actor in self.cases() if actor.in_flight), None)
        return self._busiest is not None

    def played_directly(self, thread: int) -> "list[Branch]":
        """Return what is played by direct calls in a thread; asked from any other."""
        if not self.is_shared:
            return []
        branches = (branch for actor in self.cases() for branch in [*actor.active])
        return [branch for branch in branches if branch.thread == thread]

    def cases(self) -> "Generator[CaseActor]":
        """Yield all case actors there are; asked from any thread."""
        for reference in self.supervisors.valuerefs():  # a list of its own: others may add some
            supervisor = reference()
            if supervisor is not None:
                yield from supervisor.cases

    def name_of(self, number: int) -> str:
        """Return the id of a call or branch, for people and logs."""
        return f"{self.prefix}{number}"

    async def let_others_run(self, now: int) -> None:
        """Yield to the loop, unless it has turned by itself since the slice of time began."""
        if not self._has_turned:
            await asyncio.sleep(0)
            now = self.clock()
        self._has_turned = False
        self.loop.call_soon(self._turned)
        self.slice_end = now + _SLICE

    def _turned(self) -> None:
        self._has_turned = True

    def post(self, act: Callable[[], object], context: Context | None = None) -> bool:
        """Have something done on the loop, from any thread; False if it is too late for that."""
        with self.lock:
            if self.is_gone and self.is_closed:
                return False
            self.loop.call_soon_threadsafe(act, context=context)
            return True
