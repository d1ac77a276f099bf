"""Supervisor: starts its children in order, restarts what crashes, stops them in reverse."""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Literal

from ._actor import Actor
from ._envelope import Crash
from ._errors import ActorStopped
from ._restarts import Restarts
from ._state import State

Restart = Literal["one_for_one", "one_for_all", "rest_for_one"]


class Supervisor(Actor[Crash, None]):
    """An actor whose state is its children: it starts, restarts and stops them.

    Children start in the order given and stop in the reverse one. When one crashes, it is
    restarted alone (`one_for_one`), with all others (`one_for_all`), or with those that started
    after it (`rest_for_one`). More than `max_restarts` crashes within `within` seconds are too
    many: then it gives up, stops all its children and itself, and tells its own supervisor.

    Args:
        children: the actors, in the order in which they start.
        name: how errors and events call it.
        restart: which children a crash restarts.
        max_restarts: how many crashes are forgiven,
        within: in how many seconds.
        clock: tells the time, in nanoseconds.

    Example:
        >>> import asyncio
        >>> from understudy.actors import Actor, Supervisor
        >>> class Divider(Actor[int, float]):
        ...     async def receive(self, message):
        ...         return 1 / message
        >>> async def main():
        ...     divider = Divider("divider")
        ...     async with Supervisor([divider]):
        ...         try:
        ...             await divider.ask(0)
        ...         except ZeroDivisionError:
        ...             pass
        ...         return await divider.ask(2), divider.restarts
        >>> asyncio.run(main())
        (0.5, 1)
    """

    def __init__(
        self,
        children: Iterable[Actor[Any, Any]] = (),
        *,
        name: str | None = None,
        restart: Restart = "one_for_one",
        max_restarts: int = 3,
        within: float = 5.0,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        super().__init__(name)
        self.children: list[Actor[Any, Any]] = list(children)
        self.restart: Restart = restart
        self._intensity = Restarts(max_restarts, within, clock)

    async def started(self) -> None:
        """Start the children in order; if one cannot, stop those before it, and raise."""
        self._intensity.forget()
        for place, child in enumerate(self.children):
            self._adopt(child)
            try:
                await child.start()
            except BaseException:
                with suppress(Exception):  # what went wrong first is what is told
                    await self._stop_children(self.children[:place], 0.0)
                raise

    async def supervise(self, child: Actor[Any, Any]) -> None:
        """Take on one more child, and start it.

        Raises:
            ActorStopped: the supervisor itself is not running.
        """
        if self.state is not State.RUNNING:
            raise ActorStopped(f"{self.name} is not running ({self.state}): start it first")
        self._adopt(child)
        self.children.append(child)
        try:
            await child.start()
        except BaseException:
            self._forget(child)
            raise

    async def dismiss(self, child: Actor[Any, Any], *, drain: float = 0.0) -> None:
        """Stop a child, and forget it."""
        self._forget(child)
        await child.stop(drain=drain)

    async def receive(self, message: Crash) -> None:
        """Restart after a crash, or give up."""
        child, error = message.child, message.error
        while child in self.children and child.state in (State.CRASHED, State.RESTARTED):
            if not self._intensity.is_forgiven():
                await self._give_up(child, error)
                return
            for other in self._restarted_with(child):
                try:
                    await other._restart()
                except BaseException as failed:  # to start failed: that is one more crash
                    if _is_interrupted(failed):
                        raise
                    child, error = other, failed
                    child._tell_event("actor.crashed", error=failed)
                    break

    @property
    def _takes_messages(self) -> bool:
        # A child may crash while another one is being stopped, and has its messages to handle.
        is_winding_down = self.state is State.DRAINING and self.mailbox.is_open
        return is_winding_down or super()._takes_messages

    async def _wind_down(self, seconds: float) -> None:
        await self._stop_children(self.children, seconds)

    async def _interrupt(self) -> None:
        await super()._interrupt()
        await self._stop_children(self.children, 0.0)

    def _adopt(self, child: Actor[Any, Any]) -> None:
        child._supervisor = self
        child.emit = child.emit or self.emit

    def _forget(self, child: Actor[Any, Any]) -> None:
        child._supervisor = None
        if child in self.children:
            self.children.remove(child)

    def _restarted_with(self, child: Actor[Any, Any]) -> list[Actor[Any, Any]]:
        if self.restart == "one_for_one":
            return [child]
        if self.restart == "rest_for_one":
            return self.children[self.children.index(child) :]
        return list(self.children)

    async def _give_up(self, child: Actor[Any, Any], error: BaseException) -> None:
        self._tell_event("actor.gave_up", reason="max_restarts", count=self._intensity.most)
        with suppress(Exception):
            await self._stop_children(self.children, 0.0)
        raise error

    async def _stop_children(self, children: Iterable[Actor[Any, Any]], drain: float) -> None:
        """Stop them in reverse; if one cannot clean up, the others are stopped all the same."""
        loop = asyncio.get_running_loop()
        until = loop.time() + drain
        first: BaseException | None = None
        for child in reversed([*children]):
            try:
                await child.stop(drain=max(0.0, until - loop.time()))
            except BaseException as error:
                first = first or error
                if _is_interrupted(error):  # whoever stops them does not wait any longer
                    until = loop.time()
        if first is not None:
            raise first


def _is_interrupted(error: BaseException) -> bool:
    """Whether it is the cancellation of the task that runs here."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0
