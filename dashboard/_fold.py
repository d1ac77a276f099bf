"""fold: what one more event makes of what is known."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from understudy.events import Event, encode_line

from ._bounds import (
    keep_cases,
    keep_experiments,
    keep_last,
    keep_latest,
    keep_processes,
    keep_seconds,
    name_of,
    text_of,
)
from ._counted import Counted
from ._lines import Line
from ._state import (
    Actor,
    Called,
    Case,
    Crash,
    Experiment,
    Failure,
    Lag,
    Notice,
    Played,
    Process,
    Role,
    Second,
    State,
    Work,
)

_MOST: Final = 2**53 - 1
"""The greatest number that every reader of JSON knows exactly."""

_ROLES: Final = frozenset({"primary", "shadow", "branch"})
_FIRST: Final = 0.0
_LATEST: Final = 1e11


def fold(state: State, event: Event | Line) -> State:
    """Return what is known with one more event.

    It changes the state that it is given, and returns it: a copy for each event would make a log
    of a million take minutes. Otherwise it is a function of its two arguments: it knows no clock
    and no files. It never raises, whatever an event leaves out; an event of an unknown name is
    counted, and kept in the tail.

    Args:
        state: what is known.
        event: an event, or the line of a log that it came from, which may tell more.

    Example:
        >>> from understudy import Event
        >>> from understudy.dashboard import State, fold
        >>> state = State()
        >>> for name, status in [("branch.started", None), ("branch.completed", "ok")]:
        ...     event = Event(
        ...         v=1, ts=5.0, event=name, level="debug", seq=1, pid=1, status=status,
        ...         experiment="answer", config_id="c1", role="primary", duration_ms=7.0,
        ...     )
        ...     state = fold(state, event)
        >>> state.experiments["answer"].cases["c1"].roles["primary"].ok
        1
    """
    if type(event) is Line:
        line = event
        event = line.event
        text = line.text
    else:
        text = encode_line(event).decode()[:-1]
    state.events += 1
    tail = state.tail
    tail.append(text)
    if len(tail) > state.limits.tail:
        del tail[0]
    ts = event.ts
    if _FIRST <= ts <= _LATEST:
        if state.last_ts is None:
            state.first_ts = state.last_ts = ts
        elif ts > state.last_ts:
            state.last_ts = ts
        elif ts < state.first_ts:
            state.first_ts = ts
    process = _process(state, event)
    fold_one = _FOLDS.get(event.event)
    if fold_one is not None:
        fold_one(state, event, process)
    return state


# Where an event belongs


def _process(state: State, event: Event) -> Process:
    """Note that a process told something, and how much of it is missing."""
    key = f"{event.pid}/{event.runtime}"
    process = state.processes.get(key)
    if process is None:
        key = name_of(key)
        process = state.processes.setdefault(key, Process(event.pid, event.runtime))
        process.last_ts = max(process.last_ts, event.ts)
        keep_processes(state)
    if event.service is not None:
        process.service = event.service
    if event.ts > process.last_ts:
        process.last_ts = event.ts
    seq = event.seq
    if 0 < seq <= _MOST:
        if not process.seen:
            process.first_seq = process.last_seq = seq
        elif seq > process.last_seq:
            process.last_seq = seq
        elif seq < process.first_seq:
            process.first_seq = seq
        process.seen += 1
    return process


def _second(state: State, ts: float) -> Second:
    if not _FIRST <= ts <= _LATEST:
        return Second()
    number = int(ts)
    seconds = state.seconds
    second = seconds.get(number)
    if second is None:
        is_late = bool(seconds) and number < next(reversed(seconds))
        second = seconds[number] = Second()
        if is_late:
            state.seconds = seconds = dict(sorted(seconds.items()))
        if len(seconds) > state.limits.seconds:
            del seconds[next(iter(seconds))]
    return second


def _experiment(state: State, name: str, ts: float) -> Experiment:
    experiment = state.experiments.get(name)
    if experiment is None:
        name = name_of(name)
        experiment = state.experiments.get(name)
        if experiment is None:
            reasons = Counted(most=state.limits.names)
            experiment = state.experiments[name] = Experiment(reasons=reasons, last_ts=ts)
            keep_experiments(state)
    if ts > experiment.last_ts:
        experiment.last_ts = ts
    return experiment


def _case(state: State, event: Event) -> Case | None:
    """Return the case that an event tells of; None if it does not say which."""
    if event.experiment is None or event.config_id is None:
        return None
    experiment = _experiment(state, event.experiment, event.ts)
    case = experiment.cases.get(event.config_id)
    if case is None:
        config_id = name_of(event.config_id)
        case = experiment.cases.get(config_id)
        if case is None:
            why_not = Counted(most=state.limits.names)
            case = experiment.cases[config_id] = Case(why_not=why_not, last_ts=event.ts)
            state.case_count += 1
            keep_cases(state)
    if event.label is not None:
        case.label = event.label
    if event.ts > case.last_ts:
        case.last_ts = event.ts
    return case


def _role(case: Case, name: str | None) -> Role | None:
    role = case.roles.get(name)  # type: ignore[arg-type]
    if role is None and name in _ROLES:
        role = case.roles[name] = Role()
    return role


# Calls and their branches


def _planned(state: State, event: Event, process: Process) -> None:
    state.called += 1
    _second(state, event.ts).calls += 1
    if event.experiment is not None:
        experiment = _experiment(state, event.experiment, event.ts)
        experiment.calls += 1
        experiment.planned += _whole(event.count)
        if event.reason is not None:
            experiment.reasons.add(name_of(event.reason))
    if event.call_id is not None:
        call = _call(state, event, event.call_id)
        call.experiment = event.experiment
        call.ts = event.ts
        call.reason = event.reason
        call.config_id = event.config_id
        call.planned = event.count


def _started(state: State, event: Event, process: Process) -> None:
    if event.role == "shadow":
        process.shadows += 1
    else:
        process.leads += 1
    case = _case(state, event)
    role = None if case is None else _role(case, event.role)
    if role is not None:
        role.started += 1
    if event.call_id is not None and event.branch_id is not None:
        call = _call(state, event, event.call_id)
        branch = _branch(state, call, event, event.branch_id)
        if branch is not None:
            branch.started = event.ts
            if branch.status is None:
                branch.status = "running"


def _completed(state: State, event: Event, process: Process) -> None:
    is_shadow = event.role == "shadow"
    status = event.status
    duration = event.duration_ms
    second = _second(state, event.ts)
    if is_shadow:
        process.shadows -= 1
        second.shadows += 1
    else:
        process.leads -= 1
        second.ended += 1
        if status in _FAILED:
            second.errors += 1
        if duration is not None:
            second.ms.add(duration)
    case = _case(state, event)
    if case is not None:
        role = _role(case, event.role)
        if role is not None:
            role.completed += 1
            if duration is not None:
                role.duration.add(duration)
            _ended(role, case, event, status)
    _conclude(state, event, status)


def _not_begun(state: State, event: Event, process: Process) -> None:
    """Note a branch that was planned and did not begin; a `status` says what became of it."""
    unbegun = "shed" if event.event == "branch.shed" else "skipped"
    status = event.status or unbegun
    second = _second(state, event.ts)
    if unbegun == "shed":
        state.shed += 1
        second.shed += 1
    else:
        state.skipped += 1
        second.skipped += 1
    case = _case(state, event)
    if case is not None:
        case.why_not.add(name_of(event.reason or "unknown"))
        role = _role(case, event.role)
        if role is not None:
            role.unbegun += 1
            _ended(role, case, event, status)
    _conclude(state, event, status)


def _ended(role: Role, case: Case, event: Event, status: str | None) -> None:
    """Count how a branch ended."""
    if event.queue_ms is not None:
        role.queue.add(event.queue_ms)
    if status == "ok":
        role.ok += 1
    elif status in _STATUSES:
        setattr(role, status, getattr(role, status) + 1)
    if event.error_type is not None:
        _failed(case, event, event.error_type)


def _failed(case: Case, event: Event, kind: str) -> None:
    failure = case.errors.get(kind)
    if failure is None:
        kind = name_of(kind)
        failure = case.errors.setdefault(kind, Failure())
    failure.count += 1
    failure.message = text_of(event.error_message)
    failure.call_id = event.call_id
    keep_failures(case)


def keep_failures(case: Case) -> None:
    """Keep the errors that are most frequent; of the others, how many there were."""
    most = case.why_not.most
    if len(case.errors) > 2 * most:
        ordered = sorted(case.errors.items(), key=lambda item: (-item[1].count, item[0]))
        case.errors = dict(ordered[:most])
        case.other_errors += sum(failure.count for _, failure in ordered[most:])


def _call(state: State, event: Event, call_id: str) -> Called:
    call = state.calls.get(call_id)
    if call is None:
        call_id = name_of(call_id)
        call = state.calls.get(call_id)
        if call is None:
            call = state.calls[call_id] = Called(experiment=event.experiment, ts=event.ts)
            keep_last(state.calls, state.limits.calls)
    return call


def _branch(state: State, call: Called, event: Event, branch_id: str) -> Played | None:
    branch = call.branches.get(branch_id)
    if branch is None:
        branch_id = name_of(branch_id)
        if len(call.branches) >= state.limits.branches and branch_id not in call.branches:
            return None
        branch = call.branches[branch_id] = Played(
            event.parent_branch_id, event.experiment, event.config_id, event.label, event.role
        )
    return branch


def _conclude(state: State, event: Event, status: str | None) -> None:
    """Note in its call how a branch ended."""
    call_id = event.call_id
    if call_id is None or event.branch_id is None:
        return
    call = state.calls.get(call_id)
    if call is None:
        if _is_of_the_past(state, event):
            return
        call = _call(state, event, call_id)
    branch = _branch(state, call, event, event.branch_id)
    if branch is not None:
        branch.status = status
        branch.reason = event.reason
        branch.queue_ms = event.queue_ms
        branch.duration_ms = event.duration_ms
        if event.items is not None:
            branch.items = event.items
        if event.error_type is not None:
            branch.error_type = name_of(event.error_type)
            branch.error_message = text_of(event.error_message)


def _is_of_the_past(state: State, event: Event) -> bool:
    """Whether a branch began before the calls that are kept: its own was let go of."""
    calls = state.calls
    if len(calls) < state.limits.calls:
        return False
    began = event.ts - ((event.duration_ms or 0.0) + (event.queue_ms or 0.0)) / 1e3
    return not calls or began <= next(iter(calls.values())).ts


# What else there is


def _circuit(state: State, event: Event, process: Process) -> None:
    case = _case(state, event)
    if case is not None:
        case.circuit = _CIRCUITS[event.event]
    _notice(state, event, process)


def _lagged(state: State, event: Event, process: Process) -> None:
    state.lagged += 1
    lag = event.lag_ms or 0.0
    second = _second(state, event.ts)
    second.lag_ms = max(second.lag_ms, lag)
    case = _case(state, event)
    if case is not None:
        case.lagged += 1
        case.lag_ms = max(case.lag_ms, lag)
    state.lags.append(
        Lag(
            event.ts,
            event.experiment,
            event.label,
            event.role,
            event.call_id,
            event.function,
            event.place,
            text_of(event.where),
            event.lag_ms,
        )
    )
    del state.lags[: -state.limits.lags]


def _resumed(state: State, event: Event, process: Process) -> None:
    """Note how long a loop was held in the end."""
    lag = event.lag_ms or 0.0
    second = _second(state, event.ts)
    second.lag_ms = max(second.lag_ms, lag)
    case = _case(state, event)
    if case is not None:
        case.lag_ms = max(case.lag_ms, lag)


def _actor(state: State, event: Event, process: Process) -> None:
    """Note what an actor tells of itself."""
    if event.actor is None:
        return
    name = name_of(event.actor)
    actor = state.actors.get(name)
    if actor is None:
        actor = state.actors[name] = Actor(last_ts=event.ts)
        keep_latest(state.actors, state.limits.actors)
    actor.last_ts = max(actor.last_ts, event.ts)
    if event.experiment is not None:
        actor.experiment = event.experiment
    if event.state is not None:
        if event.state != actor.state:
            actor.since = event.ts
        actor.state = event.state
    match event.event:
        case "actor.started":
            _take_values(state, event)
        case "actor.restarted":
            actor.restarts += 1
            state.restarts += 1
        case "actor.crashed":
            actor.crash = Crash(event.ts, event.error_type, text_of(event.error_message))
        case "actor.dead_letter":
            actor.dead_letters += 1
        case "actor.gave_up":
            actor.gave_up += 1
        case "actor.sampled":
            actor.waiting = getattr(event, "waiting", None)
            actor.capacity = getattr(event, "capacity", None)
            actor.in_flight = getattr(event, "in_flight", None)


def _take_values(state: State, event: Event) -> None:
    """Note the values of the config that an actor plays, if it tells them."""
    values = getattr(event, "values", None)
    if values is None:
        return
    case = _case(state, event)
    if case is not None:
        case.values = plain(values)


def plain(values: Any) -> Any:
    """Return values as JSON has them; as a text that is cut if they are many, or odd."""
    try:
        encoded = msgspec.json.encode(values, enc_hook=repr)
        return msgspec.json.decode(encoded) if len(encoded) <= _MANY else text_of(encoded.decode())
    except Exception:
        return None


def _registered(state: State, event: Event, process: Process) -> None:
    if event.experiment is not None:
        experiment = _experiment(state, event.experiment, event.ts)
        experiment.strategy = event.strategy
        experiment.configs = event.count
    _notice(state, event, process)


def _switched(state: State, event: Event, process: Process) -> None:
    is_disabled = event.event == "experiment.disabled"
    if event.experiment is None:
        state.is_disabled = is_disabled
        for experiment in state.experiments.values():
            experiment.is_disabled = None
    else:
        _experiment(state, event.experiment, event.ts).is_disabled = is_disabled
    _notice(state, event, process)


def _strategy_failed(state: State, event: Event, process: Process) -> None:
    if event.experiment is not None:
        _experiment(state, event.experiment, event.ts).strategy_failures += 1
    _notice(state, event, process)


def _configs(state: State, event: Event, process: Process) -> None:
    if event.experiment is not None:
        experiment = _experiment(state, event.experiment, event.ts)
        if event.event == "config.rejected":
            experiment.rejections += 1
        elif event.event == "config.activated":
            experiment.configs = event.count
    _notice(state, event, process)


def _lived(state: State, event: Event, process: Process) -> None:
    """Note where a runtime is in its life."""
    if event.event == "runtime.started":
        process.state = "running"
        process.started = event.ts
    else:
        process.state = "draining" if event.event == "runtime.draining" else "stopped"
    _notice(state, event, process)


def _dropped(state: State, event: Event, process: Process) -> None:
    process.dropped += _whole(event.count)
    _notice(state, event, process)


def _notice(state: State, event: Event, process: Process) -> None:
    state.notices.append(
        Notice(
            event.ts,
            event.event,
            event.level,
            event.pid,
            event.service,
            event.runtime,
            event.experiment,
            event.label,
            event.actor,
            event.reason,
            event.source,
            event.count,
            event.error_type,
            text_of(event.error_message),
        )
    )
    del state.notices[: -state.limits.notices]


def _run(state: State, event: Event, process: Process) -> None:
    work = None if event.run is None else _work(state, state.runs, event, event.run)
    if work is None:
        return
    if event.event == "run.started":
        work.started = event.ts
    else:
        work.ended = event.ts
    work.status = event.status or ("running" if event.event == "run.started" else "completed")


def _batch(state: State, event: Event, process: Process) -> None:
    work = None if event.batch is None else _work(state, state.batches, event, event.batch)
    if work is None:
        return
    match event.event:
        case "batch.started":
            work.started = event.ts
            work.status = event.status or "running"
            work.count = event.count
        case "batch.completed":
            work.ended = event.ts
            work.status = event.status or "completed"
        case _:
            work.done += 1
            work.counts.add(name_of(event.status or "unknown"))
            work.last_item = text_of(event.item)


def _work(state: State, known: dict[str, Work], event: Event, number: str) -> Work:
    number = name_of(number)
    work = known.get(number)
    if work is None:
        work = known[number] = Work(counts=Counted(most=state.limits.names))
        most = state.limits.runs if known is state.runs else state.limits.batches
        keep_last(known, most)
    work.name = event.experiment or work.name
    work.last_ts = max(work.last_ts, event.ts)
    return work


def _whole(count: int | None) -> int:
    return count if count is not None and 0 <= count <= _MOST else 0


_MANY: Final = 16_384
_FAILED: Final = frozenset({"error", "timeout"})
_STATUSES: Final = frozenset({"ok", "error", "timeout", "cancelled", "shed", "skipped"})
_CIRCUITS: Final[dict[str, Any]] = {
    "breaker.closed": "closed",
    "breaker.half_opened": "half_open",
    "breaker.opened": "open",
}
_FOLDS: Final[dict[str, Callable[[State, Event, Process], None]]] = {
    "actor.crashed": _actor,
    "actor.dead_letter": _actor,
    "actor.gave_up": _actor,
    "actor.restarted": _actor,
    "actor.sampled": _actor,
    "actor.started": _actor,
    "actor.stopped": _actor,
    "batch.completed": _batch,
    "batch.item_completed": _batch,
    "batch.started": _batch,
    "branch.completed": _completed,
    "branch.shed": _not_begun,
    "branch.skipped": _not_begun,
    "branch.started": _started,
    "breaker.closed": _circuit,
    "breaker.half_opened": _circuit,
    "breaker.opened": _circuit,
    "call.planned": _planned,
    "config.activated": _configs,
    "config.loaded": _configs,
    "config.rejected": _configs,
    "experiment.disabled": _switched,
    "experiment.enabled": _switched,
    "experiment.registered": _registered,
    "log.dropped": _dropped,
    "loop.lagged": _lagged,
    "loop.resumed": _resumed,
    "run.completed": _run,
    "run.started": _run,
    "runtime.draining": _lived,
    "runtime.started": _lived,
    "runtime.stopped": _lived,
    "strategy.failed": _strategy_failed,
}
