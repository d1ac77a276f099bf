"""Strangers: files that are no logs of ours, and what to say of them."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from understudy.configs import UnderstudyError
from understudy.terminal import printable

from ._follow import read_logs
from ._lines import read_line

_TORN: Final = b'{"v":'
"""How every line of ours begins, also one that broke off."""
_SHOWN: Final = 60


class NoLogError(UnderstudyError, ValueError):
    """A file that has lines, and no event of ours among them."""


def refuse_strangers(paths: Iterable[str | os.PathLike[str]]) -> None:
    r"""Raise if a file is no log of ours.

    What is not there yet, is empty, or can be read but once (a pipe) is not looked at. A log of
    ours is known by its first line, so that only the others are read to their end.

    Raises:
        NoLogError: a file has lines, and none of them is an event.
        OSError: a file is there and cannot be read.

    Example:
        >>> from pathlib import Path
        >>> _ = Path("notes.txt").write_text("to do: nothing\n")
        >>> try:
        ...     refuse_strangers(["notes.txt"])
        ... except NoLogError as error:
        ...     print(str(error).partition(". ")[0])
        notes.txt is no log of events: not one in 1 line; the first is 'to do: nothing'
    """
    for path in paths:
        name = os.fspath(path)
        if Path(name).is_file():
            count, first = _foreign_lines(name)
            if count:
                raise no_log(name, count, first)


def _foreign_lines(path: str) -> tuple[int, bytes]:
    """Return how many lines there are, and the first; none if one of them is ours."""
    count = 0
    first = b""
    for lines in read_logs([path]):
        for line in lines:
            if line.startswith(_TORN) or read_line(line) is not None:
                return 0, b""
            first = first or line
            count += 1
    return count, first


def no_log(path: str, count: int, first: bytes | None = None) -> NoLogError:
    """Return the error that says of a file that it is no log."""
    told = "" if first is None else f"; the first is {_shown(first)!r}"
    lines = "1 line" if count == 1 else f"{count} lines"
    return NoLogError(
        f"{path} is no log of events: not one in {lines}{told}. "
        'Give the file that a runtime writes: Runtime(events="events.jsonl")'
    )


def _shown(line: bytes) -> str:
    text = printable(line[: 2 * _SHOWN].decode(errors="replace"))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
