"""Building: objects from the mappings that describe them."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

from ._annotations import resolved_annotations
from ._config import Config
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
    Arguments are passed as they are written: a class that wants them checked says so itself.

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
    is_class = isinstance(base, (type, UnionType)) and get_origin(base) in (None, UnionType)
    if not is_class or getattr(base, "_is_protocol", False):
        raise ConfigTypeError(f"build takes a class to check against, not {describe(base)}")
    try:
        return cast("T", _build(base, config, overrides, ()))
    except RecursionError:
        raise ConfigError("nested too deep: does it contain itself?") from None


def _build(base: Any, config: Any, overrides: Mapping[str, Any], path: KeyPath) -> Any:
    if type(config) not in (dict, Config) and isinstance(config, base):
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
        if _is_for_data(annotation):
            return thaw(mapping)
        if isinstance(mapping.get(TYPE_KEY), (str, type)):
            return _build(_expected(annotation), mapping, {}, path)
        inner = _inner(annotation, 1)
        return {key: _built(part, inner, (*path, key)) for key, part in mapping.items()}
    if isinstance(value, (list, tuple)):
        items = cast("Sequence[Any]", value)
        return [
            _built(item, _inner(annotation, index), (*path, index))
            for index, item in enumerate(items)
        ]
    return thaw(value)


def _kinds(annotation: Any) -> list[Any]:
    """Return the types an annotation allows, None left out."""
    if get_origin(annotation) is Annotated:
        return _kinds(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [kind for part in get_args(annotation) for kind in _kinds(part)]
    return [] if annotation in (None, type(None)) else [annotation]


def _inner(annotation: Any, index: int) -> Any:
    """Return what the item at an index is to be: of `list[X]`, `tuple[X, Y]`, `dict[str, X]`."""
    kinds = _kinds(annotation)
    arguments = [one for one in get_args(kinds[0]) if one is not ...] if len(kinds) == 1 else []
    return arguments[min(index, len(arguments) - 1)] if arguments else None


def _is_for_data(annotation: Any) -> bool:
    """Tell whether a parameter wants a mapping as it is: of anything, not of things to build."""
    for kind in _kinds(annotation):
        plain = get_origin(kind) or kind
        if isinstance(plain, type) and issubclass(plain, Mapping):
            value_kind = _inner(kind, 1) if get_args(kind) else None
            return value_kind in (None, Any, object) or not _is_buildable(value_kind)
    return False


def _is_buildable(annotation: Any) -> bool:
    return any(
        isinstance(kind, type) and kind.__module__ not in ("builtins", "typing")
        for kind in _kinds(annotation)
    )


def _expected(annotation: Any) -> Any:
    """Return the class to check against; `object` where an annotation says none."""
    kinds = _kinds(annotation)
    is_checkable = len(kinds) == 1 and isinstance(kinds[0], type) and get_origin(kinds[0]) is None
    return kinds[0] if is_checkable and not getattr(kinds[0], "_is_protocol", False) else object


def _called(base: Any) -> str:
    return getattr(base, "__qualname__", None) or str(base)
