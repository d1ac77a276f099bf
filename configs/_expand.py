"""DynamicValue: several values in one place, and the configs they expand to."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from math import prod
from typing import Any, Generic, NamedTuple, TypeVar, cast, final

from ._adapt import PLAIN, fields_of, in_order
from ._canonical import content_id
from ._config import Config, given_id
from ._errors import ConfigError, ConfigTypeError, describe
from ._freeze import ID_KEY
from ._keypath import KeyPath
from ._labels import short_text
from ._limits import DEFAULT_LIMITS, Limits

T = TypeVar("T")

_MOST_VALUES = 1_000_000


@final
class DynamicValue(Generic[T]):
    """Several values in one place of a config: one config is made with each.

    It may stand anywhere in a config, nested or in a list, and its values may hold further
    DynamicValues. Several of them make every combination, the last one changing fastest.

    Args:
        values: what to try, in order. A generator is read once, here.

    Raises:
        ConfigTypeError: not several values in an order: a text, a mapping, a set.
        ConfigError: no values, or more than a million.

    Example:
        >>> from understudy import DynamicValue, parse_configs
        >>> several = {"model": DynamicValue(["large", "small"]), "temp": DynamicValue([0, 1])}
        >>> [config.label for config in parse_configs(several)]
        ['large-0', 'large-1', 'small-0', 'small-1']
    """

    __module__ = "understudy.configs"

    __slots__ = ("values",)

    values: tuple[T, ...]

    def __init__(self, values: Iterable[T]) -> None:
        if in_order(values) is None:
            raise ConfigTypeError(
                f"a DynamicValue takes values in an order, a list of them, not {describe(values)}"
            )
        self.values = tuple(islice(values, _MOST_VALUES + 1))
        if not self.values:
            raise ConfigError("a DynamicValue needs at least one value")
        if len(self.values) > _MOST_VALUES:
            raise ConfigError(f"a DynamicValue takes at most {_MOST_VALUES:,} values")

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, DynamicValue)
            and self.values == cast("DynamicValue[Any]", other).values
        )

    def __hash__(self) -> int:
        return hash(self.values)

    def __repr__(self) -> str:
        return f"DynamicValue({list(self.values)!r})"


class _Choice(NamedTuple):
    """One way to fill in a value: what it becomes, and what its DynamicValues were."""

    value: Any
    chosen: tuple[tuple[KeyPath, Any], ...]


def expand(config: Mapping[str, Any], *, limits: Limits = DEFAULT_LIMITS) -> list[Config]:
    """Return one config for each combination of the DynamicValues in a config.

    The order is that of nested loops: the last key changes fastest. A `__config_id__` gets the
    values that were chosen behind it, so that each combination has an id of its own.

    Raises:
        ConfigError: there are more combinations than `limits.max_configs`.

    Example:
        >>> from understudy import DynamicValue
        >>> from understudy.configs import expand
        >>> [c.id for c in expand({"__config_id__": "base", "temp": DynamicValue([0, 0.5])})]
        ['base-0', 'base-0.5']
    """
    try:
        if not _is_dynamic(config):
            return [config if isinstance(config, Config) else Config(config)]
        count = _count(config)
    except RecursionError:
        raise ConfigError("nested too deep: does it contain itself?") from None
    if count > limits.max_configs:
        raise ConfigError(
            f"it expands to {count:,} configs, more than {limits.max_configs:,}: "
            f"take a `sample` of them, or raise Limits(max_configs=...)"
        )
    own_id = given_id(config) if isinstance(config, Config) else config.get(ID_KEY)
    configs: list[Config] = []
    for value, chosen in _choices(config, ()):
        if isinstance(own_id, str):
            value[ID_KEY] = "-".join(
                [own_id, *(short_text(path, choice) for path, choice in chosen)]
            )
        configs.append(Config(value))
    return configs if own_id is None else _told_apart(configs)


def _told_apart(configs: list[Config]) -> list[Config]:
    """Put a digest behind the ids that long values, cut short, have made alike."""
    counts = Counter(config.id for config in configs)
    return [
        config
        if counts[config.id] == 1
        else config.replace({ID_KEY: f"{config.id}-{content_id(config)[:6]}"})
        for config in configs
    ]


def _count(value: Any) -> int:
    if isinstance(value, DynamicValue):
        choices = cast("DynamicValue[Any]", value).values
        return sum([_count(choice) for choice in choices])
    return prod((_count(inner) for inner in _children(value)), start=1)


def _is_dynamic(value: Any) -> bool:
    if type(value) in PLAIN:
        return False
    return isinstance(value, DynamicValue) or any(_is_dynamic(inner) for inner in _children(value))


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, (list, tuple)):
        return cast("Sequence[Any]", value)
    fields = fields_of(value)
    return fields.values() if fields is not None else ()


def _choices(value: Any, path: KeyPath) -> Iterator[_Choice]:
    if isinstance(value, DynamicValue):
        for choice in cast("DynamicValue[Any]", value).values:
            nested = _is_dynamic(choice)
            for inner, chosen in _choices(choice, path):
                yield _Choice(inner, chosen if nested else ((path, choice),))
    elif not _is_dynamic(value):
        yield _Choice(value, ())
    elif isinstance(value, (list, tuple)):
        items = [
            list(_choices(item, (*path, i))) for i, item in enumerate(cast("Sequence[Any]", value))
        ]
        for combination in product(*items):
            yield _Choice([choice.value for choice in combination], _all_chosen(combination))
    else:
        fields = fields_of(value) or {}
        items = [list(_choices(inner, (*path, key))) for key, inner in fields.items()]
        for combination in product(*items):
            values = dict(zip(fields, (choice.value for choice in combination), strict=True))
            yield _Choice(values, _all_chosen(combination))


def _all_chosen(combination: Iterable[_Choice]) -> tuple[tuple[KeyPath, Any], ...]:
    return tuple(chosen for choice in combination for chosen in choice.chosen)
