"""Runs of wandb that were made offline: `run-<id>.wandb`, and the files beside it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from ._arrival import Arrival
from ._capture import without_secrets
from ._frames import wandb_records
from ._protobuf import (
    Field,
    WireError,
    double,
    fields_of,
    record,
    seconds,
    text,
    whole,
    zigzag,
)

_LARGEST: Final = 1 << 20
_LEFT_OUT: Final = {8: "an artifact", 9: "a folder of tensorboard", 10: "an alert"}
"""Records that do not come along, by their number."""
_TIMES: Final = frozenset({"_step", "_timestamp", "_runtime", "_wandb"})
_STREAMS: Final = ("stderr", "stdout")
_decode: Final = msgspec.json.Decoder().decode

Item = tuple[tuple[str, ...], Any]
"""What something is called, level by level, and its value."""


def is_run(folder: Path, folders: set[str], files: set[str]) -> bool:
    """Tell whether a folder holds a run of wandb."""
    return any(name.startswith("run-") and name.endswith(".wandb") for name in files)


def fill(folder: Path, arrival: Arrival) -> None:
    """Read a run."""
    reader = _Reader(arrival)
    for path in sorted(folder.glob("run-*.wandb")):
        if path.is_symlink() or not path.is_file():
            arrival.leave_out("a link to a file")
            continue
        with arrival.reading(path.name):
            for data in wandb_records(path, arrival.leave_out):
                try:
                    reader.take(data)
                except (ValueError, RecursionError):
                    arrival.leave_out("a record that is garbled")
    reader.finish()
    with arrival.reading("files/wandb-metadata.json"):
        path = folder / "files" / "wandb-metadata.json"
        if path.is_file() and not arrival.environment:
            with path.open("rb") as file:
                _environment(_json(file.read(_LARGEST)), arrival)
    arrival.tree(folder / "files", "files")


class _Reader:
    """Takes the records of a run, one by one."""

    def __init__(self, arrival: Arrival) -> None:
        self._arrival = arrival
        self._summary: dict[tuple[str, ...], Any] = {}
        self._logged = set[str]()
        self._said = dict.fromkeys(_STREAMS, "")
        self._takes: dict[int, Callable[[bytes], None]] = {
            2: self._history,
            3: self._keep_summary,
            4: self._output,
            5: self._config,
            7: self._stats,
            13: self._output,
            17: self._run,
            18: self._exit,
            26: self._environment,
        }

    def take(self, data: bytes) -> None:
        """Read one record."""
        for number, value in fields_of(data):
            if number in self._takes:
                self._takes[number](record(value))
            elif number in _LEFT_OUT:
                self._arrival.leave_out(_LEFT_OUT[number])

    def finish(self) -> None:
        """Take what is only known at the end."""
        for stream in _STREAMS:
            self._message(self._said[stream], None, stream)
        rest = {
            ".".join(path): value
            for path, value in self._summary.items()
            if path[0] not in _TIMES and ".".join(path) not in self._logged
        }
        kept = {name: value for name, value in rest.items() if not _is_media(value)}
        if kept:
            self._arrival.point("summary", kept)

    def _history(self, data: bytes) -> None:
        items: list[Item] = []
        step: int | None = None
        ts: float | None = None
        for number, value in fields_of(data):
            if number == 2:
                step = whole(dict(fields_of(record(value))).get(1))
            elif number == 1:
                path, found = _item(record(value))
                if path == ("_timestamp",):
                    ts = float(found) if isinstance(found, (int, float)) else None
                elif path == ("_step",):
                    step = int(found) if step is None and isinstance(found, (int, float)) else step
                else:
                    items.append((path, found))
        for path, value in items:
            if not path or path[0] in _TIMES:
                continue
            for name, each in _leaves(".".join(path), value):
                self._logged.add(name)
                if _is_media(each):
                    self._arrival.leave_out("a table, picture or the like (its file is kept)")
                    continue
                point = {"ts": ts, "step": 0 if step is None else step, "value": each}
                self._arrival.point(name, point, len(data))

    def _keep_summary(self, data: bytes) -> None:
        for number, value in fields_of(data):
            if number in (1, 2):
                path, found = _item(record(value))
                if not path:
                    continue
                if number == 1:
                    self._summary[path] = found
                else:
                    self._summary.pop(path, None)

    def _config(self, data: bytes) -> None:
        for number, value in fields_of(data):
            if number not in (1, 2):
                continue
            path, found = _item(record(value))
            if not path or path[0] == "_wandb":
                continue
            inner = self._arrival.params
            for name in path[:-1]:
                below = inner.get(name)
                if not isinstance(below, dict):
                    below = inner[name] = {}
                inner = cast("dict[str, Any]", below)
            if number == 1:
                inner[path[-1]] = found
            else:
                inner.pop(path[-1], None)

    def _run(self, data: bytes) -> None:
        arrival = self._arrival
        fields = fields_of(data)
        said = dict(fields)
        arrival.project = text(said.get(3)) or arrival.project
        arrival.prefix = text(said.get(8)) or text(said.get(1)) or arrival.prefix
        tags = [text(value) for number, value in fields if number == 10]
        for name, value in (("tags", tags), ("description", text(said.get(9)))):
            if value:
                arrival.said[name] = value
        known = {"id": 1, "entity": 2, "group": 6, "job_type": 7, "sweep": 12, "host": 13}
        arrival.origin.update(
            {name: text(said[number]) for name, number in known.items() if said.get(number)}
        )
        if 17 in said and arrival.started is None:
            arrival.started = seconds(said[17])
        if 21 in said:
            _git(record(said[21]), arrival)
        if 4 in said:
            self._config(record(said[4]))
        if 5 in said:
            self._keep_summary(record(said[5]))

    def _exit(self, data: bytes) -> None:
        code = whole(dict(fields_of(data)).get(1))
        self._arrival.status = "FAILED" if code else "COMPLETED"
        if code:
            self._arrival.origin["exit_code"] = code

    def _stats(self, data: bytes) -> None:
        line: dict[str, Any] = {}
        for number, value in fields_of(data):
            if number == 2:
                line["ts"] = seconds(value)
            elif number == 3:
                item = dict(fields_of(record(value)))
                line[text(item.get(1))] = _json_or_text(record(item.get(16)))
        self._arrival.sample(line)

    def _output(self, data: bytes) -> None:
        """Take what was printed: pieces of lines."""
        said = dict(fields_of(data))
        stream = _STREAMS[1 if whole(said.get(1)) == 1 else 0]
        ts = seconds(said[2]) if 2 in said else None
        *lines, rest = (self._said[stream] + text(said.get(3))).split("\n")
        for line in lines:
            self._message(line, ts, stream)
        if len(rest) > _LARGEST:
            self._message(rest, ts, stream)
            rest = ""
        self._said[stream] = rest

    def _message(self, line: str, ts: float | None, stream: str) -> None:
        shown = line.rstrip("\r").rpartition("\r")[2]  # a bar of progress, as it was at last
        if shown.strip():
            self._arrival.message(shown, ts, "info", {"stream": stream})

    def _environment(self, data: bytes) -> None:
        fields = fields_of(data)
        said = dict(fields)
        names = {"os": 1, "python": 2, "program": 6, "root": 11, "host": 12, "executable": 14}
        told: dict[str, Any] = {
            name: text(said[number]) for name, number in names.items() if number in said
        }
        told["args"] = [text(value) for number, value in fields if number == 5]
        if 9 in said:
            _git(record(said[9]), self._arrival)
        _environment(told, self._arrival)


def _environment(told: dict[str, Any], arrival: Arrival) -> None:
    """Take what surrounded a run; the records and the older files call it the same."""
    names = {"os": "platform", "root": "folder"}
    for name in ("python", "os", "host", "executable", "root", "program"):
        if isinstance(told.get(name), str):
            arrival.environment[names.get(name, name)] = told[name]
    words: object = told.get("args")
    if isinstance(words, list) and words:
        line = [str(word) for word in cast("list[object]", words)]
        arrival.environment["arguments"] = without_secrets(line)
    git: object = told.get("git")
    if isinstance(git, dict) and not arrival.git:
        said = cast("dict[str, Any]", git)
        arrival.git = {"commit": said.get("commit"), "remote": said.get("remote")}


def _git(data: bytes, arrival: Arrival) -> None:
    said = dict(fields_of(data))
    if said.get(2):
        arrival.git = {"commit": text(said.get(2)), "remote": text(said.get(1)) or None}


def _item(data: bytes) -> Item:
    """Return what an item of a history, a config or a summary says."""
    fields = fields_of(data)
    if [number for number, _ in fields] == [2, 16]:  # as nearly all are
        return (text(fields[0][1]),), _json_or_text(record(fields[1][1]))
    key: Field | None = None
    nested: list[str] = []
    found: Any = None
    for number, value in fields:
        if number == 1:
            key = value
        elif number == 2:
            nested.append(text(value))
        elif number in (8, 16):
            found = _json_or_text(record(value))
        elif number == 4:
            found = bool(value)
        elif number == 5:
            found = zigzag(value)
        elif number == 6:
            found = double(value)
        elif number == 7:
            found = text(value)
    return (tuple(nested) or ((text(key),) if key else ())), found


def _leaves(name: str, value: Any) -> list[tuple[str, Any]]:
    """Return what is in a mapping, as metrics of their own."""
    if not isinstance(value, dict):
        return [(name, value)]
    mapping = cast("dict[str, Any]", value)
    if _is_media(mapping):
        return [(name, mapping)]
    found: list[tuple[str, Any]] = []
    for key, inner in mapping.items():
        found += _leaves(f"{name}.{key}", inner)
    return found


def _is_media(value: object) -> bool:
    return isinstance(value, dict) and "_type" in value


def _json(data: bytes) -> dict[str, Any]:
    value = _json_or_text(data)
    if not isinstance(value, dict):
        raise WireError("it is no mapping")
    return cast("dict[str, Any]", value)


def _json_or_text(data: bytes) -> Any:
    """Return what JSON says, also if it has the words NaN and Infinity, which JSON has not."""
    try:
        return _decode(data)
    except (ValueError, RecursionError):
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return text(data)
