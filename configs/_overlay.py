"""The rule of composition: plain keys replace, dotted keys reach in and keep the siblings."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from ._errors import ConfigError, describe
from ._keypath import DEEPEST, KeyPath, format_path
from ._paths import index_of, parse_path


def overlay(target: dict[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `update` over `target` in place, and return it.

    Only the keys at the top of a plain dict may be paths: nested ones are names, and those of a
    Config have been read already. The order of the keys decides nothing: plain keys are laid
    first, then paths, the shortest first, so that a path always refines what stands beside it.
    """
    written: dict[KeyPath, str] = {}
    for key in update:
        path = key_path(key) if isinstance(update, dict) else (key,)
        if path in written:
            raise ConfigError(f"written twice, as {written[path]!r} and as {key!r}", path)
        written[path] = key
    for path in sorted(written, key=len):
        _put(_reach(target, path), path[-1], _copied(update[written[path]], path), path)
    return target


def key_path(key: Any) -> KeyPath:
    """Read one key at the top of a dict or a file: the path it stands for."""
    is_path = isinstance(key, str) and ("." in key or "[" in key)
    return parse_path(key) if is_path else (key,)


def thaw(value: Any) -> Any:
    """Return fresh plain dicts, lists and sets for everything frozen."""
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        return {key: thaw(inner) for key, inner in mapping.items()}
    if isinstance(value, (tuple, list)):
        return [thaw(item) for item in cast("Sequence[Any]", value)]
    if isinstance(value, frozenset):
        return set(cast("frozenset[Any]", value))
    return value


def _copied(value: Any, path: KeyPath) -> Any:
    """Return a fresh copy of a value, down to what is neither a mapping nor a list."""
    if len(path) > DEEPEST:
        problem = f"nested more than {DEEPEST} deep: does it contain itself?"
        raise ConfigError(problem, path[:5])
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        return {key: _copied(inner, (*path, key)) for key, inner in mapping.items()}
    if isinstance(value, (tuple, list)):
        items = cast("Sequence[Any]", value)
        return [_copied(item, (*path, index)) for index, item in enumerate(items)]
    return value


def _reach(target: dict[str, Any], path: KeyPath) -> Any:
    """Walk to the container of the last key, making the mappings that are not there yet."""
    container: Any = target
    for depth, key in enumerate(path[:-1], start=1):
        here = path[:depth]
        inner = _get(container, key, here)
        if inner is None:
            inner = {}
            _put(container, key, inner, here)
        elif not isinstance(inner, (dict, list)):
            problem = f"{format_path(here)} is {describe(inner)}, which has no keys"
            raise ConfigError(f"{problem}: replace the whole of it", path)
        container = cast("Any", inner)
    return container


def _get(container: Any, key: str | int, path: KeyPath) -> Any:
    if isinstance(container, list):
        items = cast("list[Any]", container)
        return items[_checked_index(items, key, path)]
    return container.get(key)


def _put(container: Any, key: str | int, value: Any, path: KeyPath) -> None:
    if isinstance(container, list):
        container[_checked_index(cast("list[Any]", container), key, path)] = value
    elif isinstance(key, int):
        raise ConfigError("an index in brackets needs a list to point into", path)
    else:
        container[key] = value


def _checked_index(items: list[Any], key: str | int, path: KeyPath) -> int:
    index = index_of(items, key)
    if index is None:
        problem = f"no such item to set: the list has {len(items)}, counted from 0"
        raise ConfigError(problem, path)
    return index
