"""The branch of a direct call, in its caller's own thread: its begin, and its end."""

from collections.abc import Callable, Mapping
from contextvars import copy_context
from functools import partial
from typing import Any

from ._branch import Branch, Part
from ._cast import Cast
from ._casting import Casting
from ._deadline import deadline_of
from ._errors import MailboxFull
from ._outcome import status_of
from ._permit_here import hand_back, permit_here
from ._results import FunctionResult, Status
from ._tally import Tally
from ._telling import tell_ended, tell_planned, tell_started

_NEVER_DATA = (KeyboardInterrupt, SystemExit, GeneratorExit)
"""What is raised even where results are asked for: it concerns the caller itself."""

Arguments = tuple[tuple[Any, ...], Mapping[str, Any]]


class StageGone(Exception):  # it is no error: there is another stage
    """The stage of a direct call was closed meanwhile: make the call on the next one."""


def cast_here(casting: Casting, parent: Branch | None, arguments: Arguments) -> Cast:
    """Return a call that is made in this thread, about to begin."""
    return Cast(casting.primary.actor.stage, casting, parent, *arguments)


def on_loop(cast: Cast, act: Callable[[], object]) -> bool:
    """Have something done about what is beside a direct call; False if it is too late."""
    return cast.stage.post(act, copy_context())


def start_here(cast: Cast, start: Callable[[], object]) -> None:
    """Have those beside a direct call start; where nobody is left to play them, say so."""
    if not on_loop(cast, start):
        cast.skip("stopped")


def begin_here(part: Part, parent: Branch | None, cast: Cast | None) -> Branch:
    """Return the branch of the primary, planned; it has a permit if there is one left.

    Raises:
        StageGone: there are other actors by now.
    """
    actor = part.actor
    stage = actor.stage
    asked = stage.clock()
    number = stage.next_id()
    call_id = number if cast is None else cast.call_id
    branch = Branch(part, parent, call_id, number, asked, asked)
    if parent is not None or part.timeout:
        deadline_of(branch, part, parent)
    with stage.lock:
        if stage.is_gone:
            if cast is not None:
                cast.drop()
            raise StageGone
        if actor.direct is None:
            actor.direct = Tally()
        actor.direct.planned += 1
        actor.active[branch] = None
        branch.holds_permit = actor.mailbox.permits > 0
        if branch.holds_permit:
            actor.mailbox.permits -= 1
    if cast is not None:
        cast.tell()
    elif stage.notes is not None:
        tell_planned(stage.notes, asked, part, parent, call_id)
    return branch


def enter_here(branch: Branch, arguments: Arguments, cast: Cast | None) -> Arguments:
    """Wait for a permit, and return what the function is to be called with; others begin too."""
    actor = branch.part.actor
    if not branch.holds_permit:
        _wait_for_permit(branch, cast)
    if cast is not None:
        start_here(cast, cast.start)
    branch.has_begun = True
    if actor.stage.notes is not None:
        tell_started(actor.stage.notes, branch, is_planned=True)
    return arguments if actor.fill is None else actor.fill(*arguments)


def _wait_for_permit(branch: Branch, cast: Cast | None) -> None:
    """Wait for a permit; what is beside it does not wait for that."""

    def start_others() -> None:
        if cast is not None:
            start_here(cast, cast.start)

    try:
        branch.holds_permit = permit_here(branch, start_others)
    except MailboxFull:
        if cast is not None:
            on_loop(cast, partial(cast.skip, "primary_shed"))
        raise
    branch.started = branch.part.actor.stage.clock()


def end_here(branch: Branch, value: Any, error: BaseException | None, whole: bool) -> Any:
    """Account for a branch, and return or raise what it came to."""
    part = branch.part
    actor = part.actor
    stage = actor.stage
    ended = stage.clock()
    branch.is_over = True
    status: Status = "ok"
    reason = part.reason
    if error is not None:
        status, reason = status_of(branch, error)
    if branch.interruption is not None:
        branch.interruption = None  # its traceback may hold the branch: no cycle must stay behind
    if not branch.has_begun:
        branch.started = ended
    result = None
    is_told = True
    mailbox = actor.mailbox
    with stage.lock:
        actor.active.pop(branch, None)
        if branch.holds_permit:
            if mailbox.waiting:
                hand_back(actor)
            else:
                mailbox.permits += 1
        abandoned_as = branch.abandoned_as
        if abandoned_as is None:
            if whole or part.observer is not None or stage.listeners:
                result = actor.result_of(branch, status, reason, value, error, ended)
                is_told = _post(part, result)
            elif stage.notes is not None:
                tell_ended(stage.notes, branch, status, reason, error, ended)
            tally = actor.direct
            assert tally is not None  # it was made when the branch began
            if status == "ok":
                tally.ok += 1
            else:
                setattr(tally, status, getattr(tally, status) + 1)
            if branch.has_begun:
                tally.took(ended - branch.started)
    if not is_told and result is not None:
        for tell in [*stage.late_listeners]:
            tell(result)
    try:
        if whole and not isinstance(error, _NEVER_DATA):
            return result if abandoned_as is None else abandoned_as
        if error is not None:
            raise error
    finally:
        del result
        error = None  # its traceback holds this frame: no cycle must stay behind
    return value


def _post(part: Part, result: FunctionResult[Any]) -> bool:
    """Have those told on the loop who want to know; False if it is too late for that.

    That is before the branch counts as ended: a drain listens until nothing is in flight.
    """
    actor, observer = part.actor, part.observer
    if observer is None and not actor.stage.listeners:
        return True
    return actor.stage.post(partial(actor.supervisor.collect, result, observer))
