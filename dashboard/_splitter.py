"""Splitter: bytes as they come, into lines."""

from typing import Final, final

from ._lines import LONGEST

_SHOWN: Final = 200


@final
class Splitter:
    r"""Makes whole lines of bytes that come in pieces; what has no end yet waits for it.

    Of a line that is far too long only the beginning is kept, which nobody can read: it counts as
    one that is unreadable, and takes no memory.

    Example:
        >>> from understudy.dashboard._splitter import Splitter
        >>> splitter = Splitter()
        >>> splitter.split(b'{"a":1}\n{"b"'), splitter.split(b":2}\n"), splitter.rest()
        ([b'{"a":1}'], [b'{"b":2}'], [])
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def split(self, piece: bytes) -> list[bytes]:
        """Return the lines that have their end now."""
        head, end, tail = piece.rpartition(b"\n")
        if not end:
            self._wait(piece)
            return []
        self._pieces.append(head)
        lines = b"".join(self._pieces).split(b"\n")
        self._pieces, self._size = [], 0
        self._wait(tail)
        return [  # not by `_readable`, which would take a third of the time of all this
            line if len(line) <= LONGEST else line[:_SHOWN]
            for line in lines
            if line and not line.isspace()
        ]

    def rest(self) -> list[bytes]:
        """Return what waits for an end that does not come, if anything does; and forget it."""
        rest = b"".join(self._pieces)
        self._pieces, self._size = [], 0
        return [_readable(rest)] if rest and not rest.isspace() else []

    def _wait(self, piece: bytes) -> None:
        if piece and self._size <= LONGEST:
            self._pieces.append(piece)
            self._size += len(piece)


def _readable(line: bytes) -> bytes:
    return line if len(line) <= LONGEST else line[:_SHOWN]
