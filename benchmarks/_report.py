"""What was measured, as it is told: a table with its goals, and what it was measured with."""

import math
import os
import platform
import time
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import msgspec

from ._harness import Goal, Law, Result, Table
from ._text import aligned, amount, markdown

_OURS: Final = ("understudy", "anyio", "msgspec", "structlog", "uvloop", "PyYAML")
_COLUMNS: Final = ("case", "median", "least", "ratio", "on top", "goal", "")
_VERDICTS: Final = {None: "", True: "reached", False: "missed"}


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was made with."""

    module: str
    about: str
    """What the benchmark says of itself: its docstring."""
    time: str
    python: str
    system: str
    cpu: str
    cpus: int
    load: float
    """How many processes were running, on average, in the minute before it began."""
    rounds: int
    is_quick: bool
    versions: dict[str, str]
    missing: list[str]

    @classmethod
    def of_this_run(
        cls, module: str, about: str, rounds: int, is_quick: bool, peers: Iterable[str]
    ) -> "Setting":
        """Look up what it is made with."""
        versions: dict[str, str] = {}
        missing: list[str] = []
        for name in (*_OURS, *peers):
            try:
                versions[name] = version(name)
            except PackageNotFoundError:
                missing.append(name)
        return cls(
            module=module,
            about=about,
            time=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            python=f"{platform.python_implementation()} {platform.python_version()}",
            system=f"{platform.system()} {platform.machine()}",
            cpu=_cpu(),
            cpus=os.cpu_count() or 1,
            load=os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
            rounds=rounds,
            is_quick=is_quick,
            versions=versions,
            missing=missing,
        )

    @property
    def summary(self) -> str:
        """What the benchmark asks, in one line."""
        return self.about.partition("\n")[0]

    @property
    def machine(self) -> str:
        """Where it was, in one line."""
        return f"{self.python} on {self.system}, {self.cpus} x {self.cpu}"


class RowTold(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of a case: seconds, bytes or a number, per operation."""

    name: str
    baseline: str
    median: float
    least: float
    ratio: float | None
    on_top: float | None
    over: float | None
    goal: str
    reached: bool | None


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """How the cost of one operation grows with how many there are of something."""

    name: str
    of: str
    points: tuple[tuple[int, float], ...]
    """How many there are, and the cost of one operation: times that of the first, or of a floor
    that grows as well."""
    within: float

    @property
    def growth(self) -> float:
        """How many times the first the dearest is."""
        first = self.points[0][1]
        return max(cost for _, cost in self.points) / first

    @property
    def is_flat(self) -> bool:
        """Whether that is as little as it is to be."""
        return self.growth <= self.within

    @property
    def verdict(self) -> str:
        """Say so."""
        told = "flat" if self.is_flat else "not flat (missed)"
        most = self.points[-1][0]
        return (
            f"{self.name}: {told}, {self.growth:.2f} times the first at most, up to {most:,} "
            f"{self.of}; {self.within:g} times would be flat still"
        )


class TableTold(msgspec.Struct, frozen=True, kw_only=True, tag="table"):
    """All that was measured for one table."""

    title: str
    unit: str
    note: str
    rows: tuple[RowTold, ...]
    curves: tuple[Curve, ...]


def told_of(table: Table, results: Sequence[Result]) -> TableTold:
    """Return what is told of a table."""
    rows = [
        RowTold(
            name=result.case.name,
            baseline=result.case.baseline,
            median=result.median,
            least=result.least,
            ratio=result.ratio,
            on_top=result.extra,
            over=result.over,
            goal=_goal(result.case.goal, table.unit),
            reached=result.is_reached,
        )
        for result in results
    ]
    curves = _curves(table.law, {row.name: row for row in rows})
    return TableTold(
        title=table.title,
        unit=table.unit,
        note=table.note,
        rows=tuple(rows),
        curves=tuple(curves),
    )


def _curves(law: Law | None, rows: dict[str, RowTold]) -> Iterator[Curve]:
    if law is None:
        return
    for name, sizes in law.sizes.items():
        ratios = {size: rows[case].ratio for size, case in sizes.items()}
        points = tuple((size, 1.0 if each is None else each) for size, each in ratios.items())
        yield Curve(name=name, of=law.of, points=points, within=law.within)


def heading(setting: Setting) -> str:
    """Write what all tables of a benchmark have in common."""
    versions = ", ".join(f"{name} {number}" for name, number in setting.versions.items())
    lines = [
        f"# {setting.summary}",
        f"{setting.machine}; load {setting.load:.2f}; {versions}",
        f"{setting.rounds} rounds; per operation",
    ]
    if setting.missing:
        lines.append(f"not installed, so their rows are left out: {', '.join(setting.missing)}")
    return "\n".join(lines)


def render(told: TableTold) -> str:
    """Write a table: under each baseline stands what is compared with it."""
    table = aligned([_COLUMNS, *_rows(told, indent="  ")], left_end=1)
    rule = "-" * max(map(len, table.splitlines()))
    notes = [told.note] if told.note else []
    return "\n".join((told.title, rule, table, *notes, *(each.verdict for each in told.curves)))


def as_markdown(told: TableTold) -> str:
    """Write a table as Markdown."""
    rows = [*_rows(told, indent="")]
    is_judged = any(row.goal for row in told.rows)
    columns = len(_COLUMNS) if is_judged else _COLUMNS.index("goal")
    table = markdown([row[:columns] for row in (_COLUMNS, *rows)], left_end=1 if is_judged else 0)
    title = f"#### {told.title[0].upper()}{told.title[1:]}"
    verdicts = "\n".join(f"- {each.verdict}." for each in told.curves)
    return "\n\n".join(part for part in (title, told.note, table, verdicts) if part)


def _rows(told: TableTold, indent: str) -> Iterator[tuple[str, ...]]:
    for row in told.rows:
        median, least = amount(row.median, told.unit), amount(row.least, told.unit)
        verdict = _VERDICTS[row.reached]
        if row.ratio is None or row.on_top is None:
            yield (row.name, median, least, "1 =", "", row.goal, verdict)
            continue
        over = "" if row.over is None else f" ({row.over:+.2f})"
        ratio = f"{row.ratio:.2f}{over}"
        on_top = amount(row.on_top, told.unit)
        yield (f"{indent}{row.name}", median, least, ratio, on_top, row.goal, verdict)


def _goal(goal: Goal | None, unit: str) -> str:
    """Write what a case is to stay within; nothing, if it has no goal."""
    if goal is None:
        return ""
    parts = [] if goal.ratio == math.inf else [f"<= {'+' if goal.over else ''}{goal.ratio:g}"]
    if goal.extra != math.inf:
        parts.append(f"<= {amount(goal.extra, unit)} on top")
    if goal.total != math.inf:
        parts.append(f"<= {amount(goal.total, unit)}")
    return ", ".join(parts)


def _cpu() -> str:
    """Return what CPU this is, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return " ".join(names[0].split()) if names else platform.processor() or "CPU"
