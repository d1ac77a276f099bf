"""Records of protobuf: which fields they have, with no word on what these mean.

Read by whoever knows the numbers of the fields: _from_wandb and _from_tensorboard.
"""

import struct
from typing import Final

Field = int | bytes
"""A number that was written as a varint; the bytes of all other kinds."""

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5

_double: Final = struct.Struct("<d").unpack
_single: Final = struct.Struct("<f").unpack


class WireError(ValueError):
    """Bytes are no such record."""


def fields_of(data: bytes) -> list[tuple[int, Field]]:
    r"""Return the fields of a record in order, each with its number.

    Raises:
        WireError: it is no record, or is cut off.

    Example:
        >>> from understudy.runs._protobuf import fields_of
        >>> fields_of(b"\x08\x96\x01" + b"\x12\x02hi")
        [(1, 150), (2, b'hi')]
    """
    found: list[tuple[int, Field]] = []
    place, end = 0, len(data)
    try:
        while place < end:
            tag = data[place]
            place += 1
            if tag >= 128:
                tag, place = _varint(data, place - 1)
            kind = tag & 7
            if kind == BYTES:
                size = data[place]
                place += 1
                if size >= 128:
                    size, place = _varint(data, place - 1)
                start, place = place, place + size
                found.append((tag >> 3, data[start:place]))
            elif kind == VARINT:
                value, place = _varint(data, place)
                found.append((tag >> 3, value))
            elif kind in (FIXED64, FIXED32):
                start, place = place, place + (8 if kind == FIXED64 else 4)
                found.append((tag >> 3, data[start:place]))
            else:
                raise WireError(f"byte {place}: a field of the unknown kind {kind}")
    except IndexError:
        raise WireError("it ends in the midst of a field") from None
    if place > end:
        raise WireError("it ends in the midst of a field")
    return found


def last(data: bytes, number: int) -> Field | None:
    """Return the last field of a number, which is the one that counts."""
    return next((value for found, value in reversed(fields_of(data)) if found == number), None)


def whole(value: Field | None) -> int:
    """Return a number with a sign: varints are written as if there was none."""
    if not isinstance(value, int):
        return 0
    return value - (1 << 64) if value >= 1 << 63 else value


def zigzag(value: Field) -> int:
    """Return a number of the kind `sint`."""
    return (value >> 1) ^ -(value & 1) if isinstance(value, int) else 0


def double(value: Field) -> float:
    """Return a number of 64 bits."""
    if not isinstance(value, bytes) or len(value) != 8:
        raise WireError("a number of 64 bits is written otherwise")
    return float(_double(value)[0])


def single(value: Field) -> float:
    """Return a number of 32 bits."""
    if not isinstance(value, bytes) or len(value) != 4:
        raise WireError("a number of 32 bits is written otherwise")
    return float(_single(value)[0])


def text(value: Field | None) -> str:
    r"""Return a text; bytes that are none are written `\xff`."""
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else ""


def record(value: Field | None) -> bytes:
    """Return the bytes of a record within another; none if there is none."""
    return value if isinstance(value, bytes) else b""


def seconds(value: Field | None) -> float:
    """Return a point in time, which is a record of seconds and nanoseconds."""
    fields = dict(fields_of(record(value)))
    return whole(fields.get(1)) + whole(fields.get(2)) / 1e9


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFF_FFFF_FFFF_FFFF, place
        shift += 7
        if shift > 63:
            raise WireError(f"byte {place}: a number of more than 64 bits")
