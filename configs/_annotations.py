"""The annotations of a callable, as real types wherever they can be resolved."""

import functools
import inspect
from collections.abc import Callable, Mapping
from types import FrameType, SimpleNamespace
from typing import Any, cast, get_type_hints


class Unresolved(str):
    """An annotation whose names cannot be found; the text of it."""

    __slots__ = ()


def resolved_annotations(
    function: Callable[..., Any], signature: inspect.Signature
) -> dict[str, Any]:
    """Return the annotation of each parameter that has one.

    Postponed annotations are evaluated one by one, where the function was written: in its
    module, its closure and the functions and classes around it that are running still (those
    are where a decorator finds a local class). What stays unknown comes as `Unresolved`.
    """
    written = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if parameter.annotation is not inspect.Parameter.empty
    }
    if not any(_is_postponed(annotation) for annotation in written.values()):
        return written
    home = _home(function)
    module: dict[str, Any] = getattr(home, "__globals__", {})
    around = _names_around(home, module)
    return {name: _resolve(annotation, module, around) for name, annotation in written.items()}


def unwrapped(annotation: Any) -> Any:
    """Return what a `type X = ...` alias or a NewType stands for."""
    while (inner := getattr(annotation, "__value__", None)) is not None or (
        inner := getattr(annotation, "__supertype__", None)
    ) is not None:
        annotation = inner
    return annotation


def _is_postponed(annotation: object) -> bool:
    """Tell whether an annotation is a text, or may hold one: `Annotated["Settings", ...]`."""
    return isinstance(annotation, str) or hasattr(annotation, "__args__")


def _home(function: Callable[..., Any]) -> Any:
    """Return the plain function in which the annotations of a callable were written."""
    inner: Any = inspect.unwrap(function)
    while isinstance(inner, functools.partial):
        inner = inspect.unwrap(cast("functools.partial[Any]", inner).func)
    if inspect.isclass(inner):
        return inspect.unwrap(inner.__init__)
    inner = getattr(inner, "__func__", inner)
    if not hasattr(inner, "__globals__"):
        kind = cast("Any", type(inner))
        inner = inspect.getattr_static(kind, "__call__", inner)
    return inspect.unwrap(inner)


def _names_around(function: Any, module: Mapping[str, Any]) -> dict[str, Any]:
    """Return the local names a function's annotations may use, the innermost on top."""
    names: dict[str, Any] = {}
    outer = getattr(function, "__qualname__", "")
    frame = inspect.currentframe()
    frames: list[FrameType] = []
    while frame is not None:
        if frame.f_globals is module and outer.startswith((f"{frame.f_code.co_qualname}.",)):
            frames.append(frame)
        frame = frame.f_back
    for around in reversed(frames):
        names.update(around.f_locals)
    code = getattr(function, "__code__", None)
    cells = getattr(function, "__closure__", None) or ()
    for name, cell in zip(code.co_freevars if code else (), cells, strict=False):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # a name that is bound later
            continue
    return names


def _resolve(annotation: Any, module: dict[str, Any], around: dict[str, Any]) -> Any:
    try:
        holder = SimpleNamespace(__annotations__={"it": annotation})
        return get_type_hints(holder, module, around, include_extras=True)["it"]
    except Exception:  # noqa: BLE001  a text is any code, and may raise anything
        return Unresolved(annotation if isinstance(annotation, str) else repr(annotation))
