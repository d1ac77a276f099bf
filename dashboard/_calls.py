"""The last calls, and their branches."""

from understudy.events import Event

from ._bounds import keep_last
from ._places import at, whole
from ._state import Called, Played, State
from ._texts import LONGEST_NAME, name_of, text_of


def plan_call(state: State, event: Event) -> None:
    """Note a call that is to be."""
    call_id = event.call_id
    if call_id is None:
        return
    call = Called(
        event.experiment,
        at(event.ts),
        event.reason,
        event.config_id,
        event.parent_branch_id,
        whole(event.count),
    )
    if len(call_id) > LONGEST_NAME:
        call_id = name_of(call_id)
    calls = state.calls
    if call_id in calls:  # of which a branch was told before
        call.branches = calls[call_id].branches
    calls[call_id] = call
    if len(calls) > state.limits.calls:
        keep_last(calls, state.limits.calls)


def begin_branch(state: State, event: Event) -> None:
    """Note in its call that a branch began."""
    call_id = event.call_id
    branch_id = event.branch_id
    if call_id is None or branch_id is None:
        return
    call = state.calls.get(call_id)
    if call is None:
        call = _new_call(state, event, call_id)
    branch = call.branches.get(branch_id)
    if branch is None:
        branch = _new_branch(state, call, event, branch_id)
    branch.started = at(event.ts)
    if branch.status is None:
        branch.status = "running"


def end_branch(state: State, event: Event) -> None:
    """Note in its call how a branch ended."""
    call_id = event.call_id
    branch_id = event.branch_id
    if call_id is None or branch_id is None:
        return
    call = state.calls.get(call_id)
    if call is None:
        if _is_of_the_past(state, event):
            return
        call = _new_call(state, event, call_id)
    branch = call.branches.get(branch_id)
    if branch is None:
        branch = _new_branch(state, call, event, branch_id)
    branch.status = event.status or "unknown"
    branch.reason = event.reason
    branch.queue_ms = event.queue_ms
    branch.duration_ms = event.duration_ms
    if event.items is not None:
        branch.items = whole(event.items)
    if event.error_type is not None:
        branch.error_type = name_of(event.error_type)
        branch.error_message = text_of(event.error_message)


def _new_call(state: State, event: Event, call_id: str) -> Called:
    calls = state.calls
    if len(call_id) > LONGEST_NAME:
        call_id = name_of(call_id)
        if call_id in calls:
            return calls[call_id]
    call = calls[call_id] = Called(event.experiment, at(event.ts))
    if len(calls) > state.limits.calls:
        keep_last(calls, state.limits.calls)
    return call


def _new_branch(state: State, call: Called, event: Event, branch_id: str) -> Played:
    """Return a branch that a call did not have yet; it does not keep too many of them."""
    branches = call.branches
    if len(branch_id) > LONGEST_NAME:
        branch_id = name_of(branch_id)
        if branch_id in branches:
            return branches[branch_id]
    branch = Played(
        event.parent_branch_id,
        event.experiment,
        event.config_id,
        event.label,
        event.inner_case,
        event.role,
    )
    if len(branches) < state.limits.branches:
        branches[branch_id] = branch
    return branch


def _is_of_the_past(state: State, event: Event) -> bool:
    """Whether a branch began before the calls that are kept: its own was let go of."""
    calls = state.calls
    if len(calls) < state.limits.calls:
        return False
    began = event.ts - ((event.duration_ms or 0.0) + (event.queue_ms or 0.0)) / 1e3
    return not calls or began <= next(iter(calls.values())).ts
