"""merge: two states, of two parts of a log or of two logs, into one."""

from collections.abc import Iterable
from copy import deepcopy
from functools import partial
from typing import Any, Final

from ._bounds import (
    add_role,
    keep_actors,
    keep_calls,
    keep_cases,
    keep_experiments,
    keep_failures,
    keep_last,
    keep_processes,
    keep_seconds,
)
from ._counted import Counted
from ._recording import merge_recording
from ._state import Actor, Called, Case, Experiment, Failure, Played, Process, Second, State, Work


def merge(first: State, second: State) -> State:
    """Return what is known from two parts of a log, or from two logs; neither is changed.

    What is said more than once, such as the state of an actor, is as the second says. All counts
    and sketches are what folding the one log after the other would give; so is everything else,
    unless there was more than the limits keep.

    Raises:
        ValueError: they have different limits.

    Example:
        >>> from understudy import Event
        >>> from understudy.dashboard import State, fold, merge
        >>> event = Event(v=1, ts=5.0, event="call.planned", level="debug", seq=1, pid=1)
        >>> merge(fold(State(), event), fold(State(), event)).called
        2
    """
    if first.limits != second.limits:
        raise ValueError("states of different Limits cannot be merged: give both the same")
    state, other = deepcopy(first), deepcopy(second)
    _add(state, other, _COUNTS)
    _take(state, other, ("is_disabled",))
    if other.known_ts is not None:
        low, high = state.known_ts or other.known_ts
        state.known_ts = min(low, other.known_ts[0]), max(high, other.known_ts[1])
    _merge_all(state.processes, other.processes, _merge_process)
    _merge_all(state.seconds, other.seconds, _merge_second)
    _merge_all(state.experiments, other.experiments, _merge_experiment)
    merge_call = partial(_merge_call, most=state.limits.branches)
    _merge_all(state.calls, other.calls, merge_call)
    _merge_all(state.failed, other.failed, merge_call)
    for call_id in [each for each in state.failed if each in state.calls]:
        merge_call(state.calls[call_id], state.failed.pop(call_id))
    _merge_all(state.actors, other.actors, _merge_actor)
    _merge_all(state.runs, other.runs, _merge_work)
    _merge_all(state.batches, other.batches, _merge_work)
    _merge_all(state.recordings, other.recordings, merge_recording)
    state.seconds = dict(sorted(state.seconds.items()))
    state.case_count = sum(len(each.cases) for each in state.experiments.values())
    limits = state.limits
    keep_processes(state)
    keep_seconds(state)
    keep_experiments(state)
    keep_cases(state)
    keep_actors(state)
    keep_calls(state, is_merged=True)
    keep_last(state.runs, limits.runs)
    keep_last(state.batches, limits.batches)
    keep_last(state.recordings, limits.runs)
    state.tail = [*state.tail, *other.tail][-limits.tail :]
    state.lags = [*state.lags, *other.lags][-limits.lags :]
    state.notices = [*state.notices, *other.notices][-limits.notices :]
    return state


def _merge_all(mine: dict[Any, Any], others: dict[Any, Any], merge_one: Any) -> None:
    for key, other in others.items():
        if key in mine:
            merge_one(mine[key], other)
        else:
            mine[key] = other


def _add(mine: Any, other: Any, names: Iterable[str]) -> None:
    for name in names:
        setattr(mine, name, getattr(mine, name) + getattr(other, name))


def _take(mine: Any, other: Any, names: Iterable[str]) -> None:
    """Take over what the other says, as it is later."""
    for name in names:
        if getattr(other, name) is not None:
            setattr(mine, name, getattr(other, name))


def _merge_process(mine: Process, other: Process) -> None:
    if other.seen:
        mine.first_seq = min(mine.first_seq, other.first_seq) if mine.seen else other.first_seq
        mine.last_seq = max(mine.last_seq, other.last_seq)
    _add(mine, other, ("seen", "dropped", "leads", "shadows", "inner"))
    _take(mine, other, ("state", "started"))
    if other.last_ts:
        mine.first_ts = min(mine.first_ts, other.first_ts) if mine.last_ts else other.first_ts
    mine.last_ts = max(mine.last_ts, other.last_ts)


def _merge_second(mine: Second, other: Second) -> None:
    _add(mine, other, ("calls", "inner_calls", "ended", "errors", "shadows", "shed", "skipped"))
    mine.lag_ms = max(mine.lag_ms, other.lag_ms)
    mine.ms.merge(other.ms)


def _merge_experiment(mine: Experiment, other: Experiment) -> None:
    _add(mine, other, ("calls", "inner_calls", "planned", "strategy_failures", "rejections"))
    _take(mine, other, ("strategy", "configs", "is_disabled", "pinned"))
    mine.last_ts = max(mine.last_ts, other.last_ts)
    mine.processes |= other.processes
    mine.reasons.merge(other.reasons)
    _merge_all(mine.cases, other.cases, _merge_case)
    for name, role in other.past.items():
        add_role(mine.past, name, role)


def _merge_case(mine: Case, other: Case) -> None:
    _add(mine, other, ("lagged", "other_errors"))
    _take(mine, other, ("label", "values", "circuit"))
    mine.last_ts = max(mine.last_ts, other.last_ts)
    mine.lag_ms = max(mine.lag_ms, other.lag_ms)
    for name, role in other.roles.items():
        add_role(mine.roles, name, role)
    mine.why_not.merge(other.why_not)
    _merge_all(mine.errors, other.errors, _merge_failure)
    keep_failures(mine)


def _merge_failure(mine: Failure, other: Failure) -> None:
    mine.count += other.count
    mine.message, mine.call_id = other.message, other.call_id


def _merge_call(mine: Called, other: Called, most: int) -> None:
    if other.planned is not None:
        for name in _OF_A_PLAN:
            setattr(mine, name, getattr(other, name))
    if mine.trace_id is None:
        mine.trace_id, mine.span_id = other.trace_id, other.span_id
    mine.context = mine.context or other.context
    for branch_id, branch in other.branches.items():
        if branch_id in mine.branches:
            _merge_branch(mine.branches[branch_id], branch)
        elif len(mine.branches) < most:
            mine.branches[branch_id] = branch


def _merge_branch(mine: Played, other: Played) -> None:
    if other.status not in (None, "running"):
        mine.status, mine.reason = other.status, other.reason
        mine.queue_ms, mine.duration_ms = other.queue_ms, other.duration_ms
    _take(mine, other, ("started", "items", "arguments", "result"))
    if other.error_type is not None:
        mine.error_type, mine.error_message = other.error_type, other.error_message


def _merge_actor(mine: Actor, other: Actor) -> None:
    _add(mine, other, ("restarts", "dead_letters", "gave_up"))
    _take(mine, other, ("experiment", "state", "since", "crash", *_SAMPLED))
    mine.last_ts = max(mine.last_ts, other.last_ts)


def _merge_work(mine: Work, other: Work) -> None:
    _add(mine, other, ("done",))
    _take(mine, other, ("name", "status", "started", "ended", "count", "last_item"))
    mine.last_ts = max(mine.last_ts, other.last_ts)
    counts: Counted = mine.counts
    counts.merge(other.counts)


_COUNTS: Final = (
    "events",
    "unreadable",
    "called",
    "shed",
    "skipped",
    "inner_calls",
    "inner_shed",
    "inner_skipped",
    "lagged",
    "restarts",
    "missing",
    "let_go",
    "dropped",
)
_OF_A_PLAN: Final = (
    *("experiment", "ts", "reason", "config_id", "parent_branch_id", "planned", "process"),
)
_SAMPLED: Final = ("waiting", "capacity", "in_flight")
