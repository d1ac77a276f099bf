"""Rewinding: points behind a step are hidden from then on; nothing is deleted.

A line of `rewinds.jsonl` says the step, and how long each metric was at that moment: what stands
before is hidden if its step is greater, what is appended after is not.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

from ._lines import Line, read_lines

FILE = "rewinds.jsonl"


class Span(NamedTuple):
    """A part of a metric's file, and the last step that is to be seen of it."""

    start: int
    stop: int | None
    last_step: float | None


def sizes_of(metrics: Path) -> dict[str, int]:
    """Return how long the file of each metric is, by the name of its folder."""
    sizes: dict[str, int] = {}
    try:
        with os.scandir(metrics) as found:
            folders = [entry.name for entry in found]
    except OSError:
        return sizes
    for name in folders:
        try:
            sizes[name] = os.stat(metrics / name / "data.jsonl").st_size
        except OSError:
            continue
    return sizes


def spans_of(run: Path, metric: str) -> list[Span]:
    """Return the parts of a metric's file, in order.

    Args:
        run: the folder of the run.
        metric: the name of the metric's folder.
    """
    return spans_in((line for lines in read_lines(run / FILE) for line in lines), metric)


def spans_in(rewinds: Iterable[Line], metric: str) -> list[Span]:
    """Return the parts of a metric's file, in order.

    Args:
        rewinds: the lines that tell of the rewinds.
        metric: the name of the metric's folder.
    """
    cuts = sorted(_cuts(rewinds, metric))
    spans: list[Span] = []
    start = 0
    for place, (end, _) in enumerate(cuts):
        if end > start:
            spans.append(Span(start, end, min(step for _, step in cuts[place:])))
            start = end
    return [*spans, Span(start, None, None)]


def is_seen(line: Line, span: Span) -> bool:
    """Whether a point is not hidden."""
    if span.last_step is None:
        return True
    step = line.get("step")
    return not isinstance(step, (int, float)) or step <= span.last_step


def _cuts(rewinds: Iterable[Line], metric: str) -> Iterator[tuple[int, float]]:
    for line in rewinds:
        sizes, step = line.get("sizes"), line.get("step")
        size = cast("dict[str, Any]", sizes).get(metric) if isinstance(sizes, dict) else None
        if isinstance(size, int) and isinstance(step, (int, float)):
            yield size, step
