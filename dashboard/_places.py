"""Where in a state an event belongs: its second, its experiment, its case."""

from typing import Final

from understudy.events import Event

from ._bounds import keep_cases, keep_experiments
from ._counted import Counted
from ._state import Case, Experiment, Process, Role, Second, State
from ._texts import name_of

MOST: Final = 2**53 - 1
"""The greatest number that every reader of JSON knows exactly."""

LATEST: Final = 1e11
"""A time after that, in seconds since 1970, is none."""

_ROLES: Final = frozenset({"primary", "shadow", "branch"})


def second_of(state: State, ts: float) -> Second:
    """Return what is known of the second of a time."""
    number = int(ts) if 0.0 < ts <= LATEST else -1
    try:
        return state.seconds[number]
    except KeyError:
        return _new_second(state, number)


def _new_second(state: State, number: int) -> Second:
    second = Second()
    if number < 0:
        return second
    seconds = state.seconds
    is_late = bool(seconds) and number < next(reversed(seconds))
    seconds[number] = second
    if is_late:
        state.seconds = seconds = dict(sorted(seconds.items()))
    if len(seconds) > state.limits.seconds:
        del seconds[next(iter(seconds))]
    return second


def experiment_of(state: State, name: str, ts: float = 0.0) -> Experiment:
    """Return what is known of an experiment, which tells something itself at some time.

    From now on there is one of that name.
    """
    experiment = state.experiments.get(name)
    if experiment is None:
        name = name_of(name)
        experiment = state.experiments.get(name)
    if experiment is None:
        reasons = Counted(most=state.limits.names)
        experiment = state.experiments[name] = Experiment(reasons=reasons)
        keep_experiments(state, name)
    if experiment.last_ts < ts <= LATEST:
        experiment.last_ts = ts
    return experiment


def case_of(state: State, event: Event, process: Process) -> Case | None:
    """Return the case that an event of a process tells of; None if it does not say which."""
    name = event.experiment
    config_id = event.config_id
    if name is None or config_id is None:
        return None
    try:
        experiment = state.experiments[name]
        case = experiment.cases[config_id]
    except KeyError:
        experiment = experiment_of(state, name)
        case = _new_case(state, experiment, name_of(config_id), event.ts)
    if process.key not in experiment.processes:
        experiment.processes[process.key] = None
    label = event.label
    if label is not None and label != case.label:  # to write is dearer than to compare
        case.label = label
    ts = event.ts
    if case.last_ts < ts <= LATEST:
        case.last_ts = ts
    return case


def _new_case(state: State, experiment: Experiment, config_id: str, ts: float) -> Case:
    case = experiment.cases.get(config_id)
    if case is None:
        why_not = Counted(most=state.limits.names)
        case = experiment.cases[config_id] = Case(why_not=why_not, last_ts=at(ts))
        state.case_count += 1
        keep_cases(state, case)
    return case


def role_of(case: Case, name: str | None) -> Role | None:
    """Return what became of the branches of a case with some role; None if there is no such."""
    if name is None:
        return None
    roles = case.roles
    if name in roles:
        return roles[name]
    if name not in _ROLES:
        return None
    role = roles[name] = Role()
    return role


def at(ts: float) -> float:
    """Return a time; 0 if it is none that a clock tells."""
    return ts if 0.0 < ts <= LATEST else 0.0


def lasted(milliseconds: float | None) -> float:
    """Return how long something took; 0 if nobody knows."""
    return milliseconds if milliseconds is not None and 0.0 <= milliseconds <= LATEST else 0.0


def whole(count: int | None) -> int:
    """Return a count, unless it is none that every reader of JSON knows exactly."""
    return count if count is not None and 0 <= count <= MOST else 0
