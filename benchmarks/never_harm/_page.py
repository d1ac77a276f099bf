"""Writes what was measured into the page, between two marks; the words around it stay."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ._cells import APART, CASES, WAYS
from ._table import COLUMNS, Report, about, empty, rows

BEGIN: Final = "<!-- measured: from here on written by `make never-harm` -->"
END: Final = "<!-- measured: up to here -->"


def write_into(page: str, report: Report) -> str:
    """Return a page with the measured part written anew.

    Raises:
        ValueError: the marks are not there.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no part between {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{measured(report)}\n\n{END}{after}"


def measured(report: Report) -> str:
    """Write the part that is measured."""
    parts = ["\n".join(f"- {line}." for line in about(report))]
    for way, title in WAYS.items():
        verdicts = report.of(way)
        if verdicts:
            parts += [f"### {title[0].upper()}{title[1:]}", _table(rows(verdicts))]
    parts.append("\n".join(_notes(report)))
    return "\n\n".join(parts)


def rewrite(file: Path, report: Report) -> None:
    """Write the measured part of a file anew."""
    file.write_text(write_into(file.read_text(encoding="utf-8"), report), encoding="utf-8")


def _notes(report: Report) -> list[str]:
    apart = [f"- *{CASES[case]}*: {reason}." for case, reason in APART.items()]
    return ["In brackets:", "", *apart, "", "Left empty:", "", *(f"- {e}." for e in empty(report))]


def _table(body: Sequence[tuple[str, ...]]) -> str:
    rule = tuple("---" if place in (0, 1, 11) else "---:" for place in range(len(COLUMNS)))
    return "\n".join(f"| {' | '.join(row)} |" for row in (COLUMNS, rule, *body))
