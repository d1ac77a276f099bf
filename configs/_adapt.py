"""Objects that stand for a mapping: msgspec Structs, dataclasses, attrs and pydantic models."""

import sys
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Any, ClassVar, Protocol, cast


class Dataclass(Protocol):
    """What a dataclass is to a type checker."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class Struct(Protocol):
    """What a msgspec Struct is to a type checker."""

    __struct_fields__: ClassVar[tuple[str, ...]]


class Attrs(Protocol):
    """What an attrs class is to a type checker."""

    __attrs_attrs__: ClassVar[Any]


class Model(Protocol):
    """What a pydantic model is to a type checker."""

    def model_dump(self) -> dict[str, Any]: ...


HasFields = Mapping[str, Any] | Dataclass | Struct | Attrs | Model
"""What stands for a mapping of its fields."""

PLAIN = frozenset({str, int, float, bool, type(None)})
"""The types of value that need no second look; most values are of them."""


def fields_of(value: object) -> Mapping[str, Any] | None:
    """Return the fields of an object that stands for a mapping; None for any other object.

    Only libraries that are already imported are asked: an object of theirs cannot exist before.
    """
    kind = cast("Any", type(value))
    if kind in PLAIN or isinstance(value, (type, Enum)):
        return None
    if kind is dict or isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value)
    if hasattr(kind, "__dataclass_fields__"):
        return _dataclass_fields(value)
    if hasattr(kind, "__struct_fields__"):
        return _struct_fields(value)
    if hasattr(kind, "__attrs_attrs__"):
        return {field.name: getattr(value, field.name) for field in kind.__attrs_attrs__}
    if is_pydantic_model(kind):
        return cast("Mapping[str, Any]", cast("Any", value).model_dump(by_alias=True))
    return None


def in_order(values: Any) -> Iterable[Any] | None:
    """Return values that come one after the other; None for a text, a mapping, a set, a scalar."""
    if isinstance(values, (str, bytes, Mapping, AbstractSet)) or not isinstance(values, Iterable):
        return None
    return cast("Iterable[Any]", values)


def is_pydantic_model(kind: object) -> bool:
    """Tell whether a class is a pydantic model, without importing pydantic."""
    model = getattr(sys.modules.get("pydantic"), "BaseModel", None)
    return model is not None and isinstance(kind, type) and issubclass(kind, model)


def plain_scalar(value: Any) -> Any:
    """Return a numpy scalar as the Python number it stands for, anything else as it is."""
    scalar = getattr(sys.modules.get("numpy"), "generic", None)
    return value.item() if scalar is not None and isinstance(value, scalar) else value


def _dataclass_fields(instance: Any) -> dict[str, Any]:
    from dataclasses import fields

    return {field.name: getattr(instance, field.name) for field in fields(instance)}


def _struct_fields(struct: Any) -> dict[str, Any]:
    written = zip(struct.__struct_encode_fields__, struct.__struct_fields__, strict=True)
    values = {key: getattr(struct, name) for key, name in written}
    config = struct.__struct_config__
    if config.tag is not None:  # a tagged union must be told apart when it is read back
        return {config.tag_field: config.tag, **values}
    return values
