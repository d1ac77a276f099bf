"""What the events come to is what the runtime counts itself.

What cannot be equal, and why:

- Experiments of one name (a function that was defined again, the same lambda twice) are one in the
  events, which know them by their names: they are compared together, but for the kill switch, which
  each of them has for itself.
- An experiment that the garbage collector has found is gone from the statistics, and not from the
  events: of its name they tell at least as much.
- A config that was given by hand in a call is counted by the statistics at the case that played it,
  and is a case of its own in the events, which name the config that was played: the events' `actor`
  says at which case it is counted.
- Of configs that are no longer played the statistics keep a few, and the others as one row, which
  the events know one by one.
- How many wait in a mailbox, and what was planned and waits there, no event tells: both are
  compared when nothing waits.
- The latencies of the statistics are those of the latest 256 branches, those of the state are of
  all, and a percent off at most.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from understudy import CaseStatistics, Event, ExperimentStatistics, Runtime
from understudy.dashboard import State, fold
from understudy.dashboard._state import Case, Experiment, Role  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

COUNTS = ("planned", "ok", "error", "timeout", "cancelled", "shed", "skipped", "in_flight")
IN_FLIGHT = ("leads", "shadows", "inner")
OTHERS = "(others)"


def assert_agrees(events: Iterable[Event], runtime: Runtime) -> None:
    """The state that events fold to has the counters of `runtime.statistics()`."""
    named: dict[str, list[ExperimentStatistics]] = defaultdict(list)
    for told in runtime.statistics().experiments:
        named[told.experiment].append(told)
    told_of = [*events]
    registered = Counter(
        event.experiment for event in told_of if event.event == "experiment.registered"
    )
    state = folded(told_of, named)
    assert_nothing_is_counted_twice(state)
    for name, several in named.items():
        known = state.experiments[name]
        if registered[name] > len(several):
            assert_at_least(known, several)
            continue
        if any(case.label == OTHERS for told in several for case in told.cases):
            assert_same_totals(known, several)
        else:
            assert_same_cases(known, several)
        strategies = [each for each in state.actors.values() if each.name == f"{name}/strategy"]
        assert sum(each.restarts for each in strategies) == sum(told.restarts for told in several)
        if len(several) == 1:
            assert bool(known.is_disabled) == several[0].is_disabled, name


def assert_nothing_is_counted_twice(state: State) -> None:
    """A call is from outside, or made by a branch; what is in flight is of the one or the other."""
    experiments = [*state.experiments.values()]
    assert state.called + state.inner_calls == sum(each.calls for each in experiments)
    assert state.inner_calls == sum(each.inner_calls for each in experiments)
    roles = [
        role for each in experiments for case in each.cases.values() for role in case.roles.values()
    ]
    processes = [*state.processes.values()]
    flying = [sum(getattr(each, kind) for each in processes) for kind in IN_FLIGHT]
    assert sum(flying) == sum(role.started - role.completed for role in roles)
    assert min(flying, default=0) >= 0, "a branch ended as another's than it began"


def folded(events: Iterable[Event], named: dict[str, list[ExperimentStatistics]]) -> State:
    """Fold events, each counted at the case that played it."""
    played_by = {
        f"{name}[{case.label}]": case.config_id
        for name, several in named.items()
        for told in several
        for case in told.cases
    }
    state = State()
    for event in events:
        if event.actor != f"{event.experiment}[{event.label}]" and event.actor in played_by:
            event = msgspec.structs.replace(event, config_id=played_by[event.actor])
        state = fold(state, event)
    return state


def assert_same_cases(known: Experiment, several: Sequence[ExperimentStatistics]) -> None:
    """Each case has the same counters."""
    cases: dict[str, list[CaseStatistics]] = defaultdict(list)
    for told in several:
        for case in told.cases:
            cases[case.config_id].append(case)
    for config_id, same in cases.items():
        counted = known.cases.get(config_id, Case())
        where = f"{several[0].experiment}[{same[0].label}]"
        for count in COUNTS:
            expected = sum(getattr(case, count) for case in same)
            assert sum_of([counted], count) == expected, f"{where}: {count}"
        assert (counted.circuit or "closed") == max(case.circuit for case in same), where
        assert counted.lagged == sum(case.lagged for case in same), where


def assert_same_totals(known: Experiment, several: Sequence[ExperimentStatistics]) -> None:
    """All cases together have the same counters."""
    for count in COUNTS:
        expected = sum(getattr(case, count) for told in several for case in told.cases)
        assert sum_of(known.cases.values(), count) == expected, f"{several[0].experiment}: {count}"


def assert_at_least(known: Experiment, several: Sequence[ExperimentStatistics]) -> None:
    """All cases together have no less than those that are still there."""
    for count in COUNTS:
        expected = sum(getattr(case, count) for told in several for case in told.cases)
        assert sum_of(known.cases.values(), count) >= expected, f"{several[0].experiment}: {count}"


def sum_of(cases: Iterable[Case], count: str) -> int:
    roles: list[Role] = [role for case in cases for role in case.roles.values()]
    return sum(getattr(role, count) for role in roles)
