"""Answers: what is refused and why, what is told, and what every answer says besides."""

import hashlib
import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from understudy.runs.replica import encode

JSON: Final = "application/json"
MSGPACK: Final = "application/msgpack"
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cache-Control": "private, no-cache",
}
"""What every answer of the interface says: it is data, and nobody else's to keep."""


class Refused(Exception):
    """What a request is refused with.

    Args:
        status: the status of HTTP.
        error: the reason, in a word that programs go by.
        message: the reason, and what to do.
        headers: what the answer says besides.
        details: what programs need to go on.
    """

    def __init__(
        self,
        status: int,
        error: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.told = {"error": error, "message": message, **details}


def busy(message: str, seconds: float, status: int = 429, error: str = "too_many") -> Refused:
    """Return the refusal of what may be asked again a little later."""
    return Refused(status, error, message, {"Retry-After": str(max(1, math.ceil(seconds)))})


def refusal(request: Request, refused: Refused) -> Response:
    """Return the answer to a request that is refused."""
    response = _response(request, refused.told, refused.status)
    response.headers.update(refused.headers)
    return response


def answer(request: Request, value: Any, status: int = 200, *, has_marks: bool = False) -> Response:
    """Return an answer, as JSON, or as msgpack if that is asked for; nothing if it is known.

    Args:
        request: what was asked.
        value: what is told.
        status: the status of HTTP.
        has_marks: whether NaN and the infinities are written `{"$null": "nan"}` in JSON, as in the
            files of a run; else they are null.
    """
    response = _response(request, value, status, has_marks)
    if request.method in ("GET", "HEAD") and status == 200:
        tag = tag_of(bytes(response.body))
        if is_known(request, tag):
            return unchanged(tag)
        response.headers["ETag"] = tag
    return response


def tag_of(*what: object) -> str:
    """Return the ETag of something: another if anything of it is another."""
    checksum = hashlib.sha256()
    for each in what:
        data = each if isinstance(each, bytes) else repr(each).encode()
        checksum.update(b"%d:" % len(data))
        checksum.update(data)
    return f'"{checksum.hexdigest()[:24]}"'


def is_known(request: Request, tag: str) -> bool:
    """Tell whether whoever asks has it already."""
    given = request.headers.get("if-none-match", "")
    return any(each.strip().removeprefix("W/") == tag for each in given.split(","))


def unchanged(tag: str) -> Response:
    """Return the answer that says that nothing has changed."""
    return Response(status_code=304, headers={**HEADERS, "ETag": tag})


def _response(request: Request, value: Any, status: int, has_marks: bool = False) -> Response:
    headers = {**HEADERS, "Vary": "Accept, Authorization"}
    if MSGPACK in request.headers.get("accept", ""):
        return Response(msgspec.msgpack.encode(value), status, headers, MSGPACK)
    data = encode(value, _ignore) if has_marks else msgspec.json.encode(value)
    return Response(data, status, headers, JSON)


def _ignore(_: str) -> None: ...
