"""Plots of metrics, drawn by matplotlib: to look at, or as SVG and PNG."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from importlib import import_module
from io import BytesIO
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from understudy.configs import ExtraNotInstalledError

from ._curves import Curve, Plotted, plotted
from ._errors import RunArgumentError
from ._info import RunInfo
from ._missing import refuse_without_folder
from ._reading import RunFolder
from ._state import replace
from ._which import which

if TYPE_CHECKING:
    from ._run import Run

_COLOURS: Final = (
    *("#0969da", "#bc4c00", "#1a7f37", "#8250df"),
    *("#bf3989", "#9a6700", "#1b7c83", "#57606a"),
)
_DASHES: Final = ("-", "--", ":", "-.")
_INK: Final = "#1f2328"
_DIM: Final = "#59636e"
_STYLE: Final = {
    "axes.edgecolor": "#afb8c1",
    "axes.grid": True,
    "axes.labelcolor": _DIM,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": _INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "font.size": 10,
    "grid.color": "#eaeef2",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.solid_joinstyle": "round",
    "svg.fonttype": "path",
    "svg.hashsalt": "understudy",  # ids in an SVG are random without one
    "text.parse_math": False,  # a name may have a $
    "xtick.color": _DIM,
    "ytick.color": _DIM,
}
_METADATA: Final[dict[str, dict[str, Any]]] = {".svg": {"Date": None}, ".png": {}}
_MOST_LABELS: Final = 20
_LEGEND_WIDTH: Final = 96
"""How many letters are beside each other in a legend."""
_DOTS_PER_INCH: Final = 160


def plot(
    *runs: RunInfo | RunFolder | Run | str,
    metric: str | Iterable[str] | None = None,
    x: str = "step",
    smooth: float = 0.0,
    log: bool = False,
    output: str | os.PathLike[str] | None = None,
    title: str | None = None,
    size: tuple[float, float] = (8.0, 4.5),
    root: str | os.PathLike[str] | None = None,
) -> Any:
    """Plot metrics of runs, each curve in a colour of its own; matplotlib draws it.

    Of a long metric the points are drawn that its curve needs. The same runs give the same SVG,
    byte for byte.

    Args:
        runs: the runs, or their names, as `get` takes them.
        metric: `train.loss`, the field `loss` of the metric `train`; or several. If there is
            only one, it need not be named.
        x: what is to the right: `step`, `ts`, which is the time since the first point, or a field.
        smooth: how much of each point is taken from those before it: from 0, nothing, to 0.99.
            What was logged is drawn behind it, pale.
        log: whether the scale is logarithmic; what is not above 0 is a gap then.
        output: the file that it is saved to: `.svg` or `.png`.
        title: what stands above.
        size: its width and height, in inches.
        root: the folder that the runs are in, if names are given.

    Returns:
        the Figure of matplotlib, which notebooks show.

    Raises:
        RunError: there is no such run, or no such metric.
        ExtraNotInstalledError: matplotlib is not installed.

    Example:
        >>> from understudy import runs
        >>> for lr in (0.1, 0.2):
        ...     with runs.Run(prefix=f"lr-{lr}") as run:
        ...         for step in range(100):
        ...             run.metrics("train").log(step=step, loss=1 / (1 + step * lr))
        >>> figure = runs.plot("lr-0.1", "lr-0.2", metric="train.loss", output="loss.svg")
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['lr-0.1', 'lr-0.2']
    """
    target = None if output is None else Path(output)
    if target is not None and target.suffix.lower() not in _METADATA:
        raise RunArgumentError(f"output={str(output)!r}: a plot is saved as .svg or .png")
    names = [metric] if isinstance(metric, str) else metric
    found = plotted([_folder(run, root) for run in runs], names, x=x, smooth=smooth, log=log)
    return draw(found, target, title, size)


def draw(
    found: Plotted, target: Path | None, title: str | None, size: tuple[float, float] = (8.0, 4.5)
) -> Any:
    """Draw curves, and save them if it is said where to."""
    try:
        style: Any = import_module("matplotlib.style")
        figures: Any = import_module("matplotlib.figure")
    except ImportError:
        raise ExtraNotInstalledError("a plot", "matplotlib") from None
    with style.context(["default", _STYLE]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in signs no font has
        figure = figures.Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        _fill(axes, found)
        axes.set_xlabel(found.x_label)
        axes.set_ylabel(found.y_label)
        if title is not None:
            axes.set_title(title)
        elif len(found.curves) == 1:
            axes.set_title(found.curves[0].label)
        _add_legend(figure, axes, found.curves)
        if target is not None:
            _save(figure, target)
    return figure


def _fill(axes: Any, found: Plotted) -> None:
    if found.is_log:
        _make_logarithmic(axes)
    for number, curve in enumerate(found.curves):
        colour = _COLOURS[number % len(_COLOURS)]
        dashes = _DASHES[number // len(_COLOURS) % len(_DASHES)]
        is_short = sum(map(isfinite, curve.y)) < 3
        if curve.raw:
            axes.plot(curve.x, curve.raw, color=colour, alpha=0.22, linewidth=1.0)
        axes.plot(
            curve.x,
            curve.y,
            color=colour,
            linestyle=dashes,
            marker="o" if is_short else None,
            markersize=4,
            label=_label(curve),
        )
    axes.margins(x=0.01)


def _make_logarithmic(axes: Any) -> None:
    """Have the scale be logarithmic, with numbers beside it that need no mathtext, which is off."""
    ticker: Any = import_module("matplotlib.ticker")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(ticker.LogFormatter())
    axes.yaxis.set_minor_formatter(ticker.LogFormatter(labelOnlyBase=False))


def _add_legend(figure: Any, axes: Any, curves: list[Curve]) -> None:
    if len(curves) == 1:
        return
    labels = {_label(curve) for curve in curves}
    lines = [line for line in axes.get_lines() if line.get_label() in labels][:_MOST_LABELS]
    more = len(curves) - _MOST_LABELS
    figure.legend(
        handles=lines,
        loc="outside lower left",
        ncols=max(1, min(4, _LEGEND_WIDTH // (max(map(len, labels)) + 6))),
        labelcolor=_INK,
        title=None if more <= 0 else f"the first {_MOST_LABELS}; {more} more are drawn",
    )


def _label(curve: Curve) -> str:
    """Return what a legend shows: matplotlib leaves out what begins with a `_`."""
    label = curve.label if len(curve.label) <= 60 else f"{curve.label[:28]}…{curve.label[-28:]}"
    label = "".join(each if each.isprintable() else " " for each in label)
    return f" {label}" if label.startswith("_") else label


def _save(figure: Any, target: Path) -> None:
    """Write the file, whole or not at all."""
    refuse_without_folder(target)
    suffix = target.suffix.lower()
    drawn = BytesIO()
    figure.savefig(drawn, format=suffix[1:], dpi=_DOTS_PER_INCH, metadata=_METADATA[suffix])
    replace(target, drawn.getvalue(), is_synced=False)


def _folder(run: RunInfo | RunFolder | Run | str, root: str | os.PathLike[str] | None) -> RunFolder:
    if isinstance(run, RunFolder):
        return run
    if isinstance(run, str):
        return which(run, root)
    return RunFolder(run.path or "") if isinstance(run, RunInfo) else run.read()
