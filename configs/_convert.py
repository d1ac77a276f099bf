"""From the frozen values of a config to the types a function asks for."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin

from ._adapt import is_pydantic_model
from ._annotations import unwrapped
from ._config import Config
from ._errors import ConfigError, ConfigTypeError, describe
from ._keypath import KeyPath
from ._misfit import misfit
from ._overlay import thaw
from ._share import is_frozen, shallow_copier


def converter(value: Any, target: Any, path: KeyPath) -> tuple[Any, Callable[[], Any] | None]:
    """Convert a frozen value to `target`, and tell whether the result may be shared.

    Returns:
        the converted value, and, where one call could change it under the hands of another, a
        function that makes a fresh one.

    Raises:
        ConfigError: the value does not fit the type.
    """
    kind = unwrapped(without_none(target))
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

    convert = _validator(target) if value is not None else _convert
    try:
        converted = make()
    except ValueError as error:
        raise misfit(error, kind, thaw(value), path) from error
    except TypeError as error:
        problem = f"{target!r} is not a type a config converts to: {error}"
        raise ConfigTypeError(problem, path) from error
    except Exception as error:  # a type of the user's may raise anything
        raise ConfigError(f"{type(error).__name__}: {error}", path) from error
    if converted is value or is_frozen(converted):
        return converted, None
    return converted, shallow_copier(converted) or make


def _convert(plain: Any, target: Any) -> Any:
    import msgspec

    return msgspec.convert(plain, target, dec_hook=_decode)


def _validator(target: Any) -> Callable[[Any, Any], Any]:
    """Return what converts to a type: pydantic where the type is its own, else msgspec."""
    if is_pydantic_model(without_none(target)):
        return _validate
    marks = target.__metadata__ if get_origin(target) is Annotated else ()
    owners = {type(mark).__module__.partition(".")[0] for mark in marks}
    return _adapt if owners & {"annotated_types", "pydantic"} else _convert


def _validate(plain: Any, model: Any) -> Any:
    return without_none(model).model_validate(plain)


def _adapt(plain: Any, target: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(target).validate_python(plain)


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
