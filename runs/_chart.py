"""Curves in a terminal: drawn in dots, two by four to a character."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from math import isfinite
from typing import Final

from understudy.terminal import cut, padded, printable, width_of

from ._command import Paint
from ._curves import Plotted, heights

_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a braille character, from above, left and right."""
_EMPTY: Final = 0x2800
_COLOURS: Final = ("blue", "red", "green", "magenta", "cyan", "yellow")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MOST_LABELS: Final = 20

Span = tuple[float, float]


def chart(plotted: Plotted, width: int, height: int, paint: Paint, *, is_coloured: bool) -> str:
    """Return curves as lines of text.

    Where colours do not tell curves apart, letters do.

    Args:
        plotted: the curves.
        width: how many columns there are,
        height: and how many rows, for the drawing alone.
        paint: what colours a text.
        is_coloured: whether it does.

    Example:
        >>> from understudy.runs._chart import chart
        >>> from understudy.runs._curves import Curve, Plotted
        >>> from understudy.terminal import plain
        >>> curve = Curve(run="p/r", metric="loss", label="r", x=[0, 1, 2], y=[2.0, 1.0, 0.0])
        >>> of = Plotted(curves=[curve], x_label="step", y_label="loss", is_log=False)
        >>> print(chart(of, 20, 3, plain, is_coloured=False))
        loss
        2 ┤⠉⠒⠢⠤⢄⣀
          │      ⠉⠑⠒⠤⣀⡀
        0 ┤           ⠈⠑⠒⠤⣀
          └────────────────
           0     step     2
        r
    """
    curves = [(curve.x, heights(curve, plotted.is_log)) for curve in plotted.curves]
    x_span = _span([each for xs, _ in curves for each in xs])
    y_span = _span([each for _, ys in curves for each in ys])
    ticks = _ticks(y_span, height, plotted.is_log)
    margin = max(map(len, ticks.values()))
    columns = max(4, width - margin - 3)
    is_dotted = _can_show("⣿┤│└─")
    in_letters = not is_dotted or (len(curves) > 1 and not is_coloured)
    grid = _Grid(columns, height)
    for number, (xs, ys) in enumerate(curves):
        grid.draw(number, xs, ys, x_span, y_span)
    sides = "┤│└─" if is_dotted else "+|+-"
    lines = [cut(printable(plotted.y_label), width)]
    for row in range(height):
        tick = ticks.get(row, "")
        side = sides[0] if tick else sides[1]
        drawn = "".join(grid.row(row, paint, in_letters=in_letters))
        lines.append(f"{tick:>{margin}} {side}{drawn}".rstrip())
    lines.append(f"{'':{margin}} {sides[2]}{sides[3] * columns}")
    lines.append(f"{'':{margin}}  {_below(plotted.x_label, x_span, columns)}")
    lines += _legend(plotted, width, paint, in_letters=in_letters)
    return "\n".join(cut(line, width) if "\x1b" not in line else line for line in lines)


class _Grid:
    """Characters, and which curve has drawn into which dots of them."""

    def __init__(self, columns: int, rows: int) -> None:
        self._columns, self._rows = columns, rows
        self._dots = [[0] * columns for _ in range(rows)]
        self._owner = [[0] * columns for _ in range(rows)]

    def draw(
        self, number: int, xs: Sequence[float], ys: Sequence[float], x_span: Span, y_span: Span
    ) -> None:
        """Draw a curve: lines from point to point, but not across a gap."""
        right, low = self._columns * 2 - 1, self._rows * 4 - 1
        before: tuple[int, int] | None = None
        for x, y in zip(xs, ys, strict=True):
            if not isfinite(y):
                before = None
                continue
            here = round(_share(x, x_span) * right), low - round(_share(y, y_span) * low)
            for dot in _between(before or here, here):
                self._set(number, *dot)
            before = here

    def row(self, row: int, paint: Paint, *, in_letters: bool) -> Iterator[str]:
        """Yield the characters of a row, those of one curve together, in its colour."""
        cells = [
            (owner if dots else -1, _sign(dots, owner, in_letters))
            for dots, owner in zip(self._dots[row], self._owner[row], strict=True)
        ]
        for owner, group in groupby(cells, key=lambda cell: cell[0]):
            text = "".join(sign for _, sign in group)
            is_painted = owner >= 0 and not in_letters
            yield paint(text, _COLOURS[owner % len(_COLOURS)]) if is_painted else text

    def _set(self, number: int, x: int, y: int) -> None:
        self._dots[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
        self._owner[y // 4][x // 2] = number


def _between(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Yield the dots of a line."""
    (x, y), (to_x, to_y) = start, end
    steps = max(abs(to_x - x), abs(to_y - y))
    for step in range(steps + 1):
        part = step / steps if steps else 0.0
        yield round(x + (to_x - x) * part), round(y + (to_y - y) * part)


def _span(values: Sequence[float]) -> Span:
    finite = [each for each in values if isfinite(each)]
    return (min(finite), max(finite)) if finite else (0.0, 0.0)


def _share(value: float, span: Span) -> float:
    low, high = span
    if high <= low:
        return 0.5
    return (value - low) / (high - low)


def _ticks(span: Span, height: int, is_log: bool) -> dict[int, str]:
    """Return what stands beside some rows: above, below, and between where there is room."""
    if span[0] == span[1]:
        return {(height - 1) // 2: _shown(span[0], is_log)}
    count = max(2, min(5, height // 3))
    ticks: dict[int, str] = {}
    for number in range(count):
        row = round((height - 1) * number / (count - 1))
        share = 1 - row / max(1, height - 1)
        ticks[row] = _shown(span[0] * (1 - share) + span[1] * share, is_log)
    return ticks


def _shown(value: float, is_log: bool) -> str:
    return f"{10**value if is_log else value:.4g}"


def _below(label: str, span: Span, columns: int) -> str:
    """Return the line below the drawing: both ends, and what they are of."""
    left, right = f"{span[0]:.6g}", f"{span[1]:.6g}"
    if span[0] == span[1]:
        right = ""
    room = columns - len(left) - len(right) - 2
    middle = cut(printable(label), max(0, room))
    free = max(0, columns - len(left) - len(right) - width_of(middle))
    return f"{left}{' ' * (free // 2)}{middle}{' ' * (free - free // 2)}{right}"


def _legend(plotted: Plotted, width: int, paint: Paint, *, in_letters: bool) -> Iterator[str]:
    curves = plotted.curves
    for number, curve in enumerate(curves[:_MOST_LABELS]):
        sign = f"{_letter(number)}  " if in_letters else "── " if len(curves) > 1 else ""
        label = cut(printable(curve.label), max(4, width - len(sign)))
        yield (paint(sign, _COLOURS[number % len(_COLOURS)]) if sign.strip() else "") + label
    if len(curves) > _MOST_LABELS:
        yield padded(f"... and {len(curves) - _MOST_LABELS} more", width).rstrip()


def _sign(dots: int, owner: int, in_letters: bool) -> str:
    if not dots:
        return " "
    return _letter(owner) if in_letters else chr(_EMPTY + dots)


def _letter(number: int) -> str:
    return _LETTERS[number % len(_LETTERS)]


def _can_show(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
