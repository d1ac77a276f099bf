"""Tells what came of the cells: an aligned table for people, a line of JSON for programs."""

import json
import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import msgspec

from ._cells import APART, CASES, LIBRARIES, SINKS, TITLES, WAYS, Way, why_not
from ._verdict import Verdict

DISTRIBUTIONS: Final = {
    "understudy": "understudy",
    "spearmint": "spearmint-framework",
    "laboratory": "laboratory",
}
COLUMNS: Final = (
    "the shadow ...",
    "library",
    "p50",
    "p99",
    "p99 alone",
    "lost",
    "accounts",
    "played",
    "at once",
    "threads",
    "peak MB",
    "the lead",
)


ABOUT_SINKS: Final = "Events to a sink that misbehaves, beside none at all"
COLUMNS_OF_SINKS: Final = (
    *("the sink ...", "called", "p50", "p99", "p99 alone", "lost", "accounts"),
    *("events dropped", "the lead"),
)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured in one run, and with what."""

    time: str
    system: str
    python: str
    cpus: int
    versions: dict[str, str]
    verdicts: tuple[Verdict, ...]

    @classmethod
    def of_this_run(cls, verdicts: Sequence[Verdict]) -> "Report":
        """Look up what it was measured with."""
        return cls(
            time=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            system=f"{platform.system()} {platform.machine()}",
            python=f"{platform.python_implementation()} {platform.python_version()}",
            cpus=os.cpu_count() or 1,
            versions=installed(),
            verdicts=tuple(verdicts),
        )

    def of(self, way: Way) -> list[Verdict]:
        """Return the verdicts of one way of calling, in the order of the cases."""
        order = [*CASES]
        found = [each for each in self.verdicts if each.cell.way == way and not each.cell.sink]
        return sorted(
            found, key=lambda each: (order.index(each.cell.case), _place(each.cell.library))
        )

    def of_sinks(self) -> list[Verdict]:
        """Return the verdicts of the sinks, in their order."""
        order = [*SINKS]
        found = [each for each in self.verdicts if each.cell.sink]
        return sorted(found, key=lambda each: order.index(each.cell.sink))


def installed() -> dict[str, str]:
    """Return the versions of the libraries that are installed."""
    found: dict[str, str] = {}
    for library, distribution in DISTRIBUTIONS.items():
        try:
            found[library] = version(distribution)
        except PackageNotFoundError:
            continue
    return found


def about(report: Report) -> list[str]:
    """Return what the numbers were measured with, in lines."""
    cell = report.verdicts[0].cell
    versions = ", ".join(f"{TITLES[name]} {number}" for name, number in report.versions.items())
    lag = max(verdict.lag for verdict in report.verdicts)
    busy = max(verdict.busy for verdict in report.verdicts)
    load = (
        f"{cell.rate:g} requests a second for {cell.seconds:g} s in each phase, "
        f"{cell.rounds} rounds of two phases; {cell.memory / 2**20:.0f} MiB of memory to fill"
    )
    generator = (
        f"without a shadow the p99 of how late a request was taken from the schedule was "
        f"{1e3 * lag:.1f} ms at most, and no process used more than {busy:.0%} of one CPU"
    )
    machine = f"{report.python} on {report.system} with {report.cpus} CPUs"
    return [f"{report.time}; {machine}; {versions}", load, generator]


def rows(verdicts: Sequence[Verdict]) -> list[tuple[str, ...]]:
    """Return a row for each verdict."""
    return [_row(verdict) for verdict in verdicts]


def rows_of_sinks(verdicts: Sequence[Verdict]) -> list[tuple[str, ...]]:
    """Return a row for each verdict about a sink."""
    return [
        (
            SINKS[each.cell.sink],
            WAYS[each.cell.way],
            milliseconds(each.p50),
            milliseconds(each.p99),
            milliseconds(each.p99_alone),
            str(each.lost),
            each.accounts,
            str(each.dropped),
            lead_of(each),
        )
        for each in verdicts
    ]


def empty(report: Report) -> list[str]:
    """Return why some cells are empty, in lines."""
    lines = [
        f"{TITLES[library]}: {WAYS[way]}: {reason}"
        for library in LIBRARIES
        for way in WAYS
        if (reason := why_not(library, way))
    ]
    missing = [TITLES[each] for each in DISTRIBUTIONS if each not in report.versions]
    return lines + [f"{title}: not installed" for title in missing]


def render(report: Report) -> str:
    """Write all of it as text."""
    parts = ["\n".join(about(report))]
    for way, title in WAYS.items():
        verdicts = report.of(way)
        if verdicts:
            parts.append(f"{title}\n{'-' * len(title)}\n{_aligned([COLUMNS, *rows(verdicts)])}")
    if sinks := report.of_sinks():
        table = _aligned([COLUMNS_OF_SINKS, *rows_of_sinks(sinks)])
        parts.append(f"{ABOUT_SINKS}\n{'-' * len(ABOUT_SINKS)}\n{table}")
    parts.append("\n".join(["left empty:", *(f"  {line}" for line in empty(report))]))
    return "\n\n".join(parts)


def append_json(file: Path, report: Report) -> None:
    """Append a report to a file, as one line; times are in seconds, memory in bytes."""
    with file.open("a", encoding="utf-8") as opened:
        opened.write(json.dumps(msgspec.to_builtins(report)) + "\n")


def read_json(file: Path) -> Report:
    """Return the report that was appended last."""
    return msgspec.json.decode(file.read_text(encoding="utf-8").splitlines()[-1], type=Report)


def milliseconds(seconds: float | None) -> str:
    """Write a latency; without one, too many requests had no answer."""
    return "never" if seconds is None else f"{1e3 * seconds:.1f} ms"


def lead_of(verdict: Verdict) -> str:
    """Write what became of the lead."""
    told = ", ".join(verdict.harm) if verdict.harm else "as ever"
    return f"({told})" if verdict.cell.case in APART and not verdict.cell.sink else told


def _row(verdict: Verdict) -> tuple[str, ...]:
    lost = "0" if not verdict.lost else f"{verdict.lost} of {verdict.requests}"
    return (
        CASES[verdict.cell.case],
        TITLES[verdict.cell.library],
        milliseconds(verdict.p50),
        milliseconds(verdict.p99),
        milliseconds(verdict.p99_alone),
        lost,
        verdict.accounts,
        str(verdict.played),
        str(verdict.at_once),
        str(verdict.threads),
        f"{verdict.memory / 2**20:.0f}",
        lead_of(verdict),
    )


def _aligned(table: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < 2 or place == len(row) - 1 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    )


def _place(library: str) -> int:
    return LIBRARIES.index(library)
