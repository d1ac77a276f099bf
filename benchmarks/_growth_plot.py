"""Draws how costs grow: for each law a line on each loop, over how many there are of something."""

from collections.abc import Iterator, Sequence
from typing import Final

from ._report import Curve
from ._svg import dot, logarithmic, page, polyline, rule, text

_WIDTH: Final = 860
_LEFT, _RIGHT = 60, 560
_TOP, _BOTTOM = 70, 330
_HEIGHT: Final = 380
_LEAST: Final = 0.5
_TIMES: Final = (0.5, 1, 2, 5, 10, 20, 50)
_SIZES: Final = (1, 10, 100, 1_000, 10_000, 100_000)
_SECOND: Final = "uvloop"


def draw(curves: Sequence[Curve]) -> str:
    """Return the SVG."""
    title = "The cost of one operation, times that of the first, by how many there are"
    most = max([2.0, *(cost for curve in curves for _, cost in _relative(curve))])
    top = next((times for times in _TIMES if times >= most), _TIMES[-1])
    parts = [*_axes(top)]
    names = list(dict.fromkeys(_name(curve) for curve in curves))
    for curve in curves:
        place, is_second = names.index(_name(curve)), curve.name.startswith(_SECOND)
        points = [(_x(size), _y(cost, top)) for size, cost in _relative(curve)]
        parts.append(polyline(points, f"line{place}{' second' if is_second else ''}"))
        parts += [dot(x, y, f"mark{place}", 2.5) for x, y in points]
    for place, name in enumerate(names):
        y = _TOP + 10 + 20 * place
        parts += [dot(_RIGHT + 30, y - 4, f"mark{place}"), text(_RIGHT + 42, y, name, "ink")]
    y = _TOP + 20 + 20 * len(names)
    parts.append(text(_RIGHT + 26, y, "whole lines: asyncio; dashed: uvloop", "dim small"))
    return page(_WIDTH, _HEIGHT, title, parts)


def _axes(top: float) -> Iterator[str]:
    for size in _SIZES:
        yield rule(_x(size), _TOP, _x(size), _BOTTOM)
        yield text(_x(size), _BOTTOM + 16, f"{size:,}", "dim small", middle=True)
    for times in _TIMES:
        if times <= top:
            yield rule(_LEFT, _y(times, top), _RIGHT, _y(times, top))
            yield text(_LEFT - 8, _y(times, top) + 4, f"{times:g} x", "dim small", end=True)
    yield text((_LEFT + _RIGHT) / 2, _BOTTOM + 36, "how many there are", "dim", middle=True)


def _relative(curve: Curve) -> list[tuple[int, float]]:
    first = curve.points[0][1]
    return [(size, cost / first) for size, cost in curve.points]


def _name(curve: Curve) -> str:
    return f"{curve.name.partition(': ')[2]}, {curve.of}"


def _x(size: int) -> float:
    return logarithmic(size, _SIZES[0], _SIZES[-1], _LEFT, _RIGHT)


def _y(times: float, top: float) -> float:
    return logarithmic(times, _LEAST, top, _BOTTOM, _TOP)
