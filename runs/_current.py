"""The run that records what goes on here: of this task, or this thread."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._run import Run

    Around = tuple[Run, "Around"] | None

_current: ContextVar[Around] = ContextVar("understudy_run", default=None)
"""The current run, and what was current before."""


def current_run() -> Run | None:
    """Return the run that was started last around here, and has not ended; None if there is none.

    A task of asyncio inherits it from whoever made it; a thread does not.

    Example:
        >>> from understudy.runs import Run, current_run
        >>> with Run(prefix="my-experiment") as run:
        ...     current_run() is run
        True
        >>> current_run() is None
        True
    """
    around = _current.get()
    return around[0] if around is not None else None


def enter(run: Run) -> None:
    """Make a run the current one."""
    _current.set((run, _current.get()))


def leave(run: Run) -> None:
    """Forget a run: the one that was started last of the others is the current one again."""
    others: list[Run] = []
    around = _current.get()
    while around is not None:
        if around[0] is not run:
            others.append(around[0])
        around = around[1]
    left: Around = None
    for each in reversed(others):
        left = (each, left)
    _current.set(left)


@contextmanager
def during(run: Run) -> Generator[None]:
    """Make a run the current one for a while."""
    token = _current.set((run, _current.get()))
    try:
        yield
    finally:
        _current.reset(token)
