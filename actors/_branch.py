"""The Branch: one case being played for one call."""

import asyncio
import weakref
from asyncio.events import _get_running_loop
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from ._alarms import Alarm
from ._case import Choice, ExperimentCase
from ._items import Items, StreamLimits
from ._notes import Sign

if TYPE_CHECKING:
    from ._case_actor import CaseActor
    from ._strategy_actor import StrategyActor

Role = Literal["primary", "shadow", "branch"]


class Part(msgspec.Struct, frozen=True, eq=False):
    """What a plan has one case actor play: made once where the plan never changes.

    Attributes:
        actor: who plays.
        role: as what.
        reason: why.
        case: the choices it starts with.
        timeout: how many nanoseconds it may take; 0 for as long as it likes.
        joins: whether it plays in the case of the branch that calls, instead of a case of its own.
        is_rejected: whether a full mailbox refuses the caller, instead of letting it wait.
        place: where its config stands among those of the experiment.
        observer: the strategy, if it wants to know the result.
        limits: how much of a stream is played where nobody reads it, and kept.
        sign: all that in words, for the notes; put together when it is first told.
    """

    actor: "CaseActor"
    role: Role
    reason: str
    case: ExperimentCase
    timeout: int = 0
    joins: bool = False
    is_rejected: bool = False
    place: int = 0
    observer: "StrategyActor | None" = None
    limits: StreamLimits = StreamLimits()
    sign: Sign | None = None


class Paused(Protocol):
    """A stream, while nobody waits for its next item."""

    def end(self) -> None:
        """End it, as its branch was interrupted."""
        ...


class Branch(msgspec.Struct, eq=False):
    """One case being played for one call, as its context knows it.

    The links to the calling branches (`parent`) are what nested calls are routed by; what the
    branch is suspended on (`waits_for`) is an edge of the wait-for graph.
    """

    part: Part
    parent: "Branch | None"
    call_id: int
    id: int
    asked: int
    started: int
    deadline: int = 0
    is_shadowed: bool = False
    holds_permit: bool = True
    threads: int = 0
    has_begun: bool = False
    has_lagged: bool = False
    thread: int = 0
    is_over: bool = False
    abandoned_as: Any = None
    grown_case: ExperimentCase | None = None
    waits_for: Any = None
    task: "asyncio.Task[Any] | None" = None
    timer: asyncio.TimerHandle | Alarm | None = None
    interruption: BaseException | None = None
    interruptions: int = 0
    cancelling: int = 0
    items: Items | None = None
    paused: "Paused | None" = None
    reader: "weakref.ref[asyncio.Task[Any]] | None" = None

    @property
    def name(self) -> str:
        """Its id, for people and logs."""
        return self.part.actor.stage.name_of(self.id)

    @property
    def root(self) -> "Branch":
        """The branch whose case this one shares."""
        branch = self
        while branch.part.joins and branch.parent is not None:
            branch = branch.parent
        return branch

    @property
    def case_now(self) -> ExperimentCase:
        """The case as it stands: nested calls may have added to it."""
        root = self.root
        case = root.grown_case or root.part.case
        if root is self:
            return case
        own = self.part.case
        return case.seen_from(Choice(self.part.actor.key, own.experiment, own.config))

    def join(self, choice: Choice) -> None:
        """Add a choice to the case: it holds for the whole branch from now on."""
        root = self.root
        root.grown_case = (root.grown_case or root.part.case).joined(choice)

    def outlive(self) -> None:
        """Let go of what is over, now that only tasks are left that this branch began.

        Its case stays. It is no shadow any more, and those that called it and are over as well
        are forgotten: a task that begins others for ever makes no chain of them.
        """
        self.grown_case = self.case_now
        ancestor = self.parent
        while ancestor is not None and ancestor.is_over:
            ancestor = ancestor.parent
        self.parent = ancestor
        self.is_shadowed = ancestor is not None and ancestor.is_shadowed

    def interrupt(self, error: BaseException) -> None:
        """Cancel what the branch does, to raise an error of ours in place of the cancellation."""
        if self.is_over:
            return
        self.interruption = error  # all that can be done about a lead in its caller's own thread
        task = self.task
        if task is not None and (loop := task.get_loop()) is not _get_running_loop():
            with suppress(RuntimeError):  # it is closed
                loop.call_soon_threadsafe(self.interrupt, error)
        elif task is not None:
            self.interruptions += 1
            task.cancel()
        elif self.paused is not None:
            self.paused.end()


CURRENT: ContextVar[Branch | None] = ContextVar("understudy_branch", default=None)
"""The branch that runs in this context."""
