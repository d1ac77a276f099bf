"""The description of the interface, as OpenAPI, from the table of addresses."""

import re
from importlib.metadata import version
from typing import Any, Final

import msgspec

from ._routes import ROOT, ROUTES, Route
from ._writing import MOST_PARTS

_REF: Final = "#/components/schemas/{name}"
_WORDS: Final = {
    200: "What was asked for.",
    206: "A range of it.",
    304: "Nothing has changed since.",
    400: "The request is not understood.",
    401: "A token is needed.",
    403: "The token is not for this.",
    404: "It is not there.",
    408: "The body did not come in time.",
    409: "It does not fit to what is kept.",
    413: "It is too much.",
    415: "It is of a kind that is not taken.",
    416: "There is no such range.",
    422: "It is understood, and cannot be kept.",
    429: "That was too often: `Retry-After` says when to ask again.",
    503: "The storage is away: `Retry-After` says when to ask again.",
}


class Problem(msgspec.Struct):
    """Why a request was refused: a word for programs, and what to do."""

    error: str
    message: str


def description() -> dict[str, Any]:
    """Return the description of all there is.

    Example:
        >>> from understudy.server._openapi import description
        >>> sorted(description()["paths"])[0]
        '/api/v1/health'
    """
    kinds = [
        kind for route in ROUTES for kind in (route.told, route.body) if kind not in (None, bytes)
    ]
    schemas, components = msgspec.json.schema_components([*kinds, Problem], ref_template=_REF)
    of_kind = dict(zip(map(repr, [*kinds, Problem]), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(ROOT + route.path, {})[route.method.lower()] = _operation(route, of_kind)
    return {
        "openapi": "3.1.0",
        "info": {"title": "understudy server", "version": version("understudy")},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, of_kind: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": route.handle.__name__,
        "summary": (route.handle.__doc__ or "").strip().partition("\n")[0],
        "parameters": [*_names(route.path), *_asked(route.query)],
        "responses": _responses(route, of_kind),
    }
    if route.scope is not None:
        said["security"] = [{"token": []}]
    if route.body is bytes:
        said["parameters"].append(
            {
                "name": "X-Part-SHA256",
                "in": "header",
                "required": True,
                "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            }
        )
        said["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    elif route.body is not None:
        schema = of_kind[repr(route.body)]
        content = {kind: {"schema": schema} for kind in ("application/json",)}
        said["requestBody"] = {"required": True, "content": content}
    return said


def _names(path: str) -> list[dict[str, Any]]:
    kinds: dict[str, dict[str, Any]] = {
        "run": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        "file": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        "n": {"type": "integer", "minimum": 0, "maximum": MOST_PARTS - 1},
    }
    text = {"type": "string", "minLength": 1, "maxLength": 1000}
    return [
        {"name": name, "in": "path", "required": True, "schema": kinds.get(name, text)}
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _asked(query: type[msgspec.Struct]) -> list[dict[str, Any]]:
    _, components = msgspec.json.schema_components([query], ref_template=_REF)
    properties = components[query.__name__].get("properties", {})
    return [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in properties.items()
    ]


def _responses(route: Route, of_kind: dict[str, Any]) -> dict[str, Any]:
    if route.told is None:
        content: dict[str, Any] = {"application/octet-stream": {}, "text/plain": {}}
    else:
        content = {"application/json": {"schema": of_kind[repr(route.told)]}}
    problem = {"application/json": {"schema": of_kind[repr(Problem)]}}
    statuses = {400, 408, 413, 415, 503, *route.also}
    if route.method == "GET":
        statuses |= {304}
    if route.scope is not None:
        statuses |= {401, 403, 429}
    said: dict[str, Any] = {"200": {"description": _WORDS[200], "content": content}}
    for status in sorted(statuses):
        said[str(status)] = {"description": _WORDS[status]}
        if status >= 400:
            said[str(status)]["content"] = problem
        elif status == 206:
            said[str(status)]["content"] = content
    return said
