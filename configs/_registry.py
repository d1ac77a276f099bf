"""Classes by name: `register` them, `build` them from a config, in any process."""

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from types import ModuleType, UnionType
from typing import Any, NamedTuple, TypeVar, Union, cast, get_args, get_origin, overload

from ._annotations import resolved_annotations
from ._errors import ConfigError, ConfigKeyError, ConfigTypeError, RegistryError, describe
from ._keypath import KeyPath
from ._overlay import thaw
from ._paths import missing_key

T = TypeVar("T")
C = TypeVar("C", bound=type)

TYPE_KEY = "type"
_MAIN = ("__main__", "__mp_main__")

_classes: dict[str, type] = {}


class Reference(NamedTuple):
    """Where a registered class is defined, so that another process can find it."""

    name: str
    module: str
    qualname: str
    main_file: str | None


_elsewhere: dict[str, Reference] = {}


@overload
def register(cls: C, /) -> C: ...
@overload
def register(*, name: str) -> Callable[[C], C]: ...
def register(cls: C | None = None, /, *, name: str | None = None) -> C | Callable[[C], C]:
    """Make a class known by its name, for `build` to find.

    Registering the same class again is fine, also when its module or notebook cell was run again.

    Args:
        cls: the class; its name is the key.
        name: another key.

    Raises:
        RegistryError: another class has the name already.

    Example:
        >>> from understudy import build, register
        >>> @register
        ... class Tower:
        ...     def __init__(self, size: int = 256) -> None:
        ...         self.size = size
        >>> build(Tower, {"type": "Tower", "size": 512}).size
        512
    """
    if cls is None:
        return lambda cls: _register(cls, name or cls.__name__)
    return _register(cls, name or cls.__name__)


def build(base: type[T], config: Mapping[str, Any] | T, /, **overrides: Any) -> T:
    """Make the object a config describes: the class under `type`, called with the other keys.

    A nested mapping with a `type` of its own is built first, unless the parameter it is for is
    annotated as a mapping. An instance of `base` is returned as it is.

    Args:
        base: what the object must be an instance of.
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
    return cast("T", _build(base, config, overrides, ()))


def reference(name: object) -> Reference | None:
    """Return what another process needs to find a registered class; None for any other name."""
    if not isinstance(name, str):
        return None
    cls = _classes.get(name)
    if cls is None:
        return _elsewhere.get(name)
    return _reference(cls, name)


def adopt(reference: Reference) -> None:
    """Take over a reference from another process; the class is imported when it is first built."""
    here = _classes.get(reference.name)
    if here is not None and not _is_same(_reference(here, reference.name), reference):
        raise _taken(reference.name, here, f"{reference.module}.{reference.qualname}")
    _elsewhere[reference.name] = reference


def _register(cls: C, name: str) -> C:
    if not isinstance(cast("object", cls), type):
        raise ConfigTypeError(f"register takes a class, not {describe(cls)}")
    known = _classes.get(name)
    if known is not None and not _is_same(_reference(known, name), _reference(cls, name)):
        raise _taken(name, known, f"{cls.__module__}.{cls.__qualname__}")
    _classes[name] = cls
    return cls


def _taken(name: str, known: type, other: str) -> RegistryError:
    return RegistryError(
        f"{name!r} is already registered: {known.__module__}.{known.__qualname__} has the name, "
        f"so {other} needs another: @register(name=...)"
    )


def _reference(cls: type, name: str) -> Reference:
    main_file = None
    if cls.__module__ in _MAIN:
        main_file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return Reference(name, cls.__module__, cls.__qualname__, main_file)


def _is_same(one: Reference, other: Reference) -> bool:
    same_module = one.module == other.module or (one.module in _MAIN and other.module in _MAIN)
    return same_module and one.qualname == other.qualname


def _resolve(name: str, path: KeyPath) -> type:
    if name not in _classes and name in _elsewhere:
        _import(_elsewhere[name], path)
    if name in _classes:
        return _classes[name]
    near = get_close_matches(name, _classes, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "is the module that registers it imported?"
    raise ConfigKeyError(f"no class is registered as {name!r}: {hint}", path)


def _import(found: Reference, path: KeyPath) -> None:
    """Import the module of a class that another process registered, which registers it here."""
    try:
        value: Any = (
            _main_module(found) if found.module in _MAIN else importlib.import_module(found.module)
        )
        for part in found.qualname.split("."):
            value = getattr(value, part)
    except (ImportError, AttributeError, OSError) as error:
        raise ConfigKeyError(
            f"{found.name!r} was registered in another process as {found.module}.{found.qualname}, "
            f"which cannot be imported here ({error}): "
            f"put the class in a module both processes can import",
            path,
        ) from error
    _classes.setdefault(found.name, value)


def _main_module(found: Reference) -> ModuleType:
    """Return the main module of the process a class comes from, run again here if need be.

    It is run as multiprocessing runs it in a new process: under the name `__mp_main__`, so that
    what is guarded by `if __name__ == "__main__"` stays unrun.
    """
    for name in _MAIN:
        module = sys.modules.get(name)
        if module is not None and getattr(module, "__file__", None) == found.main_file:
            return module
    if found.main_file is None:
        raise ImportError("it was defined in an interactive session")
    import runpy

    module = ModuleType("__mp_main__")
    module.__file__ = found.main_file
    sys.modules["__mp_main__"] = module
    module.__dict__.update(runpy.run_path(found.main_file, run_name="__mp_main__"))
    return module


def _build(base: Any, config: Any, overrides: Mapping[str, Any], path: KeyPath) -> Any:
    if not isinstance(config, Mapping) and isinstance(config, base):
        if overrides:
            raise ConfigTypeError(
                f"{', '.join(overrides)}: it is built already, so nothing can override", path
            )
        return config
    if not isinstance(config, Mapping):
        wanted = f"a mapping with a {TYPE_KEY!r}, or an instance of {base.__name__}"
        raise ConfigTypeError(f"expected {wanted}, got {describe(config)}", path)
    mapping = cast("Mapping[str, Any]", config)
    if TYPE_KEY not in mapping:
        raise ConfigKeyError(missing_key(TYPE_KEY, mapping), path)
    named = mapping[TYPE_KEY]
    if not isinstance(named, (str, type)):
        problem = f"expected the name of a class, got {describe(named)}"
        raise ConfigTypeError(problem, (*path, TYPE_KEY))
    cls = named if isinstance(named, type) else _resolve(named, (*path, TYPE_KEY))
    if not issubclass(cls, base):
        raise ConfigTypeError(
            f"{named!r} is {cls.__qualname__}, which is not a {base.__qualname__}", path
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
