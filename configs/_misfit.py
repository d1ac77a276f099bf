"""Why a value does not fit a type, in the words of the person who wrote the config."""

import enum
import re
from collections.abc import Mapping
from typing import Any, Literal, cast, get_args, get_origin

from ._errors import ConfigError
from ._keypath import KeyPath
from ._paths import missing_key, parse_path, walk
from ._secret import HIDDEN, has_secret

_AT = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`$")
_MISSING = re.compile(r"[Oo]bject missing required field `(?P<field>[^`]+)`")
_UNKNOWN = re.compile(r"[Oo]bject contains unknown field `(?P<field>[^`]+)`")
_QUOTED = re.compile(r"'[^']*'")
_WORDS = {"array": "list", "object": "mapping", "null": "None"}


def misfit(error: ValueError, target: Any, value: Any, path: KeyPath) -> ConfigError:
    """Say what is wrong with `value`, which stands under `path`.

    Args:
        error: what msgspec or pydantic says of it.
        target: the type it does not fit.
        value: the value, as plain dicts and lists.
        path: where it stands in the config.
    """
    told = getattr(error, "errors", None)
    if callable(told):  # pydantic
        first, *others = cast("list[dict[str, Any]]", told())
        more = f" (and {len(others)} more)" if others else ""
        return ConfigError(f"{first['msg']}{more}", (*path, *first["loc"]))
    message = str(error)
    inner: KeyPath = ()
    if at := _AT.search(message):
        message, inner = message[: at.start()], _path_or_nothing(at["path"])
    if missing := _MISSING.fullmatch(message):
        return ConfigError(_missing(missing["field"], value, inner), (*path, *inner))
    if unknown := _UNKNOWN.fullmatch(message):
        known = f" of {target.__name__}" if isinstance(target, type) and not inner else ""
        return ConfigError(f"not one of the fields{known}", (*path, *inner, unknown["field"]))
    if message.startswith("Invalid enum value") and not inner and (allowed := _allowed(target)):
        got = HIDDEN if has_secret(path) else repr(value)
        return ConfigError(f"expected one of {allowed}, got {got}", path)
    if has_secret((*path, *inner)):
        message = _QUOTED.sub(HIDDEN, message)
    return ConfigError(_in_our_words(message), (*path, *inner))


def _path_or_nothing(text: str) -> KeyPath:
    try:
        return parse_path(text.removeprefix("."))
    except ConfigError:  # `[...]` stands for any key of a dict
        return ()


def _missing(field: str, value: Any, inner: KeyPath) -> str:
    there = walk(value, inner) if inner else value
    return missing_key(
        field, cast("Mapping[str, Any]", there) if isinstance(there, Mapping) else {}
    )


def _allowed(target: Any) -> str:
    if get_origin(target) is Literal:
        return ", ".join(repr(choice) for choice in get_args(target))
    if isinstance(target, type) and issubclass(target, enum.Enum):
        return ", ".join(repr(member.value) for member in target)
    return ""


def _in_our_words(message: str) -> str:
    """Put Python's words in the place of JSON's, inside the quotes."""

    def translated(match: re.Match[str]) -> str:
        return re.sub(r"\b(array|object|null)\b", lambda word: _WORDS[word[0]], match[0])

    return re.sub(r"`[^`]*`", translated, message[:1].lower() + message[1:])
