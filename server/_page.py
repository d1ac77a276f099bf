"""The page: the files of `page/`, and nothing else, under the strictest of policies."""

import hashlib
import mimetypes
from collections.abc import Iterator
from importlib.resources import files
from typing import Final, final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ._answers import is_known

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_NO_PAGE: Final = "This is an understudy server. Its interface: GET /api/v1/openapi.json\n"


class _File(msgspec.Struct, frozen=True):
    content: bytes
    kind: str
    tag: str


@final
class Page:
    """Serves the files of the page; they are read once, and no other path is ever opened."""

    def __init__(self) -> None:
        self._files = dict(_found())

    def __call__(self, request: Request, path: str) -> Response:
        """Answer a request for something that is not of the interface."""
        if request.method not in ("GET", "HEAD"):
            return _text(405, "there is only GET here", {"Allow": "GET, HEAD"})
        if path == "":  # what the page has is relative to the slash
            last = request.scope["path"].rpartition("/")[2]
            return Response(status_code=307, headers={**HEADERS, "Location": f"{last}/"})
        file = self._files.get(path)
        if file is None:
            return _text(404, "there is nothing here")
        headers = {**HEADERS, "ETag": file.tag}
        if is_known(request, file.tag):
            return Response(status_code=304, headers=headers)
        return Response(file.content, headers={**headers, "Content-Type": file.kind})


def _found() -> Iterator[tuple[str, _File]]:
    yield "/", _file_of("index.txt", _NO_PAGE.encode())
    page = files(__package__ or "understudy.server") / "page"
    for folder, prefix in ((page, "/static/"), (page / "vendor", "/static/vendor/")):
        for file in folder.iterdir() if folder.is_dir() else ():
            if file.name == "index.html":
                yield "/", _file_of(file.name, file.read_bytes())
            elif file.is_file():
                yield prefix + file.name, _file_of(file.name, file.read_bytes())


def _file_of(name: str, content: bytes) -> _File:
    kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
    tag = hashlib.sha256(content).hexdigest()[:16]
    return _File(content, f"{kind or 'text/plain'}; charset=utf-8", f'"{tag}"')


def _text(status: int, text: str, more: dict[str, str] | None = None) -> Response:
    headers = {**HEADERS, **(more or {}), "Content-Type": "text/plain; charset=utf-8"}
    return Response(f"{text}\n", status, headers)
