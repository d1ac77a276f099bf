"""What is said of a run, or of a metric, that is not there."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ._errors import RunError
from ._manifest import FILE

_SIGNS: Final = (
    FILE,
    "parameters.json",
    "parameters.jsonl",
    "logs/logs.jsonl",
    "system/data.jsonl",
)
"""Where one of these is, there is a run."""
_SHOWN: Final = 10
"""How many names an error lists."""


def is_run(path: Path) -> bool:
    """Tell whether there is a run in a folder, also a part of one, or one from elsewhere."""
    if any((path / name).is_file() for name in _SIGNS):
        return True
    try:
        return any(name.endswith(".json") for name in os.listdir(path / "attempts"))
    except OSError:
        return any((path / "metrics").glob("*/data.jsonl"))


def told_known(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence: which of those that exist may be meant, and which there are.

    Example:
        >>> from understudy.runs._missing import told_known
        >>> told_known("trian", ["val", "train"]), told_known("x", [])
        (": did you mean 'train'? There are 'train', 'val'", ': there are none')
    """
    from difflib import SequenceMatcher, get_close_matches

    def unlike(other: str) -> float:
        return -SequenceMatcher(None, name, other).ratio()

    names = sorted({*known}, key=lambda other: (unlike(other), other))
    if not names:
        return ": there are none"
    shown = ", ".join(map(repr, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")
    near = get_close_matches(name, names[:1])
    return f": did you mean {near[0]!r}? There are {shown}" if near else f": there are {shown}"


def refuse_without_folder(target: Path) -> None:
    """Say so if a file is to be written where there is no folder.

    Raises:
        RunError: there is none.
    """
    if not target.absolute().parent.is_dir():
        raise RunError(f"{target}: there is no folder {target.parent}: make it first")


def what_is_at(path: Path) -> str:
    """Return what is there instead of a run."""
    if not path.exists():
        is_far = not path.parent.exists()
        return "the folder does not exist" + (f", nor does {path.parent}" if is_far else "")
    inside = _inside(path)
    if not inside:
        return "the folder is empty" if path.is_dir() else "it is a file"
    names = ", ".join(repr(each.name) for each in inside[:_SHOWN])
    if any(map(is_run, inside)):
        return f"it is a project, with the runs {names}"
    if any(is_run(run) for project in inside for run in _inside(project)):
        return f"it is a root, with the projects {names}"
    return f"in it are {names}"


def _inside(folder: Path) -> list[Path]:
    try:
        names = [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError:
        return []
    return [folder / name for name in sorted(names)]
