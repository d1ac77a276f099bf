"""Plain-text tables that fit a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

_WIDTH: Final = 80
_LONGEST: Final = 24
"""How many characters of a name are shown."""


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return rows under the names of their columns; what does not fit in 80 characters is below.

    The first column, which says what a row is about, stands on the left of each part.

    Example:
        >>> from understudy._table import table
        >>> print(table([{"config": "large", "ok": "12"}, {"config": "small", "ok": "7"}]))
        config  ok
        large   12
        small    7
    """
    if not rows:
        return ""
    first, *names = rows[0]
    about = [first, *(_cut(row[first]) for row in rows)]
    left = max(map(len, about))
    columns = [[name, *(row[name] for row in rows)] for name in names]
    widths = [max(map(len, column)) for column in columns]
    gap = 2 if left + sum(widths) + 2 * len(widths) <= _WIDTH else 1
    columns = [
        [f"{cell:>{gap + width}}" for cell in column]
        for column, width in zip(columns, widths, strict=True)
    ]
    parts = ([[f"{name:{left}}" for name in about], *part] for part in _parts(columns, left))
    return "\n".join("".join(cells) for part in parts for cells in zip(*part, strict=True))


def _parts(columns: list[list[str]], left: int) -> Iterator[list[list[str]]]:
    """Yield the columns that fit beside each other."""
    part: list[list[str]] = []
    for column in columns:
        if part and left + sum(len(each[0]) for each in [*part, column]) > _WIDTH:
            yield part
            part = []
        part.append(column)
    yield part


def _cut(name: str) -> str:
    name = " ".join(name.split())
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}~"
