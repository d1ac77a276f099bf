"""Shadows: of all calls, of a share of the calls, or of a share of the keys."""

import copy
import json
import math
import os
import pickle
import subprocess
import sys
from datetime import date
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.configs import Config, UnderstudyError
from understudy.strategies import Call, Plan, ShadowStrategy, StrategyError

ONE, TWO, THREE = CONFIGS = tuple(Config(n=n) for n in range(3))
CALL = Call(print)
OUT = Plan(primary=ONE, skipped=((TWO, "sampled_out"), (THREE, "sampled_out")))
IN = Plan(primary=ONE, shadows=(TWO, THREE))

KEYS = st.one_of(
    st.text(), st.integers(), st.binary(), st.uuids(), st.tuples(st.text(), st.integers())
)
RATES = st.floats(0, 1)


def is_sampled(strategy: ShadowStrategy, key: Any) -> bool:
    return strategy.plan(Call(print, key=key), CONFIGS) == IN


def test_the_others_run_beside_the_first() -> None:
    assert ShadowStrategy().plan(CALL, CONFIGS) == ShadowStrategy().fixed(CONFIGS) == IN


def test_what_is_sampled_out_is_said() -> None:
    strategy = ShadowStrategy(sample=0)
    assert strategy.plan(CALL, CONFIGS) == strategy.fixed(CONFIGS) == OUT
    assert strategy.fixed((ONE,)) == Plan(primary=ONE)


@given(st.floats(0, 1, exclude_min=True, exclude_max=True), st.sampled_from(["call", "key"]))
def test_only_a_rate_of_all_or_nothing_is_fixed(rate: float, by: Any) -> None:
    assert ShadowStrategy(sample=rate, by=by).fixed(CONFIGS) is None


@pytest.mark.parametrize("sample", [0, 0.5, 1])
def test_the_options_stand_in_every_plan(sample: float) -> None:
    strategy = ShadowStrategy(
        sample=sample, limit=3, timeout=2, after_primary=True, cancel_with_primary=True, seed=1
    )
    for _ in range(20):
        plan = strategy.plan(CALL, CONFIGS)
        options = (plan.limit, plan.timeout, plan.after_primary, plan.cancel_with_primary)
        assert options == (3, 2, True, True)


@pytest.mark.parametrize("rate", [0.01, 0.25, 0.5, 0.9])
def test_a_share_of_the_calls_is_drawn(rate: float) -> None:
    count = 20_000
    strategy = ShadowStrategy(sample=rate, seed=42)
    drawn = sum(strategy.plan(CALL, CONFIGS) == IN for _ in range(count))
    deviation = math.sqrt(count * rate * (1 - rate))
    assert abs(drawn - count * rate) < 4 * deviation


@pytest.mark.parametrize("rate", [0.01, 0.25, 0.5, 0.9])
def test_a_share_of_the_keys_is_chosen(rate: float) -> None:
    count = 20_000
    strategy = ShadowStrategy(sample=rate, by="key")
    chosen = sum(is_sampled(strategy, f"user-{number}") for number in range(count))
    deviation = math.sqrt(count * rate * (1 - rate))
    assert abs(chosen - count * rate) < 4 * deviation


def test_plans_are_made_once_for_the_same_configs() -> None:
    strategy = ShadowStrategy(sample=0.5, seed=1)
    assert len({id(strategy.plan(CALL, CONFIGS)) for _ in range(100)}) == 2
    assert strategy.plan(CALL, (TWO, THREE)).primary is TWO


def test_a_seed_makes_the_draws_repeatable() -> None:
    def draws(strategy: ShadowStrategy) -> list[bool]:
        return [strategy.plan(CALL, CONFIGS) == IN for _ in range(200)]

    strategy = ShadowStrategy(sample=0.5, seed=7)
    first = draws(strategy)
    assert draws(strategy) != first
    assert draws(strategy.fresh()) == first == draws(ShadowStrategy(sample=0.5, seed=7))
    assert draws(ShadowStrategy(sample=0.5, seed=8)) != first
    assert draws(ShadowStrategy(sample=0.5)) != draws(ShadowStrategy(sample=0.5))


@given(KEYS, RATES, RATES, st.text())
def test_a_key_sampled_at_one_rate_is_sampled_at_any_higher(
    key: Any, one: float, other: float, salt: str
) -> None:
    low, high = (ShadowStrategy(sample=rate, by="key", salt=salt) for rate in sorted((one, other)))
    assert is_sampled(low, key) <= is_sampled(high, key)


@given(KEYS)
def test_a_key_always_fares_alike(key: Any) -> None:
    strategy = ShadowStrategy(sample=0.5, by="key")
    assert len({is_sampled(each, key) for each in (strategy, strategy, strategy.fresh())}) == 1


@given(st.integers(0, 2**64 - 1))
def test_no_key_is_left_out_at_full_rate_and_none_is_in_at_none(key: int) -> None:
    assert is_sampled(ShadowStrategy(by="key"), key)
    assert not is_sampled(ShadowStrategy(sample=0, by="key"), key)


def test_another_salt_chooses_independently() -> None:
    one, other = (ShadowStrategy(sample=0.5, by="key", salt=salt) for salt in ("one", "other"))
    both = sum(is_sampled(one, key) and is_sampled(other, key) for key in range(10_000))
    assert abs(both - 2_500) < 4 * math.sqrt(10_000 * 0.25 * 0.75)


def test_salt_and_key_do_not_run_into_each_other() -> None:
    def pattern(salt: str, start: str) -> list[bool]:
        strategy = ShadowStrategy(sample=0.5, by="key", salt=salt)
        return [is_sampled(strategy, f"{start}{number}") for number in range(200)]

    assert pattern("text:a", "b") != pattern("", "text:ab")
    assert pattern("a", "b") != pattern("", "ab")


def test_a_call_without_a_key_is_drawn_for() -> None:
    strategy = ShadowStrategy(sample=0.5, by="key", seed=1)
    plans = [strategy.plan(CALL, CONFIGS) for _ in range(100)]
    assert {plan == IN for plan in plans} == {True, False}


class Tier(Enum):
    """A kind of user."""

    GOLD = "gold"


MANY_KEYS: list[Any] = [
    *("user-7", "", "ä\ud800", 7, 0, -7, 2**70_000, True, 0.5, math.inf, b"user", Tier.GOLD),
    *(("tenant", 7), ["tenant", 7], {"tenant": 7, "user": 8}, date(2024, 2, 29)),
    *(UUID(int=7), Config(n=1)),
]
SCRIPT = """
import json
from understudy.configs import Config
from understudy.strategies import Call, ShadowStrategy
configs = (Config(n=0), Config(n=1))
keys = [f"user-{n}" for n in range(200)] + list(range(200)) + [("a", n, {"b": n}) for n in range(200)]
strategy = ShadowStrategy(sample=0.3, by="key", salt="s")
print(json.dumps([len(strategy.plan(Call(print, key=key), configs).shadows) for key in keys]))
"""


def test_a_key_fares_alike_in_every_process() -> None:
    outputs: list[list[int]] = []
    for seed in ("0", "1", "12345"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.append(json.loads(done.stdout))
    assert outputs[0] == outputs[1] == outputs[2]
    assert 120 < sum(outputs[0]) < 240


def test_the_choice_of_keys_never_changes_with_a_release() -> None:
    strategy = ShadowStrategy(sample=0.5, by="key", salt="s")
    chosen = "".join("01"[is_sampled(strategy, f"user-{number}")] for number in range(32))
    assert chosen == "11100010100111111000110001000110"


def test_equal_texts_and_numbers_are_equal_keys() -> None:
    class Name(str):
        __slots__ = ()

    for salt in map(str, range(50)):
        strategy = ShadowStrategy(sample=0.5, by="key", salt=salt)
        assert is_sampled(strategy, Name("user-7")) == is_sampled(strategy, "user-7")
        assert is_sampled(strategy, True) == is_sampled(strategy, 1)
        assert is_sampled(strategy, ["a", 1]) == is_sampled(strategy, ("a", 1))


@pytest.mark.parametrize(
    "key", MANY_KEYS, ids=[f"{n}-{type(key).__name__}" for n, key in enumerate(MANY_KEYS)]
)
def test_a_key_may_be_any_plain_value(key: Any) -> None:
    fates = {is_sampled(ShadowStrategy(sample=0.5, by="key", salt=str(n)), key) for n in range(50)}
    assert fates == {True, False}


def test_a_key_without_a_stable_form_is_an_error() -> None:
    with pytest.raises(StrategyError, match=r'^the key of the call is an object, which by="key"'):
        is_sampled(ShadowStrategy(sample=0.5, by="key"), object())
    assert is_sampled(ShadowStrategy(by="key"), object())


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("sample", -0.1, "a rate from 0 to 1"), ("sample", 1.1, "a rate from 0 to 1"),
        ("sample", math.nan, "a rate from 0 to 1"), ("sample", "0.5", "a rate from 0 to 1"),
        ("sample", None, "a rate from 0 to 1"), ("sample", True, "a rate from 0 to 1"),
        ("by", "user", "'call' or 'key'"), ("by", None, "'call' or 'key'"), ("by", [], "'call' or 'key'"),
        ("limit", 0, "at least 1"), ("limit", -1, "at least 1"), ("limit", 1.0, "at least 1"),
        ("limit", True, "at least 1"), ("limit", "3", "at least 1"),
        ("timeout", 0, "above 0"), ("timeout", -1.5, "above 0"), ("timeout", math.nan, "above 0"),
        ("timeout", math.inf, "above 0"), ("timeout", "2", "above 0"), ("timeout", True, "above 0"),
        ("timeout", 10**400, "above 0"),
        ("after_primary", 1, "True or False"), ("cancel_with_primary", None, "True or False"),
        ("seed", 0.5, "a whole number"), ("seed", "x", "a whole number"), ("seed", False, "a whole number"),
        ("salt", None, "a text"), ("salt", b"x", "a text"),
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_is_one_clear_error(option: str, value: Any, message: str) -> None:
    with pytest.raises(StrategyError) as caught:
        ShadowStrategy(**{option: value})
    assert str(caught.value).startswith(f"ShadowStrategy({option}={value!r}): it takes ")
    assert message in str(caught.value)
    assert isinstance(caught.value, UnderstudyError)


def test_options_are_shown_and_stay() -> None:
    options: dict[str, Any] = {
        "sample": 0.25, "by": "key", "limit": 5, "timeout": 1.5, "after_primary": True,
        "cancel_with_primary": True, "seed": 9, "salt": "pepper",
    }  # fmt: skip
    strategy = ShadowStrategy(**options)
    assert {name: getattr(strategy, name) for name in options} == options
    assert repr(strategy) == (
        "ShadowStrategy(sample=0.25, by='key', limit=5, timeout=1.5, after_primary=True, "
        "cancel_with_primary=True, seed=9, salt='pepper')"
    )
    assert repr(ShadowStrategy()) == "ShadowStrategy()"
    for name, value in options.items():
        with pytest.raises(AttributeError, match=f"^{name}: the options of a ShadowStrategy stay"):
            setattr(strategy, name, value)
        with pytest.raises(AttributeError, match="make another one"):
            delattr(strategy, name)
    with pytest.raises(AttributeError):
        strategy.other = 1  # type: ignore[attr-defined]  # pyright: ignore


def test_a_copy_is_equal_and_so_is_a_fresh_one() -> None:
    strategy = ShadowStrategy(sample=0.25, by="key", limit=5, seed=9)
    copies = (copy.copy(strategy), copy.deepcopy(strategy), pickle.loads(pickle.dumps(strategy)))
    for other in (strategy.fresh(), *copies):
        assert other is not strategy
        assert other == strategy
        assert hash(other) == hash(strategy)
    assert strategy != ShadowStrategy(sample=0.25, by="key", limit=5, seed=8)
    assert strategy != "ShadowStrategy"
