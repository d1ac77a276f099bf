"""The deadline of a branch: what it is, its timer, its error."""

import asyncio

from ._branch import Branch, Part
from ._errors import DeadlineExceeded

_MOMENT = 0.001


def deadline_of(branch: Branch, part: Part, parent: Branch | None) -> None:
    """Set a branch's deadline: its own, or what is left of that of the branch that calls."""
    if part.timeout:
        branch.deadline = branch.asked + part.timeout
    if parent is not None:
        if parent.is_shadowed:
            branch.is_shadowed = True
        theirs = parent.deadline
        if theirs and not parent.is_over and (not branch.deadline or theirs < branch.deadline):
            branch.deadline = theirs


def arm(branch: Branch) -> None:
    """Set the timer for a deadline, when a branch first suspends."""
    if branch.timer is not None:
        return
    parent = branch.parent
    if parent is not None and _is_armed_by(parent, branch):
        return
    stage = branch.part.actor.stage
    loop = asyncio.get_running_loop()
    if loop is stage.loop:
        branch.timer = stage.alarms.at(branch.deadline, _expire, branch)
    else:  # what a direct call returned is awaited where its caller is
        left = (branch.deadline - stage.clock()) / 1e9
        branch.timer = loop.call_later(left, _expire, branch)


def _is_armed_by(parent: Branch, branch: Branch) -> bool:
    """Whether the parent's timer is for both: a paused stream has no task, and needs its own."""
    task = branch.task
    return task is not None and parent.task is task and parent.deadline == branch.deadline


def _expire(branch: Branch) -> None:
    """End a branch; one that inherits its deadline leaves it to the branch it inherits from.

    Both timers go off at once. If that one waits for this one, it cancels it in a moment: its own
    error is to be told, and not a failure of this one (as by a TaskGroup).
    """
    parent = branch.parent
    if parent is not None and parent.deadline == branch.deadline and not parent.is_over:
        branch.timer = asyncio.get_running_loop().call_later(_MOMENT, _end, branch)
    else:
        _end(branch)


def _end(branch: Branch) -> None:
    branch.interrupt(too_late(branch))


def too_late(branch: Branch) -> DeadlineExceeded:
    """Return the error of a branch whose time is over."""
    part = branch.part
    name, seconds = part.actor.name, (branch.deadline - branch.asked) / 1e9
    is_shadow_of_stream = part.role == "shadow" and part.actor.supervisor.ways.streamed is not None
    if not is_shadow_of_stream or part.timeout != part.limits.nanoseconds:  # a timeout of its own
        return DeadlineExceeded(f"{name}: no answer within {seconds:g} s")
    error = DeadlineExceeded(
        f"{name}: ended after {seconds:g} s, by StreamLimits(seconds={part.limits.seconds:g}) for "
        f"a shadow's stream"
    )
    error.reason = "max_seconds"
    return error
