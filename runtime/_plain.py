"""Plain copies: what a value holds, in dicts, lists, texts and numbers, as far as a limit goes."""

import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import islice
from pathlib import PurePath
from typing import Any, Final, cast, final
from uuid import UUID

CUT: Final = "..."
"""What stands for the rest of what was too much."""
_DEEPEST: Final = 12
_LONGEST_NUMBER: Final = 63
"""How many bits a whole number may have; of a longer one only its length is told."""
_ROOM_OF_ONE: Final = 2
"""How many bytes a value takes at least when it is written, with what is between it and others."""
_WORDED: Final = (datetime, date, time, timedelta, Decimal, UUID, PurePath)
_LISTS: Final = (list, tuple, deque, AbstractSet)


def plain(value: object, limit: int) -> Any:
    """Return a copy of a value, of as much as could be written in `limit` bytes, and little more.

    No code of the value's own runs, but that of a mapping that is no dict; what it holds may be
    changed later. Of an object that is neither data nor has fields, only the class is told.

    Example:
        >>> from understudy._plain import plain
        >>> plain({"words": ("a", "b"), "file": open}, 100)
        {'words': ['a', 'b'], 'file': '<builtin_function_or_method>'}
        >>> plain([1] * 1000, 8)
        [1, 1, 1, '...']
    """
    return _Copy(limit).of(value, 0)


@final
class _Copy:
    def __init__(self, limit: int) -> None:
        self._left = limit

    def of(self, value: object, depth: int) -> Any:
        self._left -= _ROOM_OF_ONE
        if type(value) is str:  # as most are, so that it is asked first
            return self._text(value)
        if value is None or type(value) in (bool, float):
            return value
        if isinstance(value, Enum):
            return self.of(value.value, depth)
        if isinstance(value, str):
            return self._text(str.__str__(value))
        if isinstance(value, int):
            return _number(int(value))
        if isinstance(value, float):
            return float(value)
        if isinstance(value, _WORDED):
            return self._text(_words(value))
        if isinstance(value, bytes | bytearray):
            return f"<{len(value)} bytes>"
        if depth >= _DEEPEST:
            return CUT
        try:
            return self._parts(value, depth)
        except Exception:  # it changes right now, or is not what it seems
            return named(value)

    def _text(self, text: str) -> str:
        room = max(0, self._left)
        self._left -= len(text)
        text = text if len(text) <= room else text[:room] + CUT
        if text.isascii():
            return text
        return text.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair, say

    def _parts(self, value: object, depth: int) -> Any:
        fields = _fields(value)
        if fields is not None:
            return self._mapping(fields, depth)
        if isinstance(value, _LISTS):
            return self._list(cast("Iterable[Any]", value), depth)
        return named(value)

    def _mapping(self, fields: Iterator[tuple[Any, Any]], depth: int) -> dict[str, Any]:
        copy: dict[str, Any] = {}
        for key, value in fields:
            if self._left <= 0:
                copy[CUT] = CUT
                break
            name = str(self.of(key, _DEEPEST))
            copy[name] = self.of(value, depth + 1)
        return copy

    def _list(self, items: Iterable[Any], depth: int) -> list[Any]:
        copy: list[Any] = []
        for item in islice(items, max(0, self._left) + 1):
            if self._left <= 0:
                copy.append(CUT)
                break
            copy.append(self.of(item, depth + 1))
        return copy


def named(value: object) -> str:
    """Return the class of an object: all that is told of it."""
    return f"<{type(value).__name__}>"


def _number(number: int) -> int | str:
    bits = number.bit_length()
    return number if bits <= _LONGEST_NUMBER else f"<a number of {bits} bits>"


def _words(value: object) -> str:
    with suppress(Exception):
        return str(value)
    return named(value)


def _fields(value: Any) -> Iterator[tuple[Any, Any]] | None:
    """Return the names and values that an object is made of; None if it is not made of any."""
    kind = cast("Any", type(value))
    names: Iterable[str] | None
    if kind is dict or isinstance(value, Mapping):
        return iter(cast("Mapping[Any, Any]", value).items())
    if isinstance(value, type):
        return None
    if isinstance(value, tuple):
        names = getattr(kind, "_fields", None)
    elif hasattr(kind, "__struct_fields__"):
        names = kind.__struct_fields__
    elif hasattr(kind, "__dataclass_fields__"):
        names = [*kind.__dataclass_fields__]
    elif hasattr(kind, "__attrs_attrs__"):
        names = [each.name for each in kind.__attrs_attrs__]
    else:
        model = getattr(sys.modules.get("pydantic"), "BaseModel", ())
        names = [*value.__dict__] if isinstance(value, model) else None
    if names is None:
        return None
    fields = cast("Any", value)
    return ((name, getattr(fields, name, None)) for name in names)
