"""The events: what a runtime tells of itself, one flat JSON object each, in one versioned form."""

import itertools
import os
import threading
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol, final

import msgspec

from understudy.configs import UnderstudyError

from ._outlet import begin_again_after_fork

Level = Literal["debug", "info", "warning", "error"]

VERSION: Final = 1
"""The version of the form; a field that is added leaves it as it is."""

LONGEST: Final = 2_000
"""How many characters of an error's message are told."""

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
        "experiment.registered": "info",
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


_NAMES: Final = tuple((each.name, each.encode_name) for each in msgspec.structs.fields(Event))
_STAMPS: Final = frozenset({"v", "ts", "event", "level", "seq", "pid", "service", "runtime"})
_TOLD: Final = frozenset(name for name, _ in _NAMES) - _STAMPS


def fields_of(event: Event) -> dict[str, Any]:
    """Return what an event tells, under the names that are written."""
    values = ((written, getattr(event, name)) for name, written in _NAMES)
    return {written: value for written, value in values if value is not None}


def encode_line(event: Event) -> bytes:
    r"""Return an event as one line of JSON; a value that JSON has no word for is described.

    Example:
        >>> from understudy import Event
        >>> encode_line(Event(v=1, ts=0.5, event="log.dropped", level="warning", seq=0, pid=1))
        b'{"v":1,"ts":0.5,"event":"log.dropped","level":"warning","seq":0,"pid":1}\n'
    """
    told = event.error_message
    if isinstance(told, str) and len(told) > LONGEST:
        event = msgspec.structs.replace(event, error_message=told[:LONGEST])
    try:
        return _ENCODER.encode(event) + b"\n"
    except Exception:  # half a surrogate pair, a mapping that changes, a value inside itself
        plain = {name: _plain(value) for name, value in fields_of(event).items()}
        return _ENCODER.encode(plain) + b"\n"


def _described(value: object) -> str:
    try:
        return repr(value)[:LONGEST]
    except Exception:
        return f"<{type(value).__name__}>"


def _plain(value: object) -> Any:
    if value is None or type(value) in (bool, int, float):
        return value
    text = value if isinstance(value, str) else _described(value)
    return str(text)[:LONGEST].encode("utf-8", "backslashreplace").decode()


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_described)


class EventsError(UnderstudyError, TypeError):
    """What was given as `events=` is nothing that events can go to.

    Example:
        >>> from understudy import Runtime
        >>> try:
        ...     Runtime(events=7)
        ... except TypeError as error:
        ...     print(str(error).partition(":")[0])
        events=int
    """

    __module__ = "understudy"


class Takes(Protocol):
    """What an emitter needs of a sink."""

    def put(self, event: Event, /) -> object:
        """Take one event; neither wait nor raise."""
        ...


@final
class Emitter:
    """Stamps what happens in one runtime, and hands it to the sinks.

    It may be called from any thread. Threads that tell something at the same moment may reach a
    sink in another order than that of their numbers. A forked child counts from 1, as its pid is
    another.

    Args:
        sinks: where the events go.
        service: the name of the service.
        runtime_id: the id of the runtime.

    Example:
        >>> from understudy import MemorySink
        >>> from understudy._events import Emitter
        >>> memory = MemorySink()
        >>> emit = Emitter([memory], "shop", "a1")
        >>> emit("branch.shed", experiment="answer", error=ValueError("full"))
        >>> [event] = memory.events
        >>> event.seq, event.level, event.experiment, event.error_type
        (1, 'warning', 'answer', 'ValueError')
    """

    __slots__ = ("__weakref__", "_count", "_lock", "_runtime", "_service", "_sinks", "dropped")

    def __init__(self, sinks: Sequence[Takes], service: str | None, runtime_id: str) -> None:
        self._sinks = tuple(sinks)
        self._service = service
        self._runtime = runtime_id
        self.begin()
        begin_again_after_fork(self)

    def begin(self) -> None:
        """Count from the start: when it is made, and in a forked child."""
        self._count = itertools.count(1)
        self._lock = threading.RLock()
        self.dropped = 0
        """How often a sink raised instead of taking an event."""

    def __call__(self, name: str, /, **fields: Any) -> None:
        """Tell one event. A field that is unknown is left out, `error` is an exception."""
        try:
            event = self._stamped(name, fields)
        except Exception:  # whatever it is: the caller has a call to answer
            self._lost()
            return
        for sink in self._sinks:
            try:
                sink.put(event)
            except KeyboardInterrupt:  # it came from outside
                raise
            except BaseException:
                self._lost()

    def _stamped(self, name: str, fields: dict[str, Any]) -> Event:
        error = fields.pop("error", None)
        if error is not None:
            fields["error_type"] = type(error).__qualname__
            fields["error_message"] = _said_by(error)
        told = fields.get("error_message")
        if isinstance(told, str) and len(told) > LONGEST:  # what waits to be written stays small
            fields["error_message"] = told[:LONGEST]
        if not fields.keys() <= _TOLD:
            fields = {key: value for key, value in fields.items() if key in _TOLD}
        return Event(
            v=VERSION,
            ts=time.time(),
            event=name,
            level=EVENTS.get(name, "info"),
            seq=next(self._count),
            pid=os.getpid(),
            service=self._service,
            runtime=self._runtime,
            **fields,
        )

    def _lost(self) -> None:
        with self._lock:
            self.dropped += 1


def _said_by(error: object) -> str:
    try:
        return str(error)
    except BaseException:
        return f"<{type(error).__name__}>"
