"""What the commands about runs have in common: colours, times, JSON, and what a run is called."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from understudy.terminal import coloured, cut, plain, table, wants_colour, write

from ._info import RunInfo
from ._values import encode

Paint = Callable[[str, str], str]

UNKNOWN: Final = "unknown"
"""The status of a run that nobody ever said anything of."""

_COLOURS: Final = {
    "RUNNING": "cyan",
    "COMPLETED": "green",
    "FAILED": "red",
    "CANCELLED": "yellow",
    "LOST": "red",
}
_PIPED: Final = 10_000
"""How wide a table may be that no terminal shows: nothing is cut for a file."""


def paint_of(asked: str) -> Paint:
    """Return what colours texts, if they are to be."""
    return coloured if wants_colour(asked) else plain


def width_of_tables() -> int:
    """Return how many columns a table may have."""
    from understudy.terminal import width_of_output

    return width_of_output(_PIPED)


def name_of(run: RunInfo) -> str:
    """Return what a run is called."""
    return f"{run.project}/{run.prefix}"


def painted(line: str, status: str | None, paint: Paint) -> str:
    """Return a line whose first word is a status, with that in its colour."""
    word = status or UNKNOWN
    if not line.startswith(word):
        return line
    return paint(word, _COLOURS.get(word, "dim")) + line[len(word) :]


def titled(
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    texts: int,
    paint: Paint,
    spared: Sequence[str] = (),
) -> list[str]:
    """Return a table below its title; nothing, if it has no rows.

    Args:
        title: what stands above.
        head: the names of the columns; without any, there is no such line.
        rows: the cells.
        texts: how many columns are texts, to the left.
        paint: what colours them.
        spared: the columns that are left out first where there is little room.
    """
    if not rows:
        return []
    width = width_of_tables()
    lines = table(head, rows, width, texts, spared, shows_all=True)
    body = [paint(cut(lines[0], width), "dim"), *(cut(line, width) for line in lines[1:])]
    return ["", paint(title, "bold"), *(body if any(head) else body[1:])]


def write_json(value: Any) -> None:
    """Write a value as a line of JSON, with the marks of what JSON has no word for."""
    write(f"{json_of(value)}\n")


def json_of(value: Any) -> str:
    """Return a value as JSON.

    Example:
        >>> from understudy.runs._command import json_of
        >>> json_of({"loss": float("nan")})
        '{"loss":{"$null":"nan"}}'
    """
    return encode(value, _ignore).decode()


def _ignore(_: str) -> None: ...
