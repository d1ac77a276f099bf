"""What plots have in common: an SVG by hand, that is light or dark as its reader is."""

import math
from collections.abc import Iterable, Sequence
from typing import Final
from xml.sax.saxutils import escape

LIGHT: Final = ("#0969da", "#bc4c00", "#8250df", "#1a7f37", "#cf222e", "#9a6700", "#bf3989")
DARK: Final = ("#58a6ff", "#f0883e", "#bc8cff", "#3fb950", "#ff7b72", "#d29922", "#f778ba")
_STYLE: Final = """
  svg { font: 12px system-ui, sans-serif; }
  .paper { fill: #ffffff; } .ink { fill: #1f2328; } .dim { fill: #59636e; }
  .rule { stroke: #d1d9e0; } .title { font-weight: 600; } .small { font-size: 10.5px; }
  polyline { fill: none; stroke-width: 2; } .second { stroke-dasharray: 5 3; }
"""
_DARK_STYLE: Final = """
    .paper { fill: #0d1117; } .ink { fill: #f0f6fc; } .dim { fill: #9198a1; }
    .rule { stroke: #3d444d; }
"""


def page(width: int, height: float, title: str, parts: Iterable[str]) -> str:
    """Return a whole SVG."""
    light, dark = (
        "\n".join(
            f"  .line{place} {{ stroke: {color}; }} .mark{place} {{ fill: {color}; }}"
            for place, color in enumerate(colors)
        )
        for colors in (LIGHT, DARK)
    )
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:g}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}{light}",
        f"  @media (prefers-color-scheme: dark) {{{_DARK_STYLE}{dark}",
        "  }</style>",
        f'<rect class="paper" width="{width}" height="{height:g}"/>',
        text(12, 22, title, "ink title"),
    ]
    return "\n".join([*head, *parts, "</svg>", ""])


def text(
    x: float, y: float, words: str, style: str, *, end: bool = False, middle: bool = False
) -> str:
    """Return a text that begins, ends, or has its middle there."""
    anchor = ' text-anchor="end"' if end else ' text-anchor="middle"' if middle else ""
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}"{anchor}>{escape(words)}</text>'


def rule(x1: float, y1: float, x2: float, y2: float) -> str:
    """Return a thin line."""
    return f'<line class="rule" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def polyline(points: Sequence[tuple[float, float]], style: str) -> str:
    """Return a line through points."""
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="{style}" points="{joined}"/>'


def dot(x: float, y: float, style: str, r: float = 3.5) -> str:
    """Return a dot."""
    return f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="{r:g}"/>'


def logarithmic(value: float, least: float, most: float, start: float, end: float) -> float:
    """Return where a value stands on an axis of powers; beyond its ends, at them."""
    if most <= least:
        return start
    held = min(max(value, least), most)
    return start + (end - start) * math.log(held / least) / math.log(most / least)
