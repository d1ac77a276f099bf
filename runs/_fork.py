"""A run that begins where another one was."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from . import _arguments
from ._run import Run
from ._settings import Origin

if TYPE_CHECKING:
    from ._reading import RunFolder


def fork(
    source: Run | RunFolder | str | os.PathLike[str],
    *,
    prefix: str,
    step: float | None = None,
    **arguments: Any,
) -> Run:
    """Return a run that begins where another one was at some step; it is not started yet.

    What is seen of the other until then, its points and its parameters, is copied. A fork is a new
    run: if there is one of that name, starting it is refused.

    Args:
        source: the other run, or its folder.
        prefix: the name of the new run.
        step: the last step that is copied; all of them, if it is not given.
        arguments: what else a Run takes.

    Example:
        >>> from understudy.runs import Run, fork
        >>> with Run(prefix="first") as first:
        ...     for step in range(10):
        ...         first.metrics("train").log(step=step, loss=1.0)
        >>> with fork(first, prefix="second", step=4) as second:
        ...     second.metrics("train").log(step=5, loss=0.1)
        ...     [point["step"] for point in second.metrics("train").read()]
        [0, 1, 2, 3, 4, 5]
    """
    from pathlib import Path

    path = source if isinstance(source, (str, os.PathLike)) else source.path
    origin = Origin(Path(path), _arguments.step_or_none("step", step))
    return Run.forked(origin, prefix=prefix, **arguments)
