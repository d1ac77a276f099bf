"""Tells what was measured: an aligned table for people, a line of JSON for programs."""

import json
import math
import os
import platform
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from ._harness import Goal, Result, Table

_OURS = ("understudy", "msgspec", "PyYAML")
_COLUMNS = ("case", "median", "least", "ratio", "on top", "goal", "")


class Setting(NamedTuple):
    """What a run was made with."""

    python: str
    versions: dict[str, str]
    missing: list[str]
    cpus: int
    rounds: int

    @classmethod
    def of_this_run(cls, rounds: int, peers: Iterable[str]) -> "Setting":
        """Look up the versions of what is measured."""
        versions: dict[str, str] = {}
        missing: list[str] = []
        for name in (*_OURS, *peers):
            try:
                versions[name] = version(name)
            except PackageNotFoundError:
                missing.append(name)
        python = f"{platform.python_implementation()} {platform.python_version()}"
        return cls(python, versions, missing, os.cpu_count() or 1, rounds)


def heading(summary: str, setting: Setting) -> str:
    """Write what all tables of a benchmark have in common."""
    versions = ", ".join(f"{name} {number}" for name, number in setting.versions.items())
    lines = [
        f"# {summary}",
        f"{setting.python}; {versions}",
        f"{setting.cpus} CPUs; {setting.rounds} rounds; CPU time (or bytes) per operation",
    ]
    if setting.missing:
        lines.append(f"not installed, so their rows are left out: {', '.join(setting.missing)}")
    return "\n".join(lines)


def render(table: Table, results: Sequence[Result]) -> str:
    """Write a table: under each baseline stands what is compared with it."""
    rows = [_COLUMNS, *(_row(result, table.unit) for result in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if place in (0, len(row) - 1) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join((table.title, "-" * max(map(len, lines)), *lines))


def append_json(file: Path, table: Table, setting: Setting, results: Sequence[Result]) -> None:
    """Append a table to a file, as one line; times are in seconds, memory in bytes."""
    record = {
        "title": table.title,
        "unit": table.unit,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **setting._asdict(),
        "cases": [
            {
                "name": result.case.name,
                "baseline": result.case.baseline or None,
                "median": result.median,
                "least": result.least,
                "ratio": result.ratio,
                "on_top": result.extra,
                "over": result.over,
                "goal": result.case.goal and _goal(result.case.goal, table.unit),
                "reached": result.is_reached,
            }
            for result in results
        ],
    }
    with file.open("a", encoding="utf-8") as opened:
        opened.write(json.dumps(record) + "\n")


def _row(result: Result, unit: str) -> tuple[str, ...]:
    goal = result.case.goal
    median, least = _amount(result.median, unit), _amount(result.least, unit)
    told = (
        "" if goal is None else _goal(goal, unit),
        {None: "", True: "reached", False: "missed"}[result.is_reached],
    )
    if result.ratio is None or result.extra is None:
        return (result.case.name, median, least, "1 =", "", *told)
    over = "" if result.over is None else f" ({result.over:+.2f})"
    ratio = f"{result.ratio:.2f}{over}"
    return (f"  {result.case.name}", median, least, ratio, _amount(result.extra, unit), *told)


def _goal(goal: Goal, unit: str) -> str:
    parts = [] if goal.ratio == math.inf else [f"<= {goal.ratio:g}"]
    if goal.over:
        parts = [f"<= +{goal.ratio:g}"]
    if goal.extra != math.inf:
        parts.append(f"<= {_amount(goal.extra, unit)} on top")
    if goal.total != math.inf:
        parts.append(f"<= {_amount(goal.total, unit)}")
    return ", ".join(parts)


def _amount(value: float, unit: str) -> str:
    if unit == "B":
        return f"{value:.0f} B"
    for name, size in (("s ", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if abs(value) >= size:
            return f"{value / size:.3g} {name}".rstrip()
    return f"{value / 1e-9:.3g} ns"
