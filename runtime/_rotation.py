"""Rotation: a file that has become large is put aside, by one of those who write to it."""

import os
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, final

try:
    import fcntl
except ImportError:  # Windows, where nobody else can rename a file that is open anyway
    fcntl = None  # type: ignore[assignment]

_PATIENCE: Final = 0.1
"""How many seconds those who write may take until the file is put aside another time; and so many
seconds that may take until it is written to anyway."""
_PAUSE: Final = 0.001


@final
class Rotation:
    """Puts a file aside when it has become large: `x` becomes `x.1`, `x.1` becomes `x.2`, ...

    Several processes may do so with one file. Who writes shares a lock on it, and who puts it aside
    has the lock alone; so nobody writes to a file that is being put aside, and nobody puts aside
    the new one because the old one was large.

    Args:
        path: the file.
        most: how many bytes it may have.
        keep: how many files are kept beside it.
    """

    def __init__(self, path: Path, most: int, keep: int) -> None:
        self._path = path
        self._most = most
        self._keep = keep

    def is_due(self, file: int, more: int) -> bool:
        """Whether an open file would become too large by so many bytes more."""
        status = os.fstat(file)
        return stat.S_ISREG(status.st_mode) and 0 < status.st_size > self._most - more

    @contextmanager
    def writing(self, file: int) -> Generator[None]:
        """Have nobody put the file aside meanwhile; who has it alone for too long is passed by."""
        is_locked = _lock(file, alone=False)
        try:
            yield
        finally:
            if is_locked:
                _unlock(file)

    def rotate(self, file: int, more: int) -> None:
        """Put an open file aside, unless somebody has done so, or does not let us."""
        if not _lock(file, alone=True):
            return
        try:
            if is_at(file, self._path) and self.is_due(file, more):
                self._put_aside()
        finally:
            _unlock(file)

    def _put_aside(self) -> None:
        with suppress(OSError):  # then it goes on growing: that is better than to lose events
            for number in range(self._keep - 1, 0, -1):
                with suppress(FileNotFoundError):
                    self._beside(number).replace(self._beside(number + 1))
            self._path.replace(self._beside(1))

    def _beside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def is_at(file: int, path: Path) -> bool:
    """Whether an open file is still what a path leads to."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except OSError:
        return False


def _lock(file: int, *, alone: bool) -> bool:
    if fcntl is None:
        return True
    kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_PAUSE)
        except OSError:  # a file system without locks
            return False
        else:
            return True


def _unlock(file: int) -> None:
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)
