"""A file that lines are appended to, whole; it survives a full disk and a rotation."""

import errno
import os
import select
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ._rotation import Rotation, is_at

_PATIENCE: Final = 1.0
"""How many seconds a pipe that is full may take until it takes more."""
_SETTLING: Final = 0.1
"""How many seconds a file that ends in the midst of a line is given to change."""
_TRIES: Final = 10
"""How often the file is opened again that somebody else has just put aside."""
_PASSING: Final = (errno.ENOSPC, errno.EDQUOT, errno.EAGAIN)
"""What may get better while the file stays open."""


class AppendedFile:
    """A file that lines are appended to; only the thread of one outlet uses it.

    Args:
        path: the file.
        rotation: puts it aside when it is large; None for never.

    Attributes:
        problem: why the last write was not whole; None if it was.
    """

    def __init__(self, path: Path, rotation: Rotation | None = None) -> None:
        self._path = path
        self._rotation = rotation
        self._pid = os.getpid()
        self._file: int | None = None
        self._is_torn = False
        self.problem: Exception | None = None

    def write(self, lines: bytes) -> int:
        """Write lines, each with its end, and return how many are in the file whole."""
        done = 0
        repair = b""
        self.problem = None
        try:
            with self._ready_for(len(lines)) as file:
                repair = b"\n" if self._is_torn else b""  # ends the line that broke off
                data = memoryview(repair + lines if repair else lines)
                while done < len(data):
                    done += _write_some(file, data[done:])
        except (OSError, ValueError) as problem:
            self.problem = problem.with_traceback(None)
            if getattr(problem, "errno", None) not in _PASSING:
                self.close()
        if done:
            self._is_torn = False
        arrived = lines[: max(0, done - len(repair))]
        if arrived and not arrived.endswith(b"\n"):
            self._is_torn = True
        return arrived.count(b"\n")

    def close(self) -> None:
        """Let go of the file; the next write opens it again."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # a disk across a network may complain only now
                os.close(file)

    @contextmanager
    def _ready_for(self, size: int) -> Generator[int]:
        """Return the open file; nobody puts it aside meanwhile, as far as they ask."""
        rotation = self._rotation
        if rotation is None:
            yield self._opened()
            return
        file = self._opened()
        if rotation.is_due(file, size):
            rotation.rotate(file, size)
        for _ in range(_TRIES):
            file = self._opened()
            with rotation.writing(file):
                if is_at(file, self._path):
                    yield file
                    return
        yield self._opened()

    def _opened(self) -> int:
        is_forked = self._pid != os.getpid()  # locks are shared with whom a file is shared with
        if self._file is not None and (is_forked or not is_at(self._file, self._path)):
            self.close()
        self._pid = os.getpid()
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, _APPENDING, 0o666)
            self._is_torn = _breaks_off(self._file, self._path)
        return self._file


_APPENDING: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_APPEND
    | getattr(os, "O_NONBLOCK", 0)  # a pipe that nobody reads is an error, not a wait
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)


def _breaks_off(file: int, path: Path) -> bool:
    """Whether a file ends in the midst of a line, as one that a crash cut off does."""
    if not stat.S_ISREG(os.fstat(file).st_mode):
        return False
    end = _end_of(path)
    if end is None or end[1] == b"\n":
        return False
    time.sleep(_SETTLING)  # another process may be in the midst of its write
    return _end_of(path) == end


def _end_of(path: Path) -> tuple[int, bytes] | None:
    """Return how long a file is, and its last byte; None if it has none that we may read."""
    try:
        with path.open("rb") as reader:
            before = reader.seek(-1, os.SEEK_END)
            return before, reader.read(1)
    except OSError:
        return None


def _write_some(file: int, data: memoryview) -> int:
    try:
        written = os.write(file, data)
    except BlockingIOError:
        poll = select.poll()
        poll.register(file, select.POLLOUT)
        if not poll.poll(_PATIENCE * 1e3):
            raise
        written = os.write(file, data)
    if not written:
        raise OSError(errno.EIO, "nothing was written")
    return written
