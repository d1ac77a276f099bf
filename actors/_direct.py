"""A direct call: a sync lead plays in its caller's own thread, what is beside it elsewhere.

The actors of sync experiments that are called directly live on a loop behind the scenes. A caller
takes no turn on that loop. It touches three things of theirs, all under the lock of the stage: the
mailbox, for a permit; the counts of direct calls; and the branches that are being played.
"""

import asyncio
import inspect
import threading
import weakref
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Any

from ._branch import CURRENT, Branch, Part
from ._cast import Cast
from ._casting import Casting
from ._deadline import deadline_of
from ._errors import ActorError, MailboxFull
from ._outcome import status_of
from ._permit_here import hand_back, permit_here
from ._results import ExperimentCaseResults, FunctionResult
from ._stepping import carry_on
from ._telling import tell_planned, tell_started

Arguments = tuple[tuple[Any, ...], Mapping[str, Any]]


class StageGone(Exception):  # it is no error: there is another stage
    """The stage of a direct call was closed meanwhile: make the call on the next one."""


def answer_here(casting: Casting, parent: Branch | None, arguments: Arguments) -> Any:
    """Play all, and return the value of the primary, played here and now."""
    if casting.is_single:
        return _play(casting.primary, parent, arguments)
    cast = cast_here(casting, parent, arguments)
    try:
        return _play(casting.primary, parent, arguments, cast)
    finally:
        on_loop(cast, cast.start_after)


def answer_whole_here(
    casting: Casting, parent: Branch | None, arguments: Arguments
) -> ExperimentCaseResults[Any]:
    """Play all, and return the result of the primary, and of nothing else."""
    cast = cast_here(casting, parent, arguments)
    try:
        main = _play(casting.primary, parent, arguments, cast, whole=True)
    finally:
        on_loop(cast, cast.start_after)
    _raise(main)
    return ExperimentCaseResults(main, [])


def gather_here(
    casting: Casting, parent: Branch | None, arguments: Arguments
) -> ExperimentCaseResults[Any]:
    """Play all, wait for all, and return the results of all."""
    cast = cast_here(casting, parent, arguments)
    over = threading.Event()
    try:
        main = _play(casting.primary, parent, arguments, cast, whole=True)
        if on_loop(cast, lambda: cast.when_over(over.set)):
            over.wait()
    except BaseException:
        on_loop(cast, cast.give_up)
        raise
    if main.role == "primary":
        _raise(main)
    return cast.results(main)


def cast_here(casting: Casting, parent: Branch | None, arguments: Arguments) -> Cast:
    """Return a call that is made in this thread, about to begin."""
    return Cast(casting.primary.actor.stage, casting, parent, *arguments)


def on_loop(cast: Cast, act: Callable[[], object]) -> bool:
    """Have something done about what is beside a direct call; False if it is too late."""
    return cast.stage.post(act, copy_context())


def _raise(result: FunctionResult[Any]) -> None:
    error = result.exception_info
    if error is not None:
        try:
            raise error
        finally:
            del result, error  # the traceback holds this frame: no cycle must stay behind


def _play(
    part: Part,
    parent: Branch | None,
    arguments: Arguments,
    cast: Cast | None = None,
    whole: bool = False,
) -> Any:
    """Play a branch here and now; return its value, or (`whole`) its FunctionResult.

    Where the function returns a coroutine, the branch goes on until that has been awaited.
    """
    branch = begin_here(part, parent, cast)
    value = error = None
    try:
        args, kwargs = enter_here(branch, arguments, cast)
        token = CURRENT.set(branch)
        try:
            value = part.actor.supervisor.ways.here(*args, **kwargs)
        finally:
            CURRENT.reset(token)
    except BaseException as raised:
        error = raised
    if error is None and inspect.iscoroutine(value):
        if not whole:
            return _awaited_later(branch, value)
        value.close()
        error = ActorError(
            f"{part.actor.name} returns a coroutine: define it with `async def`, or await the call"
        )
    try:
        return end_here(branch, value, error, whole)
    finally:
        error = None  # its traceback holds this frame: no cycle must stay behind


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
            raise StageGone
        actor.direct.planned += 1
        actor.active[branch] = None
        branch.holds_permit = actor.mailbox.take()
    if cast is not None:
        cast.tell()
    elif stage.emit is not None:
        tell_planned(stage, part, call_id, 1)
    return branch


def enter_here(branch: Branch, arguments: Arguments, cast: Cast | None) -> Arguments:
    """Wait for a permit, and return what the function is to be called with; others begin too."""
    actor = branch.part.actor

    def start_others() -> None:
        if cast is not None:
            on_loop(cast, cast.start)

    if not branch.holds_permit:
        try:
            branch.holds_permit = permit_here(branch, start_others)
        except MailboxFull:
            if cast is not None:
                on_loop(cast, partial(cast.skip, "primary_shed"))
            raise
        branch.started = actor.stage.clock()
    start_others()
    branch.has_begun = True
    if actor.stage.emit is not None:
        tell_started(branch)
    return arguments if actor.fill is None else actor.fill(*arguments)


def end_here(branch: Branch, value: Any, error: BaseException | None, whole: bool) -> Any:
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
            hand_back(actor)
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
            return end_here(branch, value, error, whole=False)
        finally:
            error = None  # its traceback holds this frame: no cycle must stay behind

    later = awaited()
    forgotten = weakref.finalize(later, _end_forgotten, branch)
    forgotten.atexit = False
    return later


def _end_forgotten(branch: Branch) -> None:
    """End a branch whose coroutine was dropped without having been awaited."""
    with suppress(asyncio.CancelledError):
        end_here(branch, None, asyncio.CancelledError(), whole=False)
