"""Runs that runtimes record into: how many results of each config, and what was lost."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from understudy.events import Event

from ._counted import Counted
from ._places import at, whole
from ._state import Process, Recording, State
from ._texts import name_of, text_of

_CONFIGS: Final = 200
"""Of how many configs of a process it is known how much was recorded."""
_PROCESSES: Final = 50


def recording_told(state: State, event: Event, process: Process) -> None:
    """Note what a runtime tells of the run that it records into."""
    if event.run is None:
        return
    number, told = name_of(event.run), Recording()
    known = state.recordings.setdefault(number, told)
    while len(state.recordings) > state.limits.runs:
        del state.recordings[next(iter(state.recordings))]
    told = Recording(
        name=text_of("/".join(each for each in (event.project, event.prefix) if each)) or None,
        path=text_of(event.path),
        is_over=event.event == "run.ended",
    )
    who = name_of(f"{event.pid}/{event.runtime}")
    if told.is_over:
        told.ended = at(event.ts)
    else:
        told.since = at(event.ts)
    if event.dropped is not None:
        told.lost[who] = whole(event.dropped)
    if event.count is not None and event.experiment is None:
        told.totals[who] = whole(event.count)
    elif event.count is not None:
        config = name_of(f"{event.experiment}[{event.label or event.config_id}]")
        told.counts[who] = {config: whole(event.count)}
    merge_recording(known, told)


def merge_recording(mine: Recording, other: Recording) -> None:
    """Lay over one what another one says that is later; counts only grow."""
    for name in ("name", "path", "ended", "is_over"):
        if getattr(other, name) is not None:
            setattr(mine, name, getattr(other, name))
    if other.since is not None:
        mine.since = other.since if mine.since is None else min(mine.since, other.since)
    for who, counts in other.counts.items():
        _raise(mine.counts.setdefault(who, {}), counts, _CONFIGS)
    _raise(mine.totals, other.totals, _PROCESSES)
    _raise(mine.lost, other.lost, _PROCESSES)
    while len(mine.counts) > _PROCESSES:
        del mine.counts[next(iter(mine.counts))]


def _raise(mine: dict[str, int], others: Mapping[str, int], most: int) -> None:
    for name, count in others.items():
        mine[name] = max(mine.get(name, 0), count)
    while len(mine) > most:
        del mine[next(iter(mine))]


def recordings(known: Mapping[str, Recording]) -> list[dict[str, Any]]:
    """Return the runs, newest first, in the form that works have."""
    return [_row(number, known[number]) for number in [*known][::-1]]


def _row(number: str, one: Recording) -> dict[str, Any]:
    counted = Counted()
    for counts in one.counts.values():
        for config, count in counts.items():
            counted.add(config, count)
    processes = one.counts.keys() | one.totals.keys()
    done = sum(
        max(sum(one.counts.get(who, {}).values()), one.totals.get(who, 0)) for who in processes
    )
    return {
        "run": number,
        "name": one.name,
        "status": "ended" if one.is_over else "running",
        "counts": counted.ranked(),
        "started": one.since,
        "ended": one.ended if one.is_over else None,
        "done": done,
        "count": None,
        "progress": None,
        "last_item": None,
        "path": one.path,
        "lost": sum(one.lost.values()),
    }


def recorded_rows(runs: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    """Return the rows of a report, for each run and each of its configs: how much is recorded."""
    rows: list[list[str]] = []
    for run in runs:
        words = [run["name"] or run.get("run") or run["batch"], run["status"] or "-"]
        rows.append([*words, run.get("path") or "", str(run.get("lost", 0)), str(run["done"])])
        rows += [["", "", config, "0", str(count)] for config, count in run["counts"].items()]
    return rows
