"""as_strategy: strategies, classes of them and plain functions are used in one way."""

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from unittest.mock import Mock

import pytest

from understudy.configs import Config
from understudy.strategies import (
    Call,
    Plan,
    RoundRobinStrategy,
    ShadowStrategy,
    SingleConfigStrategy,
    Strategy,
    StrategyError,
    as_strategy,
)

ONE, TWO, THREE = CONFIGS = tuple(Config(n=n) for n in range(3))
CALL = Call(print, ("hello",), key="user-7")


def planned(given: Any) -> Plan:
    return as_strategy(given).plan(CALL, CONFIGS)


def custom(primary: Config, *shadows: Config) -> Plan:
    return Plan(primary=primary, shadows=shadows, reason="custom")


def last_first(configs: Sequence[Config]) -> Any:
    return configs[-1], configs[:-1]


def by_key(configs: Sequence[Config], call: Call) -> Any:
    return (configs[1], []) if call.key == "user-7" else (configs[0], [])


class Chooser:
    """Has the same choice as a method, as a class method, and when called."""

    def __call__(self, configs: Sequence[Config]) -> Any:
        return last_first(configs)

    def method(self, configs: Sequence[Config], call: Call) -> Any:
        return by_key(configs, call)

    @classmethod
    def class_method(cls, configs: Sequence[Config]) -> Any:
        return last_first(configs)

    @staticmethod
    def static_method(configs: Sequence[Config]) -> Any:
        return last_first(configs)


@functools.wraps(last_first)
def wrapped(*args: Any) -> Any:
    (configs,) = args
    return configs[1]


def test_a_strategy_is_itself() -> None:
    for strategy in (RoundRobinStrategy(), ShadowStrategy(sample=0.5), Mock(spec=["plan"])):
        assert as_strategy(strategy) is strategy


def test_a_class_is_called_without_arguments() -> None:
    assert isinstance(as_strategy(RoundRobinStrategy), RoundRobinStrategy)
    assert as_strategy(ShadowStrategy) == ShadowStrategy()


def test_a_function_is_given_what_it_takes() -> None:
    assert planned(last_first) == custom(THREE, ONE, TWO)
    assert planned(by_key) == custom(TWO)
    assert isinstance(as_strategy(last_first), Strategy)


@pytest.mark.parametrize(
    ("given", "primary"),
    [
        (Chooser(), THREE), (Chooser().method, TWO), (Chooser.class_method, THREE),
        (Chooser.static_method, THREE), (functools.partial(by_key), TWO),
        (functools.partial(lambda place, configs: configs[place], 1), TWO),
        (functools.partial(last_first), THREE),
        (wrapped, TWO),
    ],
)  # fmt: skip
def test_any_callable_is_a_function(given: Any, primary: Config) -> None:
    assert planned(given).primary is primary


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        (lambda configs: seeing(configs), (CONFIGS,)),
        (lambda anything, whatever: seeing(anything, whatever), (CONFIGS, CALL)),
        (lambda configs=(): seeing(configs), (CONFIGS,)),
        (lambda configs, place=1: seeing(configs, place), (CONFIGS, 1)),
        (lambda configs, call=None: seeing(configs, call), (CONFIGS, CALL)),
        (lambda configs, call, place=1: seeing(configs, call, place), (CONFIGS, CALL, 1)),
        (lambda *both: seeing(*both), (CONFIGS, CALL)),
        (lambda configs, *rest: seeing(configs, *rest), (CONFIGS, CALL)),
        (lambda configs, place=1, *rest: seeing(configs, place, *rest), (CONFIGS, 1)),
        (lambda configs, *, place=1: seeing(configs, place), (CONFIGS, 1)),
        (lambda configs, **more: seeing(configs, more), (CONFIGS, {})),
    ],
)  # fmt: skip
def test_defaults_and_rest_parameters(given: Any, seen: tuple[Any, ...]) -> None:
    assert planned(given).reason == repr(seen)


def seeing(*args: Any) -> Plan:
    return Plan(primary=ONE, reason=repr(args))


def test_what_a_partial_fills_in_is_left_to_it() -> None:
    def choose(configs: Sequence[Config], place: int) -> Config:
        return configs[place]

    assert planned(functools.partial(choose, place=2)) == custom(THREE)


def test_a_parameter_may_be_positional_only() -> None:
    def choose(configs: Sequence[Config], /) -> Config:
        return configs[1]

    assert planned(choose) == custom(TWO)


def test_variants_may_be_any_iterable() -> None:
    answers: list[Any] = [
        (ONE, (TWO, THREE)),
        [ONE, [TWO, THREE]],
        (ONE, (config for config in (TWO, THREE))),
        (ONE, dict.fromkeys((TWO, THREE))),
        (ONE, itertools.islice(CONFIGS, 1, None)),
    ]
    for answer in answers:
        assert planned(lambda configs, answer=answer: answer) == custom(ONE, TWO, THREE)
    assert planned(lambda configs: (TWO, ())) == custom(TWO)


def test_a_function_may_return_a_plan_or_one_config() -> None:
    plan = Plan(primary=TWO, branches=(ONE,), answers_all=True, reason="mine")
    assert planned(lambda configs: plan) is plan
    assert planned(lambda configs: THREE) == custom(THREE)


def endless(configs: Sequence[Config]) -> Any:
    return configs[0], itertools.repeat(configs[1])


async def late(configs: Sequence[Config]) -> Any:
    return configs[0]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "returned None, not (main, variants)"),
        ((), "returned a tuple of 0, not (main, variants)"),
        ((ONE, [TWO], 3), "returned a tuple of 3, not (main, variants)"),
        ([ONE, TWO, THREE], "returned a list of 3, not (main, variants)"),
        ({"n": 1}, "returned a dict, not (main, variants)"),
        ("ab", "returned a str, not (main, variants)"),
        (({"n": 1}, []), "returned a dict as main, not a Config"),
        ((None, [TWO]), "returned None as main, not a Config"),
        ((ONE, TWO), "returned a Config as variants, not a list of Configs"),
        ((ONE, None), "returned None as variants, not a list of Configs"),
        ((ONE, ""), "returned a str as variants, not a list of Configs"),
        ((ONE, 5), "returned an int as variants, not a list of Configs"),
        ((ONE, [TWO, {"n": 1}]), "returned a dict as variants[1], not a Config"),
        ((ONE, (*CONFIGS, ONE)), "returned more variants than there are configs"),
    ],
)
def test_an_answer_that_is_no_plan_is_an_error_that_names_the_function(
    answer: Any, message: str
) -> None:
    def nonsense(configs: Sequence[Config]) -> Any:
        return answer

    with pytest.raises(StrategyError) as caught:
        planned(nonsense)
    name = "test_an_answer_that_is_no_plan_is_an_error_that_names_the_function.<locals>.nonsense"
    assert str(caught.value) == f"{__name__}.{name} {message}"


def test_endless_variants_are_not_waited_for() -> None:
    with pytest.raises(StrategyError, match=r"endless returned more variants than there are"):
        planned(endless)


def test_a_hidden_coroutine_is_closed() -> None:
    with pytest.raises(StrategyError, match=r"returned a coroutine \(a strategy does not wait\)"):
        planned(lambda configs: late(configs))


def test_what_a_function_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        planned(lambda configs: 1 // 0)


class Waiting:
    async def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[0])


class WaitingWhenCalled:
    async def __call__(self, configs: Sequence[Config]) -> Any:
        return configs[0]


class Short:
    def plan(self, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[0])


class Needy:
    def __init__(self, rate: float) -> None:
        self.rate = rate

    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[0])


class Planless:
    plan = None


def yielding(configs: Sequence[Config]) -> Iterable[Config]:
    yield from configs


async def yielding_late(configs: Sequence[Config]) -> Any:
    yield configs[0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, r"^None is not a strategy: give ShadowStrategy\(\), .* object with plan\(call, configs\)"),
        ("shadow", r"^'shadow' is not a strategy"), (CONFIGS, r"^a tuple is not a strategy"),
        (Planless(), r"^a Planless is not a strategy"),
        (dict, r"^the class dict is not one of strategies: it has no plan method"),
        (Needy, r"^the class Needy cannot be made without arguments \(.*'rate'\): give a strategy"),
        (Strategy, r"^the class Strategy cannot be made without arguments \(Protocols"),
        (Waiting, r"\.Waiting\.plan is asynchronous: a strategy does not wait, write `def`"),
        (Waiting(), r"\.Waiting\.plan is asynchronous"),
        (WaitingWhenCalled(), r"WaitingWhenCalled.* is asynchronous"),
        (late, r"\.late is asynchronous: a strategy does not wait"),
        (functools.partial(late), r"late.* is asynchronous"),
        (yielding_late, r"\.yielding_late is asynchronous"),
        (yielding, r"\.yielding yields: a strategy returns its plan"),
        (Short(), r"\.Short\.plan\(.*\) -> .*: a strategy has plan\(call, configs\)"),
        (lambda: ONE, r"<lambda>\(\): a strategy function takes \(configs\) or \(configs, call\)"),
        (lambda a, b, c: a, r"<lambda>\(a, b, c\): a strategy function takes"),
        (lambda configs, *, place: configs[place], r"<lambda>\(configs, \*, place\): a strategy"),
        (lambda **options: ONE, r"<lambda>\(\*\*options\): a strategy function takes"),
        (lambda call, configs: configs[0], r"<lambda>\(call, configs\): a strategy function takes"),
        (iter, r"^builtins\.iter: what it takes cannot be read; wrap it in a function of"),
    ],
)  # fmt: skip
def test_what_is_no_strategy_is_an_error_that_says_why(given: Any, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        as_strategy(given)


def test_a_strategy_whose_parameters_cannot_be_read_is_trusted() -> None:
    class Opaque:
        plan: Callable[..., Any] = staticmethod(iter)

    opaque = Opaque()
    assert as_strategy(opaque) is opaque


def test_a_function_strategy_is_shown_by_its_name() -> None:
    assert repr(as_strategy(last_first)) == f"<strategy {__name__}.last_first>"
    assert repr(as_strategy(functools.partial(by_key))).startswith("<strategy functools.partial(")


def test_the_default_is_one_config() -> None:
    assert planned(SingleConfigStrategy).configs == (ONE,)
