"""Slots: the parameters of a function that a config fills in, found by their annotations."""

import functools
import inspect
import re
from collections.abc import Callable, Mapping, MutableMapping
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, is_typeddict

from ._annotations import Unresolved, resolved_annotations, unwrapped
from ._bind import Bind
from ._config import Config
from ._convert import without_none
from ._errors import ConfigError
from ._keypath import KeyPath

CONFIG_NAME = "config"

_Parameter = inspect.Parameter
_FOR_MANY = (_Parameter.VAR_POSITIONAL, _Parameter.VAR_KEYWORD)


class Slot(NamedTuple):
    """One parameter that a config fills in."""

    parameter: inspect.Parameter
    keys: KeyPath
    target: Any

    @property
    def is_required(self) -> bool:
        return self.parameter.default is _Parameter.empty

    @property
    def is_config(self) -> bool:
        """Whether nothing but a Config fits."""
        return not self.keys and unwrapped(without_none(self.target)) is Config

    @property
    def takes_config(self) -> bool:
        return unwrapped(without_none(self.target)) in (Config, Mapping)


def find_slots(
    function: Callable[..., Any], signature: inspect.Signature, name: str
) -> dict[str, Slot]:
    """Return the parameters a config fills in, by their names; `name` is for error messages."""
    annotations = resolved_annotations(function, signature)
    slots: dict[str, Slot] = {}
    for key, parameter in signature.parameters.items():
        slot = _slot(parameter, annotations.get(key, _Parameter.empty), name)
        if slot is not None:
            slots[key] = slot
    return slots


def _slot(parameter: inspect.Parameter, annotation: Any, function: str) -> Slot | None:
    """Tell what of a config a parameter gets; None for a parameter that is the caller's alone."""
    if parameter.kind in _FOR_MANY:
        return None
    if isinstance(parameter.default, Bind):
        raise ConfigError(
            f"the parameter {parameter.name!r} of {function} has {parameter.default!r} as its "
            f"default: write Annotated[..., {parameter.default!r}] instead"
        )
    if isinstance(annotation, Unresolved):
        if re.search(r"\bBind\(", annotation):
            raise ConfigError(
                f"the annotation {str(annotation)!r} of the parameter {parameter.name!r} of "
                f"{function} has a name that cannot be found: import it at run time, "
                f"not under TYPE_CHECKING"
            )
        is_config = parameter.name == CONFIG_NAME and re.fullmatch(
            r"(\w+\.)*(Optional\[)?['\"]?(\w+\.)*Config['\"]?\]?( \| None)?", annotation
        )
        return Slot(parameter, (), Config) if is_config else None
    annotation = unwrapped(annotation)
    target, bind = _bound(annotation, f"the parameter {parameter.name!r} of {function}")
    if bind is not None:
        return Slot(parameter, bind.keys, target)
    annotation = target
    kind = unwrapped(without_none(annotation))
    if kind is Config:
        return Slot(parameter, (), annotation)
    if parameter.name == CONFIG_NAME and _is_for_config(kind):
        return Slot(parameter, (), Config if kind in (_Parameter.empty, Any) else annotation)
    return None


def _bound(annotation: Any, where: str) -> tuple[Any, Bind | None]:
    """Take the Bind out of an annotation: `Annotated[T, Bind("x")]`, also `... | None`."""
    if get_origin(annotation) is Annotated:
        target, *metadata = get_args(annotation)
        if Bind in metadata:
            raise ConfigError(
                f"{where} has Bind without a path: write Bind('path'), or Bind() for the whole"
            )
        binds = [mark for mark in metadata if isinstance(mark, Bind)]
        if len(binds) > 1:
            raise ConfigError(f"{where} has more than one Bind")
        others = tuple(mark for mark in metadata if not isinstance(mark, Bind))
        if binds:
            return (Annotated[(target, *others)] if others else target), binds[0]
        return target, None
    if get_origin(annotation) in (Union, UnionType):
        parts = [_bound(unwrapped(part), where) for part in get_args(annotation)]
        binds = [bind for _, bind in parts if bind is not None]
        if binds:
            kinds: list[Any] = [target for target, _ in parts]
            return functools.reduce(lambda one, other: one | other, kinds), binds[0]
    if "Bind(" in repr(get_args(annotation)):
        raise ConfigError(f"{where} has a Bind inside its type: it stands around all of it")
    return annotation, None


def _is_for_config(kind: Any) -> bool:
    """Tell whether a parameter named `config` means ours: a dict, a Mapping or no annotation."""
    kind = get_origin(kind) or kind
    return kind in (_Parameter.empty, Any, dict, Mapping, MutableMapping) or is_typeddict(kind)
