"""Tables for terminals: as wide as they may be, and no wider."""

from collections.abc import Sequence
from unicodedata import combining, east_asian_width

from ._text import printable

Rows = Sequence[Sequence[str]]


_LEGIBLE = 12
"""Columns that a text should have before numbers that can be spared are shown."""


def table(
    head: Sequence[str],
    rows: Rows,
    width: int,
    texts: int = 1,
    spared: Sequence[str] = (),
    *,
    shows_all: bool = False,
) -> list[str]:
    r"""Return the lines of a table: `texts` columns of texts to the left, then numbers.

    Columns of numbers that are all 0 or unknown are left out, but for `shows_all`. If it is too
    wide for texts that one can tell apart, so are those that can be spared, the first one first;
    then the texts are cut in their middle, the widest first.

    Example:
        >>> from understudy.terminal import table
        >>> print(*table(["config", "ok", "error"], [["large", "12", "0"]], 80), sep="\n")
        config  ok
        large   12
    """
    wanted = [
        place
        for place in range(len(head))
        if shows_all or place < texts or any(row[place] not in ("0", "-", "") for row in rows)
    ]
    cells = [[printable(row[place]) for place in wanted] for row in [head, *rows]]
    widths = [max(map(width_of, column)) for column in zip(*cells, strict=True)]
    for name in spared:
        legible = sum(min(each, _LEGIBLE) for each in widths[:texts])
        if legible + sum(widths[texts:]) + 2 * (len(widths) - 1) <= width:
            break
        if name in cells[0]:
            place = cells[0].index(name)
            del widths[place]
            for row in cells:
                del row[place]
    over = sum(widths) + 2 * (len(widths) - 1) - width
    for _ in range(max(0, over)):
        widest = max(range(texts), key=lambda place: widths[place])
        widths[widest] = max(4, widths[widest] - 1)
    return [
        "  ".join(
            padded(shortened(cell, widths[place]), widths[place], to_left=place < texts)
            for place, cell in enumerate(row)
        ).rstrip()
        for row in cells
    ]


def padded(text: str, width: int, *, to_left: bool = True) -> str:
    """Return a text that takes so many columns.

    Example:
        >>> from understudy.terminal import padded
        >>> padded("large", 7), padded("3", 3, to_left=False)
        ('large  ', '  3')
    """
    text = cut(text, width)
    room = " " * (width - width_of(text))
    return text + room if to_left else room + text


def cut(text: str, width: int) -> str:
    """Return a text that takes so many columns at most.

    Example:
        >>> from understudy.terminal import cut
        >>> cut("understudy", 6)
        'under…'
    """
    if width_of(text) <= width:
        return text
    kept = ""
    for character in text:
        if width_of(kept + character) >= width:
            break
        kept += character
    return f"{kept}…" if width > 0 else ""


def shortened(text: str, width: int) -> str:
    """Return a text that takes so many columns at most; what is cut is its middle.

    Names of siblings differ at their ends: `shop.answer`, `shop.rank`.

    Example:
        >>> from understudy.terminal import shortened
        >>> shortened("shop.answer", 7)
        'sho…wer'
    """
    if width_of(text) <= width:
        return text
    end = cut(text[::-1], width // 2 + 1)[:-1][::-1]
    return f"{cut(text, width - width_of(end))}{end}"


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes.

    Example:
        >>> from understudy.terminal import width_of
        >>> width_of("résumé"), width_of("日本")
        (6, 4)
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text
    )
