"""Two states are merged as if the one log had been folded after the other."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard.made import Log, as_json, logs
from understudy import Event
from understudy.dashboard import Limits, State, fold, merge


def folded(events: list[Event], limits: Limits = Limits()) -> State:  # noqa: B008
    state = State(limits=limits)
    for event in events:
        state = fold(state, event)
    return state


@given(logs(), logs())
def test_folding_one_log_after_the_other_is_merging_what_each_comes_to(
    first: Log, second: Log
) -> None:
    whole = folded([*first.events, *second.events])
    merged = merge(folded(first.events), folded(second.events))
    for part, told in as_json(whole).items():
        assert as_json(merged)[part] == told
    assert [*merged.seconds] == [*whole.seconds]
    assert [*merged.calls] == [*whole.calls]


@given(logs(), logs(), logs())
def test_merging_is_associative(a: Log, b: Log, c: Log) -> None:
    one, two, three = folded(a.events), folded(b.events), folded(c.events)
    left, right = merge(merge(one, two), three), merge(one, merge(two, three))
    assert as_json(left) == as_json(right)


@given(logs(60), st.integers(0, 60))
def test_totals_are_exact_however_little_is_kept(log: Log, place: int) -> None:
    events = log.events
    small = Limits(*[1 for _ in Limits.__struct_fields__])
    parts = events[:place], events[place:]
    few = merge(*(folded(part, small) for part in parts))
    whole = folded(events)
    for name in ("events", "called", "shed", "skipped", "lagged", "restarts"):
        assert getattr(few, name) == getattr(whole, name)


@given(logs(60))
def test_the_counts_of_cases_that_are_not_kept_are_kept(log: Log) -> None:
    events = log.events
    few, whole = folded(events, Limits(cases=1)), folded(events)
    assert few.case_count <= 1
    for name, experiment in whole.experiments.items():
        for count in ("ok", "error", "shed", "started", "completed", "unbegun"):
            assert counted(few, name, count) == counted(whole, name, count)
        assert few.experiments[name].calls == experiment.calls


def counted(state: State, name: str, count: str) -> int:
    experiment = state.experiments[name]
    several = [experiment.past, *(case.roles for case in experiment.cases.values())]
    return sum(getattr(role, count) for roles in several for role in roles.values())


@given(logs(), logs())
def test_neither_of_two_is_changed(first: Log, second: Log) -> None:
    one, two = folded(first.events), folded(second.events)
    before = as_json(deepcopy(one)), as_json(deepcopy(two))
    merge(one, two)
    assert (as_json(one), as_json(two)) == before


def test_states_of_different_limits_are_refused() -> None:
    with pytest.raises(ValueError, match="give both the same"):
        merge(State(), State(limits=Limits(calls=1)))
