"""Which run a word of a command means: a name, an id, the start of one, or a folder."""

import os
from collections.abc import Iterable
from pathlib import Path

from ._errors import RunError
from ._finding import find, get
from ._missing import is_run
from ._reading import RunFolder

_SIGNS_OF_A_FILTER = set(" <>=!()[]'\"")


def which(word: str, root: str | os.PathLike[str] | None = None) -> RunFolder:
    """Return the run that a word means.

    Args:
        word: `project/prefix`, a prefix, an id, its unique start, or the path of a folder.
        root: the folder that all is in.

    Raises:
        RunError: there is none, or several; it says which are near.

    Example:
        >>> from understudy.runs import Run
        >>> from understudy.runs._which import which
        >>> with Run(prefix="first", project="project") as run:
        ...     pass
        >>> which("project/first").id == which("experiments/project/first").id == run.id
        True
    """
    try:
        return get(word, root)
    except RunError:
        path = Path(os.path.abspath(Path(word).expanduser()))
        if word and is_run(path):
            return RunFolder(path)
        raise


def all_of(words: Iterable[str], root: str | os.PathLike[str] | None = None) -> list[RunFolder]:
    """Return the runs that words mean, in their order; a filter adds those not there yet.

    Raises:
        RunError: one of them means none.

    Example:
        >>> from understudy.runs import Run
        >>> from understudy.runs._which import all_of
        >>> with Run(prefix="first", project="project", tags=["sweep"]) as run:
        ...     pass
        >>> [found.prefix for found in all_of(["project/first", "'sweep' in tags"])]
        ['first']
    """
    found: list[RunFolder] = []
    for word in words:
        runs, is_filter = those(word, root)
        if not runs:
            raise RunError(f"no run is so: {word}")
        there = {run.path for run in found} if is_filter else set[Path]()
        found += [run for run in runs if run.path not in there]
    return found


def those(word: str, root: str | os.PathLike[str] | None = None) -> tuple[list[RunFolder], bool]:
    """Return the runs that a word means, and whether it is a filter.

    Raises:
        RunError: it is neither a run nor a filter.
    """
    try:
        return [which(word, root)], False
    except RunError:
        if not _SIGNS_OF_A_FILTER & {*word}:
            raise
    return [RunFolder(info.path or "") for info in find(word, root)], True
