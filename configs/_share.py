"""Sharing converted values between calls: which may be shared, and how the others are copied."""

import datetime
import enum
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import PurePath
from types import FunctionType, NoneType
from typing import Any, cast
from uuid import UUID

from ._adapt import is_pydantic_model
from ._config import Config

_ATOMS = (
    *(str, int, float, bool, complex, bytes, NoneType, enum.Enum, Decimal, PurePath, UUID, Config),
    *(datetime.date, datetime.time, datetime.timedelta, type, FunctionType),
)


def is_frozen(value: Any) -> bool:
    """Tell whether a value can be shared: nothing in it can be changed."""
    kind = cast("Any", type(value))
    if isinstance(value, _ATOMS):
        return True
    if isinstance(value, (tuple, frozenset)):
        return all(is_frozen(item) for item in cast("Iterable[Any]", value))
    if hasattr(kind, "__struct_config__"):
        fields = kind.__struct_fields__ if kind.__struct_config__.frozen else None
    elif hasattr(kind, "__dataclass_params__"):
        fields = kind.__dataclass_fields__ if kind.__dataclass_params__.frozen else None
    else:
        return False
    if fields is None or not _has_only(value, fields):
        return False
    return all(is_frozen(getattr(value, name)) for name in fields)


def shallow_copier(pristine: Any) -> Callable[[], Any] | None:
    """Return what copies a value of which only the surface can be changed; None for others.

    That costs a fraction of converting anew.
    """
    kind = cast("Any", type(pristine))
    if kind is list or kind is dict:
        parts = cast("Iterable[Any]", pristine.values() if kind is dict else pristine)
        return pristine.copy if all(map(is_frozen, parts)) else None
    if hasattr(kind, "__struct_config__"):
        fields: Iterable[str] = kind.__struct_fields__
        is_flat = all(is_frozen(getattr(pristine, name)) for name in fields)
        return pristine.__copy__ if is_flat and _has_only(pristine, fields) else None
    attributes = cast("dict[str, Any] | None", getattr(pristine, "__dict__", None))
    if attributes is None or not all(map(is_frozen, attributes.values())):
        return None
    if is_pydantic_model(kind):
        hidden = pristine.__pydantic_private__ or pristine.__pydantic_extra__
        return None if hidden else cast("Callable[[], Any]", pristine.__copy__)
    if not hasattr(kind, "__dataclass_fields__") or not _has_only(pristine, attributes):
        return None
    return _dataclass_copier(kind, attributes)


def _has_only(value: Any, fields: Iterable[str]) -> bool:
    """Tell whether an object holds nothing beside its fields: no cache, no slot of a base."""
    held: set[str] = set(getattr(value, "__dict__", ()))
    for base in type(value).__mro__:
        slots: Any = getattr(base, "__slots__", ())
        held.update([slots] if isinstance(slots, str) else slots)
    return held - {"__dict__", "__weakref__"} <= set(fields)


def _dataclass_copier(kind: Any, attributes: Mapping[str, Any]) -> Callable[[], Any]:
    fields = dict(attributes)

    def copied() -> Any:
        made = object.__new__(kind)
        made.__dict__ = fields.copy()
        return made

    return copied
