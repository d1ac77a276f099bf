"""What people log, as JSON that anybody reads, and back.

JSON has no word for NaN and the infinities: they are written `{"$null": "nan"}`, a null that says
what it stands for, and are themselves again on reading. A mapping of the user's that looks like it
gets another `$`. What nothing can be made of becomes its repr, `{"$repr": "<...>"}`, is reported,
and costs only itself.
"""

import math
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from enum import Enum
from pathlib import PurePath
from typing import Any, Final, cast

import msgspec

MARK: Final = b'$null"'
"""What stands in a line that holds a number JSON has no word for, or something that looks so."""
U: Final = ord("u")
LARGEST_ARRAY: Final = 10_000
"""How many numbers an array has at most: more belong into a file."""

_NO_NUMBERS: Final = ("nan", "inf", "-inf")
"""What JSON has no word for."""
_DEEPEST: Final = 60
_LONGEST_REPR: Final = 1_000

Report = Callable[[str], None]
"""Told of each value that could not be kept."""


def encode(value: object, report: Report) -> bytes:
    """Return a value as JSON.

    Args:
        value: whatever it is.
        report: called with a line for each value inside that is only kept as its repr.

    Example:
        >>> from understudy.runs._values import decode, encode
        >>> encode({"loss": float("nan"), "at": {1}}, print)
        b'{"loss":{"$null":"nan"},"at":[1]}'
        >>> decode(encode({"loss": float("inf"), "size": 3}, print))
        {'loss': inf, 'size': 3}
    """
    with suppress(Exception):  # something in it has no form: the slow way finds what
        written = quick(value)
        if not may_be_null(written):
            return written
    lost: list[str] = []
    written = quick(_plain(value, 0, lost))
    for each in lost:
        report(each)
    return written


def may_be_null(written: bytes) -> bool:
    """Tell whether JSON may hold a null: one for None, one for NaN, or just the word.

    One byte is sought ten times as fast as four, and few names have a `u`.
    """
    return U in written and b"null" in written


def decode(written: bytes) -> Any:
    """Return what was encoded."""
    value = msgspec.json.decode(written)
    return restored(value) if MARK in written else value


def restored(value: Any) -> Any:
    """Return a decoded value with its marks taken for what they stand for."""
    if type(value) is list:
        return [restored(item) for item in cast("list[Any]", value)]
    if type(value) is not dict:
        return value
    mapping = cast("dict[str, Any]", value)
    if len(mapping) == 1:
        ((key, inner),) = mapping.items()
        if key == "$null":
            return float(inner) if inner in _NO_NUMBERS else mapping
        if _looks_like_a_mark(key):
            return {key[1:]: restored(inner)}
    return {key: restored(inner) for key, inner in mapping.items()}


def told(value: object) -> str:
    """Return the repr of a value, of bearable length, whatever its own makes of it."""
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    text = text if len(text) <= _LONGEST_REPR else f"{text[:_LONGEST_REPR]}..."
    return text.encode("utf-8", "backslashreplace").decode()


class _NoFormError(TypeError):
    """There is nothing that a value could be written as."""


def _simpler(value: Any) -> Any:
    """Return what stands for a value that msgspec does not know."""
    if isinstance(value, float):  # numpy's float64 is one as well
        return float(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[Any, Any]", value))
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, (AbstractSet, range)) or type(value).__name__ == "deque":
        return list(cast("AbstractSet[Any]", value))
    if callable(getattr(value, "tolist", None)) and hasattr(value, "shape"):
        return _numbers(value)
    if callable(getattr(value, "model_dump", None)):
        return value.model_dump()
    if hasattr(value, "isoformat"):  # a subclass of datetime
        return value.isoformat()
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return f"{value.__module__}.{value.__qualname__}"
    raise _NoFormError(f"{type(value).__name__} has no form in JSON")


def _numbers(array: Any) -> Any:
    """Return an array, or a scalar, of numpy, torch and their like as plain numbers."""
    size = math.prod(array.shape)
    if size > LARGEST_ARRAY:
        raise _NoFormError(f"an array of {size:,} is too large: save it as a file")
    plain = array.tolist()
    if hasattr(plain, "tolist"):  # a kind that numpy has no plain form for
        raise _NoFormError(f"{type(array).__name__} has no form in JSON")
    return plain


quick: Final = msgspec.json.Encoder(enc_hook=_simpler).encode
"""Writes what has a form in JSON, with null for NaN; raises for the rest."""


def _plain(value: Any, depth: int, lost: list[str]) -> Any:
    """Return a value made of what JSON has, with marks."""
    kind = cast("Any", type(value))
    if value is None or kind is bool:
        return value
    if kind is float:
        return value if math.isfinite(value) else {"$null": repr(value)}
    try:
        if depth > _DEEPEST:
            raise _NoFormError("it is too deep, or within itself")
        if kind is int or kind is str:
            quick(value)
            return value
        if isinstance(value, Mapping):
            return _plain_mapping(cast("Mapping[Any, Any]", value), depth, lost)
        if isinstance(value, (list, tuple)):
            return [_plain(item, depth + 1, lost) for item in cast("list[Any]", value)]
        return _plain(_opened(value), depth + 1, lost)
    except Exception as error:  # whatever a class of the user's may do
        text = told(cast("object", value))
        lost.append(f"only the repr of a value is kept, {text[:80]}: {error}")
        return {"$repr": text}


def _plain_mapping(mapping: Mapping[Any, Any], depth: int, lost: list[str]) -> Any:
    plain = {_key(key): _plain(inner, depth + 1, lost) for key, inner in list(mapping.items())}
    if len(plain) == 1:
        ((key, inner),) = plain.items()
        if _looks_like_a_mark(key):
            return {f"${key}": inner}
    return plain


def _opened(value: Any) -> Any:
    """Return what a value is made of, one level down."""
    kind = cast("Any", type(value))
    if hasattr(kind, "__dataclass_fields__"):
        from dataclasses import fields

        return {field.name: getattr(value, field.name) for field in fields(value)}
    if hasattr(kind, "__struct_fields__"):
        return msgspec.structs.asdict(value)
    if hasattr(kind, "__attrs_attrs__"):
        return {field.name: getattr(value, field.name) for field in kind.__attrs_attrs__}
    if isinstance(value, AbstractSet):
        return list(cast("AbstractSet[Any]", value))
    if isinstance(value, Enum):
        return _member(value)
    try:
        return msgspec.to_builtins(value)  # dates, bytes, members of an Enum, and the like
    except Exception:
        return _simpler(value)


def _member(member: Enum) -> Any:
    """Return the value of a member of an Enum; its name, if that has no form."""
    try:
        quick(member.value)
    except Exception:
        return member.name
    return member.value


def _key(key: object) -> str:
    text = key if isinstance(key, str) else str(key)
    return str.__str__(text).encode("utf-8", "backslashreplace").decode()


def _looks_like_a_mark(key: str) -> bool:
    return key.startswith("$") and key.lstrip("$") == "null"
