"""Bodies: read as they come, unpacked and decoded, and given up as soon as they go too far."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from ._answers import JSON, MSGPACK, Refused
from ._limits import Limits

T = TypeVar("T")

_GZIP: Final = 31
"""What zlib calls a gzip with its header."""
_SHORT: Final = 1 << 16
_SHORT_PACKED: Final = 1 << 12
"""A body of so many bytes is unpacked at once; a longer one by a thread, so that others go on."""


async def read_parts(request: Request, most: int, limits: Limits) -> AsyncIterator[bytes]:
    """Yield a body as it comes.

    Raises:
        Refused: it is too long, or stands still.
    """
    too_long = Refused(
        413,
        "too_big",
        f"a body here has {most:,} bytes at most: send less at once",
        {"Connection": "close"},
        limit=most,
    )
    length = request.headers.get("content-length")
    if length is not None and "transfer-encoding" in request.headers:
        raise Refused(
            400,
            "malformed",
            "Content-Length and Transfer-Encoding contradict each other: send one of them",
            {"Connection": "close"},
        )
    if length is not None and int(length) > most:
        raise too_long
    size = 0
    stream = request.stream()
    end = asyncio.get_running_loop().time() + limits.body_seconds
    while True:
        left = end - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(0.0, min(limits.stall, left))):
                part = await anext(stream, None)
        except TimeoutError:
            raise Refused(
                408, "stalled", "the body did not come in time: send it again", _CLOSE
            ) from None
        except ClientDisconnect:
            raise Refused(400, "gone", "the body broke off", _CLOSE) from None
        if part is None:
            return
        size += len(part)
        if size > most:
            raise too_long
        if part:
            yield part


_CLOSE: Final = {"Connection": "close"}


@asynccontextmanager
async def body_of(
    request: Request, kind: type[T], limits: Limits, turns: asyncio.Semaphore
) -> AsyncGenerator[T]:
    """Give a body for a while: JSON or msgpack, compressed by gzip or not.

    Args:
        request: what it came with.
        kind: what it is to be.
        limits: how much of it there may be.
        turns: how many long ones may be unpacked at a time: there is not memory for any number.

    Raises:
        Refused: it is no such thing.
    """
    is_packed = _is_packed(request)
    decode = _decoder(request, kind)
    data = b"".join([part async for part in read_parts(request, limits.body, limits)])

    def unpacked_and_decoded() -> T:
        return decode(unpacked(data, limits.unpacked) if is_packed else data)

    if len(data) <= (_SHORT_PACKED if is_packed else _SHORT):
        yield unpacked_and_decoded()
        return
    async with turns:
        yield await asyncio.to_thread(unpacked_and_decoded)


def unpacked(data: bytes, most: int) -> bytes:
    """Return what was compressed by gzip; unpacking stops where it would be too much.

    Raises:
        Refused: it is too much, or no gzip, or not whole.

    Example:
        >>> import gzip
        >>> from understudy.server._bodies import unpacked
        >>> unpacked(gzip.compress(b"abc"), 3)
        b'abc'
    """
    unpack = zlib.decompressobj(_GZIP)
    try:
        found = unpack.decompress(data, most + 1)
    except zlib.error as error:
        raise Refused(400, "malformed", f"the body is no gzip: {error}") from None
    if len(found) > most:
        raise Refused(413, "too_big", f"a body here unpacks to {most:,} bytes at most", limit=most)
    if not unpack.eof or unpack.unused_data:
        raise Refused(400, "malformed", "the body is no whole gzip, and nothing behind it")
    return found


def _is_packed(request: Request) -> bool:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("gzip", "identity"):
        raise Refused(415, "encoding", "a body is compressed by gzip, or not at all")
    return encoding == "gzip"


def _decoder(request: Request, kind: type[T]) -> Callable[[bytes], T]:
    given = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if given == JSON:
        decode: Any = msgspec.json.Decoder(kind).decode
    elif given == MSGPACK:
        decode = msgspec.msgpack.Decoder(kind).decode
    else:
        raise Refused(415, "content_type", f"a body is {JSON} or {MSGPACK}, not {given!r:.80}")

    def decoded(data: bytes) -> T:
        try:
            found: T = decode(data)
        except (msgspec.MsgspecError, ValueError, OverflowError) as error:
            raise Refused(400, "malformed", f"the body is not what it should be: {error}") from None
        except RecursionError:
            raise Refused(400, "malformed", "the body is nested too deep") from None
        return found

    return decoded
