"""A direct call: a sync lead plays in its caller's own thread, what is beside it elsewhere.

The actors of sync experiments that are called directly live on a loop behind the scenes. A caller
takes no turn on that loop. It touches three things of theirs, all under the lock of the stage: the
mailbox, for a permit; the counts of direct calls; and the branches that are being played.
"""

import asyncio
import inspect
import threading
import weakref
from asyncio.events import _get_running_loop
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, final

from ._branch import CURRENT, Branch, Part
from ._cast import Cast
from ._casting import Casting
from ._deadline import deadline_of
from ._deadlock import chain_of, find_cycle
from ._errors import ActorError, DeadlockError, MailboxFull
from ._mailbox import SharedMailbox
from ._outcome import status_of
from ._results import ExperimentCaseResults, FunctionResult
from ._state import State
from ._stepping import carry_on
from ._telling import tell_planned, tell_started

if TYPE_CHECKING:
    from ._case_actor import CaseActor

Arguments = tuple[tuple[Any, ...], Mapping[str, Any]]


class StageGone(Exception):  # it is no error: there is another stage
    """The stage of a direct call was closed meanwhile: make the call on the next one."""


def answer_here(casting: Casting, parent: Branch | None, arguments: Arguments) -> Any:
    """Play all, and return the value of the primary, played here and now."""
    if not casting.others and not casting.skipped:
        return play_here(casting.primary, parent, arguments)
    cast = _cast(casting, parent, arguments)
    try:
        return play_here(casting.primary, parent, arguments, cast.call_id)
    finally:
        _on_loop(cast, cast.start_after)


def answer_whole_here(
    casting: Casting, parent: Branch | None, arguments: Arguments
) -> ExperimentCaseResults[Any]:
    """Play all, and return the result of the primary, and of nothing else."""
    cast = _cast(casting, parent, arguments)
    try:
        main = play_here(casting.primary, parent, arguments, cast.call_id, whole=True)
    finally:
        _on_loop(cast, cast.start_after)
    _raise(main)
    return ExperimentCaseResults(main, [])


def gather_here(
    casting: Casting, parent: Branch | None, arguments: Arguments
) -> ExperimentCaseResults[Any]:
    """Play all, wait for all, and return the results of all."""
    cast = _cast(casting, parent, arguments)
    over = threading.Event()
    try:
        main = play_here(casting.primary, parent, arguments, cast.call_id, whole=True)
        if _on_loop(cast, lambda: cast.when_over(over.set)):
            over.wait()
    except BaseException:
        _on_loop(cast, cast.give_up)
        raise
    if main.role == "primary":
        _raise(main)
    return cast.results(main)


def _cast(casting: Casting, parent: Branch | None, arguments: Arguments) -> Cast:
    stage = casting.primary.actor.stage
    cast = Cast(stage, casting, parent, *arguments)
    cast.tell()
    _on_loop(cast, cast.start)
    return cast


def _on_loop(cast: Cast, act: Callable[[], object]) -> bool:
    return cast.stage.post(act, copy_context())


def _raise(result: FunctionResult[Any]) -> None:
    error = result.exception_info
    if error is not None:
        try:
            raise error
        finally:
            del result, error  # the traceback holds this frame: no cycle must stay behind


def play_here(
    part: Part, parent: Branch | None, arguments: Arguments, call_id: int = 0, whole: bool = False
) -> Any:
    """Play a branch here and now; return its value, or (`whole`) its FunctionResult.

    Where the function returns a coroutine, the branch goes on until that has been awaited.
    """
    branch = _begin(part, parent, call_id)
    actor = part.actor
    value = error = None
    try:
        if not branch.holds_permit:
            branch.holds_permit = _permit_here(branch)
            branch.started = actor.stage.clock()
        branch.has_begun = True
        if actor.stage.emit is not None:
            tell_started(branch)
        args, kwargs = arguments if actor.fill is None else actor.fill(*arguments)
        token = CURRENT.set(branch)
        try:
            value = actor.supervisor.function(*args, **kwargs)
        finally:
            CURRENT.reset(token)
    except BaseException as raised:
        error = raised
    if error is None and inspect.iscoroutine(value):
        if not whole:
            return _awaited_later(branch, value)
        value.close()
        error = ActorError(
            f"{actor.name} returns a coroutine: define it with `async def`, or await the call"
        )
    try:
        return _end(branch, value, error, whole)
    finally:
        error = None  # its traceback holds this frame: no cycle must stay behind


def _begin(part: Part, parent: Branch | None, call_id: int) -> Branch:
    actor = part.actor
    stage = actor.stage
    asked = stage.clock()
    number = stage.next_id()
    branch = Branch(part, parent, call_id or number, number, asked, asked)
    if parent is not None or part.timeout:
        deadline_of(branch, part, parent)
    with stage.lock:
        if stage.is_gone:
            raise StageGone
        actor.direct.planned += 1
        actor.active[branch] = None
        branch.holds_permit = actor.mailbox.take()
    if stage.emit is not None and not call_id:
        tell_planned(stage, part, branch.call_id, 1)
    return branch


def _end(branch: Branch, value: Any, error: BaseException | None, whole: bool) -> Any:
    """Account for a branch, and return or raise what it came to."""
    part = branch.part
    actor = part.actor
    stage = actor.stage
    ended = stage.clock()
    branch.is_over = True
    status, reason = status_of(branch, error)
    if not branch.has_begun:
        branch.started = ended
    with stage.lock:
        actor.active.pop(branch, None)
        if branch.holds_permit:
            _hand_back(actor)
        tally = actor.direct
        setattr(tally, status, getattr(tally, status) + 1)
        if branch.has_begun:
            tally.took(ended - branch.started)
    try:
        if whole or part.observer is not None or stage.emit is not None or stage.listeners:
            result = actor.result_of(branch, status, reason, value, error, ended)
            if part.observer is not None or stage.listeners:
                stage.post(partial(actor.supervisor.collect, result, part.observer))
            if whole and not isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
                return result
            del result
        if error is not None:
            raise error
    finally:
        error = None  # its traceback holds this frame: no cycle must stay behind
    return value


def _awaited_later(branch: Branch, inner: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
    """Return a coroutine that ends a branch by awaiting what its function returned."""

    async def awaited() -> Any:
        forgotten.detach()
        context = copy_context()
        context.run(CURRENT.set, branch)
        value = error = None
        try:
            first = context.run(inner.send, None)
        except StopIteration as stop:
            value = stop.value
        except BaseException as raised:
            error = raised
        else:
            branch.task = asyncio.current_task()
            try:
                value = await carry_on(branch, context.run, inner, first)
            except BaseException as raised:
                error = raised
        try:
            return _end(branch, value, error, whole=False)
        finally:
            error = None  # its traceback holds this frame: no cycle must stay behind

    later = awaited()
    forgotten = weakref.finalize(later, _end_forgotten, branch)
    forgotten.atexit = False
    return later


def _end_forgotten(branch: Branch) -> None:
    """End a branch whose coroutine was dropped without having been awaited."""
    with suppress(asyncio.CancelledError):
        _end(branch, None, asyncio.CancelledError(), whole=False)


def _permit_here(branch: Branch) -> bool:
    """Wait for a permit; False if the branch plays under the one of an ancestor."""
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
    try:
        parked.wait()
    except BaseException:  # Ctrl-C
        with stage.lock:
            if parked.is_admitted:
                _hand_back(actor)
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


def _hand_back(actor: "CaseActor") -> None:
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
