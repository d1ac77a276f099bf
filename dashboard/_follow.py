"""Follower: the lines of logs that grow, are rotated and are cut short."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, final

from ._by_time import ByTime
from ._splitter import Splitter

Paths = Iterable[str | os.PathLike[str]]

_PIECE: Final = 1_048_576
_HEAD: Final = 1_024
_PATIENCE: Final = 20


@final
class Follower:
    r"""Reads logs as they grow: each `read` returns the lines that have come since the last one.

    It looks at the files itself, whenever it is asked: nothing has to be told, installed or closed
    in time. A file that is not there yet is waited for. One that was renamed (as logrotate does) is
    read to its end, also what late writers append to it for some while; then the new one of its
    name is. One that was cut short, or written anew, is read from its start. A last line without an
    end waits for it.

    Args:
        paths: the files.
        siblings: whether what was rotated before is read too, `events.jsonl.2` before
            `events.jsonl.1` before `events.jsonl`.

    Example:
        >>> from pathlib import Path
        >>> from understudy.dashboard import Follower
        >>> log = Path("events.jsonl")
        >>> with Follower([log]) as follower:
        ...     before = follower.read()
        ...     _ = log.write_bytes(b'{"a":1}\n{"b":')
        ...     between = follower.read()
        ...     with log.open("ab") as file:
        ...         _ = file.write(b"2}\n")
        ...     before, between, follower.read()
        ([], [b'{"a":1}'], [b'{"b":2}'])
    """

    def __init__(self, paths: Paths, *, siblings: bool = False) -> None:
        self._files = [_Followed(os.fspath(path), siblings) for path in paths]
        self._logs = ByTime([file.read for file in self._files])

    def read(self) -> list[bytes]:
        """Return the lines that have come, some megabytes at most; none if there are no more.

        Those of several files are in the order of their times.

        Raises:
            OSError: a file is there and cannot be read.
        """
        return self._logs.read()

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            file.close()

    def __enter__(self) -> "Follower":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Opened:
    """A file that was opened, whatever its name is by now."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        found = os.fstat(self._file)
        if stat.S_ISDIR(found.st_mode):
            os.close(self._file)
            raise IsADirectoryError(21, "Is a directory", path)
        self.identity = found.st_dev, found.st_ino
        self._is_plain = stat.S_ISREG(found.st_mode)
        self._splitter = Splitter()
        self._head = b""
        self._place = 0

    def read(self) -> list[bytes]:
        """Return the lines that have come; none if it ends here."""
        if self._was_written_anew():
            torn = self._splitter.rest()
            self._place, self._head = 0, b""
            if torn:
                return torn
        while piece := self._piece():
            if len(self._head) < _HEAD and self._place == len(self._head):
                self._head += piece[: _HEAD - len(self._head)]
            self._place += len(piece)
            if lines := self._splitter.split(piece):
                return lines
        return []

    def _piece(self) -> bytes:
        if self._is_plain:
            return os.pread(self._file, _PIECE, self._place)
        try:
            return os.read(self._file, _PIECE)
        except BlockingIOError:  # a pipe into which nobody writes just now
            return b""

    def _was_written_anew(self) -> bool:
        """Whether it is shorter than what was read of it, or does not begin as it did."""
        if not self._is_plain or not self._place:
            return False
        if os.fstat(self._file).st_size < self._place:
            return True
        return os.pread(self._file, len(self._head), 0) != self._head

    def rest(self) -> list[bytes]:
        """Return a last line that has no end."""
        return self._splitter.rest()

    def close(self) -> None:
        os.close(self._file)


class _Followed:
    """A name, the file that has it now, and those that had it until lately."""

    def __init__(self, path: str, siblings: bool) -> None:
        self._path = path
        self._siblings = siblings
        self._now: _Opened | None = None
        self._old: list[tuple[_Opened, int]] = []
        """Each with how often it had nothing more to tell."""

    def read(self) -> list[bytes]:
        """Return the lines that have come; none if there are no more."""
        if self._now is None:
            self._open()
        if lines := self._read_old():
            return lines
        if self._now is None:
            return []
        if lines := self._now.read():
            return lines
        if not self._was_renamed():
            return []
        self._old.append((self._now, 0))
        self._now = None
        self._siblings = False
        return self.read()

    def _open(self) -> None:
        siblings = [_Opened(path) for path in rotated(self._path)] if self._siblings else []
        with suppress(FileNotFoundError):
            self._now = _Opened(self._path)
        for sibling in siblings:
            if self._now is not None and sibling.identity == self._now.identity:
                sibling.close()
            else:
                self._old.append((sibling, 0))
        self._siblings = False

    def _read_old(self) -> list[bytes]:
        """Return what has come in the first file that has more; let go of those long silent."""
        for place, (file, silent) in enumerate(self._old):
            if lines := file.read():
                self._old[place] = file, 0
                return lines
            self._old[place] = file, silent + 1
        if self._old and self._old[0][1] > _PATIENCE:
            file, _ = self._old.pop(0)
            rest = file.rest()
            file.close()
            return rest
        return []

    def _was_renamed(self) -> bool:
        """Whether another file has the name; while none has, this one is read on."""
        try:
            found = Path(self._path).stat()
        except OSError:
            return False
        return self._now is not None and (found.st_dev, found.st_ino) != self._now.identity

    def close(self) -> None:
        for file, _ in self._old:
            file.close()
        if self._now is not None:
            self._now.close()
        self._old, self._now = [], None


def rotated(path: str) -> list[str]:
    """Return what was rotated before: `path.2`, `path.1`, the oldest first."""
    name = Path(path)
    numbers = [
        int(found.name[len(name.name) + 1 :])
        for found in name.parent.glob("*")
        if found.name.startswith(f"{name.name}.") and found.name[len(name.name) + 1 :].isdecimal()
    ]
    return [f"{path}.{number}" for number in sorted(numbers, reverse=True)]


def read_logs(paths: Paths, *, siblings: bool = False) -> Iterator[list[bytes]]:
    """Yield the lines of logs as they are now, to their end, also of pipes; many at a time.

    Those of several logs are in the order of their times.

    Raises:
        OSError: one of them cannot be read.
    """
    logs = ByTime([_reader(_lines_of(os.fspath(path), siblings)) for path in paths])
    while lines := logs.read():
        yield lines


def _reader(pieces: Iterator[list[bytes]]) -> Callable[[], list[bytes]]:
    nothing: list[bytes] = []
    return lambda: next((lines for lines in pieces if lines), nothing)


def _lines_of(path: str, siblings: bool) -> Iterator[list[bytes]]:
    for each in [*(rotated(path) if siblings else []), path]:
        splitter = Splitter()
        with open(each, "rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                yield splitter.split(piece)
        yield splitter.rest()
