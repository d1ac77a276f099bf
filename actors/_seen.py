"""What a thread plays, seen from another thread: for a watchdog that looks while a loop is held.

A branch that is played in its caller's task is noted on its stage while it is stepped, one of a
direct call notes its thread, and worker threads note theirs here. A branch with a task of its own
needs no note: the task's context knows it.

Frames would tell as well, and cost nothing, but walking those of another thread crashes Python
3.11.
"""

import asyncio
import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ._branch import CURRENT, Branch

if TYPE_CHECKING:
    from ._stage import Stage


class Playing(NamedTuple):
    """What a worker thread plays, its CPU clock, and how much it had computed before.

    Example:
        >>> from understudy.actors import Playing
        >>> Playing._fields
        ('branch', 'clock', 'computed')
    """

    branch: Branch
    clock: int | None
    computed: float


if sys.platform == "linux":
    _clock_of = time.pthread_getcpuclockid
else:

    def _clock_of(_: int) -> None:
        return None


_WORKERS: Final[dict[int, Playing]] = {}
"""What plays in each worker thread, by the number of the thread."""


def play_in_thread(branch: Branch, call: Callable[[], Any]) -> Any:
    """Do something for a branch in this worker thread, for all to see."""
    thread = threading.get_ident()
    _WORKERS[thread] = Playing(branch, _clock_of(thread), time.thread_time())
    try:
        return call()
    finally:
        _WORKERS.pop(thread, None)


def played_by_workers() -> dict[int, Playing]:
    """Return what plays in each worker thread.

    Example:
        >>> from understudy.actors import played_by_workers
        >>> played_by_workers()
        {}
    """
    return _WORKERS.copy()


def played_on(
    loop: asyncio.AbstractEventLoop, thread: int, stages: "Iterable[Stage]"
) -> list[Branch]:
    """Return what is stepped on a loop now: the innermost branch, then those that called it.

    Example:
        >>> import asyncio, threading
        >>> from understudy.actors import played_on
        >>> async def main():
        ...     return played_on(asyncio.get_running_loop(), threading.get_ident(), [])
        >>> asyncio.run(main())
        []
    """
    found = [branch_of_task(loop)]
    for stage in stages:
        if stage.loop is loop:
            found.append(stage.stepping)
        found += stage.played_directly(thread)
    return callers_of(max((each for each in found if each is not None), key=_asked, default=None))


def callers_of(branch: Branch | None) -> list[Branch]:
    """Return a branch and those that called it, as far as they go on.

    Example:
        >>> from understudy.actors import callers_of, current_branch
        >>> callers_of(current_branch())
        []
    """
    chain: list[Branch] = []
    while branch is not None:
        if not chain or not branch.is_over:
            chain.append(branch)
        branch = branch.parent
    return chain


def _asked(branch: Branch) -> int:
    return branch.asked


def branch_of_task(loop: asyncio.AbstractEventLoop) -> Branch | None:
    """Return the branch in whose context the task began that a loop steps now."""
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


def cpu_clock_here() -> int | None:
    """Return the id of the CPU clock of this thread; None where the system has no such clocks.

    Example:
        >>> from understudy.actors import cpu_clock_here, cpu_time
        >>> clock = cpu_clock_here()
        >>> clock is None or cpu_time(clock) >= 0
        True
    """
    return _clock_of(threading.get_ident())


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


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_WORKERS.clear)
