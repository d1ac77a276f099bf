"""A direct call: a sync lead plays in its caller's own thread, what is beside it elsewhere.

The actors of sync experiments that are called directly live on a loop behind the scenes. A caller
takes no turn on that loop. It touches three things of theirs, all under the lock of the stage: the
mailbox, for a permit; the counts of direct calls; and the branches that are being played.
"""

import inspect
import threading
from typing import Any

from ._branch import CURRENT, Branch, Part
from ._cast import Cast
from ._casting import Casting
from ._consume import list_items
from ._errors import ActorError
from ._here import Arguments, begin_here, cast_here, end_here, enter_here, on_loop
from ._later import later_of
from ._results import ExperimentCaseResults, FunctionResult


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

    Where the function returns a coroutine or a stream, the branch goes on until that has ended.
    """
    branch = begin_here(part, parent, cast)
    value = error = None
    try:
        args, kwargs = enter_here(branch, arguments, cast)
        token = CURRENT.set(branch)
        try:
            value = part.actor.supervisor.ways.here(*args, **kwargs)
            if whole:
                value = _whole(branch, value)
        finally:
            CURRENT.reset(token)
    except BaseException as raised:
        error = raised
    later = None if whole or error is not None else later_of(branch, value)
    if later is not None:
        return later
    try:
        return end_here(branch, value, error, whole)
    finally:
        error = None  # its traceback holds this frame: no cycle must stay behind


def _whole(branch: Branch, value: Any) -> Any:
    """Return the value that a result is to have: that of a stream is the list of its items."""
    if inspect.iscoroutine(value) or inspect.isasyncgen(value):
        if inspect.iscoroutine(value):
            value.close()
        raise ActorError(
            f"{branch.part.actor.name} returns what has to be awaited: define it with `async def`, "
            f"or await the call"
        )
    return list_items(branch, value) if inspect.isgenerator(value) else value
