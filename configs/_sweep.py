"""Sweeps: from a base and its variations to a list of configs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import islice, product
from math import prod
from typing import Any, TypeVar, cast

from ._adapt import fields_of, in_order
from ._compose import merge
from ._config import Config, given_id, origin
from ._errors import ConfigError, ConfigTypeError, describe
from ._expand import expand
from ._freeze import ID_KEY
from ._limits import DEFAULT_LIMITS
from ._origin import Origin, named
from ._overlay import key_path
from ._siblings import as_siblings

T = TypeVar("T")

NAME_KEY = "name"
_MOST_NUMBERS = 1_000_000


def sweep(
    base: Mapping[str, Any] | Iterable[Mapping[str, Any]], *variations: Iterable[Mapping[str, Any]]
) -> list[Config]:
    """Lay each variation over each base, by the rule of `merge`.

    The `name` of a base and the `name` of a variation are joined with `_`. Several lists of
    variations make every combination, the last one changing fastest. DynamicValues are expanded.

    Raises:
        ConfigError: there is no base, a list of variations is empty, or two configs have one id.

    Example:
        >>> from understudy import grid, sweep
        >>> base = {"name": "mlp", "model": {"size": 256, "layers": 4}}
        >>> variations = [{"name": "small", "model.size": 64}, {"name": "large", "model.size": 512}]
        >>> configs = sweep(base, variations)
        >>> [(config.name, config.model.size, config.model.layers) for config in configs]
        [('mlp_small', 64, 4), ('mlp_large', 512, 4)]
        >>> variations = grid({"lr": [0.1, 0.01], "model.size": [64, 512]})
        >>> [config.label for config in sweep({"seed": 1}, variations)]
        ['0.1-64', '0.1-512', '0.01-64', '0.01-512']
    """
    lists = [_mappings(base, "base")]
    for listed in variations:
        if fields_of(listed) is not None:
            raise ConfigTypeError("variations are a list of mappings: [{...}, ...] or grid(...)")
        lists.append(_mappings(listed, "list of variations"))
    configs: list[Config] = []
    origins: list[Origin] = []
    _check_combinations(lists)
    for index, combination in enumerate(product(*lists)):
        expanded = expand(_laid_together(combination))
        configs += expanded
        origins += [_origin(combination, f"sweep[{index}]")] * len(expanded)
    return as_siblings(configs, origins)


def grid(
    axes: Mapping[str, Iterable[Any]] | None = None, /, **more: Iterable[Any]
) -> list[dict[str, Any]]:
    """Return every combination of the values of each axis, the last axis changing fastest.

    Args:
        axes: a list of values for each key; a key may be dotted.
        **more: further axes.

    Example:
        >>> from understudy import grid
        >>> grid(lr=[0.1, 0.01], layers=[2, 4])[:3]
        [{'lr': 0.1, 'layers': 2}, {'lr': 0.1, 'layers': 4}, {'lr': 0.01, 'layers': 2}]
    """
    named = _axes(axes, more)
    _check_combinations([*named.values()])
    return [dict(zip(named, values, strict=True)) for values in product(*named.values())]


def zip_(
    axes: Mapping[str, Iterable[Any]] | None = None, /, **more: Iterable[Any]
) -> list[dict[str, Any]]:
    """Return the first values of all axes together, then the second, and so on.

    Raises:
        ConfigError: the axes are not equally long.

    Example:
        >>> from understudy import zip_
        >>> zip_(lr=[0.1, 0.01], epochs=[10, 100])
        [{'lr': 0.1, 'epochs': 10}, {'lr': 0.01, 'epochs': 100}]
    """
    named = _axes(axes, more)
    if len({len(values) for values in named.values()}) > 1:
        lengths = ", ".join(f"{name} has {len(values)}" for name, values in named.items())
        raise ConfigError(f"zip_ takes axes of one length: {lengths}")
    return [dict(zip(named, values, strict=True)) for values in zip(*named.values(), strict=True)]


def frange(start: float, stop: float, step: float) -> list[float]:
    """Return the numbers from `start` up to `stop`, which is left out as in `range`.

    They are counted in exact decimals, so that no step is lost or won by rounding.

    Raises:
        ConfigError: `step` is zero or leads away from `stop`.

    Example:
        >>> from understudy import frange
        >>> frange(0.01, 0.1, 0.01)
        [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09]
    """
    first, last, by = _exact(start), _exact(stop), _exact(step)
    if not by:
        raise ConfigError("frange takes a step that is not zero")
    count = -((first - last) // by)
    if count <= 0:
        raise ConfigError(
            f"frange({start}, {stop}, {step}) is empty: the step leads away from the end"
        )
    _check_count(count, "frange")
    return [float(first + index * by) for index in range(count)]


def linspace(start: float, stop: float, count: int) -> list[float]:
    """Return `count` numbers at equal distances, `start` and `stop` among them.

    Example:
        >>> from understudy import linspace
        >>> linspace(0, 1, 6)
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    _check_count(count, "linspace or logspace")
    first, last = _exact(start), _exact(stop)
    if count == 1:
        return [float(first)]
    return [float(first + (last - first) * index / (count - 1)) for index in range(count)]


def logspace(start: float, stop: float, count: int, *, base: float = 10) -> list[float]:
    """Return `count` powers of `base`, their exponents at equal distances from `start` to `stop`.

    Example:
        >>> from understudy import logspace
        >>> logspace(-3, -1, 3)
        [0.001, 0.01, 0.1]
    """
    root = _exact(base)
    if root <= 0:
        raise ConfigError(f"logspace takes a base above zero, not {base}")
    powers: list[float] = []
    for exponent in linspace(start, stop, count):
        try:
            powers.append(
                float(root ** int(exponent))
                if exponent.is_integer() and abs(exponent) < 1000
                else base**exponent
            )
        except OverflowError:
            raise ConfigError(
                f"logspace: {base} to the power of {exponent} is too large for a float"
            ) from None
    return powers


def sample(items: Iterable[T], count: int, *, seed: int = 0) -> list[T]:
    """Return `count` of the items, drawn without replacement, in the order they came.

    The same seed draws the same items in every process and on every Python version.

    Raises:
        ConfigError: there are fewer items than `count`.

    Example:
        >>> from understudy import grid, sample
        >>> len(sample(grid(lr=[0.1, 0.01], layers=[2, 4, 8]), 3, seed=7))
        3
    """
    _check_whole(count, "sample")
    _check_whole(seed, "the seed of sample")
    listed = list(items)
    if not 0 < count <= len(listed):
        raise ConfigError(f"sample can draw 1 to {len(listed)} of {len(listed)} items, not {count}")
    import random

    draws = random.Random(seed)
    rank = [draws.random() for _ in listed]
    drawn = sorted(range(len(listed)), key=rank.__getitem__)[:count]
    return [listed[index] for index in sorted(drawn)]


def where(items: Iterable[T], keep: Callable[[T], bool]) -> list[T]:
    """Return the items for which `keep` says True.

    Raises:
        ConfigError: it says so for none: an experiment would silently have no configs.

    Example:
        >>> from understudy import grid, where
        >>> where(grid(lr=[0.1, 0.01], layers=[2, 4]), lambda v: v["lr"] * v["layers"] < 0.1)
        [{'lr': 0.01, 'layers': 2}, {'lr': 0.01, 'layers': 4}]
    """
    if not callable(keep):
        raise ConfigTypeError(
            f"where takes a function that says what to keep, not {describe(keep)}"
        )
    listed = list(items)
    kept = [item for item in listed if keep(item)]
    if not kept:
        raise ConfigError(f"where kept none of {len(listed)} items")
    return kept


def _mappings(given: Any, what: str) -> list[Mapping[str, Any]]:
    fields = fields_of(given)
    if fields is not None:
        return [fields]
    several = in_order(given)
    if several is None:
        raise ConfigTypeError(f"a {what} is a mapping or several of them, not {describe(given)}")
    listed: list[Mapping[str, Any]] = []
    for index, item in enumerate(several):
        fields = fields_of(item)
        if fields is None:
            raise ConfigTypeError(
                f"item {index} of a {what} is {describe(item)}: expected a mapping"
            )
        listed.append(fields)
    if not listed:
        raise ConfigError(f"an empty {what}: the sweep would have no configs")
    return listed


def _origin(combination: Sequence[Mapping[str, Any]], place: str) -> Origin:
    """Return where the values of a combination come from: the base, or this place of the sweep."""
    base, *rest = combination
    laid = named(place, [key_path(key) for variation in rest for key in variation])
    return laid.over(origin(base) if isinstance(base, Config) else None)


def _laid_together(combination: Sequence[Mapping[str, Any]]) -> Config:
    first, *rest = combination
    config = first if isinstance(first, Config) else Config(first)
    for variation in rest:
        names = [str(part[NAME_KEY]) for part in (config, variation) if part.get(NAME_KEY)]
        beside: dict[str, Any] = {NAME_KEY: "_".join(names)} if names else {}
        stated = given_id(variation) if isinstance(variation, Config) else variation.get(ID_KEY)
        config = merge(merge(config, variation), beside | ({ID_KEY: stated} if stated else {}))
    return config


def _axes(
    axes: Mapping[str, Iterable[Any]] | None, more: Mapping[str, Iterable[Any]]
) -> dict[str, list[Any]]:
    named: dict[str, list[Any]] = {}
    for name, values in [*_axes_given(axes), *more.items()]:
        if in_order(values) is None:
            raise ConfigTypeError(f"an axis is a list of values, not {describe(values)}", (name,))
        if name in named:
            raise ConfigError("the axis is given twice", (name,))
        named[name] = list(islice(values, _MOST_NUMBERS + 1))
        if len(named[name]) > _MOST_NUMBERS:
            raise ConfigError(f"an axis takes at most {_MOST_NUMBERS:,} values", (name,))
        if not named[name]:
            raise ConfigError("an axis needs at least one value", (name,))
    if not named:
        raise ConfigError("no axes were given")
    return named


def _axes_given(axes: Any) -> Iterable[tuple[str, Iterable[Any]]]:
    if axes is not None and not isinstance(axes, Mapping):
        raise ConfigTypeError(f"axes are a mapping of names to values, not {describe(axes)}")
    return cast("Mapping[str, Iterable[Any]]", axes or {}).items()


def _exact(number: float) -> Fraction:
    """Return the number as it is written in decimals: 0.1 is a tenth."""
    try:
        return Fraction(str(number))
    except (ValueError, ZeroDivisionError):
        raise ConfigError(f"expected a finite number, not {number!r}") from None


def _check_whole(number: object, name: str) -> None:
    if not isinstance(number, int):
        raise ConfigTypeError(f"{name} takes a whole number, not {describe(number)}")


def _check_combinations(lists: Sequence[Sequence[Any]]) -> None:
    count, most = prod(map(len, lists)), DEFAULT_LIMITS.max_configs
    if count > most:
        raise ConfigError(f"it makes {count:,} combinations, more than {most:,}: take fewer values")


def _check_count(count: int, name: str) -> None:
    _check_whole(count, name)
    if not 0 < count <= _MOST_NUMBERS:
        raise ConfigError(f"{name} makes 1 to {_MOST_NUMBERS:,} numbers, not {count:,}")
