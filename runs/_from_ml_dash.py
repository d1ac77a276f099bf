"""Runs of ml-dash: those of 0.11, with an experiment.json, and those laid out as ours are."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from ._arrival import Arrival

PARTS: Final = frozenset({"logs", "metrics", "files", "tracks"})
"""The folders that a run has of its own; another run may lie beside them."""

_LONGEST: Final = 16 << 20
_LARGEST: Final = 64 << 20
_decoder: Final = msgspec.json.Decoder()


def is_run(folder: Path, folders: set[str], files: set[str]) -> bool:
    """Tell whether a folder holds a run of ml-dash."""
    if "experiment.json" in files:
        return True
    if "parameters.json" in files and bool(folders & PARTS):
        return True
    if "logs" in folders and (folder / "logs" / "logs.jsonl").is_file():
        return True
    return "metrics" in folders and any((folder / "metrics").glob("*/data.jsonl"))


def fill(folder: Path, arrival: Arrival) -> None:
    """Read a run."""
    with arrival.reading("experiment.json"):
        if (folder / "experiment.json").exists():
            _about(_mapping(folder / "experiment.json"), arrival)
    with arrival.reading("parameters.json"):
        if (folder / "parameters.json").exists():
            said = _mapping(folder / "parameters.json")
            inner: object = said.get("data")
            is_wrapped = isinstance(inner, dict) and "version" in said
            arrival.params = cast("dict[str, Any]", inner) if is_wrapped else said
    for line, _ in _lines_of(folder / "logs" / "logs.jsonl", arrival):
        more: object = line.get("metadata")
        arrival.message(
            str(line.get("message", "")),
            _time(line.get("timestamp", line.get("ts"))),
            str(line.get("level", "info")),
            dict(cast("dict[str, Any]", more)) if isinstance(more, dict) else {},
        )
    for part, before in (("metrics", ""), ("tracks", "tracks/")):
        for metric in _folders_in(folder / part):
            name = before + _name_of(metric, arrival)
            for line, size in _lines_of(metric / "data.jsonl", arrival):
                arrival.point(name, _point(line), size)
    _files(folder / "files", arrival)


def _about(said: dict[str, Any], arrival: Arrival) -> None:
    arrival.project = _text(said.get("project")) or arrival.project
    prefix = _text(said.get("prefix")) or _text(said.get("name")) or arrival.prefix
    owner, _, rest = prefix.partition("/")
    if rest.startswith(f"{arrival.project}/"):  # owner/project/name
        arrival.origin["owner"] = owner
        prefix = rest.removeprefix(f"{arrival.project}/")
    arrival.prefix = prefix
    arrival.started = _time(said.get("created_at"))
    arrival.ended = _time(said.get("updated_at"))
    for name in ("description", "readme", "folder"):
        if _text(said.get(name)):
            arrival.said[name] = said[name]
    for name in ("tags", "bindrs"):
        words: object = said.get(name)
        if isinstance(words, list) and words:
            arrival.said[name] = [str(word) for word in cast("list[object]", words)]
    if said.get("metadata"):
        arrival.origin["metadata"] = said["metadata"]


def _name_of(metric: Path, arrival: Arrival) -> str:
    """Return what a metric is called: the name of its folder may be another."""
    with arrival.reading(f"metrics/{metric.name}/metadata.json"):
        if (metric / "metadata.json").exists():
            name = _text(_mapping(metric / "metadata.json").get("name"))
            return name or metric.name
    return metric.name


def _point(line: dict[str, Any]) -> dict[str, Any]:
    inner: object = line.get("data")
    is_wrapped = isinstance(inner, dict) and bool(line.keys() & {"index", "createdAt"})
    point = dict(cast("dict[str, Any]", inner)) if is_wrapped else line
    ts = _time(point.pop("_ts", None))
    if ts is None and not is_wrapped:
        ts = _time(point.pop("timestamp", None)) or _time(point.get("ts"))
    elif "ts" in point:  # a field of the user's
        point["$ts"] = point.pop("ts")
    point["ts"] = ts if ts is not None else _time(line.get("createdAt"))
    return point


def _files(folder: Path, arrival: Arrival) -> None:
    known: dict[str, dict[str, Any]] = {}
    with arrival.reading("files/.files_metadata.json"):
        if (folder / ".files_metadata.json").exists():
            files: object = _mapping(folder / ".files_metadata.json").get("files")
            for each in cast("list[object]", files) if isinstance(files, list) else []:
                if isinstance(each, dict):
                    about = cast("dict[str, Any]", each)
                    known[str(about.get("id"))] = about
    for group in _folders_in(folder):
        for path in sorted(group.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                continue
            about = known.get(path.parent.name, {})
            if about.get("deletedAt"):
                arrival.leave_out("a file that was deleted")
                continue
            kept = ("description", "tags", "bindrs", "metadata", "checksum")
            more = {name: about[name] for name in kept if about.get(name)}
            where = path.parent.parent if path.parent != group else group
            prefix = where.relative_to(folder).as_posix()
            arrival.file(path, group.name if prefix == "." else prefix, **more)


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if each.is_dir() and not each.is_symlink())
    except OSError:
        return []


def _lines_of(path: Path, arrival: Arrival) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the lines of a file, each with its size; those that are torn are left out."""
    what = f"a line of {path.parent.name}/{path.name}"
    with arrival.reading(what):
        if not path.is_file():
            return
        with path.open("rb") as file:
            while written := file.readline(_LONGEST):
                try:
                    line = _decoded(written)
                except (ValueError, TypeError, RecursionError):
                    if written.strip():
                        arrival.leave_out(what)
                    continue
                yield line, len(written)


def _mapping(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return _decoded(file.read(_LARGEST))


def _decoded(written: bytes) -> dict[str, Any]:
    """Return what JSON says, also if it has the words NaN and Infinity, which JSON has not."""
    try:
        value = _decoder.decode(written)
    except (ValueError, RecursionError):
        value = json.loads(written)
    if not isinstance(value, dict):
        raise TypeError("it is no mapping")
    return cast("dict[str, Any]", value)


def _time(value: object) -> float | None:
    """Return a point in time, in seconds since 1970."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
