"""From the frozen values of a config to the types a function asks for."""

import datetime
import enum
import inspect
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import PurePath
from types import FunctionType, NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin
from uuid import UUID

from ._adapt import is_pydantic_model
from ._config import Config
from ._errors import ConfigError, ConfigTypeError, describe
from ._keypath import KeyPath
from ._misfit import misfit
from ._overlay import thaw

_ATOMS = (
    *(str, int, float, bool, complex, bytes, NoneType, enum.Enum, Decimal, PurePath, UUID, Config),
    *(datetime.date, datetime.time, datetime.timedelta, type, FunctionType),
)


def converter(value: Any, target: Any, path: KeyPath) -> tuple[Any, Callable[[], Any] | None]:
    """Convert a frozen value to `target`, and tell whether the result may be shared.

    Returns:
        the converted value, and, where one call could change it under the hands of another, a
        function that makes a fresh one.

    Raises:
        ConfigError: the value does not fit the type.
    """
    kind = without_none(target)
    if kind is Config or kind is Mapping or get_origin(kind) is Mapping:
        if value is None and kind is not target:
            return None, None
        if not isinstance(value, Config):
            raise ConfigError(f"expected a mapping, got {describe(value)}", path)
        if kind is Config or get_args(kind) in ((), (str, Any)):
            return value, None
    if target is Any:
        return value, None

    def make() -> Any:
        return convert(thaw(value), target)

    convert = _validate if is_pydantic_model(kind) and value is not None else _convert
    try:
        converted = make()
    except ValueError as error:
        raise misfit(error, kind, thaw(value), path) from error
    except TypeError as error:
        problem = f"{target!r} is not a type a config converts to: {error}"
        raise ConfigTypeError(problem, path) from error
    if converted is value or _is_frozen(converted):
        return converted, None
    return converted, _shallow_copier(converted) or make


def _convert(plain: Any, target: Any) -> Any:
    import msgspec

    return msgspec.convert(plain, target, dec_hook=_decode)


def _validate(plain: Any, model: Any) -> Any:
    return without_none(model).model_validate(plain)


def _shallow_copier(pristine: Any) -> Callable[[], Any] | None:
    """Return what copies a value of which only the surface can be changed; None for others.

    That costs a fraction of converting anew.
    """
    kind = cast("Any", type(pristine))
    if kind is list or kind is dict:
        parts = cast("Iterable[Any]", pristine.values() if kind is dict else pristine)
        return pristine.copy if all(map(_is_frozen, parts)) else None
    if hasattr(kind, "__struct_config__"):
        parts = [getattr(pristine, name) for name in kind.__struct_fields__]
        return pristine.__copy__ if all(map(_is_frozen, parts)) else None
    attributes = cast("dict[str, Any] | None", getattr(pristine, "__dict__", None))
    if attributes is None or not all(map(_is_frozen, attributes.values())):
        return None
    if is_pydantic_model(kind):
        return cast("Callable[[], Any]", pristine.__copy__)
    return _dataclass_copier(kind, attributes) if hasattr(kind, "__dataclass_fields__") else None


def _dataclass_copier(kind: Any, attributes: Mapping[str, Any]) -> Callable[[], Any]:
    fields = dict(attributes)

    def copied() -> Any:
        made = object.__new__(kind)
        made.__dict__ = fields.copy()
        return made

    return copied


def _decode(kind: Any, value: Any) -> Any:
    """Convert to the types msgspec does not know."""
    if kind is Config and isinstance(value, Mapping):
        return Config(cast("Mapping[str, Any]", value))
    if inspect.isclass(kind) and issubclass(kind, PurePath) and isinstance(value, str):
        return kind(value)
    if is_pydantic_model(kind):
        return _validate(value, kind)
    plain_kind = get_origin(kind) or kind
    if inspect.isclass(plain_kind) and isinstance(value, plain_kind):
        return value
    raise ValueError(f"Expected `{getattr(kind, '__name__', kind)}`, got `{type(value).__name__}`")


def without_none(annotation: Any) -> Any:
    """Return `T` for `T | None`, any other annotation as it is."""
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
        return kinds[0] if len(kinds) == 1 else annotation
    return annotation


def _is_frozen(value: Any) -> bool:
    """Tell whether a value can be shared: nothing in it can be changed."""
    kind = cast("Any", type(value))
    if isinstance(value, _ATOMS):
        return True
    if isinstance(value, (tuple, frozenset)):
        return all(_is_frozen(item) for item in cast("Iterable[Any]", value))
    if hasattr(kind, "__struct_config__"):
        fields = kind.__struct_fields__ if kind.__struct_config__.frozen else None
    elif hasattr(kind, "__dataclass_params__"):
        fields = kind.__dataclass_fields__ if kind.__dataclass_params__.frozen else None
    else:
        return False
    return fields is not None and all(_is_frozen(getattr(value, name)) for name in fields)
