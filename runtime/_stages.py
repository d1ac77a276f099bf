"""The life of a runtime on each of its loops: starting at first use, draining, leaving."""

import asyncio
import atexit
import threading
import weakref
from asyncio.events import _get_running_loop
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

from understudy.actors import Crew, ExperimentSupervisor, Stage, Switches, current_branch

from ._backstage import Backstage
from ._drain import DrainReport, Keeper, drain_stage
from ._settings import ExperimentError
from ._subscription import Subscription, in_thread
from ._telling import Telling

if TYPE_CHECKING:
    from ._experiment import Experiment

R = TypeVar("R")
Call = Callable[[tuple[Any, ...], Mapping[str, Any]], Coroutine[Any, Any, Any]]
_SHORT = 1.0
"""How many seconds subscribers have at least to be told what is left."""


@final
class Stages:
    """The stages of a runtime, one for each loop, and those who want to know what happens there.

    Args:
        prefix: begins the ids of all calls.
        clock: tells the time, in nanoseconds.
        telling: hands events on.
        switches: what the runtime tells all its stages.
        drain_timeout: how many seconds leaving waits for what is in flight.
        experiments: returns the experiments there are.
    """

    def __init__(
        self,
        prefix: str,
        clock: Callable[[], int],
        telling: Telling,
        switches: Switches,
        drain_timeout: float,
        experiments: "Callable[[], Iterable[Experiment]]",
    ) -> None:
        self.drain_timeout = drain_timeout
        self._prefix = prefix
        self._clock = clock
        self._telling = telling
        self._switches = switches
        self._experiments = experiments
        self._stages: dict[asyncio.AbstractEventLoop, Stage] = {}
        self._crew = Crew.of()
        self._backstage = Backstage()
        self._direct: Stage | None = None
        self._keepers: dict[Stage, Keeper] = {}
        self._subscriptions: list[Subscription] = []
        self._errands: set[asyncio.Task[None]] = set()
        self._count = 0
        self._lock = threading.Lock()
        _ALL.add(self)

    def on(self, loop: asyncio.AbstractEventLoop) -> Stage:
        """Return what the actors share on a loop; it is set up at first use."""
        stage = self._stages.get(loop)
        if stage is not None and not stage.is_closed:
            return stage
        with self._lock:
            if stage is None:
                for old in [old for old in self._stages if old.is_closed()]:
                    self._keepers.pop(self._stages.pop(old), None)
                self._count += 1
                prefix = f"{self._prefix}-{self._count}-"
                stage = self._stages[loop] = Stage(
                    loop, self._clock, self._telling.emit, prefix, self._switches, self._crew
                )
            keeper = self._keepers[stage] = Keeper(stage, self._leave)
            stage.on_detached = keeper.watch
            self._open(stage)
        self._telling.started()
        return stage

    def _open(self, stage: Stage) -> None:
        stage.is_closed = stage.is_draining = False
        for subscription in self._subscriptions:
            subscription.listen_on(stage)

    def do_directly(self, act: Callable[[Stage], R]) -> R:
        """Do something with what the actors of direct calls share, on its own loop."""
        return self._backstage.do(lambda: act(self._direct_stage()))

    def _direct_stage(self) -> Stage:
        with self._lock:
            stage = self._direct
            if stage is None:
                self._count += 1
                stage = self._direct = Stage(
                    self._backstage.loop,
                    self._clock,
                    self._telling.emit,
                    f"{self._prefix}-{self._count}-",
                    self._switches,
                    self._crew,
                    is_shared=True,
                )
                self._open(stage)
        return stage

    async def drain(self, seconds: float) -> DrainReport:
        """Wait until nothing is in flight on this loop, and all was told that ended."""
        stage = self._stages.get(asyncio.get_running_loop())
        if stage is None:
            return DrainReport(0, ())
        until = stage.loop.time() + seconds
        supervisors = [*stage.supervisors.values()]
        report = await drain_stage(stage, supervisors, seconds)
        await self._settle(stage, supervisors, until)
        return report

    async def close(self) -> DrainReport:
        """Drain this loop, and stop all actors on it; the next call starts them again."""
        stage = self._stages.get(asyncio.get_running_loop())
        if stage is None or stage.is_closed:
            return DrainReport(0, ())
        branch = current_branch()
        if branch is not None and not branch.is_over and branch.part.actor.stage is stage:
            raise ExperimentError(
                f"{branch.part.actor.name} cannot close the runtime that plays it: it would wait "
                f"for itself; close it from outside"
            )
        if stage.is_draining:  # somebody else closes it already
            return await self.drain(self.drain_timeout)
        report = await self._leave(stage)
        if self._backstage.is_running and self._is_last(stage):
            behind = asyncio.run_coroutine_threadsafe(self._leave_backstage(), self._backstage.loop)
            report += await asyncio.wrap_future(behind)
        return report

    def _is_last(self, stage: Stage) -> bool:
        """Whether no other loop is open, but that behind the scenes."""
        behind = self._backstage.loop
        return all(each.is_closed for loop, each in self._stages.items() if loop is not behind)

    def play(self, call: Call, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Make an async call on the loop behind the scenes, and wait for what comes of it.

        Raises:
            ExperimentError: this thread runs a loop, which waiting would block.
        """
        if _get_running_loop() is not None:
            raise ExperimentError(
                "this thread runs a loop, which waiting for the call would block: await it"
            )

        async def play() -> Any:
            return await call(args, kwargs)

        return self._backstage.play(play())

    def close_backstage(self) -> DrainReport:
        """Drain what was called without a loop, and end the threads; wait for it."""
        if not self._backstage.is_running:
            return DrainReport(0, ())
        return self._backstage.play(self._leave_backstage())

    async def _leave_backstage(self) -> DrainReport:
        """Drain both stages behind the scenes: that of direct calls, and that of the loop."""
        loop = asyncio.get_running_loop()
        stages = [stage for stage in (self._stages.get(loop), self._direct) if stage is not None]
        try:
            reports = [await self._leave(stage) for stage in stages if not stage.is_closed]
        finally:
            with self._lock:
                if self._direct is None:
                    self._backstage.stop()
            self._crew.rest()
        return sum(reports, start=DrainReport(0, ()))

    async def _leave(self, stage: Stage) -> DrainReport:
        """Drain a loop, stop all its actors, and have written what was told."""
        self._telling.draining()
        stage.is_draining = True
        until = stage.loop.time() + self.drain_timeout
        try:
            supervisors = [*stage.supervisors.values()]
            report = await drain_stage(stage, supervisors, self.drain_timeout)
            await self._settle(stage, supervisors, until)
            if stage is self._direct:
                with self._lock, stage.lock:
                    self._direct, stage.is_gone = None, True
            for supervisor in supervisors:
                await supervisor.stop()
            for subscription in [*self._subscriptions]:
                await subscription.aclose(stage, max(_SHORT, until - stage.loop.time()))
            if self._errands:
                await asyncio.wait([*self._errands])
            stage.is_closed = True
        finally:
            stage.is_draining = False
        for experiment in self._experiments():
            experiment.leave()
        keeper = self._keepers.pop(stage, None)
        if keeper is not None:
            await keeper.end()
        self._telling.stopped(report)
        if not self._telling.flush(0.0):
            await in_thread(stage.loop, self._telling.flush)
        if self._direct is None and all(each.is_closed for each in self._stages.values()):
            for subscription in self._subscriptions:
                subscription.rest()
            self._telling.rest()
        return report

    async def _settle(
        self, stage: Stage, supervisors: Iterable[ExperimentSupervisor], until: float
    ) -> None:
        """Wait until strategies and subscribers were told what ended."""
        for supervisor in supervisors:
            for strategy in supervisor.strategies:
                await strategy.settle(max(_SHORT, until - stage.loop.time()))
        for subscription in [*self._subscriptions]:
            await subscription.settle(stage, max(_SHORT, until - stage.loop.time()))

    def subscribe(self, subscription: Subscription) -> None:
        """Have a subscription told what ends on any loop."""
        with self._lock:
            self._subscriptions.append(subscription)
            for stage in self._stages.values():
                if not stage.is_closed:
                    subscription.listen_on(stage)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Have it told nothing any more."""
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)
                for stage in self._stages.values():
                    subscription.leave(stage)

    def run_errand(self, stage: Stage, errand: Coroutine[Any, Any, None]) -> None:
        """Have something done on a loop that only the end of the runtime waits for."""

        def start() -> None:
            task = asyncio.Task(errand, loop=stage.loop)
            self._errands.add(task)
            task.add_done_callback(self._errands.discard)

        if stage.loop.is_closed():
            errand.close()
        elif _get_running_loop() is stage.loop:
            start()
        else:
            stage.loop.call_soon_threadsafe(start)


_ALL: Final = weakref.WeakSet[Stages]()


def _close_all() -> None:
    """Drain, before the interpreter ends, what was called without a loop."""
    for stages in [*_ALL]:
        stages.close_backstage()


atexit.register(_close_all)
