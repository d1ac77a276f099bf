"""What a function's code tells of the experiments it calls: a hint, and no more."""

import dis
import inspect
from collections import ChainMap
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

Path = tuple[str, ...]
_ROOTS = {"LOAD_GLOBAL", "LOAD_DEREF", "LOAD_NAME", "LOAD_CLASSDEREF"}
_STEPS = {"LOAD_ATTR", "LOAD_METHOD"}
_named: WeakKeyDictionary[CodeType, tuple[Path, ...]] = WeakKeyDictionary()
"""The names in a piece of code, in its order: many functions may share one."""


def experiments_in(function: Callable[..., Any], find: Callable[[object], T | None]) -> list[T]:
    """Return the experiments that a function names, as far as its code tells.

    It never fails: with names that mean nothing (yet), or without Python code, there are none.

    Args:
        function: the function to look into.
        find: returns the experiment that an object is, or None.
    """
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return []
    known = _known_to(function, code)
    found: list[T] = []
    for path in _paths_in(code):
        experiment = find(_value(path, known))
        if experiment is not None and experiment not in found:
            found.append(experiment)
    return found


def _known_to(function: Any, code: CodeType) -> ChainMap[str, Any]:
    """Return what the names mean that a function does not define itself."""
    known = ChainMap[str, Any]({}, function.__globals__)
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        try:
            known[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            known.pop(name, None)
    return known


def _paths_in(code: CodeType) -> tuple[Path, ...]:
    found = _named.get(code)
    if found is None:
        found = _named[code] = tuple(dict.fromkeys(_read(code)))
    return found


def _read(code: CodeType) -> Iterator[Path]:
    """Yield the names that code loads, and the names of their attributes: `module.inner`."""
    path: Path = ()
    for instruction in dis.get_instructions(code):
        if instruction.opname in _ROOTS:
            path = (str(instruction.argval),)
            yield path
        elif instruction.opname in _STEPS and path:
            path = (*path, str(instruction.argval))
            yield path
        else:
            path = ()
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _read(constant)


def _value(path: Path, known: ChainMap[str, Any]) -> object:
    """Return what a path of names leads to; None if that is not known."""
    value: object = known.get(path[0])
    for name in path[1:]:
        if value is None:
            return None
        value = inspect.getattr_static(value, name, None)
    return value
