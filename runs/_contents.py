"""What there is in a run's folder to be sent, looked at again and again without reading it all."""

import os
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG
from time import time_ns
from typing import Final, NamedTuple

from ._attempts import FOLDER as ATTEMPTS
from ._manifest import FILE as MANIFEST
from ._names import NAME_FILE

_DOCUMENTS: Final = (
    MANIFEST,
    "parameters.json",
    "git.json",
    "environment.json",
    "diff.patch",
)
_LINES: Final = ("logs/logs.jsonl", "parameters.jsonl", "rewinds.jsonl", "system/data.jsonl")
_COMPARED: Final = (1 << 12, 1 << 16, 1 << 20)
"""How many bytes before some byte are looked at for whole lines, one after the other."""
_SETTLED_NS: Final = 2_000_000_000
"""How old a change has to be for the next one to have another time: clocks of disks are coarse."""


class Mark(NamedTuple):
    """Tells one version of a file from another."""

    mtime_ns: int
    size: int
    inode: int

    @property
    def is_settled(self) -> bool:
        """Whether a change from now on would be seen by its time."""
        return abs(time_ns() - self.mtime_ns) > _SETTLED_NS


class Folders:
    """The folders within a folder; looked through again only when the folder has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark: Mark | None = None
        self._names: list[str] = []

    def names(self) -> list[str]:
        """Return their names, sorted; what is hidden is left out."""
        mark = mark_of(self._path)
        if mark is None:
            return []
        if mark != self._mark:
            # marked before it is read: what comes meanwhile is seen the next time
            self._mark = mark if mark.is_settled else None
            try:
                with os.scandir(self._path) as found:
                    self._names = sorted(
                        entry.name for entry in found if entry.name[0] != "." and entry.is_dir()
                    )
            except OSError:
                self._mark = None
        return self._names


class Contents:
    """What there is in a run's folder.

    Args:
        run: the folder.
    """

    def __init__(self, run: Path) -> None:
        self._run = run
        self._metrics = Folders(run / "metrics")
        self._prefixes = Folders(run / "files")
        self._files: dict[str, Folders] = {}

    def documents(self) -> Iterator[tuple[str, Mark]]:
        """Yield the small files that are replaced whole: their paths, and which version it is."""
        names = [*_DOCUMENTS, *self._attempts()]
        names += [f"metrics/{each}/{NAME_FILE}" for each in self._metrics.names() if "~~" in each]
        yield from self._marked(names)

    def lines(self) -> Iterator[tuple[str, Mark]]:
        """Yield the files that lines are appended to: their paths, and how long they are."""
        names = [*_LINES, *(f"metrics/{each}/data.jsonl" for each in self._metrics.names())]
        yield from self._marked(names)

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield the files that were saved: their ids, and the folder of each."""
        for prefix in self._prefixes.names():
            folder = self._run / "files" / prefix
            base = f"{folder}{os.sep}"
            for name in self._files.setdefault(prefix, Folders(folder)).names():
                yield name, base + name

    def _attempts(self) -> list[str]:
        try:
            names = os.listdir(self._run / ATTEMPTS)
        except OSError:
            return []
        return sorted(
            f"{ATTEMPTS}/{name}" for name in names if name.endswith(".json") and name[0] != "."
        )

    def _marked(self, names: list[str]) -> Iterator[tuple[str, Mark]]:
        base = f"{self._run}{os.sep}"
        for name in names:
            mark = file_mark_of(base + name)
            if mark is not None:
                yield name, mark


def mark_of(path: str | Path) -> Mark | None:
    """Return which version of a file there is; None if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return Mark(found.st_mtime_ns, found.st_size, found.st_ino)


def file_mark_of(path: str | Path) -> Mark | None:
    """Return which version of a file there is; None if there is none, or something else.

    A folder may come from somebody else: what a link in it leads to is not sent, and nobody waits
    at a pipe.
    """
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return Mark(found.st_mtime_ns, found.st_size, found.st_ino) if S_ISREG(found.st_mode) else None


def read_version(path: Path) -> tuple[bytes, Mark] | None:
    """Return a file that is replaced whole, and which version this is; None if there is none."""
    try:
        with path.open("rb", buffering=0) as file:
            found = os.fstat(file.fileno())
            data = file.read()
    except OSError:
        return None
    return data, Mark(found.st_mtime_ns, found.st_size, found.st_ino)


def whole_lines(path: Path, start: int, most: int, longest: int) -> bytes | None:
    """Return whole lines of a file from some byte on.

    Args:
        path: the file.
        start: where they begin, behind a line break.
        most: how many bytes are wanted; if the first line is longer, it comes alone.
        longest: no line is read that is longer.

    Returns:
        the lines; nothing, if there is none that is whole; None if no line begins there, or the
        next is too long.
    """
    before = min(start, 1)
    with path.open("rb", buffering=0) as file:
        file.seek(start - before)
        data = file.read(most + before)
        if before and not data.startswith(b"\n"):
            return None if data else b""
        end = data.rfind(b"\n", before)
        while end < 0:
            more = file.read(max(most, 1 << 16))
            if not more:
                return b""
            found = more.find(b"\n")
            if found >= 0:
                end = len(data) + found
            data += more
            if len(data) > longest and end < 0:
                return None
    return data[before : end + 1]


def lines_before(path: Path, stop: int) -> tuple[int, bytes]:
    """Return the last few whole lines before some byte, and where they begin; maybe none."""
    with path.open("rb", buffering=0) as file:
        stop = min(stop, os.fstat(file.fileno()).st_size)
        for most in _COMPARED:
            start = max(0, stop - most)
            file.seek(start)
            data = file.read(stop - start)
            first = data.find(b"\n") + 1 if start else 0
            end = data.rfind(b"\n") + 1
            if first < end:
                return start + first, data[first:end]
    return stop, b""
