"""The Message: a branch that is played in a task of its own, when it is its turn."""

import asyncio
from collections.abc import Mapping
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, final

from ._branch import Branch
from ._deadline import too_late
from ._errors import ActorStopped
from ._outcome import status_of
from ._results import FunctionResult, Status

if TYPE_CHECKING:
    from ._case_actor import CaseActor
    from ._cast import Cast


@final
class Message:
    """A branch on its way: it waits in the mailbox without a task."""

    __slots__ = (
        "actor",
        "args",
        "branch",
        "cast",
        "circuit_turn",
        "context",
        "is_counted",
        "is_gone",
        "kwargs",
        "result",
    )

    def __init__(
        self,
        actor: "CaseActor",
        branch: Branch,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        cast: "Cast",
    ) -> None:
        self.actor: CaseActor = actor
        self.branch: Branch = branch
        self.args: tuple[Any, ...] = args
        self.kwargs: Mapping[str, Any] = kwargs
        self.cast: Cast | None = cast
        self.context: Context = copy_context()
        self.result: FunctionResult[Any] | None = None
        self.is_gone: bool = False
        self.is_counted: bool = False
        self.circuit_turn: int = 0

    @property
    def waits(self) -> bool:
        """Whether it is still in the mailbox."""
        return not self.is_gone and self.branch.task is None

    def admit(self) -> bool:
        """Play it, in a task of its own."""
        if self.is_gone:
            return False
        self.branch.holds_permit = True
        performance = self.actor.perform(self)
        try:
            self.actor.stage.play(self, performance)
        except Exception as error:  # the primary beside it must not notice
            performance.close()
            self.end("shed", "not_started", error)
            return False
        return True

    def finish(self, value: Any, error: BaseException | None) -> None:
        """End, having run."""
        status, reason = status_of(self.branch, error)
        task = self.branch.task
        is_cancelled = self.branch.interruption is not None or (task and task.cancelling())
        if isinstance(error, asyncio.CancelledError) and not is_cancelled:
            status, reason = "error", self.branch.part.reason  # it raised that by itself
        ended = self.actor.stage.clock()
        if status != "cancelled":
            self.actor.tally.took(ended - self.branch.started)
        self._conclude(status, reason, value, error, ended)

    def end(self, status: Status, reason: str, error: BaseException | None = None) -> None:
        """End without having run."""
        now = self.branch.started = self.actor.stage.clock()
        self._conclude(status, reason, None, error, now)

    def _conclude(
        self,
        status: Status,
        reason: str,
        value: Any,
        error: BaseException | None,
        ended: int,
    ) -> None:
        if self.result is not None:
            return
        self.is_gone = True
        branch = self.branch
        branch.is_over = True
        if branch.timer is not None:
            branch.timer.cancel()
            branch.timer = None
        actor = self.actor
        actor.active.pop(branch, None)
        if self.is_counted:
            actor.shadows -= 1
            noted = "error" if branch.has_lagged else status  # who holds the loop harms the lead
            actor.note_for_circuit(noted, self.circuit_turn)
        self.result = actor.conclude(branch, status, reason, value, error, ended)
        branch.interruption = None
        cast, self.cast = self.cast, None  # it keeps its messages: no cycle must stay behind
        if cast is not None:
            cast.settle(self)

    def over(self) -> None:
        """Be told that the task has ended: it may have been cancelled before it began."""
        if not self.branch.has_begun:
            error = self.branch.interruption
            self.end(*status_of(self.branch, error or asyncio.CancelledError()), error)
        self.branch.task = None  # it keeps its context, and that keeps the branch
        if not self.branch.threads and self.branch.holds_permit:
            self.branch.holds_permit = False
            self.actor.mailbox.give_back()

    def lapse(self) -> None:
        """Be told that the time is over."""
        branch = self.branch
        error = too_late(branch)
        if self.waits:
            self.end("timeout", branch.part.reason, error)
            self.actor.mailbox.leave()
        else:
            branch.interrupt(error)

    def cancel(self, error: ActorStopped) -> None:
        """Cancel it, wherever it is; the error says by whom."""
        if self.is_gone:
            return
        if self.waits:
            self.end("cancelled", error.reason, error)
            self.actor.mailbox.leave()
        else:
            self.branch.interrupt(error)

    def refuse(self, error: BaseException) -> None:
        """Be told that the actor stopped first."""
        reason = error.reason if isinstance(error, ActorStopped) else "stopped"
        self.end("cancelled" if reason == "drain" else "shed", reason, error)
