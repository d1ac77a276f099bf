"""What senders ask for: batches, files in parts, and the end of a run."""

import asyncio
import re
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from starlette.responses import Response

from ._answers import Refused
from ._bodies import read_parts
from ._calls import Call, Nothing
from ._depth import is_value_deeper
from ._errors import MissingError
from ._intake import check_batch
from ._keys import file_key, part_key, part_of, parts_prefix, run_prefix
from ._rows import Batch, FileRow

MOST_PARTS: Final = 1_000_000
_LONG: Final = 1 << 16
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class Accepted(msgspec.Struct):
    """How long the files of lines are now that were in a batch."""

    lengths: dict[str, int]


class Parts(msgspec.Struct):
    """The parts of a file that are there."""

    parts: list[int]


class Removed(msgspec.Struct):
    """What was removed."""

    removed: str


class NewFile(msgspec.Struct, frozen=True):
    """A file whose parts are there.

    Attributes:
        prefix: what it was saved under.
        name: what it is called.
        size: how many bytes it has.
        sha256: their checksum, in hex.
        parts: how many parts it has; the first is number 0.
        about: what the sender's file.json says of it.
    """

    prefix: str
    name: str
    size: Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    parts: Annotated[int, Meta(ge=0, le=MOST_PARTS)]
    about: dict[str, Any] = {}


async def take_batch(call: Call[Nothing, Batch]) -> Response:
    """Take a batch: all of it, or nothing."""
    batch, desk = call.body, call.desk
    sizes = [len(document.data) for document in batch.documents]
    if sum(sizes) + sum(len(lines.data) for lines in batch.lines) > _LONG:
        await asyncio.to_thread(check_batch, batch, desk.limits)
    else:
        check_batch(batch, desk.limits)
    kept = await desk.storage.append(*call.place, batch, desk.digest, desk.clock())
    return call.answer(Accepted({lines.path: kept.lengths[lines.path] for lines in batch.lines}))


async def tell_lengths(call: Call[Nothing, None]) -> Response:
    """Tell how much of a run is kept, so that a sender goes on from there."""
    lengths = await call.desk.storage.lengths(*call.place)
    if lengths is None:
        raise call.no_run()
    return call.answer(lengths)


async def take_part(call: Call[Nothing, None]) -> Response:
    """Take a part of a file."""
    project, run = call.place
    file, number = call.names["file"], _part_number(call.names["n"])
    await call.row()
    expected = call.request.headers.get("x-part-sha256", "")
    if not _SHA256.fullmatch(expected):
        raise Refused(400, "checksum", "X-Part-SHA256 is the checksum of the part, in hex")
    parts = _checked(read_parts(call.request, call.desk.limits.part, call.desk.limits), expected)
    if await call.desk.storage.file(project, run, file) is not None:
        async for _ in parts:  # the whole is there: nothing is missing
            pass
    else:
        await call.desk.blobs.put(part_key(project, run, file, number), parts)
    return call.answer(Parts([number]))


async def tell_parts(call: Call[Nothing, None]) -> Response:
    """Tell which parts of a file are there."""
    await call.row()
    return call.answer(Parts(sorted(await _sizes(call))))


async def finish_file(call: Call[Nothing, NewFile]) -> Response:
    """Put a file together; from then on it is there."""
    (project, run), file, new, desk = call.place, call.names["file"], call.body, call.desk
    if new.size > desk.limits.file:
        raise Refused(413, "too_big", f"a file has {desk.limits.file:,} bytes at most")
    if not new.name:
        raise Refused(422, "name", "a file has a name")
    if is_value_deeper(new.about, desk.limits.depth):
        raise Refused(422, "too_deep", f"about is nested {desk.limits.depth} deep at most")
    await call.row()
    before = await desk.storage.file(project, run, file)
    if before is not None:
        return _same(call, before)
    await _put_together(call)
    ts = new.about.get("ts")
    row = FileRow(
        id=file,
        prefix=new.prefix,
        name=new.name,
        size=new.size,
        sha256=new.sha256,
        ts=float(ts) if isinstance(ts, (int, float)) and abs(ts) < 1e12 else desk.clock(),
        about=new.about,
    )
    if not await desk.storage.add_file(project, run, row):
        await desk.blobs.remove(run_prefix(project, run))
        raise call.no_run()
    await desk.blobs.remove(parts_prefix(project, run, file))
    return call.answer(row)


async def remove_run(call: Call[Nothing, None]) -> Response:
    """Remove a run, and its files."""
    project, run = call.place
    is_removed = await call.desk.storage.remove(project, run)
    call.desk.curves.forget(project, run)
    # also if it was gone: where files are may have been away when it was removed
    await call.desk.blobs.remove(run_prefix(project, run))
    if not is_removed:
        raise call.no_run()
    return call.answer(Removed(run))


def _part_number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,7}", text) or int(text) >= MOST_PARTS:
        raise Refused(400, "part", f"{text!r:.80} is no part: they are 0 to {MOST_PARTS - 1:,}")
    return int(text)


async def _checked(parts: AsyncIterator[bytes], expected: str) -> AsyncIterator[bytes]:
    """Yield parts, and refuse them at the end if they are not those that were sent."""
    checksum = sha256()
    async for part in parts:
        checksum.update(part)
        yield part
    if checksum.hexdigest() != expected:
        raise Refused(422, "checksum", "what came is not what was sent: send it again")


async def _sizes(call: Call[Any, Any]) -> dict[int, int]:
    """Return which parts of a file are there, and how long they are."""
    found = await call.desk.blobs.list(parts_prefix(*call.place, call.names["file"]))
    return {part_of(blob.key): blob.size for blob in found}


async def _put_together(call: Call[Nothing, NewFile]) -> None:
    (project, run), file, new, desk = call.place, call.names["file"], call.body, call.desk
    sizes = await _sizes(call)
    missing = [number for number in range(new.parts) if number not in sizes][:100]
    if missing:
        raise Refused(409, "parts", "parts are missing: send them first", missing=missing)
    if sum(sizes[number] for number in range(new.parts)) != new.size:
        raise Refused(422, "size", f"its parts do not come to {new.size:,} bytes")

    async def whole() -> AsyncIterator[bytes]:
        for number in range(new.parts):
            async for data in desk.blobs.get(part_key(project, run, file, number)):
                yield data

    try:
        await desk.blobs.put(file_key(project, run, file), _checked(whole(), new.sha256))
    except MissingError:  # another one was faster, or removed the run
        if await desk.storage.file(project, run, file) is None:
            raise Refused(409, "parts", "parts are missing: send them first") from None
    except Refused:  # one of them is not what it was: they are sent again
        await desk.blobs.remove(parts_prefix(project, run, file))
        raise


def _same(call: Call[Nothing, NewFile], before: FileRow) -> Response:
    if (before.size, before.sha256) != (call.body.size, call.body.sha256):
        raise Refused(409, "differs", "there is a file of this id, and it is another")
    return call.answer(before)
