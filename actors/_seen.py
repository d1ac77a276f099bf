"""What a thread plays, seen from another thread: for a watchdog that looks while a loop is held.

Nothing is noted for it while calls are played. A function that steps a branch has it in a local
variable called `branch`, and says so with `steps`; whoever wants to know reads the frames.
"""

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Callable
from contextvars import Context
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple, TypeVar

from ._branch import CURRENT, Branch

F = TypeVar("F", bound=Callable[..., Any])

_STEPS: Final[dict[int, CodeType]] = {}
"""The code that steps branches, by identity: to hash code is slow."""
_WORKS: Final[dict[int, CodeType]] = {}
"""The code at the bottom of a worker thread."""


def steps(function: F) -> F:
    """Say that a function has the branch that it plays in a local variable `branch`."""
    code = function.__code__
    _STEPS[id(code)] = code
    return function


def works(function: F) -> F:
    """Say that a function is what a worker thread does, its CPU clock in a local `_cpu_clock`."""
    code = function.__code__
    _WORKS[id(code)] = code
    return function


class Seen(NamedTuple):
    """What a thread plays at one moment.

    Attributes:
        branches: those on its stack, the innermost first: each was called by the next.
        is_worker: whether it is a thread of `Workers`.
        cpu_clock: the id of its CPU clock, if it is one of those and the system has such clocks.
    """

    branches: tuple[Branch, ...]
    is_worker: bool = False
    cpu_clock: int | None = None


def seen_in(frame: FrameType | None) -> Seen:
    """Return what the thread plays whose innermost frame this is.

    Example:
        >>> import sys
        >>> from understudy.actors import seen_in
        >>> seen_in(sys._getframe()).branches
        ()
    """
    branches: list[Branch] = []
    is_worker, cpu_clock = False, None
    while frame is not None:
        code = id(frame.f_code)
        if code in _STEPS:
            branch = frame.f_locals.get("branch")
            if isinstance(branch, Branch) and (not branches or branches[-1] is not branch):
                branches.append(branch)
        elif code in _WORKS:
            is_worker, cpu_clock = True, frame.f_locals.get("_cpu_clock")
        frame = frame.f_back
    return Seen(tuple(branches), is_worker, cpu_clock)


def branch_of_task(loop: asyncio.AbstractEventLoop) -> Branch | None:
    """Return the branch that began the task which a loop steps now; asked from any thread.

    Example:
        >>> import asyncio
        >>> from understudy.actors import branch_of_task
        >>> async def main():
        ...     return branch_of_task(asyncio.get_running_loop())
        >>> print(asyncio.run(main()))
        None
    """
    task = asyncio.current_task(loop)
    if task is None:
        return None
    get_context: Callable[[], Context] | None = getattr(task, "get_context", None)
    if get_context is not None:
        return get_context().get(CURRENT)
    for each in gc.get_referents(task):  # Python 3.11, which does not tell
        if isinstance(each, Context):
            return each.get(CURRENT)
    return None


def place_in(frame: FrameType | None, branch: Branch) -> str:
    """Return which line a thread is at: that of the branch's function, and the innermost one.

    Example:
        >>> import asyncio, sys
        >>> from understudy import Runtime
        >>> from understudy.actors import current_branch, place_in
        >>> runtime = Runtime()
        >>> @runtime.experiment
        ... async def answer():
        ...     return place_in(sys._getframe(), current_branch()).rpartition(" in ")[2]
        >>> asyncio.run(answer())
        'answer'
    """
    lines: list[str] = []
    while frame is not None:
        if id(frame.f_code) in _STEPS and frame.f_locals.get("branch") is branch:
            break
        if not frame.f_globals.get("__name__", "").startswith("understudy."):
            code = frame.f_code
            lines.append(f"{code.co_filename}:{frame.f_lineno} in {code.co_name}")
        frame = frame.f_back
    else:  # a task that the branch began: what is below is the loop's
        del lines[1:]
    return " > ".join(dict.fromkeys([*lines[-1:], *lines[:1]]))


def cpu_clock_here() -> int | None:
    """Return the id of the CPU clock of this thread; None where the system has no such clocks.

    Example:
        >>> from understudy.actors import cpu_clock_here, cpu_time
        >>> clock = cpu_clock_here()
        >>> clock is None or cpu_time(clock) >= 0
        True
    """
    if sys.platform != "linux":
        return None
    return time.pthread_getcpuclockid(threading.get_ident())


def cpu_time(clock: int | None) -> float | None:
    """Return how many seconds a thread has computed; None if nobody knows, or it is gone.

    Example:
        >>> from understudy.actors import cpu_time
        >>> print(cpu_time(None))
        None
    """
    if sys.platform != "linux" or clock is None:
        return None
    try:
        return time.clock_gettime(clock)
    except OSError:
        return None
