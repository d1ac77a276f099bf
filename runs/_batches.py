"""What is sent of a run at once, and how it looks on the way."""

from __future__ import annotations

import zlib
from typing import Final, cast

import msgspec

from ._wire import Unreachable

_SMALL: Final = 1_000
_GZIP: Final = 31


class Document(msgspec.Struct):
    """A small file, replaced whole."""

    path: str
    data: bytes
    version: int


class Lines(msgspec.Struct):
    """Whole lines, and the byte at which they start."""

    path: str
    start: int
    data: bytes


class Batch(msgspec.Struct):
    """What is sent at once, and taken as a whole or not at all."""

    prefix: str
    documents: list[Document]
    lines: list[Lines]
    is_ended: bool = False


def packed(batch: Batch) -> tuple[bytes, dict[str, str]]:
    """Return a batch as it is sent, and the headers that say how."""
    data = msgspec.msgpack.encode(batch)
    headers = {"Content-Type": "application/msgpack"}
    if len(data) > _SMALL:
        packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
        data = packer.compress(data) + packer.flush()
        headers["Content-Encoding"] = "gzip"
    return data, headers


def numbers(told: object) -> dict[str, int]:
    """Return what should be a number for each path.

    Raises:
        Unreachable: it is something else.
    """
    found = cast("dict[str, int]", told)
    if not isinstance(told, dict) or not all(type(n) is int and n >= 0 for n in found.values()):
        raise Unreachable("the server answers, and not as a server of runs does")
    return found
