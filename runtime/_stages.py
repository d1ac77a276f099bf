"""The life of a runtime on each of its loops: starting at first use, draining, leaving."""

import asyncio
import atexit
import inspect
import threading
import weakref
from asyncio.events import _get_running_loop
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

from understudy.actors import Crew, Stage, State, Switches, current_branch

from ._backstage import Backstage
from ._drain import DrainReport, Keeper, drain_stage, told_in_flight
from ._outlet import begin_again_after_fork
from ._settings import ExperimentError
from ._subscription import Subscription, in_thread
from ._telling import Telling
from ._watchdog import Watchdog

if TYPE_CHECKING:
    from ._experiment import Experiment

R = TypeVar("R")
Call = Callable[[tuple[Any, ...], Mapping[str, Any]], Coroutine[Any, Any, Any]]
_SOON = 0.001
_SHORT = 1.0
"""How many seconds subscribers have at least to be told what is left."""
_LATE = 5.0
"""How many seconds longer than a drain may take the interpreter waits, at its end, for a loop."""
_PATIENCE = 1.0
"""After how many seconds of leaving it is said what is waited for."""


@final
class Stages:
    """The stages of a runtime, one for each loop, and those who want to know what happens there.

    Args:
        prefix: begins the ids of all calls.
        clock: tells the time, in nanoseconds.
        telling: hands events on.
        switches: what the runtime tells all its stages.
        drain_timeout: how many seconds leaving waits for what is in flight.
        lag: after how many seconds a case that holds a loop is told of; None for never.
        experiments: returns the experiments there are.
    """

    def __init__(
        self,
        prefix: str,
        clock: Callable[[], int],
        telling: Telling,
        switches: Switches,
        drain_timeout: float,
        lag: float | None,
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
        self.watchdog: Watchdog | None = Watchdog(lag, telling, self._crew) if lag else None
        self._backstage = Backstage()
        self._direct: Stage | None = None
        self._keepers: dict[Stage, Keeper] = {}
        self._subscriptions: list[Subscription] = []
        self._errands: dict[Stage, set[asyncio.Task[None]]] = {}
        self._leaving: dict[Stage, asyncio.Future[DrainReport]] = {}
        self._leavers: set[asyncio.Task[Any] | None] = set()
        self._winding_up: asyncio.Task[None] | None = None
        self._count = 0
        self._lock = threading.Lock()
        own = weakref.ref(self)
        telling.sample(lambda: () if (stages := own()) is None else stages._all())  # noqa: SLF001
        _ALL.add(self)
        begin_again_after_fork(self)

    def begin(self) -> None:
        """Start afresh in a forked child: loops that ran are the parent's, and stand still here.

        What was in flight on them is the parent's too. Their locks may be held by threads that are
        gone; nothing takes them any more.
        """
        self._lock = threading.Lock()
        self._switches.begin()
        self._leavers.clear()
        gone = [stage for stage in self._all() if stage.loop.is_running()]
        for stage in gone:
            stage.is_gone = stage.is_closed = True
            self._keepers.pop(stage, None)
            self._errands.pop(stage, None)
            self._leaving.pop(stage, None)
            for subscription in self._subscriptions:
                subscription.leave(stage)
        self._stages = {loop: each for loop, each in self._stages.items() if each not in gone}
        if self._direct in gone:
            self._direct = None
        for experiment in self._experiments():
            experiment.forget(gone)

    @property
    def have_begun(self) -> bool:
        """Whether there are any."""
        return bool(self._stages) or self._direct is not None

    def on(self, loop: asyncio.AbstractEventLoop) -> Stage:
        """Return what the actors share on a loop; it is set up at first use."""
        stage = self._stages.get(loop)
        if stage is not None and not stage.is_closed:
            return stage
        with self._lock:
            if stage is None:
                for old in [old for old in self._stages if old.is_closed()]:
                    gone = self._stages.pop(old)
                    self._keepers.pop(gone, None)
                    for subscription in self._subscriptions:
                        subscription.leave(gone)
                self._count += 1
                prefix = f"{self._prefix}-{self._count}-"
                stage = self._stages[loop] = Stage(
                    loop,
                    self._clock,
                    self._telling.emit,
                    prefix,
                    self._switches,
                    self._crew,
                    notes=self._telling.notes,
                    label_of=self._telling.label_of,
                )
            keeper = self._keepers[stage] = Keeper(stage, self._leave)
            stage.on_detached = keeper.watch
            self._open(stage)
        self._telling.started()
        return stage

    def _open(self, stage: Stage) -> None:
        stage.is_closed = stage.is_draining = False
        if self.watchdog is not None:
            self.watchdog.guard(stage)
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
                    notes=self._telling.notes,
                    label_of=self._telling.label_of,
                )
                self._open(stage)
        return stage

    async def drain(self, seconds: float) -> DrainReport:
        """Wait until nothing is in flight on this loop, and all was told that ended."""
        stage = self._stages.get(asyncio.get_running_loop())
        if stage is None:
            return DrainReport(0, ())
        until = stage.loop.time() + seconds
        report = await drain_stage(stage, seconds)
        await self._settle(stage, until)
        await self._have_recorded(stage, until)
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
        report = await self._leave(stage)
        if self._backstage.is_running and self._is_last(stage):
            behind = self._backstage.hand_over(self._leave_backstage)
            report += await asyncio.wrap_future(behind)
        return report

    def _is_last(self, stage: Stage) -> bool:
        """Whether no other loop is open, but that behind the scenes."""
        behind = self._backstage.loop
        with self._lock:
            return all(_is_over(each) for each in self._stages.values() if each.loop is not behind)

    def play(self, call: Call, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Make an async call on the loop behind the scenes, and wait for what comes of it.

        Raises:
            ExperimentError: this thread runs a loop, which waiting would block.
        """
        if _get_running_loop() is not None:
            raise ExperimentError(
                "this thread runs a loop, which waiting for the call would block: await it"
            )
        return self._backstage.play(call, args, kwargs)

    def await_blocking(self, answer: Any) -> Any:
        """Wait for an answer that goes on, as that of a plain function may.

        Raises:
            ExperimentError: this thread runs a loop, which waiting would block.
        """
        if inspect.isgenerator(answer):
            return [*answer]
        if not inspect.iscoroutine(answer) and not inspect.isasyncgen(answer):
            return answer

        async def items_of(answer: AsyncGenerator[Any, Any]) -> list[Any]:
            return [item async for item in answer]

        coroutine = items_of(answer) if inspect.isasyncgen(answer) else answer
        return self.play(lambda _args, _kwargs: coroutine, (), {})

    def close_backstage(self) -> DrainReport:
        """Drain what was called without a loop, and end the threads; wait for it."""
        if not self._backstage.is_running:
            return DrainReport(0, ())
        return self._backstage.play(self._leave_backstage)

    def close_at_exit(self) -> None:
        """Do so, unless something holds the loop there: that must not hold the interpreter, too."""
        if self._backstage.is_running:
            left = self._backstage.hand_over(self._leave_backstage)
            with suppress(TimeoutError):
                left.result(self.drain_timeout + _LATE)

    async def _leave_backstage(self) -> DrainReport:
        """Drain both stages behind the scenes, that of direct calls and that of the loop; end it.

        Who calls meanwhile is answered first, but not for longer than a drain may take. Of several
        that leave at once, the last one ends the loop.
        """
        me = asyncio.current_task()
        until = asyncio.get_running_loop().time() + self.drain_timeout
        report = DrainReport(0, ())
        self._leavers.add(me)
        try:
            while True:
                for stage in self._open_behind():
                    report += await self._leave(stage)
                if len(self._leavers) > 1 or self._ends_backstage():
                    return report
                if asyncio.get_running_loop().time() >= until:
                    self._winding_up = asyncio.create_task(self._wind_up_backstage())
                    return report
                await asyncio.sleep(_SOON)
        finally:
            self._leavers.discard(me)
            self._crew.rest()

    async def _wind_up_backstage(self) -> None:
        """End the loop behind the scenes as soon as nobody waits there, unless it is used again."""
        # Nobody tells when the last who waits there is answered, so it is asked.
        while not self._open_behind() and not self._ends_backstage():  # noqa: ASYNC110
            await asyncio.sleep(_SOON)

    def _open_behind(self) -> list[Stage]:
        stages = (self._stages.get(asyncio.get_running_loop()), self._direct)
        return [stage for stage in stages if stage is not None and not stage.is_closed]

    def _ends_backstage(self) -> bool:
        with self._lock:
            return not self._open_behind() and self._backstage.stop()

    async def _leave(self, stage: Stage) -> DrainReport:
        """Drain a loop, stop all its actors, and have written what was told.

        If that is cancelled, nothing is waited for any more, but all is stopped all the same. Of
        several who leave, as when a loop ends that is about to be left, the first one does it; the
        others do what is left, where a call came as it was done.
        """
        while stage in self._leaving:
            report = await asyncio.shield(self._leaving[stage])
            if stage.is_closed:
                return report
        told: asyncio.Future[DrainReport] = stage.loop.create_future()
        self._leaving[stage] = told
        self._telling.draining()
        stage.is_draining = True
        until = stage.loop.time() + self.drain_timeout
        report = DrainReport(0, ())
        try:
            report = await self._drain_and_stop(stage, until)
        finally:
            del self._leaving[stage]
            if not told.done() and not stage.loop.is_closed():
                told.set_result(report)
        if self.watchdog is not None and self._is_left():
            self.watchdog.retire()  # it may have something left to tell
        await self._have_recorded(stage, until)
        if self._is_left():
            self._telling.recorded()
        self._telling.stopped(report)
        if not self._telling.flush(0.0):
            left = max(_SHORT, until - stage.loop.time())
            await in_thread(stage.loop, lambda: self._telling.flush(left))
        if self._is_left():
            for subscription in [*self._subscriptions]:
                subscription.rest()
            self._telling.rest()
            self._crew.rest()
        return report

    async def _drain_and_stop(self, stage: Stage, until: float) -> DrainReport:
        patience = stage.loop.call_later(_PATIENCE, self._tell_of_waiting, stage)
        try:
            report = await drain_stage(stage, self.drain_timeout)
            await self._settle(stage, until)
        except GeneratorExit:  # the loop is gone: nothing can be awaited any more
            raise
        except BaseException:
            await self._stop(stage, until)
            raise
        finally:
            patience.cancel()
        await self._stop(stage, until)
        return report

    def _tell_of_waiting(self, stage: Stage) -> None:
        told = told_in_flight(stage)
        if told:
            self._telling.waiting(told, self.drain_timeout)

    async def _stop(self, stage: Stage, until: float) -> None:
        """Stop all actors of a loop, whatever comes."""
        if stage is self._direct:
            with self._lock, stage.lock:
                self._direct, stage.is_gone = None, True
        left = max(_SHORT, until - stage.loop.time())
        try:
            if stage.is_gone:
                await drain_stage(stage, left)  # what was called directly since the drain
            await _all(stage, [each.stop() for each in [*stage.supervisors.values()]])
            if stage.is_gone:
                with stage.lock:
                    stage.is_closed = True  # nothing is posted any more
                await asyncio.sleep(0)  # and what was, is done
            for supervisor in [*stage.supervisors.values()]:  # a call came and started it again
                if supervisor.state is not State.STOPPED:
                    await supervisor.stop()
            # Also what was stopped just now.
            await _all(stage, [each.aclose(stage, left) for each in [*self._subscriptions]])
            errands = self._errands.pop(stage, ())
            if errands:
                await asyncio.wait([*errands], timeout=left)
        finally:
            with stage.lock:
                stage.is_closed, stage.is_draining = True, False
            stage.alarms.rest()
            for subscription in [*self._subscriptions]:
                if subscription.is_async:
                    subscription.leave(stage)
            for experiment in self._experiments():
                experiment.leave()
            keeper = self._keepers.pop(stage, None)
            if keeper is not None:
                await keeper.end()

    async def _settle(self, stage: Stage, until: float) -> None:
        """Wait until strategies and subscribers were told what ended, all at once."""
        left = max(_SHORT, until - stage.loop.time())
        settling = [
            strategy.settle(left)
            for supervisor in [*stage.supervisors.values()]
            for strategy in supervisor.strategies
        ]
        settling += [each.settle(stage, left) for each in [*self._subscriptions]]
        await _all(stage, settling)

    async def _have_recorded(self, stage: Stage, until: float) -> None:
        """Wait until all results are in the run that they are recorded into, if there is one."""
        telling = self._telling
        if telling.is_recording:
            left = max(_SHORT, until - stage.loop.time())
            await in_thread(stage.loop, lambda: telling.flush_record(left))

    def _is_left(self) -> bool:
        """Whether there is nothing left of it on any loop."""
        with self._lock:
            return self._direct is None and all(map(_is_over, self._all()))

    def _all(self) -> list[Stage]:
        """Return the stages of all loops, and that of direct calls."""
        direct = [] if self._direct is None else [self._direct]
        return [*self._stages.values(), *direct]

    def subscribe(self, subscription: Subscription) -> None:
        """Have a subscription told what ends on any loop."""
        with self._lock:
            self._subscriptions.append(subscription)
            for stage in self._all():
                if not stage.is_closed:
                    subscription.listen_on(stage)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Have it told nothing any more."""
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)
                for stage in self._all():
                    subscription.leave(stage)

    def run_errand(self, stage: Stage, errand: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have something done on a loop that only leaving it waits for."""

        def start() -> None:
            errands = self._errands.setdefault(stage, set())
            task = asyncio.Task(errand(), loop=stage.loop)
            errands.add(task)
            task.add_done_callback(errands.discard)

        if _get_running_loop() is stage.loop:
            start()
        else:
            with suppress(RuntimeError):  # it is closed
                stage.loop.call_soon_threadsafe(start)


def _is_over(stage: Stage) -> bool:
    """Whether nothing is played on a stage: it was left, or its loop was closed without that."""
    return stage.is_closed or stage.loop.is_closed()


async def _all(stage: Stage, coroutines: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run some at once, whatever comes of them; a user's task factory may not take ours."""
    tasks = [asyncio.Task(each, loop=stage.loop) for each in coroutines]
    await asyncio.gather(*tasks, return_exceptions=True)


_ALL: Final = weakref.WeakSet[Stages]()


def _close_all() -> None:
    """Drain, before the interpreter ends, what was called without a loop; Ctrl-C ends that."""
    with suppress(KeyboardInterrupt):
        for stages in [*_ALL]:
            stages.close_at_exit()


atexit.register(_close_all)
