"""Which config every experiment of a call tree plays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy import Config
from understudy.actors import Choice, ExperimentCase
from understudy.configs import UnderstudyError

LARGE, SMALL = Config(model="large"), Config(model="small")
ANSWER = Choice(1, "shop.answer", LARGE)
RANK = Choice(2, "shop.rank", SMALL)
CASE = ExperimentCase("shop.answer", LARGE, (ANSWER, RANK))


def test_a_case_knows_what_each_experiment_plays_by_its_name_or_the_end_of_it() -> None:
    assert CASE.get_config_id("shop.answer") == LARGE.id
    assert CASE.get_config_id("rank") == SMALL.id


def test_a_whole_name_comes_before_the_end_of_another() -> None:
    case = CASE.joined(Choice(3, "rank", LARGE))
    assert case.get_config_id("rank") == LARGE.id
    assert case.get_config_id("shop.rank") == SMALL.id


@pytest.mark.parametrize("name", ["ank", "hop.rank", "", "shop", "other"])
def test_a_name_that_was_not_chosen_for_is_an_error_that_lists_those_that_were(name: str) -> None:
    with pytest.raises(
        UnderstudyError,
        match=r"is not chosen for in this case; it has 'shop\.answer', 'shop\.rank'",
    ):
        CASE.get_config_id(name)


@pytest.mark.parametrize("other", ["home.rank", "shop.rank"])
def test_a_name_that_says_two_experiments_is_an_error(other: str) -> None:
    case = CASE.joined(Choice(3, other, LARGE))
    with pytest.raises(UnderstudyError, match="'rank' is ambiguous in this case"):
        case.get_config_id("rank")


def test_experiments_of_one_name_are_told_apart_by_their_keys() -> None:
    case = CASE.joined(Choice(3, "shop.rank", LARGE))
    assert case.config_for(2) is SMALL
    assert case.config_for(3) is LARGE
    assert case.config_for(4) is None


def test_joining_leaves_the_case_itself_as_it_is() -> None:
    case = ExperimentCase("shop.answer", LARGE, (ANSWER,))
    assert case.joined(RANK) == CASE
    assert case.choices == (ANSWER,)


keys = st.integers(0, 5)
choices = st.builds(
    lambda key, config: Choice(key, f"shop.number{key}", config),
    keys,
    st.sampled_from([LARGE, SMALL]),
)


@given(st.lists(choices, unique_by=lambda choice: choice.key), choices)
def test_seen_from_another_experiment_all_other_choices_are_the_same(
    chosen: list[Choice], seen: Choice
) -> None:
    case = ExperimentCase("shop.answer", LARGE, tuple(chosen)).seen_from(seen)
    assert (case.experiment, case.config) == (seen.experiment, seen.config)
    expected = {choice.key: choice.config for choice in chosen} | {seen.key: seen.config}
    assert {choice.key: choice.config for choice in case.choices} == expected
    assert len(case.choices) == len(expected)
    for key in range(6):
        assert case.config_for(key) == expected.get(key)
