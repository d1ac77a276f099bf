"""Writes what other tools write, a little of it, so that laws can be tried on any points."""

import json
import struct
from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

from understudy.runs._frames import masked_crc32c  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

Logged = tuple[str, float, int, float]
"""A point: the metric, the time, the step, the value."""


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes([*written, value])


def field(number: int, value: float | bytes | str) -> bytes:
    """Return a field of a record: a float has 64 bits."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def scalar(point: Logged) -> bytes:
    """Return an event with one number, of 32 bits."""
    name, ts, step, value = point
    inner = field(1, name) + varint(2 << 3 | 5) + struct.pack("<f", value)
    return field(1, ts) + field(2, step) + field(5, field(1, inner))


def event_file(path: Path, events: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for data in [field(1, 0.0) + field(3, "brain.Event:2"), *events]:
            head = struct.pack("<Q", len(data))
            file.write(head + struct.pack("<I", masked_crc32c(head)))
            file.write(data + struct.pack("<I", masked_crc32c(data)))


def history(point: Logged) -> bytes:
    """Return a record of wandb with one number."""
    name, ts, step, value = point
    items = {"_timestamp": repr(ts), name: json.dumps(value)}
    written = b"".join(field(1, field(2, key) + field(16, shown)) for key, shown in items.items())
    return field(2, written + field(2, field(1, step)))


def wandb_file(path: Path, records: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = bytearray(b":W&B\xe1\xbe\x00")
    for record in records:
        rest, is_first = record, True
        while rest or is_first:
            room = 32768 - len(written) % 32768
            if room < 7:
                written += bytes(room)
                continue
            part, rest = rest[: room - 7], rest[room - 7 :]
            kind = (1 if is_first else 4) if not rest else (2 if is_first else 3)
            is_first = False
            written += struct.pack("<IHB", crc32(part, crc32(bytes([kind]))), len(part), kind)
            written += part
    path.write_bytes(written)
