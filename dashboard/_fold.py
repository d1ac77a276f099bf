"""fold: what one more event makes of what is known."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, cast

from understudy.events import Event, encode_line

from ._bounds import keep_processes
from ._branches import circuit, completed, lagged, not_begun, planned, resumed, started
from ._context import with_context
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
from ._recording import recording_told
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
    return fold_lines(state, (event,))


def fold_lines(
    state: State,
    lines: Iterable[bytes | Line | Event],
    note: Callable[[Event], object] | None = None,
) -> State:
    """Return what is known with some more lines of a log, as if they had been folded one by one.

    Those that cannot be read are counted. It is quicker, as only the last lines are kept as texts.

    Args:
        state: what is known.
        lines: the lines, or the events.
        note: is called with each event, when it is folded.

    Example:
        >>> from understudy.dashboard import State, fold_lines
        >>> told = b'{"v":1,"ts":5.0,"event":"call.planned","level":"debug","seq":1,"pid":1}'
        >>> state = fold_lines(State(), [told, b'{"v":1,"ts":5.0,"eve', told])
        >>> state.called, state.unreadable
        (2, 1)
    """
    most = state.limits.tail
    last: deque[bytes | Line | Event] = deque(maxlen=most)
    process: Process | None = None
    count = 0
    for line in lines:
        if type(line) is bytes:
            try:
                event = decode_event(line)
                if event.call_id is not None and event.call_id not in state.calls:
                    event = with_context(event, line)
            except UNREADABLE:
                state.unreadable += 1
                continue
        else:
            event = line.event if type(line) is Line else cast("Event", line)
            if type(line) is Line and event.call_id is not None:
                event = with_context(event, line.raw)
        count += 1
        last.append(line)
        process = _take(state, event, process)
        if note is not None:
            note(event)
    state.events += count
    tail = state.tail
    tail += map(_text_of, last)
    if len(tail) > most:
        del tail[: len(tail) - most]
    return state


def _text_of(line: bytes | Line | Event) -> str:
    """Return what is kept of a line."""
    if isinstance(line, Event):
        return encode_line(line).decode()[:-1]
    return text_of_line(line if isinstance(line, bytes) else line.raw)


def _take(state: State, event: Event, process: Process | None) -> Process:
    """Note that a process told something, and how much of it is missing; and what it told.

    Args:
        state: what is known.
        event: what it told.
        process: that of the event before, which is mostly the same one.
    """
    if process is None or process.runtime != event.runtime or process.pid != event.pid:
        process = _process_of(state, event)
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
    return process


def _process_of(state: State, event: Event) -> Process:
    key = name_of(f"{event.pid}/{event.runtime}")
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
    "run.ended": recording_told,
    "run.recording": recording_told,
    "run.started": run_told,
    "runtime.draining": lived,
    "runtime.started": lived,
    "runtime.stopped": lived,
    "strategy.failed": strategy_failed,
}
