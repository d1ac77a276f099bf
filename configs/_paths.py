"""Reading paths, and walking along them: `llm.layers[0].size`, `models["gpt-4.1"].price`."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from ._errors import ConfigError, ConfigKeyError, ConfigTypeError, describe
from ._keypath import KeyPath

_QUOTED = r'"(?P<{}>(?:[^"\\]|\\.)*)"'
_STEP = re.compile(
    rf'\.(?:(?P<bare>[^.\[\]"]+)|{_QUOTED.format("quoted")})'
    rf"|\[(?:(?P<index>-?\d+)|{_QUOTED.format('bracketed')})\]",
    re.DOTALL,
)

_INDEX = re.compile(r"-?[0-9]{1,9}")


@lru_cache(maxsize=1024)
def parse_path(text: str) -> KeyPath:
    """Split a written path into its keys.

    Keys are separated by dots; `[0]` is an item of a list; a key that has a dot itself is
    quoted, `models."gpt-4.1"` or `models["gpt-4.1"]`. The empty text is the root.
    """
    if not text:
        return ()
    steps = text if text.startswith("[") else f".{text}"
    keys: list[str | int] = []
    position = 0
    while position < len(steps):
        match = _STEP.match(steps, position)
        if match is None:
            raise ConfigError(
                f"{text!r} is not a path: write keys with dots between them (llm.model), items as"
                f' layers[0], and quote a key that has a dot itself (models."gpt-4.1")'
            )
        bare, quoted, index, bracketed = match.group("bare", "quoted", "index", "bracketed")
        if bare is not None:
            keys.append(bare)
        elif index is not None:
            keys.append(int(index))
        else:
            keys.append(
                re.sub(
                    r"\\(.)", r"\1", quoted if quoted is not None else bracketed, flags=re.DOTALL
                )
            )
        position = match.end()
    return tuple(keys)


def as_path(path: str | KeyPath) -> KeyPath:
    """Return a path that is given as a text or as a tuple of keys."""
    if isinstance(path, str):
        return parse_path(path)
    given: Any = path
    if not isinstance(given, tuple) or not all(
        isinstance(key, (str, int)) for key in cast("tuple[Any, ...]", given)
    ):
        raise ConfigTypeError(f"a path is a text or a tuple of keys, not {describe(path)}")
    return path


def index_of(items: Sequence[Any], key: str | int) -> int | None:
    """Read a key as an index into `items`; None where it is none of them."""
    if not isinstance(key, int) and not _INDEX.fullmatch(key):
        return None
    index = int(key)
    return index if -len(items) <= index < len(items) else None


def walk(root: Mapping[str, Any], path: KeyPath) -> Any:
    """Return what stands under `path`, or raise an error that names the first key missing."""
    value: Any = root
    for depth, key in enumerate(path):
        if isinstance(value, Mapping):
            mapping = cast("Mapping[str | int, Any]", value)
            if key not in mapping:
                raise ConfigKeyError(missing_key(key, mapping), path[:depth])
            value = mapping[key]
        elif isinstance(value, (tuple, list)):
            items = cast("Sequence[Any]", value)
            index = index_of(items, key)
            if index is None:
                problem = f"no item {key!r} (it has {len(items)}, counted from 0)"
                raise ConfigKeyError(problem, path[:depth])
            value = items[index]
        else:
            problem = f"no key {key!r} (it is {describe(value)}, which has no keys)"
            raise ConfigKeyError(problem, path[:depth])
    return value


def missing_key(key: object, mapping: Mapping[Any, Any]) -> str:
    """Say that a key is missing, with the nearest one there is."""
    from difflib import get_close_matches

    names = [str(name) for name in mapping]
    if near := get_close_matches(str(key), names, n=1):
        return f"no key {key!r} (did you mean {near[0]!r}?)"
    if not names:
        return f"no key {key!r} (it is empty)"
    shown = ", ".join(repr(name) for name in names[:8])
    return f"no key {key!r} (it has {shown}{', ...' if len(names) > 8 else ''})"
