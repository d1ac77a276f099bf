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
_LEAST_EFFORT: Final = 1 << 22
_EFFORT: Final = 16
"""How many bytes are looked at, for each that is read, to find lines behind torn ones."""
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)
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
        try:
            place = file.seek(start)
        except (OSError, OverflowError):  # no file goes so far
            return
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
    except _UNREADABLE:
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
    effort = max(_LEAST_EFFORT, _EFFORT * len(data))
    for line in data.split(b"\n"):
        try:
            lines += _decode_lines(line)
        except _UNREADABLE:
            said, effort = _behind_a_tear(line, effort)
            if said is not None:
                lines.append(said)
    return lines


def _behind_a_tear(line: bytes, effort: int) -> tuple[Line | None, int]:
    """Return the line that another process appended to one that had broken off.

    Args:
        line: what is no line.
        effort: how many bytes may be looked at; what is left of it is returned too. Lines that are
            made to look torn all over must not take for ever.
    """
    place = line.find(b'{"', 1)
    for _ in range(_MOST_TRIES):
        effort -= len(line) - place
        if place < 0 or effort < 0:
            break
        try:
            said = _decoder.decode(line[place:])
        except _UNREADABLE:
            place = line.find(b'{"', place + 1)
        else:
            is_line = isinstance(said, dict) and "ts" in said
            return (cast("Line", said) if is_line else None), effort
    return None, effort
