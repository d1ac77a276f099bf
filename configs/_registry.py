"""The registry: classes by name, found again in any process."""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple, TypeVar, cast, overload

from ._errors import ConfigKeyError, ConfigTypeError, RegistryError, describe
from ._keypath import KeyPath

C = TypeVar("C", bound=type)

_MAIN = ("__main__", "__mp_main__")

_classes: dict[str, type] = {}


class Reference(NamedTuple):
    """Where a registered class is defined, so that another process can find it."""

    name: str
    module: str
    qualname: str
    main_file: str | None
    main_name: str | None


_elsewhere: dict[str, Reference] = {}


@overload
def register(cls: C, /) -> C: ...
@overload
def register(*, name: str) -> Callable[[C], C]: ...
def register(cls: C | None = None, /, *, name: str | None = None) -> C | Callable[[C], C]:
    """Make a class known by its name, for `build` to find.

    Registering the same class again is fine, also when its module or notebook cell was run again.
    A class that a function makes anew on each call is another one each time.

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
    if isinstance(cls, str):
        raise ConfigTypeError(f"register({cls!r}) takes a class: register(name={cls!r}) is meant")
    if cls is None:
        return lambda cls: _register(cls, name or cls.__name__)
    return _register(cls, name or cls.__name__)


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


def resolve(name: str, path: KeyPath) -> type:
    """Return the class of a name; `path` is where a config says it."""
    if name not in _classes and name in _elsewhere:
        _import(_elsewhere[name], path)
    if name in _classes:
        return _classes[name]
    from difflib import get_close_matches

    near = get_close_matches(name, _classes, n=1)
    known = ", ".join(repr(one) for one in sorted(_classes)[:8]) or "none"
    hint = f"did you mean {near[0]!r}?" if near else f"is its module imported? (known: {known})"
    raise ConfigKeyError(f"no class is registered as {name!r}: {hint}", path)


def _register(cls: C, name: str) -> C:
    if not isinstance(cast("object", cls), type):
        raise ConfigTypeError(f"register takes a class, not {describe(cls)}")
    known = _classes.get(name)
    if known is not None and known is not cls and not _is_again(cls, known, name):
        raise _taken(name, known, f"{cls.__module__}.{cls.__qualname__}")
    _classes[name] = cls
    return cls


def _is_again(cls: type, known: type, name: str) -> bool:
    """Tell whether a module or a notebook cell was run again; a factory makes another class."""
    return "<locals>" not in cls.__qualname__ and _is_same(
        _reference(known, name), _reference(cls, name)
    )


def _taken(name: str, known: type, other: str) -> RegistryError:
    return RegistryError(
        f"{name!r} is already registered: {known.__module__}.{known.__qualname__} has the name, "
        f"so {other} needs another: @register(name=...)"
    )


def _reference(cls: type, name: str) -> Reference:
    main = sys.modules.get(cls.__module__) if cls.__module__ in _MAIN else None
    spec = getattr(main, "__spec__", None)  # there is one when it was run by `python -m`
    return Reference(
        name,
        cls.__module__,
        cls.__qualname__,
        getattr(main, "__file__", None),
        getattr(spec, "name", None),
    )


def _is_same(one: Reference, other: Reference) -> bool:
    same_module = one.module == other.module or (one.module in _MAIN and other.module in _MAIN)
    return same_module and one.qualname == other.qualname


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

    before = sys.modules.get("__mp_main__")
    module = sys.modules["__mp_main__"] = ModuleType("__mp_main__")
    module.__file__ = found.main_file
    try:
        if found.main_name is not None:
            made = runpy.run_module(found.main_name, run_name="__mp_main__")
        else:
            made = runpy.run_path(found.main_file, run_name="__mp_main__")
    except BaseException as error:
        del sys.modules["__mp_main__"]
        if before is not None:
            sys.modules["__mp_main__"] = before
        if isinstance(error, KeyboardInterrupt):
            raise
        raise ImportError(f"running {found.main_file} again: {error!r}") from error
    module.__dict__.update(made)
    return module
