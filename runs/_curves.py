"""Curves of metrics: what a plot shows, read once, smoothed if asked for, and thinned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import inf, isfinite, log10, nan
from typing import Any, Final, cast

import msgspec

from ._errors import RunArgumentError, RunError
from ._info import RunInfo
from ._lines import Line
from ._missing import told_known
from ._points import Points
from ._reading import RunFolder
from ._scores import numbers_of

MOST_POINTS: Final = 2_000
"""How many points a curve has at most: more than a plot has columns."""
_LARGEST: Final = 1e300
"""What is drawn at most: scales need room to calculate."""
_UNITS: Final = (("s", 1.0), ("min", 60.0), ("h", 3_600.0), ("d", 86_400.0))
_LONG: Final = 3.0
"""How many of a unit there are at least, for it to be taken."""


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn of one metric of one run.

    Attributes:
        run: `project/prefix`.
        metric: `train.loss`.
        label: what tells it from the others.
        x: where its points are,
        y: and how high; NaN is a gap.
        raw: how high they were before they were smoothed; nothing, if they were not.
    """

    run: str
    metric: str
    label: str
    x: list[float]
    y: list[float]
    raw: list[float] = msgspec.field(default_factory=list[float])


class Plotted(msgspec.Struct, frozen=True, kw_only=True):
    """Curves, and what their axes are called."""

    curves: list[Curve]
    x_label: str
    y_label: str
    is_log: bool


def plotted(
    runs: Sequence[RunFolder],
    metrics: Iterable[str] | None,
    *,
    x: str = "step",
    smooth: float = 0.0,
    log: bool = False,
) -> Plotted:
    """Return the curves of some metrics of some runs.

    Raises:
        RunError: there is nothing to draw: it says which metrics there are.
    """
    if not 0 <= smooth < 1:
        raise RunArgumentError(f"smooth={smooth!r}: from 0 (not at all) to less than 1, as 0.9")
    if not runs:
        raise RunArgumentError("a plot is of runs: plot('project/my-experiment', metric=...)")
    infos = [RunInfo.of(run) for run in runs]
    names = _wanted(infos, metrics)
    found: list[tuple[RunInfo, str, list[float], list[float]]] = []
    has_x = True
    for run, info in zip(runs, infos, strict=True):
        for name in names:
            place = _place_of(info, name)
            if place is not None:
                xs, ys, is_there = _read(run, *place, x, smooth > 0)
                has_x = has_x and is_there
                found.append((info, name, xs, ys))
    if not any(isfinite(each) for _, _, _, ys in found for each in ys):
        places = "" if x == "step" else f", and of {x!r}"
        raise RunError(f"nothing to plot: no point has a number of {' or '.join(names)}{places}")
    unit = "" if x != "ts" or not has_x else _in_unit([xs for _, _, xs, _ in found])
    curves = [
        _curve(info, name, label, xs, ys, smooth, log)
        for (info, name, xs, ys), label in zip(found, _labels(found, names), strict=True)
    ]
    return Plotted(
        curves=curves,
        x_label=f"time since the first point [{unit}]" if unit else x if has_x else "point",
        y_label=", ".join(names) if len(names) <= 3 else "value",
        is_log=log,
    )


def _wanted(infos: Sequence[RunInfo], metrics: Iterable[str] | None) -> list[str]:
    known = {name: None for info in infos for name in numbers_of(info)}
    if metrics is None:
        if len(known) == 1:
            return [*known]
        if not known:
            raise RunError("nothing to plot: no metric has numbers")
        raise RunError(f"say which metric{told_known('', known)}")
    names = list(dict.fromkeys(metrics))
    if not names:
        raise RunArgumentError("metric: the name of one, as 'train.loss'")
    for name in names:
        if all(_place_of(info, name) is None for info in infos):
            raise RunError(f"no run has numbers of the metric {name!r}{told_known(name, known)}")
    return names


def _place_of(info: RunInfo, name: str) -> tuple[str, str] | None:
    """Return the metric and the field that a name means: dots may be in both."""
    for cut in reversed([place for place, each in enumerate(name) if each == "."]):
        if name[cut + 1 :] in info.metrics.get(name[:cut], ()):
            return name[:cut], name[cut + 1 :]
    fields = [each for each in info.metrics.get(name, ()) if each not in ("step", "epoch")]
    if "value" in fields or len(fields) == 1:
        return name, "value" if "value" in fields else fields[0]
    having = [metric for metric, each in info.metrics.items() if name in each]
    return (having[0], name) if len(having) == 1 else _nested_place_of(info, name)


def _nested_place_of(info: RunInfo, name: str) -> tuple[str, str] | None:
    """Return the metric and the way to a number inside a field: `results/answer.value.score`."""
    for cut in (place for place, each in enumerate(name) if each == "."):
        top, *_ = name[cut + 1 :].split(".")
        told = info.metrics.get(name[:cut], {}).get(top)
        seen = () if told is None else (told.last, told.first)
        if any(isfinite(number_of(_at({top: each}, name[cut + 1 :]))) for each in seen):
            return name[:cut], name[cut + 1 :]
    return None


def _at(line: Line, field: str) -> Any:
    """Return a field of a point, or what is inside one; None if it is not there."""
    if field in line:
        return line[field]
    found: Any = line
    for part in field.split("."):
        found = cast("dict[str, Any]", found).get(part) if isinstance(found, dict) else None
    return found


def _read(
    run: RunFolder, metric: str, field: str, x: str, is_whole: bool
) -> tuple[list[float], list[float], bool]:
    """Return where points are, how high, and whether they say where: else they are counted."""
    points = Points(run.path, metric)
    top = field.partition(".")[0]
    lines: Iterable[Line] = (
        points.stream(fields=(field, top, x))
        if is_whole or "." in field
        else points.read(fields=(field, x), max_points=MOST_POINTS)
    )
    xs: list[float] = []
    ys: list[float] = []
    counted: list[float] = []
    values: list[float] = []
    for count, line in enumerate(lines):
        value = _at(line, field)
        if value is None and field not in line:
            continue
        place, height = number_of(line.get(x)), number_of(value)
        counted.append(count)
        values.append(height)
        if isfinite(place):
            if x == "step" and xs and place < xs[-1]:  # it began again: no line leads back
                xs.append(place)
                ys.append(nan)
            xs.append(place)
            ys.append(height)
    return (xs, ys, True) if xs or x != "step" else (counted, values, False)


def number_of(value: Any) -> float:
    """Return a number as one that can be drawn; NaN for what is none, or too large.

    Example:
        >>> from understudy.runs._curves import number_of
        >>> number_of(3), number_of("3"), number_of(10**400)
        (3.0, nan, nan)
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and -_LARGEST < value < _LARGEST else nan


def _in_unit(columns: list[list[float]]) -> str:
    """Have times begin at 0, each curve's own, and return the unit that they are in now."""
    for column in columns:
        first = min(column, default=0.0)
        column[:] = [each - first for each in column]
    longest = max((max(column, default=0.0) for column in columns), default=0.0)
    unit, seconds = next(
        (each for each in reversed(_UNITS) if longest >= _LONG * each[1]), _UNITS[0]
    )
    for column in columns:
        column[:] = [each / seconds for each in column]
    return unit


def _labels(
    found: Sequence[tuple[RunInfo, str, list[float], list[float]]], names: Sequence[str]
) -> Iterator[str]:
    """Yield what tells each curve from the others."""
    projects = {info.project for info, *_ in found}
    runs = {info.id for info, *_ in found}
    for info, name, *_ in found:
        run = info.prefix if len(projects) == 1 else f"{info.project}/{info.prefix}"
        if len(names) == 1:
            yield run
        else:
            yield name if len(runs) == 1 else f"{run} {name}"


def _curve(
    info: RunInfo,
    name: str,
    label: str,
    xs: list[float],
    ys: list[float],
    smooth: float,
    log: bool,
) -> Curve:
    raw: list[float] = []
    if smooth:
        smoothed = _smoothed(ys, smooth)
        places = _corners(ys) if len(ys) > MOST_POINTS else [*range(len(ys))]
        xs = [xs[place] for place in places]
        raw = [ys[place] for place in places]
        ys = [smoothed[place] for place in places]
    if log:
        ys = [each if each > 0 else nan for each in ys]
        raw = [each if each > 0 else nan for each in raw]
    ys = [each if isfinite(each) else nan for each in ys]
    raw = [each if isfinite(each) else nan for each in raw]
    told = f"{info.project}/{info.prefix}"
    return Curve(run=told, metric=name, label=label, x=xs, y=ys, raw=raw)


def _smoothed(values: Iterable[float], share: float) -> list[float]:
    """Return the running means: each is so much of the one before, and the rest of its own.

    The first ones are means as well, of fewer, not drawn towards nothing.

    Example:
        >>> from understudy.runs._curves import _smoothed
        >>> _smoothed([1.0, 1.0, 4.0], 0.5)
        [1.0, 1.0, 2.7142857142857144]
    """
    mean = weight = 0.0
    smoothed: list[float] = []
    for value in values:
        if not isfinite(value):
            smoothed.append(nan)
            continue
        mean = share * mean + (1 - share) * value
        weight = share * weight + (1 - share)
        smoothed.append(mean / weight)
    return smoothed


def _corners(values: Sequence[float]) -> list[int]:
    """Return the places of the least and the greatest of each stretch, and of both ends."""
    stretches = MOST_POINTS // 2 - 1
    kept = {0, len(values) - 1}
    for number in range(stretches):
        low = len(values) * number // stretches
        high = len(values) * (number + 1) // stretches
        kept.add(min(range(low, high), key=lambda place: _or(values[place], inf)))
        kept.add(max(range(low, high), key=lambda place: _or(values[place], -inf)))
    return sorted(kept)


def _or(value: float, otherwise: float) -> float:
    return value if isfinite(value) else otherwise


def heights(curve: Curve, is_log: bool) -> list[float]:
    """Return how high points are drawn; NaN is a gap."""
    return [log10(each) if each > 0 else nan for each in curve.y] if is_log else curve.y
