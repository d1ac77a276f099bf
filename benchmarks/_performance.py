"""Writes docs/performance.md and its plots, of what all benchmarks have told."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from . import _growth_plot
from ._page import rewrite
from ._report import Curve, Setting, TableTold, as_markdown
from .dashboard import _told as _onlookers
from .dashboard._told import Told as OnlookersTold
from .peers import _plot
from .peers import _report as _peers
from .peers._report import PeersTold
from .runs.trackers import _report as _trackers
from .runs.trackers._report import TrackersTold

BEGIN: Final = "<!-- measured: from here on written by `make bench` -->"
DOCS: Final = Path(__file__).parents[1] / "docs"
PAGE: Final = "performance.md"
GROWTH: Final = "performance-growth.svg"
PEERS: Final = "performance-peers.svg"
_FIRST: Final = ("runtime", "peers", "configs")
"""The folders that are told first; the others follow."""


Told = TableTold | PeersTold | TrackersTold | OnlookersTold


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One table, or what else a benchmark has told, and what it was measured with."""

    setting: Setting
    told: Told


def read_json(file: Path) -> list[Record]:
    """Return what was appended to a file."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [msgspec.json.decode(line, type=Record) for line in lines]


def write_page(records: Sequence[Record], docs: Path = DOCS) -> None:
    """Write the measured part of the page, and the plots for which there is something."""
    rewrite(docs / PAGE, BEGIN, measured(records))
    curves = curves_of(records)
    if curves:
        (docs / GROWTH).write_text(_growth_plot.draw(curves), encoding="utf-8")
    for record in records:
        if isinstance(record.told, PeersTold):
            (docs / PEERS).write_text(_plot.draw(record.told), encoding="utf-8")


def curves_of(records: Sequence[Record]) -> list[Curve]:
    """Return all lines of the plot of growth."""
    tables = [record.told for record in records if isinstance(record.told, TableTold)]
    return [curve for table in tables for curve in table.curves]


def measured(records: Sequence[Record]) -> str:
    """Write all that was measured as Markdown."""
    parts = ["\n".join(f"- {line}." for line in _about(records)), _goals(records)]
    modules: dict[str, list[Record]] = {}
    for record in sorted(records, key=_place):
        modules.setdefault(record.setting.module, []).append(record)
    for found in modules.values():
        setting = found[0].setting
        summary, _, more = setting.about.strip().partition("\n\n")
        parts.append(f"### {_flat(summary).rstrip('.')}")
        parts += [_flat(paragraph) for paragraph in more.split("\n\n") if paragraph]
        parts.append(f"`python -m {setting.module}`; {_when(setting)}.")
        parts += [_told(record.told) for record in found]
    return "\n\n".join(part for part in parts if part)


def _told(told: Told) -> str:
    if isinstance(told, TrackersTold):
        return _trackers.as_markdown(told)
    if isinstance(told, OnlookersTold):
        return _onlookers.as_markdown(told)
    if not isinstance(told, PeersTold):
        return as_markdown(told)
    plot = f"![How many times its floor a call takes, with each peer]({PEERS})"
    return f"{plot}\n\n{_peers.as_markdown(told)}"


def _about(records: Sequence[Record]) -> list[str]:
    settings = [record.setting for record in records]
    times, loads = [each.time for each in settings], [each.load for each in settings]
    versions = {name: number for each in settings for name, number in each.versions.items()}
    lines = [
        f"{min(times)} to {max(times)}; {settings[0].machine}",
        ", ".join(f"{name} {number}" for name, number in versions.items()),
        f"the load before each benchmark: {min(loads):.2f} to {max(loads):.2f} processes",
    ]
    missing = {name for each in settings for name in each.missing}
    if missing:
        lines.append(f"not installed, so their rows are left out: {', '.join(sorted(missing))}")
    if any(setting.is_quick for setting in settings):
        lines.append("made with `--quick`: **these numbers mean nothing**")
    return lines


def _goals(records: Sequence[Record]) -> str:
    tables = [record.told for record in records if isinstance(record.told, TableTold)]
    judged = [row for table in tables for row in table.rows if row.goal]
    reached = sum(row.reached is True for row in judged)
    curves = curves_of(records)
    told = f"Goals reached: {reached} of {len(judged)}." if judged else ""
    if curves:
        flat = sum(curve.is_flat for curve in curves)
        told += f" Costs that are flat: {flat} of {len(curves)}."
        told += f"\n\n![The cost of one operation, by how many there are]({GROWTH})"
    return told


def _when(setting: Setting) -> str:
    return f"{setting.time}, {setting.rounds} rounds, load {setting.load:.2f}"


def _place(record: Record) -> int:
    folder = record.setting.module.split(".")[1]
    return _FIRST.index(folder) if folder in _FIRST else len(_FIRST)


def _flat(paragraph: str) -> str:
    return " ".join(paragraph.split())
