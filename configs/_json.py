"""JSON text to plain values, each with its line; a key written twice is refused."""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from ._errors import ConfigError
from ._keypath import KeyPath
from ._numbers import checked_float, checked_int

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


class _WrittenTwice(Exception):
    """A key stands twice in one object."""


def parse_json(text: str) -> tuple[Any, dict[KeyPath, int]]:
    """Return the value of a JSON text and the line of each path in it.

    Raises:
        ConfigError: the text is not JSON; its `where` is the line.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_int=checked_int,
            parse_float=checked_float,
        )
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"not JSON: {error.msg}, at column {error.colno}", where=str(error.lineno)
        ) from None
    except RecursionError:
        raise ConfigError("not JSON that can be read: nested too deep") from None
    except _WrittenTwice:
        path, first, second = next(_written_twice(text))
        raise ConfigError(f"written twice: first on line {first}", path, str(second)) from None
    return value, dict(_lines(text))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise _WrittenTwice
    return values


def _refuse_constant(name: str) -> NoReturn:
    raise ConfigError(f"{name} is not JSON")


def _written_twice(text: str) -> Iterator[tuple[KeyPath, int, int]]:
    seen: dict[KeyPath, int] = {}
    for path, line in _lines(text):
        if path in seen:
            yield path, seen[path], line
        seen[path] = line


def _lines(text: str) -> Iterator[tuple[KeyPath, int]]:
    """Walk over a text that is known to be JSON, and yield each path with its line."""
    line, position = 1, 0
    path: list[str | int] = []
    is_key: list[bool] = []  # for each open object or list: does a key come next?
    for token in _TOKEN.finditer(text):
        line += text.count("\n", position, token.start())
        position = token.start()
        written = token[0]
        if written in ("{", "["):
            if not path:
                yield (), line
            elif isinstance(path[-1], int):
                yield tuple(path), line
            path.append(0 if written == "[" else "")
            is_key.append(written == "{")
        elif written in ("}", "]"):
            path.pop()
            is_key.pop()
        elif written == ",":
            last = path[-1]
            if isinstance(last, int):
                path[-1] = last + 1
            else:
                is_key[-1] = True
        elif written == ":":
            continue
        elif is_key and is_key[-1]:
            path[-1] = json.loads(written)
            is_key[-1] = False
            yield tuple(path), line
        elif path and isinstance(path[-1], int):
            yield tuple(path), line
