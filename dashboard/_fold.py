"""fold: what one more event makes of what is known."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from understudy.events import Event, encode_line

from ._bounds import keep_processes
from ._branches import circuit, completed, lagged, not_begun, planned, resumed, started
from ._lines import UNREADABLE, Line, decode_event, text_of_line
from ._lives import (
    actor_told,
    configs_told,
    dropped,
    lived,
    pinned,
    registered,
    strategy_failed,
    switched,
)
from ._places import LATEST, MOST
from ._state import Process, State
from ._texts import name_of
from ._works import batch_told, run_told


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
        text = event.text
        event = event.event
    else:
        text = encode_line(event).decode()[:-1]
    tail = state.tail
    tail.append(text)
    if len(tail) > state.limits.tail:
        del tail[0]
    _take(state, event)
    return state


def fold_lines(state: State, lines: Iterable[bytes]) -> State:
    """Return what is known with some more lines of a log, as if they had been folded one by one.

    Those that cannot be read are counted. It is quicker, as only the last lines are kept as texts.

    Example:
        >>> from understudy.dashboard import State, fold_lines
        >>> told = b'{"v":1,"ts":5.0,"event":"call.planned","level":"debug","seq":1,"pid":1}'
        >>> state = fold_lines(State(), [told, b'{"v":1,"ts":5.0,"eve', told])
        >>> state.called, state.unreadable
        (2, 1)
    """
    most = state.limits.tail
    last: deque[bytes] = deque(maxlen=most)
    for raw in lines:
        try:
            event = decode_event(raw)
        except UNREADABLE:
            state.unreadable += 1
        else:
            last.append(raw)
            _take(state, event)
    state.tail = [*state.tail, *map(text_of_line, last)][-most:] if most else []
    return state


def _take(state: State, event: Event) -> None:
    """Note that a process told something, and how much of it is missing; and what it told."""
    state.events += 1
    key = f"{event.pid}/{event.runtime}"
    process = state.processes.get(key)
    if process is None:
        process = _new_process(state, event, name_of(key))
    ts = event.ts
    if process.last_ts < ts <= LATEST:
        if not process.last_ts:
            process.first_ts = ts
        process.last_ts = ts
    elif 0.0 < ts < process.first_ts:
        process.first_ts = ts
    seq = event.seq
    if process.last_seq < seq <= MOST:
        if not process.seen:
            process.first_seq = seq
        process.last_seq = seq
        process.seen += 1
    elif 0 < seq <= MOST:  # threads may tell in another order, and files are read one by one
        process.seen += 1
        process.first_seq = min(process.first_seq, seq)
    fold_one = _FOLDS.get(event.event)
    if fold_one is not None:
        fold_one(state, event, process)


def _new_process(state: State, event: Event, key: str) -> Process:
    process = state.processes.get(key)
    if process is None:
        runtime = None if event.runtime is None else name_of(event.runtime)
        service = None if event.service is None else name_of(event.service)
        process = Process(event.pid, runtime, service, key=key)
        state.processes[key] = process
        keep_processes(state, key)
    return process


_FOLDS: Final[dict[str, Callable[[State, Event, Process], None]]] = {
    "actor.crashed": actor_told,
    "actor.dead_letter": actor_told,
    "actor.gave_up": actor_told,
    "actor.restarted": actor_told,
    "actor.sampled": actor_told,
    "actor.started": actor_told,
    "actor.stopped": actor_told,
    "batch.completed": batch_told,
    "batch.item_completed": batch_told,
    "batch.started": batch_told,
    "branch.completed": completed,
    "branch.shed": not_begun,
    "branch.skipped": not_begun,
    "branch.started": started,
    "breaker.closed": circuit,
    "breaker.half_opened": circuit,
    "breaker.opened": circuit,
    "call.planned": planned,
    "config.activated": configs_told,
    "config.loaded": configs_told,
    "config.rejected": configs_told,
    "experiment.disabled": switched,
    "experiment.enabled": switched,
    "experiment.pinned": pinned,
    "experiment.registered": registered,
    "experiment.unpinned": pinned,
    "log.dropped": dropped,
    "loop.lagged": lagged,
    "loop.resumed": resumed,
    "run.completed": run_told,
    "run.started": run_told,
    "runtime.draining": lived,
    "runtime.started": lived,
    "runtime.stopped": lived,
    "strategy.failed": strategy_failed,
}
