"""How a branch ended: its status, and what became of our interruptions."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from ._branch import Branch
from ._errors import ActorStopped, DeadlineExceeded, MailboxFull
from ._items import StreamLimitReached
from ._results import Status

R = TypeVar("R")


def status_of(branch: Branch, error: BaseException | None) -> tuple[Status, str]:
    reason = branch.part.reason
    if error is None:
        return "ok", reason
    if error is branch.interruption:
        if isinstance(error, DeadlineExceeded):
            return "timeout", error.reason or (reason if branch.has_begun else "deadline")
        return "cancelled", getattr(error, "reason", reason)
    if not branch.has_begun and isinstance(error, MailboxFull):
        return "shed", "mailbox_full"
    if not branch.has_begun and isinstance(error, ActorStopped):
        return "cancelled" if error.reason == "drain" else "shed", error.reason
    if isinstance(error, StreamLimitReached):
        return "cancelled", error.reason
    if isinstance(error, GeneratorExit) and branch.items is not None:
        return "cancelled", "closed"
    if isinstance(error, (asyncio.CancelledError, GeneratorExit)):
        return "cancelled", "caller"
    return "error", reason


def resolve(branch: Branch, raised: BaseException) -> BaseException:
    """Return what a branch ends with: its own error, or ours where we interrupted it.

    A cancellation is ours only if nobody else cancelled the task meanwhile: the protocol of
    `asyncio.timeout`, which anyio's cancel scopes understand too.
    """
    ours = branch.interruption
    if ours is None or not isinstance(raised, asyncio.CancelledError):
        return raised
    task = branch.task
    left = 0 if task is None else task.cancelling() - branch.interruptions
    if left > branch.cancelling:
        return raised
    ours.__cause__ = raised
    return ours


def take_task(branch: Branch) -> None:
    """Let the task that runs here stand for a branch, until `in_task` gives it back."""
    branch.task = asyncio.current_task()
    branch.cancelling = 0 if branch.task is None else branch.task.cancelling()


async def in_task(branch: Branch, suspended: Awaitable[R]) -> R:
    """Await something in the task that stands for a branch meanwhile."""
    try:
        return await suspended
    except BaseException as raised:
        ours = resolve(branch, raised)
        try:
            if ours is raised:
                raise
            raise ours
        finally:
            del ours  # its traceback holds this frame: no cycle must stay behind
    finally:
        withdraw_interruptions(branch)
        branch.task = None


def withdraw_interruptions(branch: Branch) -> None:
    """Leave nothing of our cancellations with the caller's task."""
    if branch.task is not None:
        for _ in range(branch.interruptions):
            branch.task.uncancel()
        branch.interruptions = 0
