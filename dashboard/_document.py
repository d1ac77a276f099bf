"""The document: what a state comes to, in the form that the page, reports and snapshots share."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, Final, cast

import msgspec

from ._bounds import add_role
from ._silence import flying, is_silent, lost
from ._sketch import Sketch
from ._state import (
    LEADS,
    Actor,
    Called,
    Case,
    Experiment,
    Lag,
    Notice,
    Process,
    Role,
    Second,
    State,
    Work,
    actor_key,
)

Json = dict[str, Any]

NOBODY: Final[frozenset[str]] = frozenset()
_WINDOW: Final = 60
_SHOWN_SECONDS: Final = 300
_SHOWN_CALLS: Final = 200
_FOUND_BY: Final = ("call_id", "experiment", "reason", "status", "service")
_ENDS: Final = ("ok", "error", "timeout", "cancelled", "shed", "skipped")
_COUNTS: Final = ("started", *_ENDS)


def overview(state: State, now: float | None = None) -> Json:
    """Return what there is to see at a glance; rates, shares and quantiles are of a minute.

    It is about calls from outside; what those do inside that are made by branches is apart.

    Args:
        state: what is known.
        now: the time by the clock of who reads; None for that of the last event.
    """
    ts = state.last_ts or 0.0
    ts = ts if now is None else max(ts, now)  # other machines may have other clocks
    recent = _minute(state, ts)
    span = max(1.0, ts - max(int(ts) - _WINDOW + 1, state.first_ts or 0.0))
    ended = sum(second.ended for second in recent)
    errors = sum(second.errors for second in recent)
    times, until = _latencies(state, recent)
    away = lost(state, now)
    there = [each for each in state.processes.values() if each.state != "stopped"]
    alive = [each for each in there if each.key not in away]
    return {
        "ts": state.last_ts,
        "now": now,
        "first_ts": state.first_ts,
        "events": state.events,
        "unreadable": state.unreadable,
        "missing": state.missing + sum(each.missing for each in state.processes.values()),
        "dropped": state.dropped + sum(each.dropped for each in state.processes.values()),
        "calls": state.called,
        "inner_calls": state.inner_calls,
        "calls_per_s": sum(second.calls for second in recent) / span,
        "errors_per_s": errors / span,
        "error_share": errors / ended if ended else None,
        "p50_ms": times.quantile(0.5),
        "p95_ms": times.quantile(0.95),
        "p99_ms": times.quantile(0.99),
        "latency_until": until,
        "in_flight": sum(max(0, each.leads) for each in alive),
        "shadows_in_flight": sum(max(0, each.shadows) for each in alive),
        "inner_in_flight": sum(max(0, each.inner) for each in alive),
        "unknown": sum(_begun(each) for each in there if each.key in away),
        "shed": state.shed,
        "skipped": state.skipped,
        "inner_shed": state.inner_shed,
        "inner_skipped": state.inner_skipped,
        "shed_per_s": sum(second.shed for second in recent) / span,
        "lag_ms": max((second.lag_ms for second in recent), default=0.0),
        "lagged": state.lagged,
        "restarts": state.restarts,
        "processes": [
            {
                "pid": each.pid,
                "runtime": each.runtime,
                "service": each.service,
                "state": each.state,
                "started": each.started,
                "last_ts": each.last_ts,
                "first_seq": each.first_seq,
                "missing": each.missing,
                "key": each.key,
                "is_silent": is_silent(each, now),
                "is_idle": is_silent(each, now) and each.key not in away,
                "unknown": _begun(each) if each.key in away else 0,
            }
            for each in state.processes.values()
        ],
    }


def _minute(state: State, ts: float) -> list[Second]:
    """Return the seconds of the minute before a time."""
    first = int(ts) - _WINDOW + 1
    return [second for number, second in state.seconds.items() if first <= number <= ts]


def _latencies(state: State, recent: list[Second]) -> tuple[Sketch, float | None]:
    """Return how long leads took in the last minute, or in the last one in which any ended.

    That one's end is returned too.
    """
    until: float | None = None
    if not any(second.ended for second in recent):
        last = max((number for number, each in state.seconds.items() if each.ended), default=None)
        if last is not None:
            until = float(last)
            recent = _minute(state, last)
    times = Second().ms
    for second in recent:
        times.merge(second.ms)
    return times, until


def _begun(process: Process) -> int:
    return max(0, process.leads) + max(0, process.shadows)


def seconds(state: State, only: Iterable[int] | None = None) -> Json:
    """Return the rows of the last seconds, or of some of them."""
    first = int(state.last_ts or 0.0) - _SHOWN_SECONDS + 1
    wanted = state.seconds if only is None else sorted(set(only) & state.seconds.keys())
    return {"rows": [_row(n, state.seconds[n]) for n in wanted if n >= first]}


def _row(number: int, second: Second) -> list[Any]:
    return [
        number,
        second.calls,
        second.ended,
        second.errors,
        second.shadows,
        second.shed,
        second.skipped,
        second.lag_ms,
        second.ms.quantile(0.5),
        second.ms.quantile(0.95),
        second.ms.quantile(0.99),
        second.inner_calls,
    ]


def case_of(config_id: str, case: Case, away: frozenset[str] = NOBODY) -> Json:
    """Return what is known of a case, when some processes are lost."""
    errors = sorted(case.errors.items(), key=lambda item: (-item[1].count, item[0]))
    shown = [
        {"type": kind, "count": each.count, "message": each.message, "call_id": each.call_id}
        for kind, each in errors[: case.why_not.most]
    ]
    others = case.other_errors + sum(each.count for _, each in errors[case.why_not.most :])
    if others:
        shown.append({"type": "(others)", "count": others, "message": None, "call_id": None})
    return {
        "config_id": config_id,
        "label": case.label,
        "values": case.values,
        "state": None,
        "circuit": case.circuit or "closed",
        "lagged": case.lagged,
        "lag_ms": case.lag_ms,
        "roles": {name: _role(role, away) for name, role in sorted(case.roles.items())},
        "why_not": case.why_not.ranked(),
        "errors": shown,
    }


def _role(role: Role, away: frozenset[str]) -> Json:
    times, waits = role.duration, role.queue
    in_flight, unknown = flying(role, away)
    return {
        **{name: getattr(role, name) for name in _COUNTS},
        "planned": role.planned,
        "in_flight": in_flight,
        "unknown": unknown,
        "p50_ms": times.quantile(0.5),
        "p90_ms": times.quantile(0.9),
        "p95_ms": times.quantile(0.95),
        "p99_ms": times.quantile(0.99),
        "mean_ms": times.mean,
        "queue_p50_ms": waits.quantile(0.5),
        "queue_p99_ms": waits.quantile(0.99),
        "histogram": [[upper, count] for upper, count in times.histogram(40)],
    }


def experiment(state: State, name: str, cases: list[Json], away: frozenset[str] = NOBODY) -> Json:
    """Return what is known of an experiment, in all processes; its `cases` are told already."""
    known = state.experiments[name]
    where = [state.processes[key] for key in known.processes if key in state.processes]
    roles = _roles(known)
    flights = [flying(role, away) for role in roles.values()]
    times = Sketch()
    for role in LEADS:
        if role in roles:
            times.merge(roles[role].duration)
    return {
        "name": name,
        "strategy": known.strategy,
        "configs": known.configs,
        "is_disabled": bool(known.is_disabled or state.is_disabled),
        "pinned": known.pinned or None,
        "processes": [each.key for each in where],
        "services": sorted({each.service for each in where if each.service is not None}),
        "calls": known.calls,
        "inner_calls": known.inner_calls,
        "planned": known.planned,
        "in_flight": sum(known for known, _ in flights),
        "unknown": sum(unknown for _, unknown in flights),
        **_sums(roles.values()),
        "leads": _sums(role for name, role in roles.items() if name in LEADS),
        "shadows": _sums(role for name, role in roles.items() if name not in LEADS),
        "p50_ms": times.quantile(0.5),
        "p95_ms": times.quantile(0.95),
        "p99_ms": times.quantile(0.99),
        "last_ts": known.heard_ts,
        "reasons": known.reasons.ranked(),
        "strategy_failures": known.strategy_failures,
        "rejections": known.rejections,
        "cases": cases,
        "varying": _varying(case["values"] for case in cases),
    }


def _sums(roles: Iterable[Role]) -> dict[str, int]:
    """Return how many branches of some roles ended in which way."""
    several = [*roles]
    return {count: sum(getattr(role, count) for role in several) for count in _ENDS}


def _roles(known: Experiment) -> dict[str, Role]:
    """Return what became of all branches of an experiment, by role."""
    found: dict[str, Role] = {}
    for roles in (known.past, *(case.roles for case in known.cases.values())):
        for name, role in roles.items():
            add_role(found, name, role)
    return found


def _varying(several: Iterable[Any]) -> list[str]:
    """Return the keypaths that have not the same value in all configs."""
    flat = [dict(_flat(cast("Json", each))) for each in several if isinstance(each, Mapping)]
    keypaths = dict.fromkeys(keypath for each in flat for keypath in each)
    return [
        keypath
        for keypath in keypaths
        if len({repr(each.get(keypath, _flat)) for each in flat}) > 1
    ]


def _flat(values: Mapping[str, Any], above: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in values.items():
        keypath = f"{above}{key}"
        if isinstance(value, Mapping) and value:
            yield from _flat(cast("Json", value), f"{keypath}.")
        else:
            yield keypath, value


def actors(state: State, away: frozenset[str] = NOBODY) -> list[Json]:
    """Return all actors, process by process, in the order in which they were heard of first."""
    places = {key: place for place, key in enumerate(state.processes)}
    several = sorted(
        state.actors.items(), key=lambda item: places.get(item[1].process or "", len(places))
    )
    return [_actor(state, key, actor, away) for key, actor in several]


def state_of_case(state: State, experiment: str, case: Case, away: frozenset[str]) -> str | None:
    """Return the state of the actors of a case, in all processes; how many are in each if any."""
    name = f"{experiment}[{case.label}]"
    found = Counter(
        _state_of(actor, away)
        for key in state.experiments[experiment].processes
        if (actor := state.actors.get(actor_key(key, name))) is not None
    )
    if len(found) <= 1:
        return next(iter(found), None)
    return ", ".join(f"{count} {told or 'unknown'}" for told, count in found.most_common())


def _state_of(actor: Actor, away: frozenset[str]) -> str | None:
    """Return the state of an actor, as far as it is known."""
    return "unknown" if actor.process in away and actor.state == "running" else actor.state


def _actor(state: State, key: str, actor: Actor, away: frozenset[str]) -> Json:
    kind, experiment = _kind(state, actor.name, actor)
    is_known = actor.process not in away
    crash = actor.crash
    process = state.processes.get(actor.process or "")
    return {
        "key": key,
        "name": actor.name,
        "process": actor.process,
        "service": None if process is None else process.service,
        "experiment": experiment,
        "kind": kind,
        "state": _state_of(actor, away),
        "since": actor.since,
        "restarts": actor.restarts,
        "waiting": actor.waiting if is_known else None,
        "capacity": actor.capacity,
        "in_flight": actor.in_flight if is_known else None,
        "dead_letters": actor.dead_letters,
        "gave_up": actor.gave_up,
        "crash": None if crash is None else msgspec.to_builtins(crash),
    }


def _kind(state: State, name: str, actor: Actor) -> tuple[str, str | None]:
    """Return what kind of actor it is, and of which experiment, by its name."""
    known = state.experiments
    if name in known:
        return "supervisor", name
    above = name.removesuffix("/strategy")
    if above != name and above in known:
        return "strategy", above
    place = name.find("[")
    while place > 0 and name.endswith("]"):
        if name[:place] in known:
            return "case", name[:place]
        place = name.find("[", place + 1)
    return "other", actor.experiment


def calls(state: State, away: frozenset[str] = NOBODY) -> list[Json]:
    """Return the last calls, newest first: so many from outside, and so many that branches made."""
    found: list[Json] = []
    left = {False: _SHOWN_CALLS, True: _SHOWN_CALLS}
    for call_id in reversed(state.calls):
        call = state.calls[call_id]
        is_inner = call.is_inner
        if left[is_inner]:
            left[is_inner] -= 1
            found.append(_call(state, call_id, call, away))
    return found


def found_calls(state: State, asked: str, away: frozenset[str] = NOBODY) -> list[Json]:
    """Return the calls that are kept in which all words are, newest first.

    A word is looked for in all that is known of a call: what it was called with, what came of it,
    what its caller had bound, its trace; `status:error` in one field of that name only.
    """
    words = asked.lower().split()
    found: list[Json] = []
    for calls in (state.calls, state.failed):
        for call_id in reversed(calls):
            known = calls[call_id]
            row = _call(state, call_id, known, away)
            if _is_so(words, row, known):
                found.append(row)
                if len(found) == _SHOWN_CALLS:
                    return found
    return found


def _is_so(words: list[str], row: Json, call: Called) -> bool:
    """Whether each word is in what is known of a call."""
    fields = {name: row[name] for name in _FOUND_BY}
    fields |= {**call.context, "call": row["call_id"]}
    fields |= {"trace_id": call.trace_id, "span_id": call.span_id}
    for name in ("arguments", "result", "label", "error_type", "error_message"):
        told = {getattr(branch, name) for branch in call.branches.values()}
        fields[name.replace("_", ".")] = " ".join(each for each in told if each)
    texts = {name.lower(): str(value or "").lower() for name, value in fields.items()}
    whole = "\n".join(texts.values())
    for word in words:
        name, colon, wanted = word.partition(":")
        if wanted not in texts[name] if colon and wanted and name in texts else word not in whole:
            return False
    return True


def _call(state: State, call_id: str, call: Called, away: frozenset[str]) -> Json:
    process = state.processes.get(call.process or "")
    lead = next(
        (each for each in call.branches.values() if each.role == "primary"),
        next((each for each in call.branches.values() if each.config_id == call.config_id), None),
    )
    return {
        "call_id": call_id,
        "ts": call.ts,
        "experiment": call.experiment,
        "is_inner": call.is_inner,
        "service": None if process is None else process.service,
        "reason": call.reason,
        "branches": max(len(call.branches), call.planned or 0),
        "status": None if lead is None else _status(lead.status, call, away),
        "duration_ms": None if lead is None else lead.duration_ms,
    }


def _status(status: str | None, call: Called, away: frozenset[str]) -> str | None:
    return "unknown" if status == "running" and call.process in away else status


def call(state: State, call_id: str, away: frozenset[str] = NOBODY) -> Json | None:
    """Return all that is kept of a call: its branches, and the calls around it and inside it."""
    known = state.calls.get(call_id) or state.failed.get(call_id)
    if known is None:
        return None
    parents = known.callers
    mine = known.branches.keys()
    parent: str | None = None
    inner: list[str] = []
    for other_id, other in chain(state.failed.items(), state.calls.items()):
        if other is known:
            continue
        if parent is None and parents & other.branches.keys():
            parent = other_id
        if other.callers & mine:
            inner.append(other_id)
    branches = [
        {
            "branch_id": branch_id,
            **msgspec.to_builtins(branch),
            "status": _status(branch.status, known, away),
        }
        for branch_id, branch in known.branches.items()
    ]
    return {
        "call_id": call_id,
        "experiment": known.experiment,
        "ts": known.ts,
        "reason": known.reason,
        "process": known.process,
        "context": known.context,
        "trace_id": known.trace_id,
        "span_id": known.span_id,
        "branches": branches,
        "parent": parent,
        "inner": inner,
    }


def listed(entries: Iterable[Lag] | Iterable[Notice]) -> list[Json]:
    """Return lags or notices, newest first: of several logs they do not come in that order."""
    ordered = sorted(entries, key=lambda entry: entry.ts)
    return [msgspec.to_builtins(entry) for entry in ordered[::-1]]


def works(known: Mapping[str, Work], what: str) -> list[Json]:
    """Return runs or batches, newest first."""
    return [
        {
            what: number,
            "name": work.name,
            "status": work.status,
            "counts": work.counts.ranked(),
            "started": work.started,
            "ended": work.ended,
            "done": work.done,
            "count": work.count,
            "progress": min(1.0, work.done / work.count) if work.count else None,
            "last_item": work.last_item,
        }
        for number, work in [*known.items()][::-1]
    ]


def tail(state: State, count: int) -> list[list[Any]]:
    """Return the last lines, each with its number."""
    lines = state.tail[-count:] if count else []
    first = state.events - len(lines) + 1
    return [[first + place, msgspec.json.decode(line)] for place, line in enumerate(lines)]
