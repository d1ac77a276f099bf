"""How deep JSON is nested, told before anything is made of it."""

import re
from itertools import accumulate
from typing import Any, Final, cast

_TEXT: Final = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BRACKETS: Final = b"[]{}"
_OTHERS: Final = bytes({*range(256)} - {*_BRACKETS})
_STEP: Final = {bracket: 1 if bracket in b"[{" else -1 for bracket in _BRACKETS}


def is_deeper(data: bytes, most: int) -> bool:
    """Tell whether a line of JSON is nested deeper than it may be.

    Most have fewer brackets than that, which is quickly seen.

    Example:
        >>> from understudy.server._depth import is_deeper
        >>> is_deeper(b'{"a":[[1]]}', 3), is_deeper(b'{"a":[[1]]}', 2), is_deeper(b'"[[["', 2)
        (False, True, False)
    """
    if data.count(b"[") + data.count(b"{") <= most:
        return False
    brackets = _TEXT.sub(b"", data).translate(None, _OTHERS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > most


def is_value_deeper(value: object, most: int) -> bool:
    """Tell the same of a value that was decoded."""
    if isinstance(value, dict):
        inner = [*cast("dict[Any, object]", value).values()]
    elif isinstance(value, list):
        inner = cast("list[object]", value)
    else:
        return False
    return most == 0 or any(is_value_deeper(each, most - 1) for each in inner)
