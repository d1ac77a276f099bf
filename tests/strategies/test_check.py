"""check_plan: a plan that cannot be followed is refused, with what is wrong."""

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.configs import Config
from understudy.strategies import Plan, StrategyError, check_plan

A, B, C, D = CONFIGS = tuple(Config(name=name) for name in "abcd")
BY_ID = {config.id: config for config in CONFIGS}
STRANGER = Config(name="stranger")
NAMELESS = Config(function=len)


@pytest.mark.parametrize(
    "known", [CONFIGS, [*CONFIGS], BY_ID, MappingProxyType(BY_ID), BY_ID.values()]
)
def test_a_sound_plan_is_returned(known: Any) -> None:
    for plan in (
        Plan(primary=A),
        Plan(primary=B, branches=(A,), shadows=(D,), skipped=((C, "sampled_out"),)),
        Plan(primary=B, shadows=(D,), limit=1, timeout=0.5, reason="mine"),
    ):
        assert check_plan(plan, known) is plan


def test_configs_are_told_apart_by_their_ids() -> None:
    assert check_plan(Plan(primary=Config(name="a")), BY_ID).primary == A
    one, other = Config({"__config_id__": "x", "n": 1}), Config({"__config_id__": "y", "n": 1})
    assert one == other
    assert check_plan(Plan(primary=one, shadows=(other,)), [one, other]).shadows == (other,)
    with pytest.raises(StrategyError, match="is none of the configs"):
        check_plan(Plan(primary=other), [one])


def test_a_list_will_do_for_a_tuple() -> None:
    plan = Plan(primary=A, branches=[B], shadows=[C], skipped=[(D, "why")])  # type: ignore[arg-type]  # pyright: ignore
    assert check_plan(plan, BY_ID) is plan


def test_a_plan_of_a_class_of_its_own() -> None:
    class Noted(Plan, frozen=True, kw_only=True):
        note: str = ""

    plan = Noted(primary=A, note="mine")
    assert check_plan(plan, BY_ID) is plan


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (None, "a strategy returns a Plan, not None"),
        (A, "a strategy returns a Plan, not a Config"),
        ((A, [B]), "a strategy returns a Plan, not a tuple"),
        (Plan, "a strategy returns a Plan, not the class Plan"),
    ],
)
def test_what_is_no_plan_is_named(plan: Any, message: str) -> None:
    with pytest.raises(StrategyError) as caught:
        check_plan(plan, BY_ID)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"primary": None}, "primary of the plan is None, not a Config"),
        ({"primary": {"name": "a"}}, "primary of the plan is a dict, not a Config"),
        ({"primary": "a"}, "primary of the plan is a str, not a Config"),
        ({"shadows": (B, 7)}, "shadows[1] of the plan is an int, not a Config"),
        ({"branches": (None,)}, "branches[0] of the plan is None, not a Config"),
        ({"shadows": B}, "the shadows of the plan are a Config, not a tuple"),
        ({"shadows": iter((B,))}, "the shadows of the plan are a tuple_iterator, not a tuple"),
        ({"branches": None}, "the branches of the plan are None, not a tuple"),
        ({"skipped": {B: "why"}}, "the skipped of the plan are a dict, not a tuple"),
        ({"skipped": (B,)}, "skipped[0] of the plan is not a pair of a Config and a reason"),
        ({"skipped": ((B, "why", 1),)}, "skipped[0] of the plan is not a pair of a Config and a reason"),
        ({"skipped": ((B, None),)}, "skipped[0] of the plan is not a pair of a Config and a reason"),
        ({"skipped": (("bc"),)}, "skipped[0] of the plan is not a pair of a Config and a reason"),
        ({"skipped": ((7, "why"),)}, "skipped[0] of the plan is an int, not a Config"),
        ({"primary": STRANGER}, "primary of the plan, 'stranger', is none of the configs: 'a', 'b', 'c', 'd'"),
        ({"shadows": (B, STRANGER)}, "shadows[1] of the plan, 'stranger', is none of the configs: 'a', 'b', 'c', 'd'"),
        ({"skipped": ((STRANGER, "why"),)}, "skipped[0] of the plan, 'stranger', is none of the configs: 'a', 'b', 'c', 'd'"),
        ({"shadows": (A,)}, "the plan has 'a' twice: as primary and as shadows[0]"),
        ({"branches": (B,), "shadows": (C, B)}, "the plan has 'b' twice: as branches[0] and as shadows[1]"),
        ({"shadows": (B, B)}, "the plan has 'b' twice: as shadows[0] and as shadows[1]"),
        ({"branches": (D,), "skipped": ((D, "why"),)}, "the plan has 'd' twice: as branches[0] and as skipped[0]"),
        ({"limit": 0}, "the limit of the plan is 0: it takes a whole number of at least 1, or None for no limit"),
        ({"timeout": -1}, "the timeout of the plan is -1: it takes a number of seconds above 0, or None for no timeout"),
        ({"reason": None}, "the reason of the plan is None, not a text"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(fields: dict[str, Any], message: str) -> None:
    values: dict[str, Any] = {"primary": A, **fields}
    with pytest.raises(StrategyError) as caught:
        check_plan(Plan(**values), BY_ID)
    assert str(caught.value) == message


def test_a_config_without_an_id_is_named() -> None:
    for plan in (Plan(primary=NAMELESS), Plan(primary=A, shadows=(NAMELESS,))):
        with pytest.raises(
            StrategyError, match=r"of the plan has no id: function: the function len"
        ):
            check_plan(plan, BY_ID)


def test_of_many_configs_some_are_named() -> None:
    many = [Config(n=n) for n in range(100)]
    with pytest.raises(StrategyError, match=r"is none of the configs: '0', .*'9', \.\.\.$"):
        check_plan(Plan(primary=STRANGER), many)


NAMES = st.sampled_from([*CONFIGS, STRANGER])


@given(NAMES, st.lists(NAMES), st.lists(NAMES), st.lists(NAMES), st.booleans())
def test_a_plan_passes_if_and_only_if_each_config_is_known_and_there_once(
    primary: Config,
    branches: list[Config],
    shadows: list[Config],
    skipped: list[Config],
    as_mapping: bool,
) -> None:
    known: Mapping[str, Config] | tuple[Config, ...] = BY_ID if as_mapping else CONFIGS
    plan = Plan(
        primary=primary,
        branches=tuple(branches),
        shadows=tuple(shadows),
        skipped=tuple((config, "why") for config in skipped),
    )
    everyone = [primary, *branches, *shadows, *skipped]
    sound = STRANGER not in everyone and len({*everyone}) == len(everyone)
    check = functools.partial(check_plan, plan, known)
    if sound:
        assert check() is plan
    else:
        with pytest.raises(StrategyError, match="twice|is none of the configs"):
            check()
