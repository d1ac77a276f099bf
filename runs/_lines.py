"""Reading files of lines: of runs that go on, that crashed, and that were torn."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from ._values import MARK, restored

Line = dict[str, Any]

CHUNK: Final = 1 << 20
"""How many bytes are read at once."""

_MOST_TRIES: Final = 1_000
_decoder: Final = msgspec.json.Decoder()
_decode_lines: Final = msgspec.json.Decoder(dict[str, Any]).decode_lines


def read_lines(path: Path, start: int = 0, stop: int | None = None) -> Iterator[list[Line]]:
    """Yield the lines of a file, many at once; a file that is not there has none.

    Args:
        path: the file.
        start: the byte to begin at, the first of a line.
        stop: the byte to end before, if not at the end.
    """
    for lines, _ in read_chunks(path, start, stop):
        yield lines


def read_chunks(
    path: Path, start: int = 0, stop: int | None = None
) -> Iterator[tuple[list[Line], int]]:
    """Yield the lines of a file as `read_lines` does, and the byte at which they end.

    What stands behind the last line break is told only if it is whole, and its end is not: a
    writer may be in the midst of it.
    """
    try:
        file = path.open("rb", buffering=0)
    except OSError:
        return
    with file:
        place = file.seek(start)
        rest = b""
        while True:
            size = CHUNK if stop is None else min(CHUNK, stop - place)
            data = file.read(size) if size > 0 else b""
            if not data:
                break
            place += len(data)
            whole, found, after = data.rpartition(b"\n")
            if not found:
                rest += data
                continue
            lines = rest + whole
            rest = after
            yield decode_lines(lines), place - len(rest)
        if rest:
            yield decode_lines(rest), place - len(rest)


def decode_lines(data: bytes) -> list[Line]:
    """Return what lines of JSON say; those that are torn say nothing."""
    try:
        lines = _decode_lines(data)
    except (msgspec.MsgspecError, UnicodeError):
        lines = _one_by_one(data)
    if MARK in data:
        return [restored(line) for line in lines]
    return lines


def last_lines(path: Path, size: int = 1 << 16) -> list[Line]:
    """Return the last lines of a file: those in so many bytes before its end."""
    try:
        length = os.stat(path).st_size
    except OSError:
        return []
    start = max(0, length - size)
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        data = file.read(length - start)
    if start:
        data = data.partition(b"\n")[2]
    return decode_lines(data)


def _one_by_one(data: bytes) -> list[Line]:
    lines: list[Line] = []
    for line in data.split(b"\n"):
        try:
            lines += _decode_lines(line)
        except (msgspec.MsgspecError, UnicodeError):
            said = _behind_a_tear(line)
            if said is not None:
                lines.append(said)
    return lines


def _behind_a_tear(line: bytes) -> Line | None:
    """Return the line that another process appended to one that had broken off."""
    place = line.find(b'{"', 1)
    for _ in range(_MOST_TRIES):
        if place < 0:
            break
        try:
            said = _decoder.decode(line[place:])
        except (msgspec.MsgspecError, UnicodeError):
            place = line.find(b'{"', place + 1)
        else:
            return cast("Line", said) if isinstance(said, dict) and "ts" in said else None
    return None
