"""A long metric in short: what its fields come to, and the points that a curve needs.

It is kept beside the file, for all but the last megabyte of it, and made again if it does not fit:
so a second look at a million points reads a few thousand. Without it all works, only slower.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from ._lines import CHUNK, Line, read_chunks
from ._numbers import OURS, Sums, take
from ._rewinds import Span, is_seen, spans_of
from ._state import replace

FILE: Final = "overview.msgpack"
BUCKET: Final = 200
"""How many points in a row are told by those at their corners."""

_VERSION: Final = 1


class Overview(msgspec.Struct):
    """What is known of a metric up to some byte of its file."""

    v: int = _VERSION
    end: int = 0
    hidden: list[Span] = msgspec.field(default_factory=list[Span])
    """What the rewinds had hidden when it was made."""
    count: int = 0
    sums: dict[str, Sums] = msgspec.field(default_factory=dict[str, Sums])
    last: Line | None = None
    points: list[Line] = msgspec.field(default_factory=list[Line])

    def take(self, lines: list[Line]) -> None:
        """Take further points."""
        if not lines:
            return
        if self.last is None:
            self.points.append(lines[0])
        self.last = lines[-1]
        self.count += len(lines)
        for start in range(0, len(lines), BUCKET):
            self.points += take(self.sums, lines[start : start + BUCKET])


def seen_chunks(run: Path, folder: Path, start: int = 0) -> Iterator[tuple[list[Line], int]]:
    """Yield the points of a metric that are not hidden, many at once, and where each lot ends."""
    for span in spans_of(run, folder.name):
        if span.stop is not None and span.stop <= start:
            continue
        for lines, end in read_chunks(folder / "data.jsonl", max(start, span.start), span.stop):
            if span.last_step is not None:
                lines = [line for line in lines if is_seen(line, span)]
            yield lines, end


def look_over(run: Path, folder: Path) -> Overview:
    """Return the overview of a whole metric, and keep what will not change of it."""
    try:
        size = os.stat(folder / "data.jsonl").st_size
    except OSError:
        return Overview()
    hidden = spans_of(run, folder.name)[:-1]
    overview = _kept(folder / FILE)
    if overview is None or overview.hidden != hidden or overview.end > size:
        overview = Overview(hidden=hidden)
    kept = overview.end
    is_settled = True
    for lines, end in seen_chunks(run, folder, overview.end):
        if is_settled and size - end < CHUNK:
            is_settled = False
            if overview.end > kept:
                _keep(folder / FILE, overview)
        overview.take(lines)
        overview.end = end
    return overview


def thinned(points: list[Line], most: int) -> list[Line]:
    """Return at most so many points that a curve through all of them needs: its corners."""
    if len(points) <= most:
        return points
    fields = set[str]().union(*points) - OURS - {"step"}
    groups = max(1, (most - 2) // (2 * max(1, len(fields))))
    while True:
        found = _corners_of(points, groups)
        if len(found) <= most:
            return found
        if groups == 1:
            every = len(found) / most
            return [found[int(place * every)] for place in range(most)]
        groups = groups * 3 // 4


def _corners_of(points: list[Line], groups: int) -> list[Line]:
    bounds = [len(points) * place // groups for place in range(groups + 1)]
    found = [point for low, high in pairwise(bounds) for point in take({}, points[low:high])]
    if not found or found[0] is not points[0]:
        found.insert(0, points[0])
    if found[-1] is not points[-1]:
        found.append(points[-1])
    return found


def _kept(path: Path) -> Overview | None:
    try:
        found = msgspec.msgpack.decode(path.read_bytes(), type=Overview)
    except (OSError, msgspec.MsgspecError):
        return None
    return found if found.v == _VERSION else None


def _keep(path: Path, overview: Overview) -> None:
    # somebody else's folder, or an int too great for it: then the next look takes as long
    with suppress(OSError, OverflowError):
        replace(path, msgspec.msgpack.encode(overview), is_synced=False)
