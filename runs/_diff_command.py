"""`understudy runs diff`: what was different, and what came of it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any, Final

from understudy.terminal import shortened, write

from ._command import UNKNOWN, Paint, name_of, paint_of, titled, write_json
from ._compare import Comparison
from ._errors import RunError
from ._info import RunInfo
from ._reading import RunFolder
from ._show_command import commit_of
from ._tables import shown_moment, shown_span, shown_value
from ._which import all_of

_LONGEST: Final = 60
_MACHINE: Final = ("python", "platform", "host", "cpus")


def run(asked: Namespace) -> int:
    """Show it."""
    found = all_of(asked.names, asked.root)
    if len(found) < 2:
        raise RunError("a difference needs two runs: understudy runs diff project/a project/b")
    compared = Comparison(RunInfo.of(each) for each in found)
    commits = [commit_of(each.git) for each in found]
    surroundings = _differing_surroundings(found) if asked.packages else {}
    if asked.json:
        write_json(_document(compared, commits, surroundings if asked.packages else None))
        return 0
    paint = paint_of(asked.color)
    write("\n".join(_told(compared, commits, surroundings, asked, paint)).lstrip("\n") + "\n")
    return 0


def _document(
    compared: Comparison, commits: list[str], surroundings: dict[str, list[Any]] | None
) -> dict[str, Any]:
    more = {} if surroundings is None else {"environment": surroundings}
    return {
        "runs": [
            {name: getattr(info, name) for name in ("id", "project", "prefix", "path", "status")}
            for info in compared.runs
        ],
        "params": compared.params,
        "differing": [*compared.differing],
        "metrics": compared.metrics,
        "git": [commit or None for commit in commits],
        **more,
    }


def _told(
    compared: Comparison,
    commits: list[str],
    surroundings: dict[str, list[Any]],
    asked: Namespace,
    paint: Paint,
) -> list[str]:
    infos = compared.runs
    head = ["", *_names(infos)]
    rows = [
        ["status", *(info.status or UNKNOWN for info in infos)],
        ["created", *(shown_moment(info.created) for info in infos)],
        ["took", *(shown_span(info.duration) or "-" for info in infos)],
    ]
    if any(commits):
        rows.append(["git", *(commit or "-" for commit in commits)])
    told = titled("Runs", head, rows, len(head), paint)
    params = compared.params if asked.all else compared.differing
    which_ones = "Parameters" if asked.all else "Parameters that differ"
    told += titled(which_ones, head, _rows(params), len(head), paint)
    same = len(compared.params) - len(compared.differing)
    if same and not asked.all:
        are = "parameter is" if same == 1 else "parameters are"
        told += ["", paint(f"{same} {are} the same in all: --all shows that", "dim")]
    metrics = {key: each for key, each in compared.metrics.items() if not key.endswith(".step")}
    told += titled("Metrics, the last of each", head, _rows(metrics), len(head), paint)
    told += titled("Surroundings that differ", head, _rows(surroundings), len(head), paint)
    if asked.packages and not surroundings:
        told += ["", paint("packages and machines are the same in all", "dim")]
    return told


def _names(infos: Sequence[RunInfo]) -> list[str]:
    """Return what the runs are called; without the project, if that is the same."""
    if len({info.project for info in infos}) == 1:
        return [info.prefix for info in infos]
    return [name_of(info) for info in infos]


def _rows(told: dict[str, list[Any]]) -> list[list[str]]:
    return [
        [shortened(cell, _LONGEST) for cell in (key, *map(_shown, values))]
        for key, values in told.items()
    ]


def _shown(value: object) -> str:
    return "-" if value is None else shown_value(value)


def _differing_surroundings(found: Sequence[RunFolder]) -> dict[str, list[Any]]:
    """Return of each package, and of the machines, what is not the same in all."""
    told: list[dict[str, Any]] = []
    for each in found:
        said = each.environment
        packages = said.get("packages")
        told.append(
            {
                **{name: said[name] for name in _MACHINE if name in said},
                **(packages if isinstance(packages, dict) else {}),
            }
        )
    keys = {key: None for each in told for key in each}
    values = {key: [each.get(key) for each in told] for key in keys}
    return {key: each for key, each in values.items() if any(one != each[0] for one in each)}
