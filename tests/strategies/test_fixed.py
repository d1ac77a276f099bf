"""Strategies whose plan never depends on the call: one config, or all of them."""

import copy
import pickle

import pytest

from understudy.configs import Config
from understudy.strategies import (
    Call,
    MultiBranchStrategy,
    Plan,
    ShadowStrategy,
    SingleConfigStrategy,
    Strategy,
)

ONE, TWO, THREE = CONFIGS = tuple(Config(n=n) for n in range(3))
CALL = Call(print)


def test_a_single_config_is_the_first() -> None:
    assert SingleConfigStrategy().plan(CALL, CONFIGS) == Plan(primary=ONE)


def test_all_branches_answer() -> None:
    plan = MultiBranchStrategy().plan(CALL, CONFIGS)
    assert plan == Plan(primary=ONE, branches=(TWO, THREE), answers_all=True)
    assert MultiBranchStrategy().plan(CALL, [*CONFIGS]) == plan


def test_one_config_alone_has_nothing_beside_it() -> None:
    for strategy in (SingleConfigStrategy(), MultiBranchStrategy(), ShadowStrategy()):
        assert strategy.plan(CALL, (TWO,)).configs == (TWO,)


@pytest.mark.parametrize("strategy", [SingleConfigStrategy(), MultiBranchStrategy()])
def test_the_fixed_plan_is_that_of_every_call(
    strategy: SingleConfigStrategy | MultiBranchStrategy,
) -> None:
    assert isinstance(strategy, Strategy)
    assert strategy.fixed(CONFIGS) == strategy.plan(Call(print, key="user-7"), CONFIGS)


@pytest.mark.parametrize("strategy", [SingleConfigStrategy(), MultiBranchStrategy()])
def test_strategies_without_options_are_alike(
    strategy: SingleConfigStrategy | MultiBranchStrategy,
) -> None:
    assert strategy.fresh() is not strategy
    for other in (strategy.fresh(), copy.copy(strategy), pickle.loads(pickle.dumps(strategy))):
        assert other == strategy
        assert hash(other) == hash(strategy)
    assert repr(strategy) == f"{type(strategy).__name__}()"
    assert SingleConfigStrategy() != MultiBranchStrategy()
