"""Draining: waiting for what is in flight, cancelling what takes too long, reporting each."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any, final

import msgspec

from understudy.actors import (
    ActorStopped,
    Branch,
    CaseActor,
    FunctionResult,
    Stage,
    current_branch,
)

_SOON = 0.001
_GRACE = 1.0
"""How many seconds a branch that does not obey its cancellation can hold up a drain."""


class DrainReport(msgspec.Struct, frozen=True):
    """What a drain came to.

    Attributes:
        waited_for: how many branches were in flight when it began.
        cancelled: the results of those that took too long.

    Example:
        >>> import asyncio
        >>> from understudy import Runtime
        >>> async def main():
        ...     async with Runtime() as runtime:
        ...         return await runtime.drain()
        >>> asyncio.run(main())
        DrainReport(waited_for=0, cancelled=())
    """

    waited_for: int
    cancelled: tuple[FunctionResult[Any], ...]

    def __add__(self, other: "DrainReport") -> "DrainReport":
        """Return both in one."""
        return DrainReport(self.waited_for + other.waited_for, (*self.cancelled, *other.cancelled))


async def drain_stage(stage: Stage, seconds: float) -> DrainReport:
    """Wait until nothing is in flight; after some seconds cancel what still is.

    A branch that drains does not wait for itself, nor for those that wait for it.
    """
    spared = _callers()
    waited_for = sum(_in_flight(actor, spared) for actor in _actors(stage))
    if await _empty(stage, seconds, spared):
        return DrainReport(waited_for, ())
    cancelled: list[FunctionResult[Any]] = []

    def note(result: FunctionResult[Any]) -> None:
        if result.status == "cancelled" and result.reason in ("drain", "abandoned"):
            cancelled.append(result)

    stage.listeners.append(note)
    try:
        for actor in _actors(stage):
            actor.cancel_all(f"cancelled by a drain after {seconds:g} s", "drain", spared)
        if not await _empty(stage, _GRACE, spared):
            for actor in _actors(stage):
                actor.abandon()
    finally:
        stage.listeners.remove(note)
    return DrainReport(waited_for, tuple(cancelled))


def told_in_flight(stage: Stage) -> str:
    """Say what is in flight: which cases, and how many branches of each."""
    return ", ".join(
        f"{actor.name} x {actor.in_flight}" for actor in _actors(stage) if actor.in_flight
    )


def _actors(stage: Stage) -> list[CaseActor]:
    """Return all there are; the first call of an experiment may come during a drain."""
    supervisors = [*stage.supervisors.values()]
    return [actor for supervisor in supervisors for actor in supervisor.cases]


def _callers() -> frozenset[Branch]:
    """Return the branch that runs here, and those it is called by."""
    found: set[Branch] = set()
    branch = current_branch()
    while branch is not None:
        if not branch.is_over:
            found.add(branch)
        branch = branch.parent
    return frozenset(found)


async def _empty(stage: Stage, seconds: float, spared: frozenset[Branch]) -> bool:
    """Wait until the actors have nothing in flight; False if that takes too long."""
    loop = stage.loop
    until = loop.time() + seconds
    pause = _SOON
    tasks_of_callers = {branch.task for branch in spared}
    while any(_in_flight(actor, spared) for actor in _actors(stage)):
        left = until - loop.time()
        if left <= 0:
            return False
        tasks = [task for task in stage.playing if task not in tasks_of_callers]
        if tasks:
            await asyncio.wait(tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0)
        else:  # what is left is played in the tasks of its callers
            await asyncio.sleep(min(pause, left))
            pause = min(2 * pause, 0.05)
    while any(task.done() for task in stage.playing):  # noqa: ASYNC110
        await asyncio.sleep(0)  # they were cancelled before they began, and are about to say so
    await asyncio.sleep(0)  # for what other threads have posted of those that ended there
    return True


def _in_flight(actor: CaseActor, spared: frozenset[Branch]) -> int:
    mine = sum(branch.part.actor is actor for branch in spared)
    return actor.in_flight - mine


def _end_paused(stage: Stage) -> None:
    """End the streams that are paused: no reader comes back to a loop that ends."""
    for actor in _actors(stage):
        for branch in [*actor.active]:
            if branch.paused is not None:
                branch.interrupt(ActorStopped(f"{actor.name}: its loop ends"))


@final
class Keeper:
    """Drains a stage whose loop ends without anybody having closed the runtime.

    The tasks of shadows are not among those that `asyncio.run` cancels at its end. This one is;
    when it is cancelled, it drains.
    """

    def __init__(self, stage: Stage, leave: Callable[[Stage], Awaitable[object]]) -> None:
        self._stage = stage
        self._leave = leave
        self._task: _Unmissable | None = None
        self._is_ending = False

    def watch(self) -> None:
        """Be there from now on."""
        self._stage.on_detached = None
        if self._task is None:
            task: Any = _Unmissable(
                self._watch(), loop=self._stage.loop, name="understudy keeper", context=Context()
            )
            task._log_destroy_pending = False  # noqa: SLF001  # it holds nothing to lose
            self._task = task

    async def end(self) -> None:
        """Be gone."""
        task = self._task
        self._is_ending = True
        if task is None or self._stage.loop.is_closed():  # there, nothing can be awaited
            return
        if task is not asyncio.current_task():
            task.cancel()
            await asyncio.wait([task])

    async def _watch(self) -> None:
        task = self._task
        assert task is not None
        task.has_begun = True
        try:
            if not task.is_called_off:
                await self._stage.loop.create_future()
        except asyncio.CancelledError:
            pass
        if not self._is_ending:
            _end_paused(self._stage)
            await self._leave(self._stage)


@final
class _Unmissable(asyncio.Task[None]):
    """A task that begins also when it is cancelled before that, as `sys.exit` may have it."""

    has_begun = is_called_off = False

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel it, or have it find out as it begins."""
        if self.has_begun or self.done():
            return super().cancel(msg)
        self.is_called_off = True
        return True
