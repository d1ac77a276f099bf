"""Draws what was measured: for each case the p99 of the lead, without a shadow and with it.

An SVG by hand, that is light or dark as its reader is. A line leads from the p99 without a shadow
(a tick) to the one with it (a mark). Where too many requests were lost for there to be one, the
mark stands at the right edge, hollow.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from ._cells import APART, CASES, LIBRARIES, TITLES, WAYS, Way, why_not
from ._table import Report
from ._verdict import EXTRA, RATIO, Verdict

_WIDTH: Final = 860
_LEFT: Final = 190
_RIGHT: Final = 640
_NEVER: Final = 690
_LINE: Final = 13
_GAP: Final = 9
_FROM, _TO = 0.004, 4.0
_TICKS: Final = (0.005, 0.01, 0.1, 1.0)

_STYLE: Final = """
  svg { font: 12px system-ui, sans-serif; }
  .paper { fill: #ffffff; } .ink { fill: #1f2328; } .dim { fill: #59636e; }
  .rule { stroke: #d1d9e0; } .band { fill: #1a7f37; opacity: .13; }
  .understudy { fill: #0969da; stroke: #0969da; }
  .spearmint { fill: #bc4c00; stroke: #bc4c00; }
  .laboratory { fill: #8250df; stroke: #8250df; }
  .by_hand { fill: #59636e; stroke: #59636e; }
  .never { fill: none; stroke-width: 2; } .title { font-weight: 600; } .small { font-size: 10.5px; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; } .ink { fill: #f0f6fc; } .dim { fill: #9198a1; }
    .rule { stroke: #3d444d; } .band { fill: #3fb950; opacity: .2; }
    .understudy { fill: #58a6ff; stroke: #58a6ff; }
    .spearmint { fill: #f0883e; stroke: #f0883e; }
    .laboratory { fill: #bc8cff; stroke: #bc8cff; }
    .by_hand { fill: #9198a1; stroke: #9198a1; }
    .never { fill: none; }
  }
"""


def draw(report: Report) -> str:
    """Return the SVG."""
    parts: list[str] = []
    y = 68
    for way, title in WAYS.items():
        verdicts = report.of(way)
        if verdicts:
            parts += _text(12, y, f"{title[0].upper()}{title[1:]}", "ink title")
            panel, y = _panel(way, verdicts, y + 12)
            parts += [*panel]
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" role="img">',
        "<title>The p99 of the lead, without a shadow and with one that misbehaves</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{y}"/>',
        *_text(
            12, 22, "The p99 of the lead, without a shadow (tick) and with one (mark)", "ink title"
        ),
        *_legend(),
    ]
    return "\n".join([*head, *parts, "</svg>", ""])


def _legend() -> Iterator[str]:
    x = 12.0
    for library in LIBRARIES:
        yield _mark(library, x + 5, 38)
        yield from _text(x + 16, 42, TITLES[library], "ink")
        x += 92
    yield f'<rect class="band" x="{x}" y="31" width="22" height="13"/>'
    yield from _text(x + 28, 42, "what is allowed", "ink")
    yield _mark("understudy", x + 145, 38, never=True)
    yield from _text(x + 156, 42, "hollow: over 1 % have no answer", "ink")


def _panel(way: Way, verdicts: Sequence[Verdict], top: int) -> tuple[list[str], int]:
    """Return the rows of a way of calling, and where they end."""
    parts: list[str] = []
    y = top
    for case in CASES:
        found = [verdict for verdict in verdicts if verdict.cell.case == case]
        if not found:
            continue
        height = _LINE * len(found) + _GAP
        style = "dim" if case in APART else "ink"
        parts += _text(_LEFT - 10, y + height / 2 + 4, _name(case), f"{style}", end=True)
        for place, verdict in enumerate(found):
            parts += _drawn(verdict, y + _GAP / 2 + _LINE * (place + 0.5))
        y += height
        parts.append(f'<line class="rule" x1="12" x2="{_WIDTH - 12}" y1="{y}" y2="{y}"/>')
    for tick in _TICKS:
        x = _x(tick)
        parts.insert(0, f'<line class="rule" x1="{x}" x2="{x}" y1="{top}" y2="{y}"/>')
        parts += _text(x, y + 14, _seconds(tick), "dim small", middle=True)
    parts += _text(_NEVER, y + 14, "never", "dim small", middle=True)
    reasons = [f"{TITLES[each]}: {why_not(each, way)}" for each in LIBRARIES if why_not(each, way)]
    for place, reason in enumerate(reasons):
        parts += _text(12, y + 32 + 14 * place, reason, "dim small")
    return parts, y + 46 + 14 * len(reasons)


def _drawn(verdict: Verdict, y: float) -> Iterator[str]:
    library = verdict.cell.library
    alone, beside = verdict.p99_alone, verdict.p99
    start = _x(alone)
    if alone is not None:
        width = _x(alone * RATIO + EXTRA) - start
        yield f'<rect class="band" x="{start}" y="{y - 5:.1f}" width="{width:.1f}" height="10"/>'
    end = _x(beside)
    yield (
        f'<line class="{library}" x1="{start}" x2="{end}" y1="{y:.1f}" y2="{y:.1f}" '
        f'stroke-width="1.5"/>'
    )
    yield (
        f'<line class="{library}" x1="{start}" x2="{start}" y1="{y - 5:.1f}" y2="{y + 5:.1f}" '
        f'stroke-width="2"/>'
    )
    yield _mark(library, end, y, never=beside is None)
    yield from _text(max(end, start) + 9, y + 3.5, _told(verdict), "ink small")


def _told(verdict: Verdict) -> str:
    """Return what a mark cannot say."""
    told: list[str] = []
    if verdict.lost:
        part = verdict.lost / verdict.requests
        told.append("<1% lost" if part < 0.01 else f"{part:.0%} lost")
    if any("process" in each for each in verdict.harm):
        told.append("its process ended")
    told += [each for each in verdict.harm if each in ("accounts wrong", "over its limits")]
    return ", ".join(told)


def _mark(library: str, x: float, y: float, never: bool = False) -> str:
    style = f'class="{library}{" never" if never else ""}"'
    if library == "understudy":
        return f'<circle {style} cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
    if library == "spearmint":
        return f'<rect {style} x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"/>'
    points = f"{x:.1f},{y - 5:.1f} {x + 5:.1f},{y + 4:.1f} {x - 5:.1f},{y + 4:.1f}"
    return f'<polygon {style} points="{points}"/>'


def _text(
    x: float, y: float, text: str, style: str, *, end: bool = False, middle: bool = False
) -> list[str]:
    if not text:
        return []
    anchor = ' text-anchor="end"' if end else ' text-anchor="middle"' if middle else ""
    return [f'<text class="{style}" x="{x:.1f}" y="{y:.1f}"{anchor}>{escape(text)}</text>']


def _x(seconds: float | None) -> float:
    if seconds is None:
        return _NEVER
    part = math.log(min(max(seconds, _FROM), _TO) / _FROM) / math.log(_TO / _FROM)
    return round(_LEFT + part * (_RIGHT - _LEFT), 1)


def _name(case: str) -> str:
    return f"({CASES[case]})" if case in APART else CASES[case]


def _seconds(seconds: float) -> str:
    return f"{seconds:g} s" if seconds >= 1 else f"{1e3 * seconds:g} ms"
