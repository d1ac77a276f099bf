"""The command `understudy sync`: sends what servers do not have yet."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import msgspec

from . import _arguments
from ._errors import RunError
from ._missing import told_known

if TYPE_CHECKING:
    from ._sync import Synced

_TOLD: Final = "Send to a server what it does not have of runs: made offline, crashed, cut short."
_OFTEN: Final = 0.2
_NAMED: Final = 3
"""How many of the runs that have the same problem are named."""


def add_sync_command(commands: Any) -> None:
    """Add `sync` to what argparse gathers.

    Example:
        >>> import argparse
        >>> from understudy.runs import Run, add_sync_command
        >>> with Run(prefix="offline") as run:
        ...     run.log("nobody hears")
        >>> parser = argparse.ArgumentParser()
        >>> add_sync_command(parser.add_subparsers())
        >>> asked = parser.parse_args(["sync"])
        >>> asked.run(asked)
        project/offline: it was made without a remote: say --remote URL
        1 run: nothing sent; 1 is not complete
        1
    """
    parser: ArgumentParser = commands.add_parser("sync", help=_TOLD, description=_TOLD)
    parser.set_defaults(run=_sync)
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="RUN|PATH",
        help="project/prefix, a prefix, an id or its start; the folder of a run, a project, or all",
    )
    parser.add_argument(
        "--root", help="the folder of all runs, unless a PATH is: UNDERSTUDY_ROOT, experiments"
    )
    parser.add_argument(
        "--remote",
        metavar="URL",
        help="the server: UNDERSTUDY_REMOTE, or what each run was made for",
    )
    parser.add_argument("--project", help="send only runs of this project")
    parser.add_argument("--json", action="store_true", help="tell of each run as a line of JSON")


def _sync(asked: Namespace) -> int:
    from ._remote import REMOTE
    from ._sync import Syncer, runs_in

    if asked.paths:
        runs = [run for word in asked.paths for run in _meant(word, asked.root)]
    else:
        runs = [*runs_in(Path(_arguments.root(asked.root)))]
    line = _Line()
    syncer = Syncer(asked.remote or os.environ.get(REMOTE), line.show)
    told: list[Synced] = []
    others: set[str] = set()
    try:
        for run in dict.fromkeys(runs):
            project = _project_of(run) if asked.project is not None else None
            if project != asked.project:
                others.add(str(project))
                continue
            synced = syncer.sync(run)
            told.append(synced)
            line.clear()
            _tell(synced, asked.json)
    finally:
        line.clear()
        syncer.close()
        if not asked.json:
            _tell_problems(told)
    if others and not told:
        known = told_known(str(asked.project), others)
        raise RunError(f"there are no runs of the project {asked.project!r}{known}")
    left = sum(not synced.is_complete for synced in told)
    if not asked.json:
        _sum_up(told, left)
    return 1 if left else 0


def _meant(word: str, root: str | None) -> list[Path]:
    """Return the folders of the runs that a word means: those in a folder, or one by its name."""
    from ._sync import runs_in
    from ._which import which

    place = Path(word).absolute()
    is_folder = bool(word) and place.is_dir()
    found = [*runs_in(place)] if is_folder else []
    try:
        return found or [which(word, root).path]
    except RunError as error:
        if is_folder:
            return []
        raise RunError(f"there is no folder {place}, and {error}") from None


def _tell(synced: Synced, is_json: bool) -> None:
    if is_json:
        print(msgspec.json.encode(synced).decode(), flush=True)
    elif synced.bytes or synced.files:
        amount = _amount(synced.bytes, synced.files)
        print(f"{_name_of(synced)}: {amount} sent to {synced.remote}", flush=True)


def _tell_problems(told: list[Synced]) -> None:
    """Tell what was in the way, once each, however many runs it was in the way of."""
    names: dict[str, list[str]] = {}
    for synced in told:
        for problem in dict.fromkeys(synced.problems):
            names.setdefault(problem, []).append(_name_of(synced))
    for problem, those in names.items():
        some = ", ".join(those[:_NAMED]) + (", ..." if len(those) > _NAMED else "")
        who = some if len(those) == 1 else f"{len(those):,} runs ({some})"
        print(f"{who}: {_shown(problem)}", flush=True)


def _name_of(synced: Synced) -> str:
    return _shown(f"{synced.project}/{synced.prefix}")


def _sum_up(told: list[Synced], left: int) -> None:
    runs = f"{len(told)} run{'' if len(told) == 1 else 's'}"
    size, files = sum(each.bytes for each in told), sum(each.files for each in told)
    sent = f"{_amount(size, files)} sent" if size or files else "nothing sent"
    are = "is" if left == 1 else "are"
    print(f"{runs}: {sent}; " + (f"{left} {are} not complete" if left else "all is there"))


def _amount(size: int, files: int) -> str:
    amount = f"{size:,} bytes"
    return f"{amount} and {files:,} file{'' if files == 1 else 's'}" if files else amount


def _project_of(run: Path) -> str:
    from ._reading import RunFolder

    return RunFolder(run).project


def _shown(text: str) -> str:
    """Return a text without what a terminal takes for commands."""
    return "".join(each if each.isprintable() else "?" for each in text)


class _Line:
    """One line of a terminal that says how far it is."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._next = 0.0
        self._is_dirty = False

    def show(self, synced: Synced) -> None:
        if self._is_shown and monotonic() >= self._next:
            self._next = monotonic() + _OFTEN
            self._is_dirty = True
            name = _shown(synced.prefix)[:40]
            sys.stderr.write(f"\r\x1b[K{name}: {_amount(synced.bytes, synced.files)}")
            sys.stderr.flush()

    def clear(self) -> None:
        if self._is_dirty:
            self._is_dirty = False
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
