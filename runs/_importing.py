"""Runs of other tools, brought here: each is then a run like any other, and says where from."""

import os
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from time import time
from typing import Any, Final, Literal, cast

import msgspec

from ._arguments import one_of, text
from ._arrival import Arrival, NothingToImportError, hidden_in
from ._changes import note
from ._errors import RunError
from ._ids import new_id
from ._names import NAME_FILE, folder_name, make_folder
from ._sources import KINDS, Kind, Source, find_sources
from ._state import read_state

How = Literal["added", "updated", "known", "left out"]

_MOST_TRIES: Final = 100_000


class ImportedRun(msgspec.Struct, frozen=True, kw_only=True):
    r"""A run of another tool, and what became of it.

    Attributes:
        how: `added`; `updated`, as the source had changed; `known`, as it had not; `left out`.
        kind: the tool that made it.
        source: where it was found.
        project: what it belongs to here.
        prefix: its name here.
        path: the folder of the run; None if it was left out.
        points: how many points came.
        left_out: what did not come, a line each.

    Example:
        >>> from pathlib import Path
        >>> from understudy import runs
        >>> Path("mlruns/0/a1/metrics").mkdir(parents=True)
        >>> _ = Path("mlruns/0/a1/metrics/loss").write_text("1700000000000 0.5 1\n")
        >>> _ = Path("mlruns/0/a1/meta.yaml").write_text("{run_name: first, status: 3}")
        >>> (found,) = runs.import_from("mlruns", project="old")
        >>> found.how, found.prefix, found.points
        ('added', 'first', 1)
    """

    __module__ = "understudy.runs"

    how: How
    kind: Kind
    source: Path
    project: str
    prefix: str
    path: Path | None = None
    points: int = 0
    left_out: list[str] = []


def import_from(
    path: str | os.PathLike[str],
    kind: Kind | None = None,
    *,
    root: str | os.PathLike[str] | None = None,
    project: str | None = None,
) -> list[ImportedRun]:
    """Import the runs of other tools, and return what became of each.

    The sources are only read. What has been imported and has not changed since is not imported
    again; what has changed replaces what came before, unless that has been continued here.

    Args:
        path: a run, or a folder with runs: `mlruns`, `wandb`, `.dash`, `runs`, or one above them.
        kind: only those of one tool: `ml-dash`, `mlflow`, `wandb` or `tensorboard`.
        root: the folder that all runs are in; else `UNDERSTUDY_ROOT` of the environment, or
            `experiments`.
        project: what they are to belong to; else as their source says.

    Raises:
        RunError: nothing to import is there, or there is no room for it.

    Example:
        >>> from pathlib import Path
        >>> from understudy.runs import RunFolder, import_from
        >>> Path(".dash/vision/resnet/metrics/train").mkdir(parents=True)
        >>> _ = Path(".dash/vision/resnet/experiment.json").write_text('{"tags": ["old"]}')
        >>> _ = Path(".dash/vision/resnet/metrics/train/data.jsonl").write_text(
        ...     '{"index": 0, "data": {"loss": 0.5, "step": 1, "_ts": 1.7e9}}'
        ... )
        >>> (found,) = import_from(".dash")
        >>> RunFolder(found.path).metrics("train").read()
        [{'loss': 0.5, 'step': 1, 'ts': 1700000000.0}]
        >>> [found.how for found in import_from(".dash")]
        ['known']
    """
    return [*importing(path, kind, root=root, project=project)]


def importing(
    path: str | os.PathLike[str],
    kind: Kind | None = None,
    *,
    root: str | os.PathLike[str] | None = None,
    project: str | None = None,
) -> Iterator[ImportedRun]:
    """Do what `import_from` does, and yield each run when it is there."""
    if kind is not None:
        one_of("kind", kind, KINDS)
    if project is not None:
        text("project", project)
    top = Path(path)
    if not top.exists():
        raise RunError(f"there is nothing at {top.absolute()}")
    place = Path(root if root is not None else os.environ.get("UNDERSTUDY_ROOT") or "experiments")
    known = _known(place.absolute(), project)
    is_empty = True
    for source in find_sources(top, kind):
        is_empty = False
        yield _import(source, place.absolute(), project, known)
    if is_empty:
        words = ", ".join(KINDS) if kind is None else kind
        raise RunError(f"there is no run of {words} in {top.absolute()}")


def _import(source: Source, root: Path, project: str | None, known: dict[str, Path]) -> ImportedRun:
    before = known.get(source.key)
    state = source.state()
    said = {} if before is None else read_state(before / "run.json")
    if before is not None:
        names = {"project": str(said.get("project")), "prefix": str(said.get("prefix"))}
        if said["imported"].get("state") == state:
            return _result("known", source, **names, path=before)
        if (before / "attempts").exists():
            why = f"the source has changed, and {before} has been continued: kept as it is"
            return _result("left out", source, **names, left_out=[why])
    arrival = Arrival(hidden_in(root), source.project, source.prefix)
    try:
        try:
            with arrival.reading("the rest"):
                source.fill(arrival)
        except NothingToImportError as why:
            names = {"project": arrival.project, "prefix": arrival.prefix}
            return _result("left out", source, **names, left_out=[str(why)])
        arrival.settle()
        arrival.project = project or arrival.project
        arrival.name()
        about = {
            "id": new_id() + os.urandom(4).hex(),
            "imported": {
                "from": source.kind,
                "source": str(source.path),
                "key": source.key,
                "state": state,
                "ts": time(),
                "left_out": arrival.left_out,
                **{name: value for name, value in arrival.origin.items() if value},
            },
        }
        if before is None:
            path = _land(arrival, root, about)
        else:
            arrival.project, arrival.prefix = str(said["project"]), str(said["prefix"])
            path = _replace(arrival, before, about)
    finally:
        arrival.drop()
    known[source.key] = path
    note(path)
    return _result(
        "added" if before is None else "updated",
        source,
        project=arrival.project,
        prefix=arrival.prefix,
        path=path,
        points=arrival.points,
        left_out=arrival.left_out,
    )


def _result(how: How, source: Source, **more: Any) -> ImportedRun:
    return ImportedRun(how=how, kind=source.kind, source=source.path, **more)


def _known(root: Path, project: str | None) -> dict[str, Path]:
    """Return the runs that were imported, by the keys of their sources."""
    found: dict[str, Path] = {}
    for path in root.glob("*/*/run.json"):
        try:
            was_imported = b'"imported"' in path.read_bytes()
        except OSError:
            continue
        said = read_state(path) if was_imported else {}
        about: object = said.get("imported")
        if isinstance(about, dict) and project in (None, said.get("project")):
            found[str(cast("dict[str, Any]", about).get("key"))] = path.parent
    return found


def _land(arrival: Arrival, root: Path, about: dict[str, Any]) -> Path:
    """Give a run its folder, under the first name that is free, as `resume="new"` does."""
    wanted = arrival.prefix
    home = root / folder_name(arrival.project)
    make_folder(home, arrival.project)
    for number in range(1, _MOST_TRIES):
        arrival.prefix = wanted if number == 1 else f"{wanted}-{number}"
        target = home / folder_name(arrival.prefix)
        if target.exists():
            continue
        if _moved(arrival, target, about):
            return target
    raise RunError(f"{wanted!r} and {_MOST_TRIES:,} names like it are taken in {home}")


def _replace(arrival: Arrival, before: Path, about: dict[str, Any]) -> Path:
    """Put a run in the place of what was imported earlier."""
    aside = hidden_in(arrival.folder.parent)
    os.rename(before, aside)
    if not _moved(arrival, before, about):
        os.rename(aside, before)
        raise RunError(f"{before} was taken by somebody else meanwhile: import it again")
    rmtree(aside, ignore_errors=True)
    return before


def _moved(arrival: Arrival, target: Path, about: dict[str, Any]) -> bool:
    """Move a run to its folder; False if somebody else was faster."""
    arrival.manifest(about)
    if "~~" in target.name:
        (arrival.folder / NAME_FILE).write_text(arrival.prefix)
    else:
        (arrival.folder / NAME_FILE).unlink(missing_ok=True)
    try:
        os.rename(arrival.folder, target)
    except OSError:
        if not target.exists():
            raise
        return False
    return True
