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


async def permit_for(branch: Branch, beside: Beside | None) -> bool:
    """Wait for a permit; False if the branch plays under the one of an ancestor.

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
    await _parked(branch, beside)
    return True


async def _parked(branch: Branch, beside: Beside | None) -> None:
    """Wait in the mailbox until it is this branch's turn."""
    actor = branch.part.actor
    stage = actor.stage
    future = stage.loop.create_future()
    parked = Parked(future)
    take_task(branch)
    if branch.deadline:
        arm(branch)
    actor.mailbox.wait(parked)
    stage.parked[future] = actor
    if beside is not None:
        beside.start()
    try:
        await future
    except BaseException:
        if parked.is_admitted:  # and cancelled in the same turn: the permit goes on
            actor.mailbox.give_back()
        elif not parked.is_refused:
            actor.mailbox.leave()
        raise
    finally:
        del stage.parked[future]


@final
class Parked:
    """A caller who waits in a mailbox for a permit."""

    __slots__ = ("_future", "is_admitted", "is_refused")

    def __init__(self, future: "asyncio.Future[None]") -> None:
        self._future = future
        self.is_admitted = False
        self.is_refused = False

    @property
    def is_gone(self) -> bool:
        """Whether the caller went away."""
        return self._future.done()

    def admit(self) -> bool:
        """Hand the permit over."""
        if self._future.done():
            return False
        self.is_admitted = True
        self._future.set_result(None)
        return True

    def refuse(self, error: BaseException) -> None:
        """Tell the caller that there will be no permit."""
        self.is_refused = True
        if not self._future.done():
            self._future.set_exception(error)
