"""The last calls, and their branches."""

from understudy.events import Event

from ._bounds import keep_calls, keep_failed
from ._context import context_of
from ._places import at, whole
from ._state import FAILED, LEADS, Called, Played, State
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
        f"{event.pid}/{event.runtime}",
    )
    _take_context(call, event)
    if len(call_id) > LONGEST_NAME:
        call_id = name_of(call_id)
    calls = state.calls
    if call_id in calls:  # of which a branch was told before
        before = calls[call_id]
        call.branches = before.branches
        call.context = before.context or call.context
        if before.trace_id is not None:
            call.trace_id, call.span_id = before.trace_id, before.span_id
    calls[call_id] = call
    if len(calls) > state.limits.calls:
        keep_calls(state)


def begin_branch(state: State, event: Event) -> None:
    """Note in its call that a branch began."""
    call_id = event.call_id
    branch_id = event.branch_id
    if call_id is None or branch_id is None:
        return
    call = state.calls.get(call_id) or state.failed.get(call_id)
    if call is None:
        call = _new_call(state, event, call_id)
    elif event.context is not None or event.trace_id is not None:
        _take_context(call, event)
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
    call = state.calls.get(call_id) or state.failed.get(call_id)
    if call is None:
        if _is_of_the_past(state, event):
            if event.status not in FAILED or event.role not in LEADS:
                return
            call = _called(event)
            keep_failed(state, name_of(call_id), call)
        else:
            call = _new_call(state, event, call_id)
    elif event.context is not None or event.trace_id is not None:
        _take_context(call, event)
    branch = call.branches.get(branch_id)
    if branch is None:
        branch = _new_branch(state, call, event, branch_id)
    branch.status = event.status or "unknown"
    branch.reason = event.reason
    branch.queue_ms = event.queue_ms
    branch.duration_ms = event.duration_ms
    if event.items is not None:
        branch.items = whole(event.items)
    if event.arguments is not None:
        branch.arguments = text_of(event.arguments)
    if event.result is not None:
        branch.result = text_of(event.result)
    if event.error_type is not None:
        branch.error_type = name_of(event.error_type)
        branch.error_message = text_of(event.error_message)


def _new_call(state: State, event: Event, call_id: str) -> Called:
    calls = state.calls
    if len(call_id) > LONGEST_NAME:
        call_id = name_of(call_id)
        if call_id in calls:
            return calls[call_id]
    call = calls[call_id] = _called(event)
    if len(calls) > state.limits.calls:
        keep_calls(state)
    return call


def _called(event: Event) -> Called:
    """Return a call of which only a branch tells."""
    call = Called(event.experiment, at(event.ts), process=f"{event.pid}/{event.runtime}")
    _take_context(call, event)
    return call


def _take_context(call: Called, event: Event) -> None:
    """Note what a caller had bound, and the trace it belongs to; what is told first stays."""
    if event.trace_id is not None and call.trace_id is None:
        call.trace_id = name_of(event.trace_id)
        call.span_id = None if event.span_id is None else name_of(event.span_id)
    if event.context and not call.context:
        call.context = context_of(event.context)


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
