"""Freezing: plain values to ones that nothing can change, all the way down."""

from collections.abc import Callable, Iterable, Iterator, Mapping, MappingView, Sequence
from typing import Any, NamedTuple, cast

from ._adapt import PLAIN, fields_of, plain_scalar
from ._errors import ConfigError, ConfigTypeError, describe
from ._keypath import DEEPEST, KeyPath

ID_KEY = "__config_id__"


class Frozen(NamedTuple):
    """The frozen values of a mapping, and the id that stood among them."""

    values: dict[str, Any]
    given_id: str | None


class Freezer:
    """Freezes values; what becomes of a nested mapping is up to its maker.

    Args:
        kind: the type of what is frozen already, and kept as it is.
        nest: makes one of it, of the frozen values of a nested mapping.
    """

    def __init__(self, kind: type, nest: Callable[[Frozen], Any]) -> None:
        self._kind = kind
        self._nest = nest

    def items(self, mapping: Mapping[str, Any], path: KeyPath = ()) -> Frozen:
        """Freeze the values of a mapping, and take out its id."""
        _check_depth(path)
        values: dict[str, Any] = {}
        given_id: str | None = None
        for key, value in mapping.items():
            if not isinstance(cast("object", key), str):
                problem = f"the key {key!r} is {describe(key)}: keys are texts, so quote it"
                raise ConfigTypeError(problem, path)
            if key == ID_KEY:
                given_id = _checked_id(value, path)
            elif type(value) in PLAIN:
                values[key] = value
            else:
                values[key] = self._value(value, (*path, key))
        return Frozen(values, given_id)

    def _value(self, value: Any, path: KeyPath) -> Any:
        if type(value) in PLAIN or isinstance(value, self._kind):
            return value
        if isinstance(value, (list, tuple)):
            _check_depth(path)
            items = cast("Sequence[Any]", value)
            return tuple([self._value(item, (*path, index)) for index, item in enumerate(items)])
        mapping = fields_of(value)
        if mapping is not None:
            return self._nest(self.items(mapping, path))
        if isinstance(value, (set, frozenset)):
            return frozenset(cast("Iterable[Any]", value))
        if isinstance(value, bytearray):
            return bytes(value)
        if isinstance(value, Iterator):
            problem = f"{describe(cast('object', value))} can be read once only: make a list of it"
            raise ConfigTypeError(problem, path)
        if isinstance(value, (str, bytes)) or not isinstance(value, (Sequence, MappingView)):
            return plain_scalar(value)
        return self._value([*cast("Iterable[Any]", value)], path)


def _check_depth(path: KeyPath) -> None:
    if len(path) >= DEEPEST:
        problem = f"nested more than {DEEPEST} deep: does it contain itself?"
        raise ConfigError(problem, path[:5])


def _checked_id(value: object, path: KeyPath) -> str:
    if path:
        raise ConfigError(f"{ID_KEY} stands at the top of a config only", path)
    if not isinstance(value, str) or not value:
        raise ConfigTypeError(f"{ID_KEY} is {value!r}: an id is a text that is not empty", path)
    return value
