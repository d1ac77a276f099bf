"""The events: what a runtime tells of itself, one flat JSON object each, in one versioned form."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

Level = Literal["debug", "info", "warning", "error"]

VERSION: Final = 1
"""The version of the form; a field that is added leaves it as it is."""

EVENTS: Final[Mapping[str, Level]] = MappingProxyType(
    {
        "actor.crashed": "error",
        "actor.dead_letter": "warning",
        "actor.gave_up": "error",
        "actor.restarted": "warning",
        "actor.started": "debug",
        "actor.stopped": "debug",
        "batch.completed": "info",
        "batch.item_completed": "info",
        "batch.started": "info",
        "branch.completed": "info",
        "branch.shed": "warning",
        "branch.skipped": "info",
        "branch.started": "debug",
        "breaker.closed": "info",
        "breaker.half_opened": "info",
        "breaker.opened": "warning",
        "call.planned": "debug",
        "compare.completed": "info",
        "compare.failed": "warning",
        "config.activated": "info",
        "config.loaded": "info",
        "config.rejected": "error",
        "experiment.disabled": "warning",
        "experiment.enabled": "info",
        "experiment.pinned": "warning",
        "experiment.registered": "info",
        "experiment.unpinned": "info",
        "log.dropped": "warning",
        "loop.lagged": "warning",
        "loop.resumed": "info",
        "run.completed": "info",
        "run.started": "info",
        "runtime.draining": "info",
        "runtime.started": "info",
        "runtime.stopped": "info",
        "score.completed": "info",
        "score.failed": "warning",
        "strategy.failed": "error",
    }
)
"""The names of all events, and how serious each is.  A name is never made up on the way."""


class Event(msgspec.Struct, frozen=True, omit_defaults=True, repr_omit_defaults=True, kw_only=True):
    """One thing that happened; what does not apply is None, and is not written.

    Attributes:
        v: the version of this form.
        ts: when, in seconds since 1970.
        event: what, a name from `EVENTS`.
        level: how serious: `debug`, `info`, `warning` or `error`.
        seq: the number of the event: a runtime counts from 1 without a gap. What a sink tells of
            itself (`log.dropped`) has 0, and stands for `count` events that are missing.
        pid: the process.
        service: the name of the service, if it has one.
        runtime: the id of the runtime.
        experiment: the name of the experiment.
        call_id: the call.
        branch_id: the branch.
        parent_branch_id: the branch that made the call.
        config_id: the id of the config that plays.
        label: the short name of that config.
        role: `primary`, `shadow` or `branch`.
        reason: why it was played, or not, or stopped.
        status: how a branch, a run or an item of a batch ended.
        duration_ms: how long it ran.
        queue_ms: how long it waited before that.
        items: how many items a stream gave.
        first_item_ms: after how long the first of them came.
        key_hash: what the call was about, in a form that does not tell who.
        error_type: the name of the class of an error; written `error.type`.
        error_message: what it says, its first 2,000 characters; written `error.message`.
        trace_id: the trace it belongs to.
        span_id: the span it belongs to.
        actor: the name of the actor.
        state: the state of the actor.
        message: the type of a message that nobody took.
        restarts: how often the actor was restarted.
        strategy: the name of the strategy.
        count: how many: branches planned, configs, events dropped.
        dropped: how many were lost.
        case: which config each experiment plays: its name -> the id of the config.
        source: the file that configs came from.
        evaluator: what compared or scored.
        score: the score.
        verdict: what a comparison found.
        lag_ms: how long the loop, or the interpreter, was held.
        function: the function of the experiment, where it is the culprit.
        where: the lines that it was at: its own, and the innermost.
        place: where it ran.
        run: the id of the run.
        batch: the id of the batch.
        item: the item of the batch.

    Example:
        >>> from understudy import Event
        >>> event = Event(v=1, ts=0.5, event="branch.shed", level="warning", seq=7, pid=1)
        >>> event.seq, event.label
        (7, None)
        >>> event
        Event(v=1, ts=0.5, event='branch.shed', level='warning', seq=7, pid=1)
    """

    v: int
    ts: float
    event: str
    level: Level
    seq: int
    pid: int
    service: str | None = None
    runtime: str | None = None
    experiment: str | None = None
    call_id: str | None = None
    branch_id: str | None = None
    parent_branch_id: str | None = None
    config_id: str | None = None
    label: str | None = None
    role: str | None = None
    reason: str | None = None
    status: str | None = None
    duration_ms: float | None = None
    queue_ms: float | None = None
    items: int | None = None
    first_item_ms: float | None = None
    key_hash: str | None = None
    error_type: str | None = msgspec.field(default=None, name="error.type")
    error_message: str | None = msgspec.field(default=None, name="error.message")
    trace_id: str | None = None
    span_id: str | None = None
    actor: str | None = None
    state: str | None = None
    message: str | None = None
    restarts: int | None = None
    strategy: str | None = None
    count: int | None = None
    dropped: int | None = None
    case: Mapping[str, str] | None = None
    source: str | None = None
    evaluator: str | None = None
    score: float | None = None
    verdict: str | None = None
    lag_ms: float | None = None
    function: str | None = None
    where: str | None = None
    place: str | None = None
    run: str | None = None
    batch: str | None = None
    item: str | None = None
