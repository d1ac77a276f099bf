"""Subscriptions: whoever wants to know the results, out of everybody's way."""

import asyncio
import inspect
import threading
import time
from asyncio.events import _get_running_loop
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, final

from understudy.actors import (
    Actor,
    ActorError,
    FunctionResult,
    Restarts,
    Stage,
    Supervisor,
    leave_branch,
)

from ._outlet import Outlet
from ._telling import Telling

if TYPE_CHECKING:
    from ._stages import Stages


_PATIENCE = 1.0
"""How many seconds closing waits for a plain function to be told, where there is no loop."""


@final
class Subscription:
    """A function that is told every result; `close` it, or use it in a `with` block.

    Attributes:
        dropped: how many results were not told, because too many waited already, or because the
            function kept failing.

    Example:
        >>> import asyncio
        >>> from understudy import Runtime
        >>> runtime = Runtime()
        >>> @runtime.experiment
        ... async def answer():
        ...     return 42
        >>> async def main():
        ...     async with runtime:
        ...         with runtime.subscribe(lambda result: print(result.status, result.result)):
        ...             await answer()
        ...             await runtime.drain()
        >>> asyncio.run(main())
        ok 42
    """

    def __init__(
        self,
        stages: "Stages",
        callback: Callable[..., Any],
        experiment: int | None,
        buffer: int,
        telling: Telling,
        intensity: tuple[int, float],
    ) -> None:
        self._stages = stages
        self._telling = telling
        self._intensity = intensity
        self._callback = callback
        self._experiment = experiment
        self._buffer = buffer
        self._lost = 0
        self._takers: dict[Stage, Callable[[FunctionResult[Any]], object]] = {}
        self._teams: dict[Stage, Supervisor] = {}
        self._subscribers: list[Subscriber] = []
        self.is_async: bool = inspect.iscoroutinefunction(callback)
        self._crashes = Restarts(*intensity, time.monotonic_ns)
        self._is_stopped = False
        self._outlet: Outlet[FunctionResult[Any]] | None = None
        if not self.is_async:
            name = getattr(callback, "__name__", "subscriber")
            self._outlet = Outlet(f"understudy {name}", self._tell_all, capacity=buffer)

    @property
    def dropped(self) -> int:
        """How many results were not told."""
        lost = self._lost + sum(each.dropped for each in self._subscribers)
        return lost + (0 if self._outlet is None else self._outlet.dropped)

    def listen_on(self, stage: Stage) -> None:
        """Be told the results of one loop; a plain function also between two stays there."""
        if stage in self._takers:
            return
        for gone in [each for each in self._takers if each.is_gone]:
            del self._takers[gone]
        take = self._taker(stage)
        self._takers[stage] = take
        stage.listeners.append(take)
        if not self.is_async:
            stage.late_listeners.append(take)

    def leave(self, stage: Stage) -> None:
        """Not be told them any more."""
        take = self._takers.pop(stage, None)
        if take is not None and take in stage.listeners:
            stage.listeners.remove(take)
        if take is not None and take in stage.late_listeners:
            stage.late_listeners.remove(take)

    async def aclose(self, stage: Stage, timeout: float) -> None:
        """Tell what there is to tell of one loop; an async function leaves it."""
        if self.is_async:
            self.leave(stage)
        await self.settle(stage, timeout)
        team = self._teams.pop(stage, None)
        if team is not None:
            await team.stop()
            for subscriber in [each for each in self._subscribers if each in team.children]:
                self._lost += subscriber.dropped
                self._subscribers.remove(subscriber)

    async def settle(self, stage: Stage, timeout: float) -> None:
        """Wait until all that ended on a loop was told, for some seconds at most."""
        team = self._teams.get(stage)
        if team is not None:
            with suppress(ActorError):  # one that hangs or has stopped is not waited for
                await team.children[0].ask(None, timeout=timeout)
        if self._outlet is not None and not self._outlet.flush(0.0):
            flush = self._outlet.flush
            await in_thread(stage.loop, lambda: flush(timeout))

    def rest(self) -> None:
        """Let go of the thread until there is something to tell again."""
        if self._outlet is not None and self._outlet.flush(0.0):
            self._outlet.close(0.0)

    def close(self) -> None:
        """Be told nothing any more; what waits already is still told.

        On the thread of a loop that is not waited for, but when the runtime is left.
        """
        here = _get_running_loop()
        mine = [stage for stage in self._takers if stage.loop is here]
        self._stages.unsubscribe(self)
        outlet = self._outlet
        if outlet is not None:
            if here is None:
                outlet.flush(_PATIENCE)
            elif not outlet.flush(0.0):
                for stage in mine:
                    self._stages.run_errand(
                        stage, lambda: in_thread(here, lambda: outlet.flush(_PATIENCE))
                    )
            outlet.retire()
        for stage, team in [*self._teams.items()]:
            del self._teams[stage]
            self._stages.run_errand(stage, partial(team.stop, drain=self._stages.drain_timeout))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _taker(self, stage: Stage) -> Callable[[FunctionResult[Any]], object]:
        def take(result: FunctionResult[Any]) -> None:
            if self._experiment not in (None, result.experiment_case.key):
                return
            if self._outlet is not None:
                self._outlet.put(result)
            else:
                self._actor_on(stage).tell(result)

        return take

    def _actor_on(self, stage: Stage) -> Actor[FunctionResult[Any] | None, None]:
        team = self._teams.get(stage)
        if team is None:
            subscriber = Subscriber(self._callback, self._buffer)
            subscriber.emit = stage.emit
            self._subscribers.append(subscriber)
            team = self._teams[stage] = Supervisor(
                [subscriber],
                name=f"{subscriber.name}/supervisor",
                max_restarts=self._intensity[0],
                within=self._intensity[1],
                clock=stage.clock,
            )
            team.emit = stage.emit
            team.start_now()
            if stage.on_detached is not None:
                stage.on_detached()
        return team.children[0]

    def _tell_all(self, results: list[FunctionResult[Any]]) -> None:
        for result in results:
            if self._is_stopped:
                self._lost += 1
                continue
            try:
                self._callback(result)
            except BaseException as error:  # even SystemExit: it may harm nobody
                self._lost += 1
                self._is_stopped = not self._crashes.is_forgiven()
                self._telling.crashed(self._callback, error, self._is_stopped)


@final
class Subscriber(Actor[FunctionResult[Any] | None, None]):
    """Tells an async function one result after the other; None is nothing to tell."""

    def __init__(self, callback: Callable[..., Any], buffer: int) -> None:
        super().__init__(getattr(callback, "__qualname__", "subscriber"), mailbox=buffer)
        self._callback = callback
        self._failures = 0

    @property
    def dropped(self) -> int:
        """How many results it was not told, or could not use."""
        return self.dead_letters + self._failures

    async def receive(self, message: FunctionResult[Any] | None) -> None:
        """Tell it one."""
        if message is None:
            return
        leave_branch()
        try:
            await self._callback(message)
        except BaseException:
            self._failures += 1
            raise


async def in_thread(loop: asyncio.AbstractEventLoop, wait: Callable[[], object]) -> None:
    """Wait for something that blocks, in a thread that nobody else needs.

    Where no thread can be started, as when the interpreter ends, the loop has to be blocked.
    """
    done = loop.create_future()

    def tell() -> None:
        if not done.done():
            done.set_result(None)

    def run() -> None:
        wait()
        with suppress(RuntimeError):  # closed: nobody waits any more
            loop.call_soon_threadsafe(tell)

    try:
        threading.Thread(target=run, name="understudy flush", daemon=True).start()
    except (RuntimeError, MemoryError):
        wait()
    else:
        await done
