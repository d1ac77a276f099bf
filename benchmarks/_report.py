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

from ._harness import Goal, Result

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
        f"{setting.cpus} CPUs; {setting.rounds} rounds; CPU time per operation",
    ]
    if setting.missing:
        lines.append(f"not installed, so their rows are left out: {', '.join(setting.missing)}")
    return "\n".join(lines)


def render(title: str, results: Sequence[Result]) -> str:
    """Write a table: under each baseline stands what is compared with it."""
    rows = [_COLUMNS, *(_row(result) for result in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if place in (0, len(row) - 1) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join((title, "-" * max(map(len, lines)), *lines))


def append_json(file: Path, title: str, setting: Setting, results: Sequence[Result]) -> None:
    """Append a table to a file, as one line; times are in seconds."""
    record = {
        "title": title,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **setting._asdict(),
        "cases": [
            {
                "name": result.case.name,
                "baseline": result.case.baseline or None,
                "median": result.seconds,
                "least": result.least,
                "ratio": result.ratio,
                "on_top": result.extra,
                "goal": result.case.goal and _goal(result.case.goal),
                "reached": result.is_reached,
            }
            for result in results
        ],
    }
    with file.open("a", encoding="utf-8") as opened:
        opened.write(json.dumps(record) + "\n")


def _row(result: Result) -> tuple[str, ...]:
    if result.ratio is None or result.extra is None:
        return (result.case.name, _time(result.seconds), _time(result.least), "1 =", "", "", "")
    return (
        f"  {result.case.name}",
        _time(result.seconds),
        _time(result.least),
        f"{result.ratio:.2f}",
        _time(result.extra),
        _goal(result.case.goal) if result.case.goal else "",
        {None: "", True: "reached", False: "missed"}[result.is_reached],
    )


def _goal(goal: Goal) -> str:
    parts = [] if goal.ratio == math.inf else [f"<= {goal.ratio:g}"]
    if goal.extra != math.inf:
        parts.append(f"<= {_time(goal.extra)} on top")
    return ", ".join(parts)


def _time(seconds: float) -> str:
    for unit, size in (("s ", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if abs(seconds) >= size:
            return f"{seconds / size:.3g} {unit}".rstrip()
    return f"{seconds / 1e-9:.3g} ns"
