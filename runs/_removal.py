"""Removing a run: it is gone at once, whatever happens while its files are removed."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from ._changes import FOLDER, note
from ._ids import new_id

_GONE: Final = ".removed-"


def remove(run: Path) -> None:
    """Remove the folder of a run, with all that is in it; a link is removed, not what it leads to.

    It gets a hidden name first. What a removal left there that was cut short, the next one in that
    project removes as well.

    Raises:
        OSError: it cannot be removed.

    Example:
        >>> from understudy.runs import Run
        >>> from understudy.runs._removal import remove
        >>> with Run(prefix="failed") as run:
        ...     pass
        >>> remove(run.path)
        >>> run.path.exists()
        False
    """
    hidden = run.with_name(f"{_GONE}{new_id()}")
    os.rename(run, hidden)
    if (run.parent.parent / FOLDER).is_dir():  # it is in a root that is listed
        note(run)
    _clear(hidden)
    for left in run.parent.glob(f"{_GONE}*"):
        with suppress(OSError):
            _clear(left)


def _clear(hidden: Path) -> None:
    if hidden.is_symlink():
        hidden.unlink()
    else:
        shutil.rmtree(hidden)
