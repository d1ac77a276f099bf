"""Short human names for configs, made from the values in which siblings differ."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Any, cast

from ._adapt import PLAIN
from ._keypath import KeyPath, format_path
from ._secret import HIDDEN, has_secret, is_secret

_LONGEST_PART = 24
_LONGEST_LABEL = 64


def label_alone(values: Mapping[str, Any]) -> str:
    """Return the label of a config that has no siblings: its name, or all its values."""
    name = values.get("name")
    if isinstance(name, str) and name:
        return short_text(("name",), name)
    return _joined([short_text(path, value) for path, value in _leaves(values, ())])


class Siblings:
    """Configs that stand beside each other; their labels are made when one is asked for.

    Args:
        values: the values of each.
        id_of: the id of the one at an index, to tell apart what values do not.
    """

    def __init__(self, values: Sequence[Mapping[str, Any]], id_of: Callable[[int], str]) -> None:
        self._made: list[str] | tuple[Sequence[Mapping[str, Any]], Callable[[int], str]]
        self._made = (values, id_of)

    def label(self, index: int) -> str:
        """Return the label of one, which no other has."""
        made = self._made  # read once: another thread may be making them too
        if isinstance(made, tuple):
            values, id_of = made
            made = self._made = _made_unique(_labels(values), id_of)
        return made[index]


def _labels(siblings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a label for each, made of its name or of the values that are not the same in all."""
    names = [values.get("name") for values in siblings]
    are_named = all(isinstance(name, str) and name for name in names)
    if len(siblings) == 1 or (are_named and len(set(names)) == len(names)):
        return [label_alone(values) for values in siblings]
    leaves = [dict(_leaves(values, ())) for values in siblings]
    paths = dict.fromkeys(path for of_one in leaves for path in of_one)
    differing = [path for path in paths if _differs(leaves, path)]
    return [
        _joined([short_text(path, of_one[path]) for path in differing if path in of_one])
        if any(path in of_one for path in differing)
        else _joined([f"no-{format_path(path[-1:])}" for path in differing])
        for of_one in leaves
    ]


def _words(value: Any) -> str:
    try:
        return "_".join(_full_text(value).split())
    except Exception:  # noqa: BLE001  what a user's object says of itself may raise anything
        return type(value).__name__


def _differs(leaves: Sequence[Mapping[KeyPath, Any]], path: KeyPath) -> bool:
    first = _told(leaves[0], path)
    return any(_told(of_one, path) != first for of_one in leaves)


def short_text(path: KeyPath, value: Any) -> str:
    """Write one value so that it says enough beside others: `gpt-4`, `0.7`, `cache=true`.

    A secret is only named: labels are shown to everybody, in logs and in errors.
    """
    if has_secret(path):
        return f"{format_path(path[-1:])}={HIDDEN}"
    if isinstance(value, bool) or value is None:
        name = format_path(path[-2:] if isinstance(path[-1], int) else path[-1:])
        return f"{name}={'none' if value is None else str(value).lower()}"
    text = "".join(letter if letter.isprintable() else "?" for letter in _words(value))
    return text if len(text) <= _LONGEST_PART else f"{text[: _LONGEST_PART - 1]}~"


def _told(leaves: Mapping[KeyPath, Any], path: KeyPath) -> tuple[type[Any], str] | None:
    """Return what tells a value from others: 1 and "1" are not the same."""
    if path not in leaves:
        return None
    kind = cast("type[Any]", type(leaves[path]))
    return kind, _words(leaves[path])


def _leaves(values: Mapping[str, Any], above: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    for key, value in values.items():
        path = (*above, key)
        if type(value) not in PLAIN and isinstance(value, Mapping) and value:
            yield from _leaves(cast("Mapping[str, Any]", value), path)
        else:
            yield path, value


def _full_text(value: Any) -> str:
    if type(value) in PLAIN:
        return str(value)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, (tuple, list)):
        return ",".join(_full_text(item) for item in cast("Sequence[Any]", value))
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        return ",".join(
            f"{key}:{HIDDEN if is_secret(key) else _full_text(inner)}"
            for key, inner in mapping.items()
        )
    if isinstance(value, (frozenset, set)):
        return ",".join(sorted(_full_text(item) for item in cast("AbstractSet[Any]", value)))
    name = getattr(value, "__name__", None)
    if isinstance(name, str):
        return name
    kind = cast("Any", type(value))
    return kind.__name__ if kind.__repr__ is object.__repr__ else str(value)


def _joined(parts: list[str]) -> str:
    label = "-".join(part for part in parts if part) or "default"
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}~"


def _made_unique(labels: list[str], id_of: Callable[[int], str]) -> list[str]:
    """Put the start of its id behind a label that stands more than once."""
    counts = Counter(labels)
    taken = {label for label in labels if counts[label] == 1}
    unique: list[str] = []
    for index, label in enumerate(labels):
        name, number = label, 1
        if counts[label] > 1:
            stem = name = f"{label}-{id_of(index)[:6]}"
            while name in taken:
                number += 1
                name = f"{stem}-{number}"
            taken.add(name)
        unique.append(name)
    return unique
