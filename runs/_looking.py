"""What has changed in the folders since one looked last: few are looked at, and all are found.

Looked at are the runs that somebody told of (_changes), those that run or changed a moment ago,
those that came or went, and a thousand others, whose run.json is compared with what it was:
copies, and what was changed by hand, are found as well.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from random import random
from time import time
from typing import Final

import msgspec

from ._attempts import SILENT, Attempt, read_attempts, status_of
from ._changes import read_changes
from ._index import Index, Known, Row
from ._info import RunInfo
from ._marks import mark_of, stamp_of
from ._missing import is_run
from ._process import life_of
from ._reading import RunFolder

SETTLED: Final = 10.0
"""How many seconds after a change a run, or a folder, is looked at each time: a copy may be under
way, or the clock of the disk may be coarse."""
AT_ONCE: Final = 1_000
"""Of how many others run.json is compared, each time."""
_ALL: Final = 1 << 60
_FORGOTTEN: Final = 86_400.0
"""After how many seconds without a sign of life nobody waits for one from another machine."""

_encode: Final = msgspec.msgpack.Encoder().encode


class Changes(msgspec.Struct):
    """What was found."""

    rows: dict[str, Row | None]
    """What is different; None for runs that are gone."""
    known: Known
    is_new: bool
    """Whether there is anything that is worth keeping."""
    infos: dict[str, RunInfo]
    """The runs that do not fit into the index: they are looked at each time."""


def look(root: Path, index: Index) -> Changes:
    """Return what is different from what the index says.

    Raises:
        IndexBroken: the index is to be thrown away.
        IndexBusy: it cannot be used.
    """
    before = index.known()
    told = read_changes(root, before.places)
    homes: dict[str, int] = {}
    gone: set[str] = set()
    asked: set[str] = {key for key in told.runs if _is_key(key)}
    projects: dict[str, int] = {}
    now = _projects_in(root)
    for name, changed in now.items():
        if before.projects.get(name) != changed:
            found = _homes_in(root, name)
            kept = index.homes(name)
            gone |= kept.keys() - found.keys()
            asked |= {key for key, home in found.items() if kept.get(key) != home}
            homes |= found
        if changed < (time() - SETTLED) * 1e9:
            projects[name] = changed
    for name in index.projects() - now.keys():
        gone |= index.homes(name).keys()
    asked |= {*index.open_runs()}
    some = index.stamps(random(), AT_ONCE if told.is_whole else _ALL)
    asked |= {key for key, stamp in some if stamp_of(f"{root}/{key}") != stamp}
    known = Known(places=told.places, projects=projects)
    changes = Changes(rows=dict.fromkeys(gone), known=known, is_new=known != before, infos={})
    _look_at(root, index, asked - gone, homes, changes)
    changes.is_new = changes.is_new or bool(changes.rows)
    return changes


def _look_at(
    root: Path, index: Index, keys: Iterable[str], homes: dict[str, int], changes: Changes
) -> None:
    for key in keys:
        before = index.row(key)
        home = homes.get(key) or _home_of(root / key)
        if home is None:
            if before is not None:
                changes.rows[key] = None
            continue
        row = _row_of(root / key, key, home, before, changes.infos)
        if row != before:
            changes.rows[key] = row


def _row_of(path: Path, key: str, home: int, before: Row | None, infos: dict[str, RunInfo]) -> Row:
    """Return what is to be kept of a folder."""
    stamp = stamp_of(str(path))
    mark = mark_of(str(path))  # before it is read: what changes meanwhile is seen the next time
    attempts = read_attempts(path)
    is_open = _may_change(path, attempts) or mark.changed > time() - SETTLED
    is_same = before is not None and before.mark == mark.text and before.info is not None
    if before is not None and is_same and status_of(attempts) in (None, before.status):
        return before._replace(home=home, stamp=stamp, is_open=is_open)
    project = key.partition("/")[0]
    if not is_run(path):
        return Row(key, project, None, None, home, stamp, mark.text, is_open, None)
    info = RunInfo.of(RunFolder(path))
    written: bytes | None = None
    try:
        written = _encode(msgspec.structs.replace(info, path=None))
    except (OverflowError, ValueError, TypeError):  # a number too large, half a character
        infos[key] = info
        is_open = True
    return Row(key, project, info.created, info.status, home, stamp, mark.text, is_open, written)


def _may_change(path: Path, attempts: list[Attempt]) -> bool:
    """Tell whether a run is, or may be again, RUNNING: one elsewhere may only be silent."""
    if any(attempt.status == "RUNNING" for attempt in attempts):
        return True
    lost = [attempt for attempt in attempts if attempt.status == "LOST"]
    if not any(life_of(attempt.process) == "unknown" for attempt in lost):
        return False
    try:
        return time() - (path / "heartbeat").stat().st_mtime < max(_FORGOTTEN, SILENT)
    except OSError:
        return False


def _projects_in(root: Path) -> dict[str, int]:
    """Return the folders of projects, and when something came or went in them."""
    try:
        with os.scandir(root) as found:
            return {
                entry.name: entry.stat().st_mtime_ns
                for entry in found
                if _is_name(entry.name) and entry.is_dir()
            }
    except OSError:
        return {}


def _homes_in(root: Path, project: str) -> dict[str, int]:
    try:
        with os.scandir(root / project) as found:
            return {
                f"{project}/{entry.name}": entry.inode()
                for entry in found
                if _is_name(entry.name) and entry.is_dir()
            }
    except OSError:
        return {}


def _home_of(path: Path) -> int | None:
    try:
        return os.stat(path, follow_symlinks=False).st_ino if path.is_dir() else None
    except OSError:
        return None


def _is_name(text: str) -> bool:
    """Tell whether a folder may be a project or a run: what is no text is none that we made."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return bool(text) and not text.startswith(".") and "\0" not in text


def _is_key(text: str) -> bool:
    """Tell whether a line names a run: anybody may have written it."""
    parts = text.split("/")
    return len(parts) == 2 and all(map(_is_name, parts))
