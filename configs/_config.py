"""Config: one frozen set of values, with an id and a short label."""

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import TYPE_CHECKING, Any, Self, cast, final

from . import _registry
from ._adapt import HasFields, fields_of
from ._canonical import content_id
from ._errors import ConfigError, ConfigKeyError, ConfigTypeError, describe
from ._freeze import ID_KEY, Freezer, Frozen
from ._keypath import KeyPath
from ._labels import Siblings, label_alone
from ._origin import Origin, named
from ._overlay import key_path, overlay, thaw
from ._paths import as_path, missing_key, walk

_NO_DEFAULT: Any = object()
_set = object.__setattr__


@final
class Config(Mapping[str, Any]):
    """A frozen mapping of values: what one branch of an experiment runs with.

    Nested mappings become Configs and lists become tuples, so that a Config can be shared between
    threads, tasks and calls without a copy. Msgspec Structs, dataclasses, attrs and pydantic
    models stand for the mapping of their fields. Configs with the same values are equal.

    Args:
        values: a mapping, pairs, or an object with fields. `__config_id__` among them becomes
            the `id` and is not one of the values.
        **more: further values.

    Raises:
        ConfigTypeError: a key is not a string.
        ConfigError: the values are nested more than 100 deep, or contain themselves.

    Example:
        >>> from understudy import Config
        >>> config = Config({"model": "large", "llm": {"temp": 0.7, "stop": ["."]}})
        >>> config["model"], config.llm.temp, config.at("llm.stop[0]")
        ('large', 0.7, '.')
        >>> config.replace({"llm.temp": 0})
        Config({'model': 'large', 'llm': {'temp': 0, 'stop': ['.']}})
        >>> config.id, config.label
        ('0c78bfa0e75ab777', 'large-0.7-.')
    """

    __module__ = "understudy.configs"

    # `__dict__` holds the values once more, under the names that no attribute below has: Python
    # then reads `config.model` as fast as any attribute, and `config.items` is the method.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_given_id",
        "_hash",
        "_id",
        "_label",
        "_origin",
        "_values",
    )

    _values: dict[str, Any]
    _given_id: str | None
    _id: str | None
    _label: str | tuple[Siblings, int] | None
    _hash: int | None
    _origin: Origin | None

    def __init__(self, values: HasFields | Iterable[tuple[str, Any]] = (), /, **more: Any) -> None:
        if isinstance(values, Config) and not more:
            _fill(self, values._values, values._given_id, values._label, values._origin)
            return
        mapping = fields_of(values)
        if mapping is None:
            mapping = _from_pairs(values)
        frozen = _freezer.items({**mapping, **more} if more else mapping)
        _fill(self, frozen.values, frozen.given_id, None, None)

    @property
    def id(self) -> str:
        """What this config is known by: `__config_id__`, or 16 hex digits of its content.

        The same in every process and on every Python version. `1`, `1.0` and `True` are different
        contents, as they are in JSON.

        Raises:
            ConfigTypeError: a value has no canonical JSON form, and no `__config_id__` was given.
        """
        if self._id is None:
            _set(self, "_id", content_id(self._values))
        return cast("str", self._id)

    @property
    def label(self) -> str:
        """A short name for people: the values in which it differs from its siblings.

        Siblings are the configs that `parse_configs` or `sweep` returned together; the label is
        unique among them.
        """
        if not isinstance(self._label, str):
            made = self._label
            label = label_alone(self._values) if made is None else made[0].label(made[1])
            _set(self, "_label", label)
        return cast("str", self._label)

    def at(self, path: str | KeyPath, default: Any = _NO_DEFAULT) -> Any:
        """Return the value under a path: `config.at("llm.layers[0].size")`.

        Args:
            path: keys with dots between them, a key with a dot in it quoted
                (`models["gpt-4.1"]`), or a tuple of keys.
            default: returned where there is nothing under the path.

        Raises:
            ConfigKeyError: nothing stands there, and no default was given.
        """
        try:
            return walk(self._values, as_path(path))
        except ConfigKeyError:
            if default is _NO_DEFAULT:
                raise
            return default

    def replace(self, update: Mapping[str, Any] | None = None, /, **more: Any) -> "Config":
        """Return a config with other values; dotted keys reach in, plain keys replace.

        An id that was given by `__config_id__` stays behind: it belongs to the old values.
        """
        changes = {**(update or {}), **more}
        frozen = _freezer.items(overlay(self.to_dict(), changes))
        if self._origin is None:
            return _made(frozen)
        return _made(frozen, named("replace()", map(key_path, changes)).over(self._origin))

    def to_dict(self, *, include_id: bool = False) -> dict[str, Any]:
        """Return the values as plain dicts and lists of your own, to change as you like.

        Args:
            include_id: add a given id as `__config_id__`, so that `Config(...)` makes it again.
        """
        values: dict[str, Any] = thaw(self._values)
        if include_id and self._given_id is not None:
            values[ID_KEY] = self._given_id
        return values

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`, or the default."""
        return self._values.get(key, default)

    def keys(self) -> KeysView[str]:
        """Return the keys, in the order they were written."""
        return self._values.keys()

    def values(self) -> ValuesView[Any]:
        """Return the values, in the order of the keys."""
        return self._values.values()

    def items(self) -> ItemsView[str, Any]:
        """Return the pairs of key and value."""
        return self._values.items()

    def __getitem__(self, key: str) -> Any:
        try:
            return self._values[key]
        except KeyError:
            raise ConfigKeyError(missing_key(key, self._values)) from None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in Config.__slots__:
            raise AttributeError(name)
        if hasattr(dict, name):
            raise AttributeError(f"no method {name!r}: {_frozen('key')}")
        raise AttributeError(missing_key(name, self._values), name=name, obj=self)

    def _ipython_key_completions_(self) -> list[str]:
        return [*self._values]

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Config):
            return self._values == other._values
        if not isinstance(other, Mapping):
            return NotImplemented
        try:
            return self._values == Config(cast("Mapping[str, Any]", other))._values
        except ConfigError:
            return False

    def __hash__(self) -> int:
        if self._hash is None:
            _set(
                self,
                "_hash",
                hash(frozenset((key, _hash_of(key, value)) for key, value in self._values.items())),
            )
        return cast("int", self._hash)

    def __repr__(self) -> str:
        return f"Config({self.to_dict(include_id=True)!r})"

    if not TYPE_CHECKING:  # for type checkers there is nothing to call

        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(_frozen(name))

        def __delattr__(self, name: str) -> None:
            raise AttributeError(_frozen(name))

        def __setitem__(self, key: str, value: object) -> None:
            raise ConfigTypeError(_frozen(key))

        def __delitem__(self, key: str) -> None:
            raise ConfigTypeError(_frozen(key))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        reference = _registry.reference(self._values.get("type"))
        return Config._restored, (self._values, self._given_id, self.label, reference)

    @classmethod
    def _restored(
        cls, values: dict[str, Any], given_id: str | None, label: str | None, reference: Any
    ) -> "Config":
        if reference is not None:
            _registry.adopt(reference)
        config = object.__new__(cls)
        _fill(config, values, given_id, label, None)
        return config


_OWN_NAMES = frozenset(dir(Config))


def _made(frozen: Frozen, origin: Origin | None = None) -> Config:
    config = object.__new__(Config)
    _fill(config, frozen.values, frozen.given_id, None, origin)
    return config


_freezer = Freezer(Config, _made)


def made_config(values: Mapping[str, Any], origin: Origin) -> Config:
    """Make a Config that knows where it was written."""
    return _made(_freezer.items(values), origin)


def placed(config: Config, label: tuple[Siblings, int], origin: Origin) -> Config:
    """Return the same config, knowing its siblings and where it was written."""
    twin = object.__new__(Config)
    _fill(twin, config._values, config._given_id, label, origin)
    _set(twin, "_id", config._id)
    return twin


def origin(config: Config) -> Origin | None:
    """Return where the values of a config were written; None for one made by hand."""
    return config._origin


def given_id(config: Config) -> str | None:
    """Return the id that `__config_id__` gave; None where it comes from the content."""
    return config._given_id


def origin_of(config: Config, path: str | KeyPath = ()) -> str | None:
    """Tell where a config, or the value under a path of it, was written.

    Example:
        >>> from understudy import parse_configs
        >>> from understudy.configs import origin_of
        >>> first, second = parse_configs([{"model": "large"}, {"model": "small"}])
        >>> origin_of(second)
        'sources[1]'

    Returns:
        `file:line`, or the place in the list that was parsed; None for a Config made by hand.
    """
    if config._origin is None:
        return None
    return config._origin.locate(as_path(path))


def _frozen(key: str) -> str:
    return f"a Config is frozen: config.replace({{{key!r}: ...}}) makes another"


def _hash_of(key: str, value: object) -> int:
    try:
        return hash(value)
    except TypeError:
        raise ConfigTypeError(
            f"{describe(value)} cannot be hashed, so neither can the config", (key,)
        ) from None


def _fill(
    config: Config,
    values: dict[str, Any],
    given_id: str | None,
    label: str | tuple[Siblings, int] | None,
    origin: Origin | None,
) -> None:
    _set(config, "_values", values)
    _set(config, "_given_id", given_id)
    _set(config, "_id", given_id)
    _set(config, "_label", label)
    _set(config, "_origin", origin)
    _set(config, "_hash", None)
    visible = values.copy()
    for hidden in _OWN_NAMES.intersection(values):
        del visible[hidden]
    _set(config, "__dict__", visible)


def _from_pairs(pairs: Any) -> dict[str, Any]:
    try:
        if isinstance(pairs, (str, bytes)) or any(isinstance(pair, str) for pair in pairs):
            raise TypeError
        return dict(pairs)
    except (TypeError, ValueError):
        raise ConfigTypeError(
            f"a Config is made of a mapping or an object with fields, not of {describe(pairs)}; "
            f"`load_config` reads a file"
        ) from None
