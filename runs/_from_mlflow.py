"""Runs of MLflow's file store: `mlruns/<experiment>/<run>`, a small file for each thing."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, cast

from ._arrival import Arrival, NothingToImportError
from ._attempts import Status

_PARTS: Final = frozenset({"metrics", "params", "tags", "artifacts"})
_LARGEST: Final = 1 << 20
_STATUS: Final[dict[str, Status]] = {"3": "COMPLETED", "4": "FAILED", "5": "CANCELLED"}


def is_run(folder: Path, folders: set[str], files: set[str]) -> bool:
    """Tell whether a folder holds a run of MLflow; its meta.yaml may be lost."""
    if not folders & _PARTS:
        return False
    is_id = len(folder.name) == 32 and not folder.name.strip("0123456789abcdef")
    return "meta.yaml" in files or is_id


def fill(folder: Path, arrival: Arrival) -> None:
    """Read a run.

    Raises:
        NothingToImportError: it was deleted.
    """
    meta: dict[str, Any] = {}
    with arrival.reading("meta.yaml"):
        meta = _yaml(folder / "meta.yaml")
    if meta.get("lifecycle_stage") == "deleted":
        raise NothingToImportError("it was deleted in MLflow")
    with arrival.reading("the name of the experiment"):
        if (folder.parent / "meta.yaml").exists():
            experiment = _yaml(folder.parent / "meta.yaml")
            arrival.project = str(experiment.get("name") or arrival.project)
    tags = {name: _read(path) for name, path in _named(folder / "tags", arrival)}
    _about(meta, tags, arrival)
    for name, path in _named(folder / "params", arrival):
        with arrival.reading(f"params/{name}"):
            arrival.params[name] = typed(_read(path))
    for name, path in _named(folder / "metrics", arrival):
        with arrival.reading(f"metrics/{name}"):
            _points(name, path, arrival)
    arrival.tree(folder / "artifacts", "artifacts")


def typed(text: str) -> Any:
    """Return what a parameter was before it became text, where that leaves no doubt.

    Example:
        >>> from understudy.runs._from_mlflow import typed
        >>> typed("0.1"), typed("3"), typed("True"), typed("0.10"), typed("nan")
        (0.1, 3, True, '0.10', 'nan')
    """
    words = {"True": True, "False": False, "None": None}
    if text in words:
        return words[text]
    if len(text) <= 30 and text.strip("+-0123456789.e") == "":
        for kind in (int, float):
            with suppress(ValueError, OverflowError):
                if repr(kind(text)) == text:
                    return kind(text)
    return text


def _about(meta: dict[str, Any], tags: dict[str, str], arrival: Arrival) -> None:
    name = tags.get("mlflow.runName") or meta.get("run_name")
    arrival.prefix = str(name or arrival.prefix)
    arrival.status = _STATUS.get(str(meta.get("status")))
    arrival.started = _milliseconds(meta.get("start_time"))
    arrival.ended = _milliseconds(meta.get("end_time"))
    words = [
        f"{name}={value}" if value else name
        for name, value in tags.items()
        if not name.startswith("mlflow.")
    ]
    if words:
        arrival.said["tags"] = words
    if tags.get("mlflow.note.content"):
        arrival.said["description"] = tags["mlflow.note.content"]
    if tags.get("mlflow.source.git.commit"):
        arrival.git = {
            "commit": tags["mlflow.source.git.commit"],
            "branch": tags.get("mlflow.source.git.branch"),
            "remote": tags.get("mlflow.source.git.repoURL"),
        }
    arrival.origin.update(
        {
            "id": meta.get("run_id"),
            "parent": tags.get("mlflow.parentRunId"),
            "tags": {name: value for name, value in tags.items() if name.startswith("mlflow.")},
        }
    )


def _points(name: str, path: Path, arrival: Arrival) -> None:
    with path.open("rb") as file:
        while line := file.readline(_LARGEST):
            words = line.split() if line.endswith(b"\n") else []  # a step may be torn: 12 of 123
            try:
                ts, value = int(words[0]) / 1_000, float(words[1])
                step = int(words[2]) if len(words) > 2 else 0
            except (ValueError, IndexError, OverflowError):
                arrival.leave_out("a line of a metric")
                continue
            arrival.point(name, {"ts": ts, "step": step, "value": value})


def _named(folder: Path, arrival: Arrival) -> Iterator[tuple[str, Path]]:
    """Yield the files of a folder; a name with a slash is a file in a folder."""
    for where, folders, files in os.walk(folder):
        folders.sort()
        for each in sorted(files):
            path = Path(where, each)
            if path.is_symlink() or not path.is_file():
                arrival.leave_out("a link to a file")
                continue
            yield path.relative_to(folder).as_posix(), path


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LARGEST).decode(errors="backslashreplace")


def _yaml(path: Path) -> dict[str, Any]:
    import yaml

    try:
        value = yaml.load(_read(path), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(str(error).replace("\n", " ")) from error
    if not isinstance(value, dict):
        raise TypeError("it is no mapping")
    return cast("dict[str, Any]", value)


def _milliseconds(value: object) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(cast("float", value)) / 1_000 if is_number else None
