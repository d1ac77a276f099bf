"""One text for one value: the canonical JSON that a config's id is made from.

Plain JSON values are written as `json.dumps(values, sort_keys=True)` writes them. What JSON
cannot say is written as an object with one `$` key, and a key of the user's that starts with
`$` gets a second one, so that no two different values share a text.
"""

import enum
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, cast

from ._adapt import PLAIN
from ._errors import ConfigError, ConfigTypeError, describe
from ._keypath import KeyPath

_ID_DIGITS = 16
_AS_THEY_ARE = PLAIN - {float}


def content_id(values: Mapping[str, Any]) -> str:
    """Return the first 16 hex digits of the SHA-256 of the canonical JSON."""
    from hashlib import sha256

    return sha256(canonical_json(values).encode()).hexdigest()[:_ID_DIGITS]


def canonical_json(values: Mapping[str, Any]) -> str:
    """Write values as canonical JSON, or raise an error naming the first that has none."""
    try:
        return _encoder()(_plain(values, ()))
    except ConfigError:
        raise
    except ValueError:  # Python writes at most 4,300 digits
        raise ConfigError("an integer is too long to be written: keep it as a text") from None


def _plain(value: Any, path: KeyPath) -> Any:
    kind = cast("Any", type(value))
    if kind in PLAIN and (kind is not float or math.isfinite(value)):
        return value
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        return {
            f"${key}" if key[:1] == "$" else key: (
                inner if type(inner) in _AS_THEY_ARE else _plain(inner, (*path, key))
            )
            for key, inner in mapping.items()
        }
    if isinstance(value, (tuple, list)):
        items = cast("Sequence[Any]", value)
        return [_plain(item, (*path, index)) for index, item in enumerate(items)]
    if isinstance(value, enum.Enum):
        return {"$enum": [kind.__qualname__, _enum_value(value, path)]}
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$float": float.__repr__(value)}
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str.__str__(value)
    for base, (tag, text) in _tagged_kinds().items():
        if isinstance(value, base):
            return {tag: text(value)}
    raise ConfigTypeError(
        f"{describe(value)} has no canonical JSON form, so its config has no stable id: "
        f"use a plain value or a registered name, or give the config an id with `__config_id__`",
        path,
    )


def _enum_value(member: enum.Enum, path: KeyPath) -> Any:
    """Return what tells a member from others: its value, or its name where that has no form."""
    try:
        return _plain(member.value, path)
    except ConfigTypeError:
        return {"$name": member.name}


@cache
def _encoder() -> Callable[[Any], str]:
    import json

    return json.JSONEncoder(sort_keys=True).encode


@cache
def _tagged_kinds() -> dict[type[Any], tuple[str, Callable[[Any], str | int]]]:
    """Return the kinds of value that JSON cannot say, with the tag and the text of each."""
    import datetime
    from decimal import Decimal
    from pathlib import PurePath
    from uuid import UUID

    microsecond = datetime.timedelta(microseconds=1)
    return {
        Decimal: ("$decimal", str),
        PurePath: ("$path", PurePath.as_posix),
        bytes: ("$bytes", bytes.hex),
        datetime.datetime: ("$datetime", datetime.datetime.isoformat),  # a date too: stands first
        datetime.date: ("$date", datetime.date.isoformat),
        datetime.time: ("$time", datetime.time.isoformat),
        datetime.timedelta: ("$microseconds", lambda value: value // microsecond),
        UUID: ("$uuid", str),
    }
