"""What results, cases and choices look like where they are printed."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy import Config, ExperimentCaseResults, FunctionResult
from understudy.actors import Choice, ExperimentCase

LARGE, SMALL = Config(model="large"), Config(model="small")
CHOICE = Choice(1, "answer", LARGE)
CASE = ExperimentCase("answer", LARGE, (CHOICE,), 1)
RESULT: FunctionResult[Any] = FunctionResult(
    result="hello",
    exception_info=None,
    experiment_case=CASE,
    status="ok",
    reason="static",
    role="primary",
    timestamp=1.5,
    duration=0.0104,
    queue_time=0.0,
    call_id="1",
    branch_id="2",
    parent_branch_id=None,
)


def changed(**fields: Any) -> FunctionResult[Any]:
    return msgspec.structs.replace(RESULT, **fields)


SHADOW = changed(
    experiment_case=ExperimentCase("answer", SMALL, (Choice(1, "answer", SMALL),), 1),
    role="shadow",
    status="error",
    result=None,
    exception_info=ValueError("too long"),
    duration=0.00002,
)


class Raises:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __repr__(self) -> str:
        raise self.error


def test_a_result_says_in_one_line_who_played_and_what_came_of_it() -> None:
    assert repr(RESULT) == "<FunctionResult answer[large] primary ok 'hello' 10.4 ms>"
    assert repr(SHADOW) == (
        "<FunctionResult answer[small] shadow error ValueError('too long') 0.02 ms>"
    )


@pytest.mark.parametrize(("status", "reason"), [("shed", "limit"), ("skipped", "circuit_open")])
def test_a_result_of_what_was_not_played_says_why(status: str, reason: str) -> None:
    result = changed(status=status, reason=reason, result=None, duration=0.0)
    assert repr(result) == f"<FunctionResult answer[large] primary {status} ({reason})>"


@given(
    st.text()
    | st.binary()
    | st.integers()
    | st.lists(st.lists(st.text()))
    | st.dictionaries(st.text(), st.text())
)
def test_whatever_the_value_is_the_line_is_short_and_one_line(value: Any) -> None:
    shown = repr(changed(result=value))
    assert len(shown) <= len("<FunctionResult answer[large] primary ok  10.4 ms>") + 60
    assert "\n" not in shown


def test_a_long_value_is_cut_before_it_is_written_out() -> None:
    assert "..." in repr(changed(result="x" * 10_000_000))
    assert "..." in repr(changed(result=list(range(10_000_000))))


@pytest.mark.parametrize("error", [ValueError("no"), RecursionError(), AttributeError()])
def test_a_value_that_cannot_be_shown_is_named(error: Exception) -> None:
    for value in (Raises(error), [Raises(error)], {"it": Raises(error)}):
        assert "<Raises" in repr(changed(result=value))
    assert "<ValueError" in repr(changed(exception_info=ValueError(Raises(error))))


def test_a_class_with_the_name_of_another_is_shown_all_the_same() -> None:
    impostor = type("list", (), {"__module__": "builtins", "__len__": lambda _: 1 // 0})
    assert " ok <list> 10.4 ms" in repr(changed(result=impostor()))


def test_results_are_shown_one_to_a_line_the_main_one_first() -> None:
    assert repr(ExperimentCaseResults(RESULT, [SHADOW])).split("\n") == [
        "<ExperimentCaseResults",
        "  answer[large] primary ok 'hello' 10.4 ms",
        "  answer[small] shadow error ValueError('too long') 0.02 ms>",
    ]


def test_results_of_experiments_inside_others_are_told_apart_by_the_whole_case() -> None:
    few, many = (
        changed(experiment_case=CASE.joined(Choice(2, "rewrite", Config(words=words))))
        for words in ("few", "many")
    )
    assert repr(ExperimentCaseResults(few, [many])).split("\n") == [
        "<ExperimentCaseResults",
        "  answer[large], rewrite[few] primary ok 'hello' 10.4 ms",
        "  answer[large], rewrite[many] primary ok 'hello' 10.4 ms>",
    ]


def test_of_many_results_the_first_are_shown_and_the_others_counted() -> None:
    lines = repr(ExperimentCaseResults(RESULT, [SHADOW] * 100)).split("\n")
    assert len(lines) == 22
    assert lines[-1] == "  and 81 more>"


def test_a_case_shows_its_own_config_and_what_the_others_play() -> None:
    assert repr(CASE) == "<ExperimentCase answer[large]>"
    assert repr(CASE.joined(Choice(2, "rank", SMALL))) == (
        "<ExperimentCase answer[large], rank[small]>"
    )


def test_a_case_seen_from_another_experiment_shows_that_one_first() -> None:
    rank = Choice(2, "rank", SMALL)
    assert repr(CASE.seen_from(rank)) == "<ExperimentCase rank[small], answer[large]>"


def test_a_choice_shows_its_experiment_and_config() -> None:
    assert repr(CHOICE) == "<Choice answer[large]>"
