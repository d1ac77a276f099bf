"""Checking a plan before it is followed: a strategy may be anyone's."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any, cast

from understudy.configs import Config, ConfigError, describe

from ._errors import StrategyError
from ._options import limit_problem, timeout_problem
from ._plan import Plan

_MOST_NAMED = 10
_DICT: Any = dict  # which keys and values it has, its type does not say


def check_plan(
    plan: object,
    known: Mapping[str, Config] | Collection[Config],
    *,
    label_of: Callable[[Config], str] = attrgetter("label"),
) -> Plan:
    """Return the plan, if it can be followed: each of its configs is known, and stands there once.

    Args:
        plan: what a strategy answered.
        known: the configs of the experiment, or a dict of them by their ids, which is faster
            where many plans are checked. Configs are told apart by their ids.
        label_of: returns what a config is called in errors, where labels may not be told.

    Raises:
        StrategyError: what was answered is not a Plan; or one of its configs is no Config, or not
            a known one, or is there twice; or its limit, timeout or reason cannot be one.

    Example:
        >>> from understudy import Config
        >>> from understudy.strategies import Plan, StrategyError, check_plan
        >>> large, small = Config(model="large"), Config(model="small")
        >>> check_plan(Plan(primary=large, shadows=(small,)), [large, small]).primary.model
        'large'
        >>> try:
        ...     check_plan(Plan(primary=large, shadows=(large,)), [large, small])
        ... except StrategyError as error:
        ...     print(error)
        the plan has 'large' twice: as primary and as shadows[0]
    """
    by_id = known if isinstance(known, _DICT) else _by_id(known)
    if not isinstance(plan, Plan):
        raise StrategyError(f"a strategy returns a Plan, not {describe(plan)}")
    if not _is_plain(plan, by_id):
        _examine(plan, _by_id(by_id), label_of)
    return plan


def _is_plain(plan: Any, by_id: Any) -> bool:
    """Tell fast that nothing is wrong: this is asked for each call. If not, `_examine` tells."""
    branches, shadows, skipped = plan.branches, plan.shadows, plan.skipped
    if not (type(branches) is type(shadows) is type(skipped) is tuple):
        return False
    seen: set[str] = set()
    try:
        for config in (plan.primary, *branches, *shadows):
            if type(config) is not Config or (id := config.id) in seen or id not in by_id:
                return False
            seen.add(id)
        for config, reason in skipped:
            if type(config) is not Config or (id := config.id) in seen or id not in by_id:
                return False
            if type(reason) is not str:
                return False
            seen.add(id)
    except (TypeError, ValueError):  # no pairs, or a config that can have no id
        return False
    if plan.limit is not None and limit_problem(plan.limit):
        return False
    if plan.timeout is not None and timeout_problem(plan.timeout):
        return False
    return type(plan.reason) is str


def _examine(plan: Plan, by_id: Mapping[str, Config], label_of: Callable[[Config], str]) -> None:
    """Raise the error that says what is wrong, if anything is."""
    places: dict[str, str] = {}
    for place, config in _placed(plan):
        if not isinstance(config, Config):
            raise StrategyError(f"{place} of the plan is {describe(config)}, not a Config")
        try:
            config_id = config.id
        except ConfigError as error:
            raise StrategyError(f"{place} of the plan has no id: {error}") from error
        if config_id not in by_id:
            there = ", ".join(repr(label_of(each)) for each in islice(by_id.values(), _MOST_NAMED))
            more = "" if len(by_id) <= _MOST_NAMED else ", ..."
            raise StrategyError(
                f"{place} of the plan, {label_of(config)!r}, is none of the configs: {there}{more}"
            )
        if config_id in places:
            raise StrategyError(
                f"the plan has {label_of(config)!r} twice: as {places[config_id]} and as {place}"
            )
        places[config_id] = place
    for name, value, problem in (
        ("limit", plan.limit, limit_problem(plan.limit)),
        ("timeout", plan.timeout, timeout_problem(plan.timeout)),
    ):
        if problem is not None:
            raise StrategyError(f"the {name} of the plan is {value!r}: {problem}")
    if not isinstance(cast("object", plan.reason), str):
        raise StrategyError(f"the reason of the plan is {describe(plan.reason)}, not a text")


def _placed(plan: Plan) -> Iterator[tuple[str, Any]]:
    """Yield the configs of a plan and where each stands, or raise where none can stand."""
    yield "primary", plan.primary
    for name in ("branches", "shadows", "skipped"):
        others: Any = getattr(plan, name)
        if not isinstance(others, (tuple, list)):
            raise StrategyError(f"the {name} of the plan are {describe(others)}, not a tuple")
        for index, item in enumerate(cast("Sequence[Any]", others)):
            place = f"{name}[{index}]"
            if name != "skipped":
                yield place, item
            elif isinstance(item, (tuple, list)) and _is_pair(cast("Sequence[Any]", item)):
                yield place, item[0]
            else:
                raise StrategyError(f"{place} of the plan is not a pair of a Config and a reason")


def _is_pair(item: Sequence[Any]) -> bool:
    return len(item) == 2 and isinstance(item[1], str)


def _by_id(known: Mapping[str, Config] | Collection[Config]) -> Mapping[str, Config]:
    if isinstance(known, Mapping):
        return cast("Mapping[str, Config]", known)
    return {config.id: config for config in known}
