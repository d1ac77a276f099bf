"""The events: what a runtime tells of itself, one flat JSON object each, in one versioned form."""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

Level = Literal["debug", "info", "warning", "error"]

VERSION: Final = 1
"""The version of the form; a field that is added leaves it as it is."""


class Event(msgspec.Struct, frozen=True, omit_defaults=True, repr_omit_defaults=True, kw_only=True):
    """One thing that happened; what does not apply is None, and is not written.

    Attributes:
        v: the version of this form.
        ts: when, in seconds since 1970.
        event: what, a name from `KINDS`.
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
        inner_case: what the experiments inside are to play, where the plan of a branch was combined
            with theirs: `summarise[v2] / rank[date]`.
        role: `primary`, `shadow` or `branch`.
        reason: why it was played, or not, or stopped.
        status: how a branch, a run or an item of a batch ended.
        duration_ms: how long it ran.
        queue_ms: how long it waited before that.
        items: how many items a stream gave.
        first_item_ms: after how long the first of them came.
        key_hash: what the call was about, in a form that does not tell who.
        context: what structlog had bound where the call was made; written field by field, under
            the own name of each, or with `ctx.` before it if that is taken.
        arguments: what the function was called with, as far as it is told: JSON, perhaps cut.
        result: what it returned, likewise.
        error_type: the name of the class of an error; written `error.type`.
        error_message: what it says, its first 2,000 characters; written `error.message`.
        trace_id: the trace it belongs to.
        span_id: the span it belongs to.
        actor: the name of the actor.
        state: the state of the actor.
        message: the type of a message that nobody took.
        restarts: how often the actor was restarted.
        strategy: the name of the strategy.
        count: how many: branches planned, configs, events dropped, results recorded.
        source: the files that configs come from.
        values: the values of a config, as far as they are told.
        waiting: how many branches wait in a mailbox,
        capacity: of how many that may.
        in_flight: how many are played, or wait.
        lag_ms: how long the loop, or the interpreter, was held.
        function: the function of the experiment, where it is the culprit.
        where: the lines that it was at: its own, and the innermost.
        place: where it ran.
        run: the id of the run.
        project: the project of the run.
        prefix: the name of the run within it.
        path: the folder of the run.
        dropped: how many results could not be recorded into it.
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
    inner_case: str | None = None
    role: str | None = None
    reason: str | None = None
    status: str | None = None
    duration_ms: float | None = None
    queue_ms: float | None = None
    items: int | None = None
    first_item_ms: float | None = None
    key_hash: str | None = None
    context: Mapping[str, Any] | None = None
    arguments: str | None = None
    result: str | None = None
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
    source: str | None = None
    values: Mapping[str, Any] | None = None
    waiting: int | None = None
    capacity: int | None = None
    in_flight: int | None = None
    lag_ms: float | None = None
    function: str | None = None
    where: str | None = None
    place: str | None = None
    run: str | None = None
    project: str | None = None
    prefix: str | None = None
    path: str | None = None
    dropped: int | None = None
    batch: str | None = None
    item: str | None = None
