"""`<root>/.understudy/changes`: whoever changes a run appends its name, and readers need not look.

It only makes them quick: they also look at what they are not told of, one after another. It is put
aside as `changes.1` when it is large, by a reader who may write; so two files are read.
"""

import os
from contextlib import suppress
from pathlib import Path
from time import time_ns
from typing import Final, NamedTuple

FOLDER: Final = ".understudy"
FILE: Final = "changes"
ASIDE: Final = "changes.1"
LARGE: Final = 1 << 22

Places = dict[str, int]
"""How far each file was read, by its first line, which no other has."""


class Told(NamedTuple):
    """What was told since one looked last."""

    runs: set[str]
    """The runs, as `project/prefix` in the names of their folders."""
    places: Places
    is_whole: bool
    """Whether nothing is missing in between."""


def note(run: Path) -> None:
    """Tell that a run has changed; where that cannot be written, readers find it nevertheless."""
    root = run.parent.parent
    line = os.fsencode(f"{run.parent.name}/{run.name}\t{time_ns():x}\n")
    with suppress(OSError):
        try:
            _append(root / FOLDER / FILE, line)
        except FileNotFoundError:
            (root / FOLDER).mkdir(exist_ok=True)
            _append(root / FOLDER / FILE, line)


def read_changes(root: Path, places: Places) -> Told:
    """Return what was told since.

    Args:
        root: the folder that all is in.
        places: how far one has read, as was told last time.
    """
    runs: set[str] = set()
    now: Places = {}
    for name in (ASIDE, FILE):
        try:
            with (root / FOLDER / name).open("rb") as file:
                first = file.readline()
                start = places.get(first.decode("utf-8", "replace"), 0)
                file.seek(start)
                data = file.read()
        except OSError:
            continue
        whole = data[: data.rfind(b"\n") + 1]
        if first.endswith(b"\n"):
            now[first.decode("utf-8", "replace")] = start + len(whole)
        for line in whole.split(b"\n"):
            runs.add(line.partition(b"\t")[0].decode("utf-8", "replace"))
    return Told(runs, now, is_whole=not places or not places.keys().isdisjoint(now))


def put_aside(root: Path) -> None:
    """Begin the file anew if it is large."""
    path = root / FOLDER / FILE
    with suppress(OSError):
        if path.stat().st_size > LARGE:
            path.replace(root / FOLDER / ASIDE)


def _append(path: Path, line: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        os.write(file, line)
    finally:
        os.close(file)
