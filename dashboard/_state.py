"""State: everything that is known from a log, in bounded memory."""

from typing import Any, Final, Literal, final

import msgspec

from ._counted import Counted
from ._sketch import Sketch

LEADS: Final = ("primary", "branch")
"""The roles somebody waits for."""

FAILED: Final = frozenset({"error", "timeout"})
"""How a branch ends that fails."""


@final
class Limits(msgspec.Struct, frozen=True, gc=False):
    """How much of everything is kept; what is most recent stays.

    Attributes:
        experiments: experiments.
        cases: configs, of all experiments together; the counts of others are kept as one.
        calls: calls.
        failed: calls that failed, and are longer ago than those.
        branches: branches of each call.
        seconds: seconds in which something happened.
        tail: lines.
        actors: actors.
        processes: processes.
        names: names wherever names are counted: reasons, errors.
        lags: times that a loop was held.
        notices: other things worth knowing.
        runs: runs.
        batches: batches.

    Example:
        >>> from understudy.dashboard import Limits, State
        >>> State(limits=Limits(calls=100)).limits.calls
        100
    """

    experiments: int = 500
    cases: int = 2_000
    calls: int = 1_000
    failed: int = 200
    branches: int = 100
    seconds: int = 900
    tail: int = 1_000
    actors: int = 2_000
    processes: int = 200
    names: int = 20
    lags: int = 100
    notices: int = 100
    runs: int = 200
    batches: int = 100


def _of_durations() -> Sketch:
    return Sketch()


def _of_waiting() -> Sketch:
    return Sketch(error=0.02, most=128)


def _of_a_second() -> Sketch:
    return Sketch(error=0.05, most=64)


@final
class Process(msgspec.Struct, gc=False):
    """A runtime in a process: what came of it, and what is missing.

    In flight are the branches that began in it and did not end: leads (somebody waits for them)
    and shadows of calls from outside, and those of the calls that branches make (`inner`).
    """

    pid: int
    runtime: str | None = None
    service: str | None = None
    state: Literal["running", "draining", "stopped"] | None = None
    started: float | None = None
    first_ts: float = 0.0
    last_ts: float = 0.0
    first_seq: int = 0
    last_seq: int = 0
    seen: int = 0
    dropped: int = 0
    leads: int = 0
    shadows: int = 0
    inner: int = 0
    key: str = ""

    @property
    def missing(self) -> int:
        """How many of its events are not in the log, between the first and the last that are."""
        return max(0, self.last_seq - self.first_seq + 1 - self.seen) if self.seen else 0


@final
class Second(msgspec.Struct, gc=False):
    """What became of calls from outside within a second; of others, only how many there were.

    Ended, errors and `ms` are those of leads.
    """

    calls: int = 0
    inner_calls: int = 0
    ended: int = 0
    errors: int = 0
    shadows: int = 0
    shed: int = 0
    skipped: int = 0
    lag_ms: float = 0.0
    ms: Sketch = msgspec.field(default_factory=_of_a_second)


@final
class Role(msgspec.Struct, gc=False):
    """What became of the branches of a case that had one role.

    `completed` are those that had begun, `unbegun` the others, whatever their status. `flying` says
    in which processes those are that have begun and not ended.
    """

    started: int = 0
    completed: int = 0
    unbegun: int = 0
    ok: int = 0
    error: int = 0
    timeout: int = 0
    cancelled: int = 0
    shed: int = 0
    skipped: int = 0
    flying: dict[str, int] = {}
    duration: Sketch = msgspec.field(default_factory=_of_durations)
    queue: Sketch = msgspec.field(default_factory=_of_waiting)

    @property
    def in_flight(self) -> int:
        """How many have begun and not ended."""
        return max(0, self.started - self.completed)

    @property
    def planned(self) -> int:
        """How many there were to be, as far as they have begun or ended."""
        return max(self.started, self.completed) + self.unbegun


@final
class Failure(msgspec.Struct, gc=False):
    """A class of errors: how often it was raised, and what the last one said."""

    count: int = 0
    message: str | None = None
    call_id: str | None = None


@final
class Case(msgspec.Struct, gc=False):
    """A config of an experiment."""

    label: str | None = None
    values: Any = None
    circuit: Literal["closed", "open", "half_open"] | None = None
    last_ts: float = 0.0
    roles: dict[str, Role] = {}
    why_not: Counted = msgspec.field(default_factory=Counted)
    errors: dict[str, Failure] = {}
    other_errors: int = 0
    lagged: int = 0
    lag_ms: float = 0.0


@final
class Experiment(msgspec.Struct, gc=False):
    """An experiment: all its calls, of which `inner_calls` were made by branches.

    `past` is what became of the branches of cases that are no longer kept; `processes` are the keys
    of those that told of it, as far as they are kept, in the order in which they did.
    """

    strategy: str | None = None
    configs: int | None = None
    is_disabled: bool | None = None
    pinned: str | None = None
    calls: int = 0
    inner_calls: int = 0
    planned: int = 0
    reasons: Counted = msgspec.field(default_factory=Counted)
    strategy_failures: int = 0
    rejections: int = 0
    last_ts: float = 0.0
    cases: dict[str, Case] = {}
    past: dict[str, Role] = {}
    processes: dict[str, None] = {}

    @property
    def heard_ts(self) -> float:
        """When something was told of it, or of one of its cases."""
        return max(self.last_ts, max((case.last_ts for case in self.cases.values()), default=0.0))


@final
class Played(msgspec.Struct, gc=False):
    """A branch of a call."""

    parent_branch_id: str | None = None
    experiment: str | None = None
    config_id: str | None = None
    label: str | None = None
    inner_case: str | None = None
    role: str | None = None
    status: str | None = None
    started: float | None = None
    queue_ms: float | None = None
    duration_ms: float | None = None
    reason: str | None = None
    error_type: str | None = msgspec.field(default=None, name="error.type")
    error_message: str | None = msgspec.field(default=None, name="error.message")
    items: int | None = None
    arguments: str | None = None
    result: str | None = None


@final
class Called(msgspec.Struct, gc=False):
    """A call: its branches, as many as are kept; and what a caller had bound to its context."""

    experiment: str | None = None
    ts: float = 0.0
    reason: str | None = None
    config_id: str | None = None
    parent_branch_id: str | None = None
    planned: int | None = None
    process: str | None = None
    branches: dict[str, Played] = {}
    context: dict[str, str] = {}
    trace_id: str | None = None
    span_id: str | None = None

    @property
    def callers(self) -> set[str]:
        """The branches that made it, one at most unless a log is odd; none if it is from outside.

        In older logs only the branches of a call tell.
        """
        told = {branch.parent_branch_id for branch in self.branches.values()}
        return {caller for caller in (self.parent_branch_id, *told) if caller is not None}

    @property
    def is_failed(self) -> bool:
        """Whether a branch failed that somebody waited for."""
        return any(
            branch.status in FAILED and branch.role in LEADS for branch in self.branches.values()
        )

    @property
    def is_inner(self) -> bool:
        """Whether a branch made it."""
        return self.parent_branch_id is not None or any(
            branch.parent_branch_id is not None for branch in self.branches.values()
        )


@final
class Crash(msgspec.Struct, frozen=True, gc=False):
    """Why an actor crashed."""

    ts: float
    type: str | None = None
    message: str | None = None


@final
class Actor(msgspec.Struct, gc=False):
    """An actor of a process."""

    name: str = ""
    experiment: str | None = None
    process: str | None = None
    state: str | None = None
    since: float | None = None
    last_ts: float = 0.0
    restarts: int = 0
    dead_letters: int = 0
    gave_up: int = 0
    crash: Crash | None = None
    waiting: int | None = None
    capacity: int | None = None
    in_flight: int | None = None


def actor_key(process: str | None, name: str) -> str:
    """Return what an actor of a process is kept by: others may have one of that name."""
    return f"{process} {name}"


@final
class Lag(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A loop, or an interpreter, that was held."""

    ts: float
    experiment: str | None = None
    label: str | None = None
    role: str | None = None
    call_id: str | None = None
    function: str | None = None
    place: str | None = None
    where: str | None = None
    lag_ms: float | None = None


@final
class Notice(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Something worth knowing that happens seldom."""

    ts: float
    event: str
    level: str
    pid: int
    service: str | None = None
    runtime: str | None = None
    experiment: str | None = None
    label: str | None = None
    actor: str | None = None
    reason: str | None = None
    source: str | None = None
    count: int | None = None
    error_type: str | None = msgspec.field(default=None, name="error.type")
    error_message: str | None = msgspec.field(default=None, name="error.message")


@final
class Work(msgspec.Struct, gc=False):
    """A run or a batch: how far it is."""

    name: str | None = None
    status: str | None = None
    started: float | None = None
    ended: float | None = None
    last_ts: float = 0.0
    count: int | None = None
    done: int = 0
    counts: Counted = msgspec.field(default_factory=Counted)
    last_item: str | None = None


class Recording(msgspec.Struct, gc=False):
    """A run that runtimes record into; each process tells how much it has recorded until now."""

    name: str | None = None
    path: str | None = None
    since: float | None = None
    ended: float | None = None
    is_over: bool | None = None
    counts: dict[str, dict[str, int]] = {}
    """How many results, by process and config."""
    totals: dict[str, int] = {}
    """How many of a process that has said so as it was left."""
    lost: dict[str, int] = {}


@final
class State(msgspec.Struct, gc=False):
    """Everything that is known from a log, in bounded memory; `fold` makes it.

    It can be saved and loaded again: it is made of what JSON and MessagePack have words for.

    Attributes:
        limits: how much is kept.
        events: how many events there were.
        unreadable: how many lines were none.
        known_ts: the first and the last time that processes told which are no longer kept.
        is_disabled: whether all experiments are switched off; None if nobody said so.
        called: how many calls there were from outside.
        shed: how many branches of those were shed.
        skipped: how many were skipped.
        inner_calls: how many calls branches made.
        inner_shed: how many branches of those were shed.
        inner_skipped: how many were skipped.
        lagged: how often a loop was held.
        restarts: how often an actor was restarted.
        missing: how many events of processes that are no longer kept are not in the log.
        dropped: how many of them their sinks lost.
        case_count: how many cases there are, of all experiments.
        let_go: how many cases, experiments and actors made room for others.
        processes: by "pid/runtime".
        seconds: what happened in each second, the oldest first.
        experiments: by name.
        calls: the last ones, by id.
        failed: those that failed before them, by id.
        actors: by process and name, as `actor_key` has it.
        lags: the last times that a loop was held.
        notices: the last of what is worth knowing.
        runs: by id.
        recordings: the runs that runtimes record into, by id.
        batches: by id.
        tail: the last lines.

    Example:
        >>> import msgspec
        >>> from understudy import Event
        >>> from understudy.dashboard import State, fold
        >>> event = Event(v=1, ts=5.0, event="call.planned", level="debug", seq=1, pid=1, count=2)
        >>> state = fold(State(), event)
        >>> state.events, state.called
        (1, 1)
        >>> msgspec.json.decode(msgspec.json.encode(state), type=State) == state
        True
    """

    limits: Limits = Limits()
    events: int = 0
    unreadable: int = 0
    known_ts: tuple[float, float] | None = None
    is_disabled: bool | None = None
    called: int = 0
    shed: int = 0
    skipped: int = 0
    inner_calls: int = 0
    inner_shed: int = 0
    inner_skipped: int = 0
    lagged: int = 0
    restarts: int = 0
    missing: int = 0
    dropped: int = 0
    case_count: int = 0
    let_go: int = 0
    processes: dict[str, Process] = {}
    seconds: dict[int, Second] = {}
    experiments: dict[str, Experiment] = {}
    calls: dict[str, Called] = {}
    failed: dict[str, Called] = {}
    actors: dict[str, Actor] = {}
    lags: list[Lag] = []
    notices: list[Notice] = []
    runs: dict[str, Work] = {}
    recordings: dict[str, Recording] = {}
    batches: dict[str, Work] = {}
    tail: list[str] = []

    @property
    def first_ts(self) -> float | None:
        """When the first event was told; None if there was none."""
        known = [process.first_ts for process in self.processes.values() if process.last_ts]
        return min([*known, *(self.known_ts or ())[:1]], default=None)

    @property
    def last_ts(self) -> float | None:
        """When the latest event was told; None if there was none."""
        known = [process.last_ts for process in self.processes.values() if process.last_ts]
        return max([*known, *(self.known_ts or ())[1:]], default=None)
