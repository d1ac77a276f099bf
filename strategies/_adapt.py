"""Adapting: a strategy, a class of them, or a plain function, all used in one way."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from inspect import Parameter
from itertools import islice
from typing import Any, cast, final

from understudy.configs import Config, describe

from ._errors import StrategyError, name_of
from ._plan import Call, Plan, Strategy

_REASON = "custom"
_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_NAMED = (*_POSITIONAL, Parameter.KEYWORD_ONLY)


def as_strategy(given: Strategy | Callable[..., Any]) -> Strategy:
    """Return what is given as a Strategy.

    Args:
        given: a strategy; a class of strategies, which is called without arguments; or a function
            that takes `(configs)` or `(configs, call)` and returns `(main, variants)`. Variants
            are shadows. A function may also return a Plan, or one Config alone. What has a
            default is left to it, but for a second parameter called `call`; a function that takes
            `*args` is given both.

    Raises:
        StrategyError: it is none of these, or is asynchronous: a strategy does not wait.

    Example:
        >>> from understudy import Config
        >>> from understudy.strategies import Call, as_strategy
        >>> def last_first(configs):
        ...     return configs[-1], configs[:-1]
        >>> configs = (Config(model="large"), Config(model="small"))
        >>> plan = as_strategy(last_first).plan(Call(print), configs)
        >>> plan.reason, [config.model for config in plan.configs]
        ('custom', ['small', 'large'])
    """
    found: Any = _instance(given) if isinstance(given, type) else given
    plan = getattr(found, "plan", None)
    if plan is None and callable(found):
        return FunctionStrategy(found)
    if not callable(plan):
        raise StrategyError(
            f"{_shown(found)} is not a strategy: give ShadowStrategy(), MultiBranchStrategy(), "
            f"RoundRobinStrategy(), SingleConfigStrategy(), an object with plan(call, configs), "
            f"or a function of the configs"
        )
    name = f"{name_of(cast('object', type(found)))}.plan"
    _refuse_waiting(plan, name)
    _check_bindable(plan, name)
    return cast("Strategy", found)


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str | None) else describe(value)


@final
class FunctionStrategy:
    """A function that says what the main config is, and what the variants are.

    Args:
        function: takes `(configs)` or `(configs, call)`; see `as_strategy`.

    Raises:
        StrategyError: it takes something else, or is asynchronous.
    """

    __slots__ = ("_name", "_takes_call", "function")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._name = name_of(function)
        _refuse_waiting(function, self._name)
        self._takes_call = _takes_call(function, self._name)

    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        """Return the plan of one call.

        Raises:
            StrategyError: the function returned something that is no plan.
        """
        answer = self.function(configs, call) if self._takes_call else self.function(configs)
        if isinstance(answer, Plan):
            return answer
        if isinstance(answer, Config):
            return Plan(primary=answer, reason=_REASON)
        if not isinstance(answer, (tuple, list)) or len(cast("Sequence[Any]", answer)) != 2:
            raise StrategyError(f"{self._name} returned {_refused(answer)}, not (main, variants)")
        main, variants = cast("Sequence[Any]", answer)
        if not isinstance(main, Config):
            raise StrategyError(f"{self._name} returned {describe(main)} as main, not a Config")
        return Plan(primary=main, shadows=self._shadows(variants, len(configs)), reason=_REASON)

    def __repr__(self) -> str:
        return f"<strategy {self._name}>"

    def _shadows(self, variants: Any, most: int) -> tuple[Config, ...]:
        if isinstance(variants, (Config, str)) or not isinstance(variants, Iterable):
            raise StrategyError(
                f"{self._name} returned {describe(variants)} as variants, not a list of Configs"
            )
        shadows = tuple(islice(cast("Iterable[Any]", variants), most + 1))  # endless ones too
        if len(shadows) > most:
            raise StrategyError(f"{self._name} returned more variants than there are configs")
        for index, variant in enumerate(shadows):
            if not isinstance(variant, Config):
                raise StrategyError(
                    f"{self._name} returned {describe(variant)} as variants[{index}], not a Config"
                )
        return shadows


def _instance(cls: type) -> object:
    if not hasattr(cls, "plan"):
        raise StrategyError(f"{describe(cls)} is not one of strategies: it has no plan method")
    try:
        return cls()
    except TypeError as error:
        raise StrategyError(
            f"{describe(cls)} cannot be made without arguments ({error}): "
            f"give a strategy, made with its arguments"
        ) from error


def _refuse_waiting(function: Callable[..., Any], name: str) -> None:
    for each in (function, getattr(function, "__call__", None)):  # noqa: B004  # an object's own
        if inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each):
            raise StrategyError(f"{name} is asynchronous: a strategy does not wait, write `def`")
        if inspect.isgeneratorfunction(each):
            raise StrategyError(f"{name} yields: a strategy returns its plan")


def _check_bindable(plan: Callable[..., Any], name: str) -> None:
    try:
        signature = inspect.signature(plan)
    except (TypeError, ValueError):  # it is called, then: it says plan
        return
    try:
        signature.bind(None, None)
    except TypeError:
        raise StrategyError(f"{name}{signature}: a strategy has plan(call, configs)") from None


def _takes_call(function: Callable[..., Any], name: str) -> bool:
    """Tell whether a function takes the call beside the configs."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise StrategyError(
            f"{name}: what it takes cannot be read; wrap it in a function of (configs)"
        ) from error
    parameters = signature.parameters.values()
    places = [each for each in parameters if each.kind in _POSITIONAL]
    needed = [each for each in parameters if each.default is each.empty and each.kind in _NAMED]
    takes_rest = any(each.kind is each.VAR_POSITIONAL for each in parameters)
    at_most_two = all(each in places[:2] for each in needed)
    if not at_most_two or not (places or takes_rest) or (places and places[0].name == "call"):
        raise StrategyError(
            f"{name}{signature}: a strategy function takes (configs) or (configs, call)"
        )
    if len(places) < 2:
        return takes_rest
    return places[1] in needed or places[1].name == "call"


def _refused(answer: Any) -> str:
    """Name an answer that is no plan; one that would have to be awaited is closed."""
    if inspect.iscoroutine(answer):
        answer.close()
        return "a coroutine (a strategy does not wait)"
    if isinstance(answer, (tuple, list)):
        items = cast("Sequence[Any]", answer)
        return f"{describe(items)} of {len(items)}"
    return describe(answer)
