"""`understudy runs ls`: the runs as a table that fits the terminal."""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from understudy.terminal import cut, shortened, table, write

from . import _arguments
from ._clauses import Reader
from ._command import UNKNOWN, json_of, name_of, paint_of, painted, width_of_tables
from ._finding import chosen
from ._finding import list as runs_of
from ._found import Runs, usual_table
from ._info import RunInfo
from ._missing import what_is_at
from ._query import Filter
from ._scores import MISSING
from ._tables import shown_moment, shown_span, shown_value

_MOST_ON_A_TERMINAL: Final = 100
_LONGEST_VALUE: Final = 40
_MOMENTS: Final = ("created", "started", "ended")


def run(asked: Namespace) -> int:
    """List them."""
    columns: list[str] = asked.columns or []
    for column in columns:
        Reader(column).read_name()
    found = _found(asked)
    limit = asked.limit
    if limit is None and sys.stdout.isatty() and not asked.json:
        limit = _MOST_ON_A_TERMINAL
    shown = found[:limit]
    if asked.json:
        _write_json(shown, columns)
        return 0
    if not found:
        print(f"understudy runs ls: {_nothing(asked)}", file=sys.stderr)
        return 0
    write("\n".join(_lines(shown, columns, asked.color)) + "\n" if shown else "")
    more = len(found) - len(shown)
    if more and asked.limit is None:
        write(f"... and {more:,} more: --limit {len(found)} shows them\n")
    return 0


def _found(asked: Namespace) -> Runs:
    found, note = chosen(
        asked.root,
        None if asked.filter is None else Filter(asked.filter),
        project=asked.project,
        status=asked.status,
        tags=asked.tag,
        sort=asked.sort,
        rebuild=asked.rebuild,
    )
    if note is not None:
        print(f"understudy runs ls: {note}", file=sys.stderr)
    return found


def _nothing(asked: Namespace) -> str:
    """Say why there is nothing, and what to do."""
    root = Path(os.path.abspath(_arguments.root(asked.root)))
    count = len(runs_of(root))
    if count:
        them = "the only run" if count == 1 else f"none of the {count:,} runs"
        is_so = "is not so" if count == 1 else "is so"
        return f"{them} in {root} {is_so}: without a filter, `understudy runs ls` shows all"
    return (
        f"there are no runs in {root}: {what_is_at(root)}."
        " Say where they are: --root FOLDER, or UNDERSTUDY_ROOT"
    )


def _lines(found: Runs, columns: list[str], color: str) -> list[str]:
    infos = [*found]
    paint = paint_of(color)
    head, rows, spared = _chosen(infos, columns) if columns else _usual(infos)
    names = [[info.status or UNKNOWN, name_of(info)] for info in infos]
    body = [
        [*name, *(shortened(cell, _LONGEST_VALUE) for cell in row)]
        for name, row in zip(names, rows, strict=True)
    ]
    width = width_of_tables()
    head = [shortened(name, _LONGEST_VALUE) for name in head]
    lines = table(["status", "run", *head], body, width, 2, spared, shows_all=True)
    lines = [cut(line, width) for line in lines]
    return [
        paint(lines[0], "bold"),
        *(painted(line, info.status, paint) for line, info in zip(lines[1:], infos, strict=True)),
    ]


def _usual(infos: Sequence[RunInfo]) -> tuple[list[str], list[list[str]], list[str]]:
    """Return what is told of runs if nobody says what; what is least needed is spared first."""
    head, rows = usual_table(infos)
    spared = [*reversed(head[4:]), "created", "took"]
    return head[2:], [row[2:] for row in rows], [shortened(name, _LONGEST_VALUE) for name in spared]


def _chosen(
    infos: Sequence[RunInfo], columns: list[str]
) -> tuple[list[str], list[list[str]], list[str]]:
    readers = [(name, Reader(name).read_name()) for name in columns]
    rows = [[_shown(name, look(info)) for name, look in readers] for info in infos]
    head = [name.removeprefix("params.").removeprefix("metrics.") for name in columns]
    return head, rows, []


def _shown(name: str, value: Any) -> str:
    if value is MISSING or value is None:
        return "-"
    if name in _MOMENTS:
        return shown_moment(value)
    return shown_span(value) if name == "duration" else shown_value(value)


def _write_json(found: Runs, columns: list[str]) -> None:
    """Write an array, one run a line: never all at once."""
    readers = [(name, Reader(name).read_name()) for name in columns]
    begun = "["
    for info in found:
        told: Any = info
        if columns:
            told = {name: getattr(info, name) for name in ("id", "project", "prefix", "status")}
            for name, look in readers:
                value = look(info)
                told[name] = None if value is MISSING else value
        write(f"{begun}\n{json_of(told)}")
        begun = ","
    write("[]\n" if begun == "[" else "\n]\n")
