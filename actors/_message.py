"""The Message: a branch that is played in a task of its own, when it is its turn."""

import asyncio
from asyncio.tasks import _unregister_task
from collections.abc import Mapping
from contextvars import Context
from typing import TYPE_CHECKING, Any

import msgspec

from ._branch import Branch
from ._deadline import too_late
from ._errors import ActorStopped
from ._notes import Started
from ._outcome import status_of
from ._results import FunctionResult, Status
from ._telling import tell_ended, tell_ok, tell_shed

if TYPE_CHECKING:
    from ._case_actor import CaseActor
    from ._cast import Cast


_Task: type[asyncio.Task[None]] = asyncio.Task  # `Task[None](...)` would cost each time


class Message(msgspec.Struct, eq=False):
    """A branch on its way: it waits in the mailbox without a task.

    Attributes:
        actor: who is to play it.
        branch: the branch.
        args: what it is called with, by place,
        kwargs: and by name.
        cast: what it is a part of, until it has ended.
        context: what it is played in.
        result: what it ended with, if somebody wanted to know.
        is_gone: whether it has ended.
        is_counted: whether it counts among the shadows of the actor.
        circuit_turn: in which turn of the circuit it was let through.
        begun: what was noted when it began, if anybody listens.
    """

    actor: "CaseActor"
    branch: Branch
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    cast: "Cast | None"
    context: Context
    result: FunctionResult[Any] | None = None
    is_gone: bool = False
    is_counted: bool = False
    circuit_turn: int = 0
    begun: Started | None = None

    @property
    def waits(self) -> bool:
        """Whether it is still in the mailbox."""
        return not self.is_gone and self.branch.task is None

    def admit(self) -> bool:
        """Play it, in a task of its own."""
        if self.is_gone:
            return False
        self.branch.holds_permit = True
        return self.begin()

    def begin(self) -> bool:
        """Play it in a task: it has a permit. False if it cannot be, and has ended."""
        actor = self.actor
        stage = actor.stage
        performance = actor.perform(self)
        try:
            task = _Task(performance, loop=stage.loop, name=actor.name, context=self.context)
        except Exception as error:  # the primary beside it must not notice
            performance.close()
            self.end("shed", "not_started", error)
            return False
        self.branch.task = task
        stage.playing[task] = self
        _unregister_task(task)  # it is the supervisor's: who cancels all tasks leaves it alone
        if stage.on_detached is not None:
            stage.on_detached()
        return True

    def finish(self, value: Any, error: BaseException | None) -> None:
        """End, having run."""
        branch = self.branch
        actor = self.actor
        status: Status = "ok"
        reason = branch.part.reason
        if error is not None:
            status, reason = self._status_after(error)
        ended = actor.stage.clock()
        if status != "cancelled":
            actor.tally.took(ended - branch.started)
        self._conclude(status, reason, value, error, ended)

    def _status_after(self, error: BaseException) -> tuple[Status, str]:
        """Return how it ended; a function may raise a CancelledError of its own."""
        branch = self.branch
        is_cancelled = branch.interruption is not None or (branch.task and branch.task.cancelling())
        if isinstance(error, asyncio.CancelledError) and not is_cancelled:
            return "error", branch.part.reason
        return status_of(branch, error)

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
        if self.is_gone:
            return
        self.is_gone = True
        branch = self.branch
        branch.is_over = True
        if branch.timer is not None:
            branch.timer.cancel()
            branch.timer = None
        actor = self.actor
        actor.active.pop(branch, None)
        stage = actor.stage
        if self.is_counted:
            actor.shadows -= 1
            if status != "ok" or branch.has_lagged or actor.circuit is not None:
                noted = "error" if branch.has_lagged else status  # it harms the lead
                actor.note_for_circuit(noted, self.circuit_turn)
        cast, self.cast = self.cast, None  # it keeps its messages: no cycle must stay behind
        observer = branch.part.observer
        is_observed = observer is not None or stage.listeners
        if status == "ok":
            actor.tally.ok += 1
        else:
            actor.count(status)
        if (cast is not None and cast.waits_for_all) or is_observed:
            self.result = actor.result_of(branch, status, reason, value, error, ended)
            if is_observed:
                actor.supervisor.collect(self.result, observer)
        elif stage.notes is not None:
            if self.begun is not None and error is None and branch.items is None:
                tell_ok(stage.notes, self.begun, ended)
            else:  # a stream has more to tell
                tell_ended(stage.notes, branch, status, reason, error, ended)
        elif status == "shed":
            tell_shed(actor, reason)
        if branch.interruption is not None:
            branch.interruption = None
        if cast is not None:
            cast.settle(branch.part.role)

    def leave(self) -> None:
        """Let go of the task, which has nothing more to do, and of the permit."""
        branch = self.branch
        if branch.task is not None:
            self.actor.stage.playing.pop(branch.task, None)
            branch.task = None  # it keeps its context, and that keeps the branch
        if branch.holds_permit and not branch.threads:
            branch.holds_permit = False
            self.actor.mailbox.give_back()

    def _interrupt(self, error: BaseException) -> None:
        """Cancel the task; before it has begun, nobody but itself can tell that it ended."""
        branch = self.branch
        branch.interrupt(error)
        if not branch.has_begun and branch.task is not None:
            branch.task.add_done_callback(self._never_begin)

    def _never_begin(self, _: "asyncio.Task[None]") -> None:
        error = self.branch.interruption
        self.end(*status_of(self.branch, error or asyncio.CancelledError()), error)
        self.leave()

    def lapse(self) -> None:
        """Be told that the time is over."""
        branch = self.branch
        error = too_late(branch)
        if self.waits:
            self.end("timeout", error.reason or "deadline", error)
            self.actor.mailbox.leave()
        else:
            self._interrupt(error)

    def cancel(self, error: ActorStopped) -> None:
        """Cancel it, wherever it is; the error says by whom."""
        if self.is_gone:
            return
        if self.waits:
            self.end("cancelled", error.reason, error)
            self.actor.mailbox.leave()
        else:
            self._interrupt(error)

    def refuse(self, error: BaseException) -> None:
        """Be told that the actor stopped first."""
        reason = error.reason if isinstance(error, ActorStopped) else "stopped"
        self.end("cancelled" if reason == "drain" else "shed", reason, error)
