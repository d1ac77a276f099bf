"""The messages of a run, a page at a time: a place in the log is a byte of it."""

from typing import Any, Final

import msgspec

from understudy.runs.replica import Line

from ._storage import Storage
from ._tame import tame_lines

_PATH: Final = "logs/logs.jsonl"
_MOST_SEARCHED: Final = 8 << 20
"""How many bytes are searched at once; who wants more asks again, from where the answer says."""


class Messages(msgspec.Struct):
    """Some messages of a run: where the first of them begins, and where the next one would."""

    messages: list[dict[str, Any]]
    first: int
    next: int


async def messages_in(
    storage: Storage,
    project: str,
    run: str,
    *,
    length: int,
    after: int,
    before: int | None,
    limit: int,
    level: str | None,
) -> Messages:
    """Return messages of a run.

    Args:
        storage: has them.
        project: where the run belongs.
        run: its id.
        length: how long the log is.
        after: where they begin.
        before: where they end; at the end of the log, if it is left out.
        limit: how many at most; if it is negative, the last ones.
        level: only those of this level.
    """
    stop = length if before is None else min(length, before)
    is_last = limit < 0
    start = max(after, stop - _MOST_SEARCHED) if is_last else after
    if start >= stop or not limit:
        return Messages([], min(start, stop), min(start, stop))
    end = min(stop, start + _MOST_SEARCHED)
    place = start
    found: list[tuple[int, Line]] = []
    async for data in storage.lines(project, run, _PATH, start):
        for line in data.removesuffix(b"\n").split(b"\n"):
            if place >= end:
                break
            found += [
                (place, said) for said in tame_lines(line) if level in (None, said.get("level"))
            ]
            place += len(line) + 1
            if is_last:
                del found[:limit]
            elif len(found) >= limit:
                break
        if place >= end or (not is_last and len(found) >= limit):
            break
    first = found[0][0] if found else start
    return Messages([said for _, said in found], first, place)
