"""Checking a plan before it is followed: a strategy may be anyone's."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NoReturn, cast

from understudy.configs import Config, ConfigError

from ._errors import StrategyError, describe
from ._options import limit_problem, timeout_problem
from ._plan import Plan

_SEQUENCES = (tuple, list)


def check_plan(plan: object, known: Mapping[str, Config] | Collection[Config]) -> Plan:
    """Return the plan, if it can be followed: each of its configs is known, and stands there once.

    Args:
        plan: what a strategy answered.
        known: the configs of the experiment, or a dict of them by their ids, which is faster
            where many plans are checked. Configs are told apart by their ids.

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
    by_id = known if isinstance(known, dict) else _by_id(known)
    if not isinstance(plan, Plan):
        raise StrategyError(f"a strategy returns a Plan, not {describe(plan)}")
    if not _is_sound(plan, by_id):
        _complain(plan, by_id)
    if plan.limit is not None or plan.timeout is not None:
        _check_numbers(plan)
    return plan


def _is_sound(plan: Plan, by_id: Mapping[str, Config]) -> bool:
    """Tell whether nothing is wrong, as fast as can be: it is asked for each call."""
    configs = [plan.primary]
    for others in (plan.branches, plan.shadows):
        if type(others) not in _SEQUENCES:
            return False
        configs += others
    if type(plan.skipped) not in _SEQUENCES or type(plan.reason) is not str:
        return False
    seen = set[str]()
    try:
        for config, reason in plan.skipped:
            if type(reason) is not str:
                return False
            configs.append(config)
        for config in configs:
            if type(config) is not Config or config.id not in by_id:
                return False
            seen.add(config.id)
    except (TypeError, ValueError):  # no pairs, or a config that can have no id
        return False
    return len(seen) == len(configs)


def _complain(plan: Plan, by_id: Mapping[str, Config]) -> NoReturn:
    """Raise the error that says what is wrong."""
    places: dict[str, str] = {}
    for place, config in _placed(plan):
        if not isinstance(config, Config):
            raise StrategyError(f"{place} of the plan is {describe(config)}, not a Config")
        try:
            config_id = config.id
        except ConfigError as error:
            raise StrategyError(f"{place} of the plan has no id: {error}") from error
        if config_id not in by_id:
            there = ", ".join(repr(each.label) for each in by_id.values())
            raise StrategyError(
                f"{place} of the plan, {config.label!r}, is none of the configs: there are {there}"
            )
        if config_id in places:
            raise StrategyError(
                f"the plan has {config.label!r} twice: as {places[config_id]} and as {place}"
            )
        places[config_id] = place
    raise StrategyError(f"the reason of the plan is {describe(plan.reason)}, not a text")


def _placed(plan: Plan) -> Iterator[tuple[str, Any]]:
    """Yield the configs of a plan and where each stands, or raise where none can stand."""
    yield "primary", plan.primary
    for name in ("branches", "shadows", "skipped"):
        others: Any = getattr(plan, name)
        if type(others) not in _SEQUENCES:
            raise StrategyError(f"the {name} of the plan are {describe(others)}, not a tuple")
        for index, item in enumerate(others):
            place = f"{name}[{index}]"
            if name != "skipped":
                yield place, item
            elif type(item) in _SEQUENCES and len(item) == 2 and type(item[1]) is str:
                yield place, item[0]
            else:
                raise StrategyError(f"{place} of the plan is not a pair of a Config and a reason")


def _check_numbers(plan: Plan) -> None:
    for name, value, problem in (
        ("limit", plan.limit, limit_problem(plan.limit)),
        ("timeout", plan.timeout, timeout_problem(plan.timeout)),
    ):
        if problem is not None:
            raise StrategyError(f"the {name} of the plan is {value!r}: {problem}")


def _by_id(known: Mapping[str, Config] | Collection[Config]) -> Mapping[str, Config]:
    if isinstance(known, Mapping):
        return cast("Mapping[str, Config]", known)
    return {config.id: config for config in known}
