"""check_strategy: what every strategy keeps to, as a test for one of your own."""

import functools
import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Any

from ._adapt import as_strategy
from ._errors import StrategyError
from ._plan import Strategy
from ._trial import Trial

_SIZES = (1, 2, 5)
_POSITIONAL = (
    Parameter.POSITIONAL_ONLY,
    Parameter.POSITIONAL_OR_KEYWORD,
    Parameter.VAR_POSITIONAL,
)


def check_strategy(make: Strategy | Callable[..., Any], *, calls: int = 200) -> None:
    """Try a strategy with what it may meet, and fail if it does what a strategy must not.

    It is given 1, 2 and 5 configs, as lists and as tuples; calls with and without arguments, key
    and parent; and, if it has `observe`, results of every status in any order, also of configs it
    never saw. The results are stand-ins: plain objects with the attributes `status`, `role`,
    `reason`, `result`, `exception_info`, `duration`, `queue_time` and `experiment_case.config`.
    What is checked:

    - `plan` returns at once, a Plan that `check_plan` lets pass, and changes nothing it was given.
    - `fixed` always answers the same: None, or the plan that `plan` makes of every call.
    - `observe` takes every result, returns None, and leaves `plan` in order.
    - `fresh` gives another strategy, which plans as this one did when it was new, and shares
      nothing with others that came of it. Chance must be repeatable for that: give it a seed.

    Args:
        make: a function without parameters that makes the strategy, or anything that
            `as_strategy` takes. A strategy given as it is, is used: it may remember that.
        calls: how many calls to plan for each number of configs.

    Raises:
        AssertionError: the strategy fails, with what it did wrong.
        StrategyError: there is no call to plan.

    Example:
        >>> from understudy.strategies import Plan, ShadowStrategy, check_strategy
        >>> check_strategy(lambda: ShadowStrategy(sample=0.5, seed=1))
        >>> class Hasty:
        ...     def plan(self, call, configs):
        ...         return Plan(primary=configs[1])
        >>> try:
        ...     check_strategy(Hasty)
        ... except AssertionError as error:
        ...     print(error)
        Hasty.plan raised IndexError('tuple index out of range'), given 1 config and no key
    """
    if calls < 1:
        raise StrategyError(f"check_strategy(calls={calls!r}): it takes at least 1")
    factory = _factory(make)
    for size in _SIZES:
        try:
            strategy = as_strategy(make if factory is None else factory())
            is_new = factory is not None and factory() is not factory()
        except StrategyError as error:
            raise AssertionError(str(error)) from error
        Trial(strategy, size, calls).run(is_new=is_new)


def _factory(make: Strategy | Callable[..., Any]) -> Callable[[], Any] | None:
    """Return what makes a new strategy each time; None if this is one itself."""
    if isinstance(make, type):
        return functools.partial(as_strategy, make)
    if hasattr(make, "plan") or not callable(make):
        return None
    if isinstance(getattr(make, "func", None), type):  # a class, some arguments given: a partial
        return make
    try:
        parameters = inspect.signature(make).parameters.values()
    except (TypeError, ValueError):
        return None
    needed = (each for each in parameters if each.default is each.empty)
    takes_nothing = not any(each.kind is each.KEYWORD_ONLY for each in needed) and not any(
        each.kind in _POSITIONAL for each in parameters
    )
    return make if takes_nothing else None
