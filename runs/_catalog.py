"""All runs of a root: from the index, once it knows what has changed, or from one in memory."""

import threading
from pathlib import Path
from typing import Final, cast

import msgspec

from ._changes import FOLDER, put_aside
from ._found import unpacked
from ._index import FILE, Index, IndexBroken, IndexBusy, Packed, throw_away
from ._info import RunInfo
from ._looking import Changes, look

_in_memory: Final[dict[str, tuple[threading.Lock, Index]]] = {}
"""The indexes of roots that cannot be written, or whose file somebody holds."""
_making = threading.Lock()


def entries(
    root: Path,
    *,
    project: str | None = None,
    status: str | None = None,
    limit: int | None = None,
    rebuild: bool = False,
) -> list[Packed | RunInfo]:
    """Return the runs, the newest first.

    Args:
        root: the folder that all is in.
        project: only those of a project, by the name of its folder.
        status: only those of a status.
        limit: so many at most, where that saves time.
        rebuild: whether all is looked at anew.
    """
    path = root / FOLDER / FILE
    for _ in range(2):
        if rebuild:
            _in_memory.pop(str(root), None)
            throw_away(path)
        try:
            index = _opened(path)
            try:
                return _asked(root, index, project, status, limit)
            finally:
                index.close()
        except IndexBroken:
            rebuild = True
        except (IndexBusy, OSError):
            break
    return _from_memory(root, project, status, limit)


def _opened(path: Path) -> Index:
    if not path.parent.parent.is_dir():
        raise FileNotFoundError(path)  # no runs: nothing is made for that
    path.parent.mkdir(exist_ok=True)
    return Index(path)


def _from_memory(
    root: Path, project: str | None, status: str | None, limit: int | None
) -> list[Packed | RunInfo]:
    with _making:
        found = _in_memory.get(str(root))
        if found is None:
            found = _in_memory[str(root)] = threading.Lock(), Index(None)
    with found[0]:
        return _asked(root, found[1], project, status, limit)


def _asked(
    root: Path, index: Index, project: str | None, status: str | None, limit: int | None
) -> list[Packed | RunInfo]:
    changes = look(root, index)
    unkept = changes
    if changes.is_new:
        try:
            index.keep(changes.rows, changes.known)
            unkept = msgspec.structs.replace(changes, rows={})
            put_aside(root)
        except IndexBusy:
            pass  # somebody else keeps it, or nobody: it is told nevertheless
    most = None if unkept.rows or unkept.infos else limit
    return _laid_over(root, index.packed(project, status, most), unkept, project, status)


def _laid_over(
    root: Path, rows: list[Packed], changes: Changes, project: str | None, status: str | None
) -> list[Packed | RunInfo]:
    """Return what the index says, but for what it could not keep."""
    anew = {**changes.rows, **changes.infos}
    if not anew:
        return cast("list[Packed | RunInfo]", rows)
    found = [unpacked(row, root) for row in rows if row[0] not in anew]
    for key, row in anew.items():
        if row is None or project not in (None, key.partition("/")[0]):
            continue
        if isinstance(row, RunInfo):
            info = row
        elif row.info is None:
            continue
        else:
            info = unpacked((key, row.info), root)
        if status in (None, info.status):
            found.append(info)
    found.sort(key=lambda info: info.created or 0.0, reverse=True)
    return [*found]
