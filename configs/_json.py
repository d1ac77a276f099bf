"""JSON text to plain values, each with its line; a key written twice is refused."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn

from ._errors import ConfigError
from ._keypath import KeyPath
from ._numbers import checked_float, checked_int

_TEXT = r'"(?:[^"\\]++|\\.)*+"?'  # possessive: a text that never ends is read once, not over again
_NESTING = re.compile(rf"{_TEXT}|[{{}}\[\]]", re.DOTALL)
_TOKEN = re.compile(rf'{_TEXT}|[{{}}\[\]:,]|[^\s{{}}\[\]:,"]++', re.DOTALL)


class _WrittenTwice(Exception):
    """A key stands twice in one object."""


class _Step(NamedTuple):
    """A key, or the start of a value. The path is the walker's own, and changes as it walks."""

    path: list[str | int]
    line: int
    written: str
    is_key: bool


def parse_json(text: str, max_depth: int) -> Any:
    """Return the value of a JSON text.

    Raises:
        ConfigError: the text is not JSON, or nested too deep; its `where` is the line.
    """
    _check_depth(text, max_depth)
    try:
        return _read(text)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"not JSON: {error.msg}, at column {error.colno}", where=str(error.lineno)
        ) from None
    except RecursionError:
        raise ConfigError("not JSON that can be read: nested too deep") from None
    except _WrittenTwice:
        path, first, second = next(_written_twice(text))
        raise ConfigError(f"written twice: first on line {first}", path, str(second)) from None
    except ConfigError as error:
        raise _placed(error, text) from None


def lines_of(text: str) -> dict[KeyPath, int]:
    """Return the lines in a text that is known to be JSON: of keys, and of containers in lists.

    A number or a text in a list has the line of the list, so that long lists stay cheap.
    """
    return {
        tuple(step.path): step.line
        for step in _walk(text)
        if step.is_key or (step.written in ("{", "[") and not _is_under_key(step.path))
    }


def _check_depth(text: str, max_depth: int) -> None:
    if text.count("{") + text.count("[") <= max_depth:
        return
    depth = 0
    for found in _NESTING.finditer(text):
        if found[0] in ("}", "]"):
            depth -= 1
        elif found[0] in ("{", "["):
            depth += 1
            if depth > max_depth:
                before = text[: found.start()]
                raise ConfigError(
                    f"nested more than {max_depth} deep",
                    _last_path(before)[:5],
                    str(before.count("\n") + 1),
                )


def _last_path(text: str) -> KeyPath:
    """Return the path at the end of a text, as far as it is JSON."""
    path: KeyPath = ()
    with suppress(IndexError, ValueError):
        for step in _walk(text):
            path = tuple(step.path)
    return path


def _read(text: str) -> Any:
    return json.loads(
        text,
        object_pairs_hook=_unique,
        parse_constant=_refuse_constant,
        parse_int=checked_int,
        parse_float=checked_float,
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise _WrittenTwice
    return values


def _refuse_constant(name: str) -> NoReturn:
    raise ConfigError(f"{name} is not JSON")


def _placed(error: ConfigError, text: str) -> ConfigError:
    """Return the error of a number with its path and line: of the first that is refused."""
    for step in _walk(text):
        if step.written[0] not in '{["':
            try:
                _read(step.written)
            except ConfigError as again:
                return type(again)(again.problem, tuple(step.path), str(step.line))
    return error


def _written_twice(text: str) -> Iterator[tuple[KeyPath, int, int]]:
    seen: dict[KeyPath, int] = {}
    for step in _walk(text):
        if step.is_key:
            path = tuple(step.path)
            if path in seen:
                yield path, seen[path], step.line
            seen[path] = step.line


def _walk(text: str) -> Iterator[_Step]:
    """Walk over a text that is known to be JSON, at least as far as it is walked."""
    line, position = 1, 0
    path: list[str | int] = []
    is_key: list[bool] = []  # for each open object or list: does a key come next?
    for token in _TOKEN.finditer(text):
        line += text.count("\n", position, token.start())
        position = token.start()
        written = token[0]
        if written in ("{", "["):
            yield _Step(path, line, written, False)
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
        elif is_key and is_key[-1] and written[0] == '"':
            path[-1] = json.loads(written)
            is_key[-1] = False
            yield _Step(path, line, written, True)
        else:
            yield _Step(path, line, written, False)


def _is_under_key(path: list[str | int]) -> bool:
    return bool(path) and isinstance(path[-1], str)
