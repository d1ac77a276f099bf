"""Files of lines, as compressed chunks: what is appended is loose, until it adds up and is packed.

So a sender that sends a line a second leaves neither a row for each of them, nor has a large one
written anew each time.
"""

import zlib
from collections.abc import Collection, Iterator

import msgspec

from ._database import Session
from ._errors import AwayError, DiffersError
from ._rows import Lines

CHUNK = 256 * 1024
"""How many bytes of lines are packed together."""
LOOSE = 64
"""How many appended pieces are loose at most."""
AT_ONCE = 8
"""How many chunks are read at once."""


class Stream(msgspec.Struct):
    """How much of a file of lines is kept.

    Attributes:
        length: how many bytes.
        packed: how many of them are in chunks that stay as they are.
        loose: in how many chunks the others are.
    """

    length: int = 0
    packed: int = 0
    loose: int = 0


def find_streams(session: Session, run: int, paths: Collection[str]) -> dict[str, Stream]:
    """Return how much is kept of some files; nothing of those that are not there."""
    return {
        path: Stream(length, packed, loose)
        for path, length, packed, loose in session.among(
            "SELECT path, length, packed, loose FROM streams WHERE run = ? AND path", paths, run
        )
    }


def append_lines(session: Session, run: int, lines: Lines, stream: Stream) -> bytes:
    """Append what is new of some lines that start no later than where what is kept ends.

    Args:
        session: the transaction.
        run: the number of the run, which is held.
        lines: what was sent.
        stream: how much is kept, and then how much more.

    Returns:
        What was new.

    Raises:
        DiffersError: what is kept is not the same.
    """
    known = min(stream.length - lines.start, len(lines.data))
    if known > 0:
        _check_same(session, run, lines, known)
    new = lines.data[max(known, 0) :]
    if new:
        _append(session, run, lines.path, stream, new)
    return new


def read_chunks(
    session: Session, run: int, path: str, start: int, stop: int
) -> list[tuple[int, bytes]]:
    """Return the next few pieces from one byte on, up to another, each with where it starts."""
    found = session.all(
        f"""SELECT start, data FROM chunks WHERE run = ? AND path = ? AND stop > ?
        ORDER BY stop LIMIT {AT_ONCE}""",
        *(run, path, start),
    )
    pieces: list[tuple[int, bytes]] = []
    for place, data in found:
        if place >= stop:
            break
        whole = zlib.decompress(data)
        first = max(start - place, 0)
        pieces.append((place + first, whole[first : stop - place]))
    return pieces


def _check_same(session: Session, run: int, lines: Lines, known: int) -> None:
    place, stop = lines.start, lines.start + known
    while place < stop:
        found = read_chunks(session, run, lines.path, place, stop)
        if not found:
            raise AwayError(f"{lines.path}: what is kept from byte {place} on is not there")
        for at, kept in found:
            sent = lines.data[at - lines.start : at - lines.start + len(kept)]
            if sent != kept:
                pairs = enumerate(zip(sent, kept, strict=True))
                differs = next(place for place, (ours, theirs) in pairs if ours != theirs)
                raise DiffersError(lines.path, at + differs)
            place = at + len(kept)


def _append(session: Session, run: int, path: str, stream: Stream, new: bytes) -> None:
    if not stream.length:
        session.do("INSERT INTO streams VALUES (?, ?, 0, 0, 0)", run, path)
    start, stream.length = stream.length, stream.length + len(new)
    if stream.loose + 1 < LOOSE and stream.length - stream.packed < CHUNK:
        _insert(session, run, path, start, new, level=1)
        stream.loose += 1
    else:
        _pack(session, run, path, stream, new)
    session.do(
        "UPDATE streams SET length = ?, packed = ?, loose = ? WHERE run = ? AND path = ?",
        *(stream.length, stream.packed, stream.loose, run, path),
    )


def _pack(session: Session, run: int, path: str, stream: Stream, new: bytes) -> None:
    """Put what is loose, and what is new, into chunks that stay as they are."""
    place = stream.packed
    tail = session.all(
        "SELECT data FROM chunks WHERE run = ? AND path = ? AND stop > ? ORDER BY stop",
        *(run, path, place),
    )
    session.do("DELETE FROM chunks WHERE run = ? AND path = ? AND stop > ?", run, path, place)
    for piece in line_pieces(b"".join([*(zlib.decompress(data) for (data,) in tail), new])):
        _insert(session, run, path, place, piece, level=6)
        place += len(piece)
    stream.packed, stream.loose = stream.length, 0


def _insert(session: Session, run: int, path: str, start: int, data: bytes, level: int) -> None:
    session.do(
        "INSERT INTO chunks VALUES (?, ?, ?, ?, ?)",
        *(run, path, start, start + len(data), zlib.compress(data, level)),
    )


def line_pieces(data: bytes) -> Iterator[bytes]:
    """Yield lines in pieces of about one chunk."""
    start = 0
    while start < len(data):
        stop = data.rfind(b"\n", start, start + CHUNK) + 1 or data.find(b"\n", start) + 1
        yield data[start:stop]
        start = stop
