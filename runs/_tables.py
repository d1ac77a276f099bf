"""Tables of texts, plain and in HTML, and how values are shown in them."""

from collections.abc import Sequence
from html import escape
from time import localtime, strftime
from typing import Final

_WIDEST: Final = 40


def as_text(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table, its columns below each other.

    Example:
        >>> from understudy.runs._tables import as_text
        >>> print(as_text(["run", "loss"], [["a", "0.5"], ["long", "1"]]))
        run   loss
        a     0.5
        long  1
    """
    lines = [[_cut(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def as_html(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table for a notebook.

    Example:
        >>> from understudy.runs._tables import as_html
        >>> as_html(["run"], [["<a>"]])
        '<table><tr><th>run</th></tr><tr><td>&lt;a&gt;</td></tr></table>'
    """

    def line(cells: Sequence[str], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"

    body = "".join(line([_cut(cell) for cell in row], "td") for row in rows)
    return f"<table>{line(head, 'th')}{body}</table>"


def shown_value(value: object) -> str:
    r"""Return a value as a table shows it: a number with six digits.

    Example:
        >>> from understudy.runs._tables import shown_value
        >>> shown_value(1 / 3), shown_value("a\nb"), shown_value(None), shown_value(True)
        ('0.333333', 'a b', '', 'True')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return " ".join(text.split()) if not text.isprintable() else text


def shown_moment(seconds: float | None) -> str:
    """Return a time, here, as a table shows it."""
    if seconds is None:
        return ""
    try:
        return strftime("%Y-%m-%d %H:%M:%S", localtime(seconds))
    except (OverflowError, ValueError, OSError):
        return shown_value(seconds)


def shown_span(seconds: float | None) -> str:
    """Return a duration as a table shows it.

    Example:
        >>> from understudy.runs._tables import shown_span
        >>> shown_span(0.25), shown_span(90), shown_span(7_300), shown_span(200_000)
        ('0.2s', '1m 30s', '2h 1m', '2d 7h')
    """
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f}s"
    if not seconds < 1e12:
        return shown_value(seconds)
    whole = int(seconds)
    for small, large, (one, other) in (
        (1, 60, "ms"),
        (60, 3_600, "hm"),
        (3_600, 86_400, "dh"),
    ):
        if whole < large * (60 if large < 3_600 else 24) or large == 86_400:
            return f"{whole // large}{one} {whole % large // small}{other}"
    raise AssertionError


def _cut(cell: str) -> str:
    return cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 3]}..."
