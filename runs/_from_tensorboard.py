"""Runs that were written for tensorboard: the event files of one folder."""

import struct
from pathlib import Path
from typing import Any, Final

from ._arrival import Arrival
from ._attempts import Status
from ._frames import event_records
from ._protobuf import (
    Field,
    WireError,
    double,
    fields_of,
    last,
    record,
    single,
    text,
    whole,
)

_KINDS: Final = {4: "an image", 5: "a histogram", 6: "an audio", 3: "a histogram"}
"""What a value may be, by the number of its field, that does not come along."""
_NUMBERS: Final = {
    1: "f", 2: "d", 3: "i", 4: "B", 5: "h", 6: "b", 9: "q", 10: "?", 19: "e", 22: "I", 23: "Q",
}  # fmt: skip
"""How a number in the bytes of a tensor is written, by its type."""
_STRING: Final = 7
_LISTED: Final = {5: "f", 6: "d"}
"""Numbers in fields of their own: of 32 and 64 bits. The others are varints."""
_VARINTS: Final = (7, 10, 11, 16, 17)
_ENDS: Final[dict[int, Status]] = {1: "COMPLETED", 2: "FAILED"}
_double: Final = struct.Struct("<d").unpack_from
_single: Final = struct.Struct("<f").unpack_from
_HPARAMS: Final = "_hparams_/"


def is_run(folder: Path, folders: set[str], files: set[str]) -> bool:
    """Tell whether a folder has event files."""
    return any("tfevents" in name for name in files)


def fill(folder: Path, arrival: Arrival) -> None:
    """Read a run: all event files of the folder, in the order of their names."""
    events = _Events(arrival)
    for path in sorted(folder.iterdir()):
        if "tfevents" in path.name and path.is_file() and not path.is_symlink():
            with arrival.reading(path.name):
                for data in event_records(path, arrival.leave_out):
                    try:
                        events.take(data)
                    except (WireError, struct.error):
                        arrival.leave_out("a record that is no event")


class _Events:
    """What is known of the events so far: only the first of a tag says what it is."""

    def __init__(self, arrival: Arrival) -> None:
        self._arrival = arrival
        self._plugins: dict[bytes, str] = {}
        self._names: dict[bytes, str] = {}

    def take(self, data: bytes) -> None:
        """Read one event."""
        plain = _plain_scalar(data)
        if plain is not None:
            self._point(*plain)
            return
        ts, step = 0.0, 0
        for number, value in fields_of(data):
            if number == 1:
                ts = double(value)
            elif number == 2:
                step = whole(value)
            elif number == 5:
                for _, each in fields_of(record(value)):
                    self._value(ts, step, record(each))
            elif number == 6:
                fields = dict(fields_of(record(value)))
                self._arrival.message(text(fields.get(2)), ts, "info", {"step": step})
            elif number in (4, 9):
                self._arrival.leave_out("a graph")

    def _value(self, ts: float, step: int, data: bytes) -> None:
        fields = dict(fields_of(data))
        tag = record(fields.get(1))
        if 9 in fields:
            plugin = record(last(record(fields[9]), 1))
            name = text(last(plugin, 1))
            if name:
                self._plugins.setdefault(tag, name)
            if name == "hparams":
                self._hparams(text(tag), record(last(plugin, 2)))
                return
        if 2 in fields:
            self._point(ts, step, tag, single(fields[2]))
        elif 8 in fields:
            self._tensor(ts, step, tag, record(fields[8]))
        else:
            what = next((_KINDS[number] for number in fields if number in _KINDS), None)
            if what is not None:
                self._arrival.leave_out(what)

    def _point(self, ts: float, step: int, tag: bytes, value: Any) -> None:
        name = self._names.get(tag)
        if name is None:
            name = self._names[tag] = text(tag)
        self._arrival.point(name, {"ts": ts, "step": step, "value": value})

    def _tensor(self, ts: float, step: int, tag: bytes, data: bytes) -> None:
        plugin = self._plugins.get(tag, "")
        tensor = fields_of(data)
        kind = next((whole(value) for number, value in tensor if number == 1), 0)
        texts = [text(value) for number, value in tensor if number == 8]
        if kind == _STRING and plugin in ("", "text"):
            name = text(tag).removesuffix("/text_summary")
            for each in texts:
                self._arrival.message(each, ts, "info", {"tag": name, "step": step})
            return
        numbers = _numbers(kind, tensor) if plugin in ("", "scalars") else []
        if len(numbers) == 1:
            self._point(ts, step, tag, numbers[0])
        else:
            known = {"images": "an image", "histograms": "a histogram", "audio": "an audio"}
            self._arrival.leave_out(known.get(plugin, "a tensor of more than one number"))

    def _hparams(self, tag: str, content: bytes) -> None:
        """Take parameters and the end, as the plugin `hparams` keeps them."""
        arrival = self._arrival
        if not tag.startswith(_HPARAMS):
            return
        for number, value in fields_of(content):
            if number == 3:
                for inner, each in fields_of(record(value)):
                    if inner == 1:
                        entry = dict(fields_of(record(each)))
                        arrival.params[text(entry.get(1))] = _plain(record(entry.get(2)))
                    elif inner == 5 and double(each) > 0:
                        arrival.started = double(each)
            elif number == 4:
                end = dict(fields_of(record(value)))
                arrival.status = _ENDS.get(whole(end.get(1)))
                if 2 in end and double(end[2]) > 0:
                    arrival.ended = double(end[2])


def _plain_scalar(data: bytes) -> tuple[float, int, bytes, float] | None:
    """Return what an event says that has one number and nothing else, as nearly all have.

    Its fields are in the usual order, and short: whatever is not just so is read the long way.
    """
    if data[:1] != b"\x09" or data[9:10] != b"\x10":
        return None
    step = shift = 0
    for place in range(10, min(15, len(data))):
        byte = data[place]
        step |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    else:
        return None
    head = data[place + 1 : place + 6]  # summary, its size; value, its size; tag
    end = len(data) - 5
    size = end - place - 7
    if not 0 <= size < 118 or head != bytes((0x2A, size + 9, 0x0A, size + 7, 0x0A)):
        return None
    if data[place + 6] != size or data[end] != 0x15:
        return None
    return _double(data, 1)[0], step, data[place + 7 : end], _single(data, end + 1)[0]


def _numbers(kind: int, tensor: list[tuple[int, Field]]) -> list[Any]:
    """Return the numbers of a tensor; if there are several, some of them."""
    found: list[Any] = []
    for number, value in tensor:
        if number == 4 and isinstance(value, bytes) and value:
            written = _NUMBERS.get(kind)
            size = struct.calcsize(f"<{written}") if written is not None else 2
            if len(value) != size:
                return [None, None]
            if written is not None:
                found += struct.unpack(f"<{written}", value)
            elif kind == 14:  # the upper half of a number of 32 bits
                found += struct.unpack("<f", b"\0\0" + value)
        elif number in _LISTED and isinstance(value, bytes):
            written = _LISTED[number]
            found += struct.unpack_from(
                f"<{min(2, len(value) // struct.calcsize(written))}{written}", value
            )
        elif number in _VARINTS:
            found += [whole(value)] if isinstance(value, int) else _packed(value)
    return [bool(each) for each in found] if kind == 10 else found


def _packed(data: bytes) -> list[int]:
    """Return numbers that are written one behind the other, the first two of them."""
    found: list[int] = []
    for size in (1, 2):
        ends = [place for place, byte in enumerate(data[:20]) if byte < 128][:size]
        if len(ends) < size:
            break
        start = ends[-2] + 1 if size == 2 else 0
        found.append(whole(last(b"\x08" + data[start : ends[-1] + 1], 1)))
    return found


def _plain(data: bytes) -> Any:
    """Return a value as google.protobuf.Value has it."""
    for number, value in fields_of(data):
        if number == 2:
            return double(value)
        if number == 3:
            return text(value)
        if number == 4:
            return bool(value)
        if number == 6:
            return [_plain(record(each)) for _, each in fields_of(record(value))]
    return None
