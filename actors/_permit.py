"""The permit: how a branch in its caller's task gets its turn, first come, first served."""

import asyncio
from typing import Protocol, final

from ._branch import Branch
from ._deadline import arm
from ._deadlock import chain_of, find_cycle
from ._errors import DeadlockError, MailboxFull
from ._outcome import take_task
from ._state import State


class Beside(Protocol):
    """What is to start beside a primary, as soon as that has been cast."""

    call_id: int

    def start(self) -> None:
        """Start it, unless it waits for the primary to end; it may be called again."""
        ...

    def skip(self, reason: str) -> None:
        """Have none of it play that does not yet."""
        ...

    def start_after(self) -> None:
        """Start it now that the primary has ended; it may be called again."""
        ...


def must_wait(branch: Branch) -> bool:
    """Whether a branch has to wait for a permit; else it plays under the one of an ancestor.

    Raises:
        ActorStopped, MailboxFull, DeadlockError: there will be none.
    """
    actor = branch.part.actor
    if actor.state is not State.RUNNING:
        raise actor.refusal()
    ancestor = branch.parent
    while ancestor is not None:
        if ancestor.part.actor is actor and not ancestor.is_over:
            return False
        ancestor = ancestor.parent
    if branch.part.is_rejected and actor.mailbox.is_full:
        raise MailboxFull(
            f"{actor.name}: {actor.mailbox.waiting} calls wait already; raise mailbox= or "
            f"concurrency=, or let callers wait with overflow='wait'"
        )
    if branch.parent is not None:
        cycle = find_cycle(actor.stage, actor, branch.parent)
        if cycle is not None:
            raise DeadlockError(f"{chain_of(branch.parent)} -> {cycle}: each waits for the next")
    return True


def queue_up(branch: Branch, beside: Beside | None) -> "asyncio.Future[None]":
    """Have a branch wait in the mailbox; return what is to be awaited: its turn."""
    actor = branch.part.actor
    stage = actor.stage
    turn = stage.loop.create_future()
    take_task(branch)
    if branch.deadline:
        arm(branch)
    actor.mailbox.wait(Parked(turn))
    stage.parked[turn] = actor
    if beside is not None:
        beside.start()
    return turn


def step_out(branch: Branch, turn: "asyncio.Future[None]") -> bool:
    """Wait no more, for whatever reason; return whether the branch got its permit.

    It may have got it and be cancelled at once: then it has a permit to give back.
    """
    actor = branch.part.actor
    del actor.stage.parked[turn]
    turn.cancel()  # it is still pending where the caller's coroutine was closed
    if turn.cancelled():
        actor.mailbox.leave()
        return False
    return turn.exception() is None


@final
class Parked:
    """A caller who waits in a mailbox for a permit."""

    __slots__ = ("_turn",)

    def __init__(self, turn: "asyncio.Future[None]") -> None:
        self._turn = turn

    @property
    def is_gone(self) -> bool:
        """Whether the caller went away."""
        return self._turn.done()

    def admit(self) -> bool:
        """Hand the permit over."""
        if self._turn.done():
            return False
        self._turn.set_result(None)
        return True

    def refuse(self, error: BaseException) -> None:
        """Tell the caller that there will be no permit."""
        if not self._turn.done():
            self._turn.set_exception(error)
