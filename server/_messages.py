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
    """Some messages of a run, and where the next ones begin."""

    messages: list[dict[str, Any]]
    next: int


async def messages_in(
    storage: Storage,
    project: str,
    run: str,
    *,
    length: int,
    after: int,
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
        limit: how many at most; if it is negative, the last ones.
        level: only those of this level.
    """
    is_last = limit < 0
    place = max(after, length - _MOST_SEARCHED) if is_last else after
    end = min(length, place + _MOST_SEARCHED)
    found: list[Line] = []
    if place >= length or not limit:
        return Messages([], min(after, length))
    async for data in storage.lines(project, run, _PATH, place):
        for line in data.removesuffix(b"\n").split(b"\n"):
            place += len(line) + 1
            found += [said for said in tame_lines(line) if level in (None, said.get("level"))]
            if is_last:
                del found[:limit]
            elif len(found) >= limit:
                return Messages(found, place)
        if place >= end:
            break
    return Messages(found, place)
