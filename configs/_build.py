"""Building: objects from the mappings that describe them."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin

from ._annotations import resolved_annotations
from ._errors import ConfigError, ConfigKeyError, ConfigTypeError, describe
from ._keypath import KeyPath
from ._overlay import thaw
from ._paths import missing_key
from ._registry import resolve

T = TypeVar("T")

TYPE_KEY = "type"


def build(base: Callable[..., T], config: Mapping[str, Any] | T, /, **overrides: Any) -> T:
    """Make the object a config describes: the class under `type`, called with the other keys.

    A nested mapping with a `type` of its own is built first, unless the parameter it is for is
    annotated as a mapping. An instance of `base` is returned as it is.

    Args:
        base: the class that the object must be an instance of.
        config: a mapping with a `type`, or an instance.
        **overrides: arguments that win over those of the config.

    Raises:
        ConfigKeyError: there is no `type`, or nothing is registered under it.
        ConfigTypeError: the object is not a `base`.
        ConfigError: the class does not take the arguments.

    Example:
        >>> from understudy import build, register
        >>> @register
        ... class Engine:
        ...     def __init__(self, power: int) -> None:
        ...         self.power = power
        >>> @register
        ... class Car:
        ...     def __init__(self, engine: Engine, color: str) -> None:
        ...         self.engine, self.color = engine, color
        >>> config = {"type": "Car", "engine": {"type": "Engine", "power": 90}}
        >>> car = build(Car, config, color="red")
        >>> car.engine.power, car.color
        (90, 'red')
    """
    if not isinstance(base, (type, UnionType)) or getattr(base, "_is_protocol", False):
        raise ConfigTypeError(f"build takes a class to check against, not {describe(base)}")
    return cast("T", _build(base, config, overrides, ()))


def _build(base: Any, config: Any, overrides: Mapping[str, Any], path: KeyPath) -> Any:
    if not isinstance(config, Mapping) and isinstance(config, base):
        if overrides:
            raise ConfigTypeError(
                f"{', '.join(overrides)}: it is built already, so nothing can override", path
            )
        return config
    if not isinstance(config, Mapping):
        wanted = f"a mapping with a {TYPE_KEY!r}, or an instance of {_called(base)}"
        raise ConfigTypeError(f"expected {wanted}, got {describe(config)}", path)
    mapping = cast("Mapping[str, Any]", config)
    if TYPE_KEY not in mapping:
        raise ConfigKeyError(missing_key(TYPE_KEY, mapping), path)
    named = mapping[TYPE_KEY]
    if not isinstance(named, (str, type)):
        problem = f"expected the name of a class, got {describe(named)}"
        raise ConfigTypeError(problem, (*path, TYPE_KEY))
    cls = named if isinstance(named, type) else resolve(named, (*path, TYPE_KEY))
    if not issubclass(cls, base):
        raise ConfigTypeError(
            f"{named!r} is {cls.__qualname__}, which is not a {_called(base)}", path
        )
    given = {key: value for key, value in mapping.items() if key != TYPE_KEY} | dict(overrides)
    return _call(cls, given, path)


def _call(cls: type, given: Mapping[str, Any], path: KeyPath) -> Any:
    try:
        signature = inspect.signature(cls)
    except ValueError:  # some classes written in C do not tell
        return cls(**{key: _built(value, None, (*path, key)) for key, value in given.items()})
    annotations = resolved_annotations(cls, signature)
    arguments = {
        key: _built(value, annotations.get(key), (*path, key)) for key, value in given.items()
    }
    takes_any = any(kind.kind is kind.VAR_KEYWORD for kind in signature.parameters.values())
    for key in arguments if not takes_any else ():
        if key not in signature.parameters:
            problem = f"{cls.__qualname__} takes {missing_key(key, signature.parameters)}"
            raise ConfigError(problem, (*path, key))
    try:
        signature.bind(**arguments)
    except TypeError as error:
        takes = ", ".join(signature.parameters) or "nothing"
        raise ConfigError(
            f"{cls.__qualname__} does not fit: {error}; it takes {takes}", path
        ) from None
    return cls(**arguments)


def _built(value: Any, annotation: Any, path: KeyPath) -> Any:
    """Build the mappings with a `type` inside a value; everything else becomes plain."""
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        if isinstance(mapping.get(TYPE_KEY), (str, type)) and not _is_for_data(annotation):
            return _build(_expected(annotation), mapping, {}, path)
        return {key: _built(inner, None, (*path, key)) for key, inner in mapping.items()}
    if isinstance(value, (list, tuple)):
        items = cast("Sequence[Any]", value)
        inner = (get_args(_without_none(annotation)) or (None,))[0]
        return [_built(item, inner, (*path, index)) for index, item in enumerate(items)]
    return thaw(value)


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else None
    return annotation


def _is_for_data(annotation: Any) -> bool:
    kind = _without_none(annotation)
    kind = get_origin(kind) or kind
    return isinstance(kind, type) and issubclass(kind, Mapping)


def _expected(annotation: Any) -> type:
    kind = _without_none(annotation)
    return kind if isinstance(kind, type) and get_origin(kind) is None else object


def _called(base: Any) -> str:
    return getattr(base, "__qualname__", None) or str(base)
