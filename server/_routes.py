"""Which addresses there are, what they take, and who answers: one table, for all of it."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import unquote_to_bytes

import msgspec
from starlette.responses import Response

from . import _contents as contents
from . import _reading as reading
from . import _writing as writing
from ._answers import Refused
from ._calls import Call, Nothing
from ._messages import Messages
from ._paths import name_at
from ._rows import Batch, FileRow, Lengths, ProjectRow

ROOT: Final = "/api/v1"
_RUN: Final = "/projects/{project}/runs/{run}"


class Route(NamedTuple):
    """One thing that can be asked for.

    Attributes:
        method: the method of HTTP.
        path: the address behind `ROOT`; a name in braces stands for a part of it, `{path}` for all
            that is left.
        handle: answers.
        told: what is answered, or the type of it; None for bytes.
        scope: what a token must be for; None if none is needed.
        query: what may stand behind the address.
        body: what comes with it, if something does; bytes, if the answerer reads it.
        also: by which other statuses it may be answered.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    handle: Callable[[Call[Any, Any]], Awaitable[Response]]
    told: Any
    scope: Literal["read", "write"] | None = "read"
    query: type[msgspec.Struct] = Nothing
    body: Any = None
    also: tuple[int, ...] = ()


ROUTES: Final = (
    Route("GET", "/health", reading.tell_health, reading.Health, None),
    Route("GET", "/openapi.json", reading.tell_description, dict[str, Any], None),
    Route("GET", "/whoami", reading.tell_who, reading.Who),
    Route("GET", "/projects", reading.tell_projects, list[ProjectRow]),
    Route(
        "GET", "/projects/{project}/runs", reading.list_runs, reading.RunList,
        query=reading.WhichRuns,
    ),
    Route("GET", _RUN, reading.tell_run, reading.RunTold, also=(404,)),
    Route("DELETE", _RUN, writing.remove_run, writing.Removed, "write", also=(404,)),
    Route(
        "POST", f"{_RUN}/batch", writing.take_batch, writing.Accepted, "write", body=Batch,
        also=(409, 413, 422),
    ),
    Route("GET", f"{_RUN}/lengths", writing.tell_lengths, Lengths, also=(404,)),
    Route(
        "GET", f"{_RUN}/log", reading.tell_messages, Messages,
        query=reading.WhichMessages, also=(404,),
    ),
    Route(
        "GET", f"{_RUN}/metrics/{{metric}}", reading.tell_metric, reading.Curve,
        query=reading.WhichPoints, also=(404,),
    ),
    Route("GET", f"{_RUN}/documents/{{path}}", contents.tell_document, None, also=(404,)),
    Route("GET", f"{_RUN}/files", contents.list_files, list[FileRow], also=(404,)),
    Route("GET", f"{_RUN}/files/{{file}}", contents.tell_file, None, also=(206, 404, 416)),
    Route(
        "POST", f"{_RUN}/files/{{file}}", writing.finish_file, FileRow, "write",
        body=writing.NewFile, also=(404, 409, 413, 422),
    ),
    Route(
        "GET", f"{_RUN}/files/{{file}}/parts", writing.tell_parts, writing.Parts, also=(404,)
    ),
    Route(
        "PUT", f"{_RUN}/files/{{file}}/parts/{{n}}", writing.take_part, writing.Parts, "write",
        body=bytes, also=(404, 413, 422),
    ),
)  # fmt: skip


def match(method: str, raw: str) -> tuple[Route, dict[str, str]]:
    """Return the route of a request, and the names in its address.

    Args:
        method: the method; HEAD is a GET.
        raw: the path behind `ROOT`, as it was sent: a `%2F` in it divides nothing.

    Raises:
        Refused: there is none.
    """
    parts = [_unquoted(part) for part in raw.removeprefix("/").split("/")]
    allowed: list[str] = []
    for route in ROUTES:
        names = _names(route.path.removeprefix("/").split("/"), parts)
        if names is None:
            continue
        if route.method == ("GET" if method == "HEAD" else method):
            return route, {what: name_at(what, name) for what, name in names.items()}
        allowed.append(route.method)
    if allowed:
        raise Refused(
            405,
            "method",
            f"there is no {method:.20} here: {', '.join(allowed)}",
            {"Allow": ", ".join(allowed)},
        )
    raise Refused(404, "address", "there is nothing here: GET /api/v1/openapi.json tells what is")


def _names(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    if pattern[-1] == "{path}":
        parts = [*parts[: len(pattern) - 1], "/".join(parts[len(pattern) - 1 :])]
    if len(pattern) != len(parts):
        return None
    names: dict[str, str] = {}
    for expected, part in zip(pattern, parts, strict=True):
        if expected.startswith("{"):
            names[expected.strip("{}")] = part
        elif expected != part:
            return None
    return names


def _unquoted(part: str) -> str:
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeError:
        raise Refused(400, "address", "the address is no UTF-8, percent-encoded") from None
