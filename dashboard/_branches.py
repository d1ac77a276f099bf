"""Calls and branches, counted: by experiment, case, role and second."""

from typing import Any, Final

from understudy.events import Event

from ._bounds import keep_failures
from ._calls import begin_branch, end_branch, plan_call
from ._notices import note
from ._places import at, case_of, experiment_of, lasted, role_of, second_of, whole
from ._state import FAILED, Case, Failure, Lag, Process, Role, State
from ._texts import name_of, text_of

_STATUSES: Final = frozenset({"ok", "error", "timeout", "cancelled", "shed", "skipped"})
_CIRCUITS: Final[dict[str, Any]] = {
    "breaker.closed": "closed",
    "breaker.half_opened": "half_open",
    "breaker.opened": "open",
}


def planned(state: State, event: Event, process: Process) -> None:
    """Count a call: from outside, unless it says which branch makes it."""
    second = second_of(state, event.ts)
    is_inner = event.parent_branch_id is not None
    if is_inner:
        state.inner_calls += 1
        second.inner_calls += 1
    else:
        state.called += 1
        second.calls += 1
    if event.experiment is not None:
        experiment = experiment_of(state, event.experiment, event.ts)
        experiment.processes[process.key] = None
        experiment.calls += 1
        experiment.inner_calls += is_inner
        experiment.planned += whole(event.count)
        if event.reason is not None:
            experiment.reasons.add(event.reason)
    plan_call(state, event)


def started(state: State, event: Event, process: Process) -> None:
    """Count a branch that begins."""
    name = event.role
    if event.parent_branch_id is not None:
        process.inner += 1
    elif name == "shadow":
        process.shadows += 1
    else:
        process.leads += 1
    case = case_of(state, event, process)
    if case is not None:
        role = role_of(case, name)
        if role is not None:
            role.started += 1
            _fly(role, process.key, 1)
    begin_branch(state, event)


def completed(state: State, event: Event, process: Process) -> None:
    """Count a branch that had begun, and how it ended."""
    name = event.role
    status = event.status
    duration = event.duration_ms
    if event.parent_branch_id is not None:
        process.inner -= 1
    elif name == "shadow":
        process.shadows -= 1
        second_of(state, event.ts).shadows += 1
    else:
        process.leads -= 1
        second = second_of(state, event.ts)
        second.ended += 1
        if status in FAILED:
            second.errors += 1
        if duration is not None:
            second.ms.add(duration)
    case = case_of(state, event, process)
    if case is not None:
        role = role_of(case, name)
        if role is not None:
            role.completed += 1
            _fly(role, process.key, -1)
            if duration is not None:
                role.duration.add(duration)
            if event.queue_ms is not None:
                role.queue.add(event.queue_ms)
            if status == "ok":
                role.ok += 1
            else:
                _count_end(role, status)
        if event.error_type is not None:
            _count_error(case, event, event.error_type)
    end_branch(state, event)


def _fly(role: Role, key: str, more: int) -> None:
    """Note in which process a branch is in flight, or no longer."""
    flying = role.flying
    count = flying.get(key, 0) + more
    if count:
        flying[key] = count
    else:
        flying.pop(key, None)


def not_begun(state: State, event: Event, process: Process) -> None:
    """Count a branch that was planned and did not begin; its status says what became of it."""
    is_shed = event.event == "branch.shed"
    status = event.status or ("shed" if is_shed else "skipped")
    if event.parent_branch_id is not None:
        state.inner_shed += is_shed
        state.inner_skipped += not is_shed
    else:
        second = second_of(state, event.ts)
        state.shed += is_shed
        second.shed += is_shed
        state.skipped += not is_shed
        second.skipped += not is_shed
    case = case_of(state, event, process)
    if case is not None:
        case.why_not.add(event.reason or "unknown")
        role = role_of(case, event.role)
        if role is not None:
            role.unbegun += 1
            if event.queue_ms is not None:
                role.queue.add(event.queue_ms)
            _count_end(role, status)
        if event.error_type is not None:
            _count_error(case, event, event.error_type)
    end_branch(state, event)


def _count_end(role: Role, status: str | None) -> None:
    if status in _STATUSES:
        setattr(role, status, getattr(role, status) + 1)


def _count_error(case: Case, event: Event, kind: str) -> None:
    kind = name_of(kind)
    failure = case.errors.get(kind)
    if failure is None:
        failure = case.errors[kind] = Failure()
    failure.count += 1
    failure.message = text_of(event.error_message)
    failure.call_id = event.call_id
    keep_failures(case)


def circuit(state: State, event: Event, process: Process) -> None:
    """Note that the circuit of a case turned."""
    case = case_of(state, event, process)
    if case is not None:
        case.circuit = _CIRCUITS[event.event]
    note(state, event, process)


def lagged(state: State, event: Event, process: Process) -> None:
    """Count a loop, or an interpreter, that is held."""
    state.lagged += 1
    lag = lasted(event.lag_ms)
    second = second_of(state, event.ts)
    second.lag_ms = max(second.lag_ms, lag)
    case = case_of(state, event, process)
    if case is not None:
        case.lagged += 1
        case.lag_ms = max(case.lag_ms, lag)
    state.lags.append(
        Lag(
            at(event.ts),
            event.experiment,
            event.label,
            event.role,
            event.call_id,
            event.function,
            event.place,
            text_of(event.where),
            lag,
        )
    )
    del state.lags[: -state.limits.lags]


def resumed(state: State, event: Event, process: Process) -> None:
    """Note how long a loop was held in the end."""
    lag = lasted(event.lag_ms)
    second = second_of(state, event.ts)
    second.lag_ms = max(second.lag_ms, lag)
    case = case_of(state, event, process)
    if case is not None:
        case.lag_ms = max(case.lag_ms, lag)
