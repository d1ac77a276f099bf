"""The permit of a direct call: how a thread gets its turn, first come, first served."""

import threading
from asyncio.events import _get_running_loop
from collections.abc import Callable
from typing import TYPE_CHECKING, final

from ._branch import Branch
from ._deadlock import chain_of, find_cycle
from ._errors import ActorError, DeadlockError, MailboxFull
from ._mailbox import SharedMailbox
from ._state import State

if TYPE_CHECKING:
    from ._case_actor import CaseActor


def permit_here(branch: Branch, start_others: Callable[[], None]) -> bool:
    """Wait for a permit; False if the branch plays under the one of an ancestor.

    Args:
        branch: who needs it.
        start_others: is called if it must wait: what is beside it need not.

    Raises:
        ActorStopped, MailboxFull, DeadlockError: there will be none.
        ActorError: waiting would block a loop.
    """
    actor = branch.part.actor
    stage = actor.stage
    if actor.state is not State.RUNNING:
        raise actor.refusal()
    ancestor = branch.parent
    while ancestor is not None:
        if ancestor.part.actor is actor and not ancestor.is_over:
            return False
        ancestor = ancestor.parent
    mailbox = actor.mailbox
    parked = ParkedThread()
    with stage.lock:
        if mailbox.take():
            return True
        if branch.part.is_rejected and mailbox.is_full:
            raise MailboxFull(
                f"{actor.name}: {mailbox.waiting} calls wait already; raise mailbox= or "
                f"concurrency=, or let callers wait with overflow='wait'"
            )
        if _get_running_loop() is not None:
            raise ActorError(
                f"{actor.name}: it is played {mailbox.concurrency} times already, and waiting "
                f"would block the loop of this thread: `await runtime.call(...)` it instead"
            )
        if branch.parent is not None:
            cycle = find_cycle(stage, actor, branch.parent)
            if cycle is not None:
                raise DeadlockError(
                    f"{chain_of(branch.parent)} -> {cycle}: each waits for the next"
                )
            branch.parent.waits_for = parked
        mailbox.wait(parked)
        stage.parked[parked] = actor
    start_others()
    try:
        parked.wait()
    except BaseException:  # Ctrl-C
        with stage.lock:
            if parked.is_admitted:
                hand_back(actor)
            elif not parked.is_refused:
                parked.is_gone = True
                mailbox.leave()
        raise
    finally:
        with stage.lock:
            del stage.parked[parked]
            if branch.parent is not None:
                branch.parent.waits_for = None
    return True


def hand_back(actor: "CaseActor") -> None:
    """Give a permit back, from any thread."""
    mailbox = actor.mailbox
    assert isinstance(mailbox, SharedMailbox)
    mailbox.hand_back(actor.stage.post)


@final
class ParkedThread:
    """A thread that waits in a mailbox for a permit."""

    __slots__ = ("_error", "_turn", "is_admitted", "is_gone", "is_refused")

    def __init__(self) -> None:
        self._turn = threading.Event()
        self._error: BaseException | None = None
        self.is_gone = False
        self.is_admitted = False
        self.is_refused = False

    def wait(self) -> None:
        """Wait until it is this thread's turn, or there will be none."""
        self._turn.wait()
        if self._error is not None:
            raise self._error

    def admit(self) -> bool:
        """Hand the permit over."""
        if self.is_gone:
            return False
        self.is_admitted = True
        self._turn.set()
        return True

    def refuse(self, error: BaseException) -> None:
        """Tell the thread that there will be no permit."""
        self.is_refused = True
        self._error = error
        self._turn.set()
