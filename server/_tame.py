"""Ints that are too great for msgpack, and for most who read JSON, become floats."""

import re
from typing import Any, Final, TypeVar, cast

from understudy.runs.replica import Line, decode_lines

T = TypeVar("T")

_LONG: Final = re.compile(rb"[0-9]{19}")

_LEAST: Final = -(1 << 63)
_GREATEST: Final = (1 << 64) - 1


def tame(value: T) -> T:
    """Return a value with no greater ints in it than 64 bits hold; most are as they were.

    Example:
        >>> from understudy.server._tame import tame
        >>> tame([{"loss": 10**30, "step": 1}]), tame(10**400)
        ([{'loss': 1e+30, 'step': 1}], inf)
    """
    return cast("T", _tamed(value)) if _is_wild(value) else value


def tame_lines(data: bytes) -> list[Line]:
    """Return what lines of JSON say, tame."""
    lines = decode_lines(data)
    return tame(lines) if _LONG.search(data) else lines


def _is_wild(value: object) -> bool:
    if type(value) is int:
        return not _LEAST <= value <= _GREATEST
    if type(value) is dict:
        return any(map(_is_wild, cast("dict[Any, object]", value).values()))
    return type(value) is list and any(map(_is_wild, cast("list[object]", value)))


def _tamed(value: object) -> object:
    if type(value) is int and _is_wild(value):
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    if type(value) is dict:
        return {key: _tamed(inner) for key, inner in cast("dict[Any, object]", value).items()}
    if type(value) is list:
        return [_tamed(inner) for inner in cast("list[object]", value)]
    return value
