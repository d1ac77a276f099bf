"""Runs and batches: how far they are."""

from understudy.events import Event

from ._bounds import keep_last
from ._counted import Counted
from ._places import at, whole
from ._state import Process, State, Work
from ._texts import name_of, text_of


def run_told(state: State, event: Event, process: Process) -> None:
    work = None if event.run is None else _work(state, state.runs, event, event.run)
    if work is None:
        return
    if event.event == "run.started":
        work.started = at(event.ts)
    else:
        work.ended = at(event.ts)
    work.status = event.status or ("running" if event.event == "run.started" else "completed")


def batch_told(state: State, event: Event, process: Process) -> None:
    work = None if event.batch is None else _work(state, state.batches, event, event.batch)
    if work is None:
        return
    match event.event:
        case "batch.started":
            work.started = at(event.ts)
            work.status = event.status or "running"
            if event.count is not None:
                work.count = whole(event.count)
        case "batch.completed":
            work.ended = at(event.ts)
            work.status = event.status or "completed"
        case _:
            work.done += 1
            work.counts.add(name_of(event.status or "unknown"))
            work.last_item = text_of(event.item) or work.last_item


def _work(state: State, known: dict[str, Work], event: Event, number: str) -> Work:
    number = name_of(number)
    work = known.get(number)
    if work is None:
        work = known[number] = Work(counts=Counted(most=state.limits.names))
        most = state.limits.runs if known is state.runs else state.limits.batches
        keep_last(known, most)
    work.name = event.experiment or work.name
    work.last_ts = max(work.last_ts, at(event.ts))
    return work
