"""The page: the files of `page/`, and nothing else, under the strictest of policies."""

from typing import Final, final

from starlette.requests import Request
from starlette.responses import Response

from understudy.pages import HEADERS, Parts


@final
class Page:
    """Serves the files of the page; they are read once, and no other path is ever opened."""

    def __init__(self) -> None:
        self._parts: Final = Parts("understudy.server")

    def __call__(self, request: Request, path: str) -> Response:
        """Answer a request for something that is not of the interface."""
        if request.method not in ("GET", "HEAD"):
            return _text(405, "there is only GET here", {"Allow": "GET, HEAD"})
        if path == "":  # what the page has is relative to the slash
            last = request.scope["path"].rpartition("/")[2]
            return Response(status_code=307, headers={**HEADERS, "Location": f"{last}/"})
        found = self._parts.answer(path, request.headers.get("if-none-match"))
        if found is None:
            return _text(404, "there is nothing here")
        status, headers, body = found
        return Response(body, status, headers)


def _text(status: int, text: str, more: dict[str, str] | None = None) -> Response:
    headers = {**HEADERS, **(more or {}), "Content-Type": "text/plain; charset=utf-8"}
    return Response(f"{text}\n", status, headers)
