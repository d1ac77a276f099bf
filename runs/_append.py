"""A file that lines are appended to, each by one write: whoever was told so has it on disk.

No lock is taken: the system puts each write behind the last, also those of other processes. A line
that broke off (a full disk, a crash) is ended before the next one begins; a reader finds the line
of another process that came in between.
"""

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import FileIO
from itertools import accumulate
from pathlib import Path
from typing import Final

_MISSING: Final = (errno.ENOENT, errno.ENOTDIR)


class Appender:
    """One file of lines; it is opened when the first is written.

    Args:
        path: where it is; folders that are missing are made.
        make: makes the folder.
        is_synced: whether each line waits until the disk has it, so that a loss of power cannot
            take it.

    Attributes:
        write: appends a line, and returns how many of its bytes are in the file. While all goes
            well this is the `write` of the open file itself; a line that came back short has to be
            given to `mend`.
    """

    __slots__ = ("_file", "_is_synced", "_is_torn", "_make", "_path", "write")

    def __init__(self, path: Path, make: Callable[[], None], is_synced: bool = False) -> None:
        self._path = path
        self._make = make
        self._is_synced = is_synced
        self._file: FileIO | None = None
        self._is_torn = False
        self.write: Callable[[bytes], int] = self._carefully

    def append(self, line: bytes) -> None:
        """Append a line.

        Raises:
            OSError: it is not in the file, or not whole.
        """
        if self.write(line) != len(line):
            self.mend(line)

    def append_all(self, lines: Sequence[bytes]) -> int:
        """Append several lines by one write; return how many are in the file, the first ones.

        Raises:
            OSError: none of them is.
        """
        file = self._opened()
        before = b"\n" if self._is_torn else b""
        data = b"".join([before, *lines])
        written = file.write(data)
        if written == len(data):
            self._is_torn = False
            if self._is_synced:
                os.fsync(file.fileno())
            return len(lines)
        if written:
            self._is_torn = data[written - 1 : written] != b"\n"
            self.write = self._carefully
        ends = accumulate(map(len, lines), initial=len(before))
        return max(0, sum(end <= written for end in ends) - 1)

    def mend(self, line: bytes) -> None:
        """Append a line again that was written in part: it begins a line of its own.

        Raises:
            OSError: there is no room for it still.
        """
        self._is_torn = True
        self.write = self._carefully
        self._carefully(line)

    def close(self) -> None:
        """Let go of the file; the next line opens it again."""
        file, self._file = self._file, None
        self.write = self._carefully
        if file is not None:
            with suppress(OSError):  # a disk across a network may complain only now
                file.close()

    def __del__(self) -> None:
        self.close()

    def _carefully(self, line: bytes) -> int:
        file = self._opened()
        data = b"\n" + line if self._is_torn else line
        written = file.write(data)
        if written != len(data):
            self._is_torn = self._is_torn or written > 0
            raise OSError(errno.ENOSPC, f"{written} of {len(data)} bytes were written", self._path)
        self._is_torn = False
        if self._is_synced:
            os.fsync(file.fileno())
        else:
            self.write = file.write
        return len(line)

    def _opened(self) -> FileIO:
        file = self._file
        if file is None:
            opened = self._open()
            is_torn = breaks_off(self._path)
            file = self._file
            if file is None:  # nothing is called until it is set, so no thread comes in between
                self._file = file = opened
                self._is_torn = is_torn
            else:
                opened.close()
        return file

    def _open(self) -> FileIO:
        try:
            return FileIO(self._path, "ab")
        except OSError as error:
            if error.errno not in _MISSING:
                raise
        self._make()
        return FileIO(self._path, "ab")


def breaks_off(path: Path) -> bool:
    """Tell whether a file ends in the midst of a line, as one does that a crash cut off.

    If another process is just writing the rest, a blank line too many comes of it.
    """
    try:
        with FileIO(path, "rb") as file:
            return file.seek(0, os.SEEK_END) > 0 and _last_byte(file) != b"\n"
    except OSError:  # may be written and not read
        return False


def _last_byte(file: FileIO) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)
