"""The contents of runs: documents, and files, whole or a range of them."""

import re
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from ._answers import HEADERS, Refused, is_known, tag_of, unchanged
from ._calls import Call, Nothing
from ._errors import MissingError
from ._keys import file_key
from ._paths import is_document
from ._rows import FileRow

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


async def tell_document(call: Call[Nothing, None]) -> Response:
    """Return a document as it is."""
    path = call.names["path"]
    data = None
    if is_document(path):
        data = await call.desk.storage.document(*call.place, path)
    if data is None:
        raise Refused(404, "document", f"there is no document {path!r:.200} of such a run")
    tag = tag_of(data)
    if is_known(call.request, tag):
        return unchanged(tag)
    headers = {**HEADERS, "ETag": tag, "Content-Type": "text/plain; charset=utf-8"}
    return Response(data, headers=headers)


async def list_files(call: Call[Nothing, None]) -> Response:
    """List the files of a run."""
    await call.row()
    return call.answer(await call.desk.storage.files(*call.place))


async def tell_file(call: Call[Nothing, None]) -> Response:
    """Return the content of a file, or a range of it."""
    (project, run), file = call.place, call.names["file"]
    found = await call.desk.storage.file(project, run, file)
    if found is None:
        raise Refused(404, "file", f"there is no file {file} of such a run")
    tag = f'"{found.sha256}"'
    if is_known(call.request, tag):
        return unchanged(tag)
    start, stop = 0, found.size
    if call.request.method == "GET" and call.request.headers.get("if-range", tag) == tag:
        start, stop = _range(call.request.headers.get("range", ""), found.size)
    is_part = (start, stop) != (0, found.size)
    headers = {
        **HEADERS,
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(_file_name(found), safe='')}",
        "Content-Length": str(stop - start),
    }
    if is_part:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{found.size}"
    if call.request.method == "HEAD" or start == stop:
        return Response(headers=headers)
    pieces = call.desk.blobs.get(file_key(project, run, file), start, stop)
    try:
        first = await anext(pieces, b"")
    except MissingError:
        raise Refused(404, "file", f"the content of the file {file} is gone") from None
    return StreamingResponse(_after(first, pieces), 206 if is_part else 200, headers)


async def _after(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece


def _file_name(file: FileRow) -> str:
    return file.name.replace("\\", "/").rpartition("/")[2] or "file"


def _range(asked: str, size: int) -> tuple[int, int]:
    """Return where a range starts and stops; what is no single range is the whole."""
    found = _RANGE.fullmatch(asked.strip())
    if found is None or not (found[1] or found[2]):
        return 0, size
    if not found[1]:
        start, stop = max(0, size - int(found[2])), size
    else:
        start, stop = int(found[1]), min(size, int(found[2]) + 1 if found[2] else size)
    if start >= stop:
        raise Refused(
            416, "range", f"the file has {size:,} bytes", {"Content-Range": f"bytes */{size}"}
        )
    return start, stop
