"""Writes what was measured as Markdown, for the page."""

from typing import Final

from benchmarks._text import markdown

from ._cells import APART, CASES, WAYS
from ._table import (
    ABOUT_SINKS,
    COLUMNS,
    COLUMNS_OF_SINKS,
    Report,
    about,
    empty,
    rows,
    rows_of_sinks,
)

BEGIN: Final = "<!-- measured: from here on written by `make never-harm` -->"
BEGIN_OF_SINKS: Final = "<!-- sinks, measured: from here on written by `make never-harm` -->"


def measured(report: Report) -> str:
    """Write the part about shadows."""
    parts = ["\n".join(f"- {line}." for line in about(report))]
    for way, title in WAYS.items():
        verdicts = report.of(way)
        if verdicts:
            parts += [
                f"### {title[0].upper()}{title[1:]}",
                markdown([COLUMNS, *rows(verdicts)], left=2, left_end=1),
            ]
    parts.append("\n".join(_notes(report)))
    return "\n\n".join(parts)


def measured_of_sinks(report: Report) -> str:
    """Write the part about sinks."""
    about_it = "\n".join(f"- {line}." for line in about(report))
    table = [COLUMNS_OF_SINKS, *rows_of_sinks(report.of_sinks())]
    return "\n\n".join([about_it, f"### {ABOUT_SINKS}", markdown(table, left=2, left_end=1)])


def _notes(report: Report) -> list[str]:
    apart = [f"- *{CASES[case]}*: {reason}." for case, reason in APART.items()]
    return ["In brackets:", "", *apart, "", "Left empty:", "", *(f"- {e}." for e in empty(report))]
