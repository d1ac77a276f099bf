"""A direct call: a sync lead plays in its caller's own thread, what is beside it elsewhere.

The actors of sync experiments that are called directly live on a loop behind the scenes. A caller
takes no turn on that loop. It touches three things of theirs, all under the lock of the stage: the
mailbox, for a permit; the counts of direct calls; and the branches that are being played.
"""

import asyncio
import inspect
import threading
from collections.abc import Coroutine
from functools import partial
from typing import Any

from ._branch import CURRENT, Branch, Part
from ._cast import Cast
from ._casting import Casting
from ._consume import list_items
from ._here import Arguments, begin_here, cast_here, end_here, enter_here, on_loop, start_here
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
        start_here(cast, cast.start_after)


def answer_whole_here(casting: Casting, parent: Branch | None, arguments: Arguments) -> Any:
    """Play all, and return the result of the primary, and of nothing else.

    It has to be awaited where the value of the function has.
    """
    cast = cast_here(casting, parent, arguments)
    try:
        main = _play(casting.primary, parent, arguments, cast, whole=True)
    finally:
        start_here(cast, cast.start_after)
    return _alone_later(main) if inspect.iscoroutine(main) else _alone(main)


def gather_here(casting: Casting, parent: Branch | None, arguments: Arguments) -> Any:
    """Play all, wait for all, and return the results of all.

    They have to be awaited where the value of the function has.
    """
    cast = cast_here(casting, parent, arguments)
    cast.waits_for_all = True
    over = threading.Event()
    try:
        main = _play(casting.primary, parent, arguments, cast, whole=True)
        if inspect.iscoroutine(main):
            return _all_later(cast, main)
        if on_loop(cast, lambda: cast.when_over(over.set)):
            over.wait()
    except BaseException:
        on_loop(cast, cast.give_up)
        raise
    return _all(cast, main)


async def _alone_later(main: Coroutine[Any, Any, FunctionResult[Any]]) -> Any:
    return _alone(await main)


async def _all_later(cast: Cast, main: Coroutine[Any, Any, FunctionResult[Any]]) -> Any:
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not over.done():
            over.set_result(None)

    try:
        result = await main
        if on_loop(cast, lambda: cast.when_over(partial(loop.call_soon_threadsafe, tell))):
            await over
    except BaseException:
        on_loop(cast, cast.give_up)
        raise
    return _all(cast, result)


def _alone(main: FunctionResult[Any]) -> ExperimentCaseResults[Any]:
    _raise(main)
    return ExperimentCaseResults(main, [])


def _all(cast: Cast, main: FunctionResult[Any]) -> ExperimentCaseResults[Any]:
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
        branch.thread = threading.get_ident()
        try:
            value = part.actor.supervisor.ways.here(*args, **kwargs)
            if whole and inspect.isgenerator(value):
                value = list_items(branch, value)
        finally:
            branch.thread = 0
            CURRENT.reset(token)
    except BaseException as raised:
        error = raised
    later = later_of(branch, value, whole) if error is None else None
    if later is not None:
        return later
    try:
        return end_here(branch, value, error, whole)
    finally:
        error = None  # its traceback holds this frame: no cycle must stay behind
