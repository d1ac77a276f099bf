"""Draws the peers: for each kind of call, how many times its floor each of them takes."""

from collections.abc import Iterator
from typing import Final

from benchmarks._svg import dot, logarithmic, page, rule, text

from ._report import LOOPS, KindTold, PeersTold, times

_WIDTH: Final = 860
_LEFT, _RIGHT = 240, 740
_LINE: Final = 15
_LEAST, _MOST = 0.05, 100_000.0
_TICKS: Final = (0.1, 1, 10, 100, 1_000, 10_000)
_OURS: Final = "understudy"


def draw(told: PeersTold) -> str:
    """Return the SVG."""
    parts: list[str] = []
    y = 66.0
    for kind in told.kinds:
        parts += [text(12, y, f"{kind.title[0].upper()}{kind.title[1:]}", "ink title")]
        panel = [*_panel(kind, y + 6)]
        parts += panel
        y += 6 + _LINE * len(kind.rows) + 44
    parts += [dot(18, 40, "mark0"), text(28, 44, "asyncio, or no loop", "ink")]
    parts += [dot(168, 40, "mark1"), text(178, 44, "uvloop", "ink")]
    return page(_WIDTH, y, "How many times its floor a call takes", parts)


def _panel(kind: KindTold, top: float) -> Iterator[str]:
    bottom = top + _LINE * len(kind.rows) + 4
    for tick in _TICKS:
        yield rule(_x(tick), top, _x(tick), bottom)
        yield text(_x(tick), bottom + 12, f"{tick:,g} x", "dim small", middle=True)
    for place, row in enumerate(kind.rows):
        y = top + _LINE * (place + 0.5) + 2
        style = "ink title" if row.title == _OURS else "dim"
        name = "the floor" if row.title.startswith("floor: ") else row.title
        yield text(_LEFT - 10, y + 4, name, f"{style} small", end=True)
        for number, loop in enumerate(LOOPS):
            if loop in row.cells:
                yield dot(_x(row.cells[loop].floors), y, f"mark{number}")
        ends = [cell.floors for cell in row.cells.values()]
        if ends:
            told = ", ".join(times(each) for each in ends)
            yield text(_x(max(ends)) + 8, y + 4, told, "dim small")


def _x(value: float) -> float:
    return logarithmic(value, _LEAST, _MOST, _LEFT, _RIGHT)
