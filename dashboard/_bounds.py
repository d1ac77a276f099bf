"""The bounds of a state: what makes room when there is too much."""

from typing import Final, TypeVar

from ._state import Called, Case, Experiment, Role, State

T = TypeVar("T")

_TENTH: Final = 10


def keep_last(entries: dict[str, T], most: int) -> None:
    """Let go of the first that came, of too many."""
    while len(entries) > most:
        del entries[next(iter(entries))]


def keep_calls(state: State, *, is_merged: bool = False) -> None:
    """Let go of the first calls, of too many; those of them that failed stay for a while.

    Those of two logs that were merged are put in the order of their times.
    """
    calls = state.calls
    while len(calls) > state.limits.calls:
        call_id = next(iter(calls))
        call = calls.pop(call_id)
        if call.is_failed:
            state.failed[call_id] = call
    if is_merged:
        state.failed = dict(sorted(state.failed.items(), key=lambda item: item[1].ts))
    keep_last(state.failed, state.limits.failed)


def keep_failed(state: State, call_id: str, call: Called) -> None:
    """Keep a call that failed, and is not one of the last."""
    state.failed[call_id] = call
    keep_last(state.failed, state.limits.failed)


def keep_actors(state: State, new: str | None = None) -> None:
    """Let go of those of which nothing was heard for longest, a tenth at once; not of a new one."""
    actors, most = state.actors, state.limits.actors
    if len(actors) > most:
        over = len(actors) - most + most // _TENTH
        old = [name for name in actors if name != new]
        for name in sorted(old, key=lambda name: actors[name].last_ts)[:over]:
            del actors[name]
            state.let_go += 1


def keep_seconds(state: State) -> None:
    """Keep the latest seconds, in their order."""
    seconds = state.seconds
    if len(seconds) > state.limits.seconds:
        for second in sorted(seconds)[: len(seconds) - state.limits.seconds]:
            del seconds[second]


def keep_processes(state: State, new: str | None = None) -> None:
    """Keep the latest processes; what is missing of the others is still known."""
    processes = state.processes
    most = state.limits.processes
    if len(processes) > most:
        over = len(processes) - most + most // _TENTH
        old = [key for key in processes if key != new]
        for key in sorted(old, key=lambda key: processes[key].last_ts)[:over]:
            process = processes.pop(key)
            _ground(state, key)
            state.missing += process.missing
            state.dropped += process.dropped
            if process.last_ts:
                first, last = state.known_ts or (process.first_ts, process.last_ts)
                state.known_ts = min(first, process.first_ts), max(last, process.last_ts)


def _ground(state: State, key: str) -> None:
    """Forget what was in a process: branches that never ended, and experiments."""
    for experiment in state.experiments.values():
        experiment.processes.pop(key, None)
        for roles in (experiment.past, *(case.roles for case in experiment.cases.values())):
            for role in roles.values():
                role.flying.pop(key, None)


def keep_experiments(state: State, new: str | None = None) -> None:
    """Keep the latest experiments."""
    if len(state.experiments) > state.limits.experiments:
        over = (
            len(state.experiments) - state.limits.experiments + state.limits.experiments // _TENTH
        )
        old = [name for name in state.experiments if name != new]
        for name in sorted(old, key=lambda name: state.experiments[name].heard_ts)[:over]:
            del state.experiments[name]
            state.let_go += 1
        state.case_count = sum(len(each.cases) for each in state.experiments.values())


def keep_cases(state: State, new: Case | None = None) -> None:
    """Keep the latest cases; the counts of the others go to those of their experiments."""
    most = state.limits.cases
    if state.case_count <= most:
        return
    known = [
        (case.last_ts, experiment, config_id)
        for experiment in state.experiments.values()
        for config_id, case in experiment.cases.items()
        if case is not new
    ]
    known.sort(key=lambda each: each[0])
    over = state.case_count - most + most // _TENTH
    for _, experiment, config_id in known[:over]:
        _retire(experiment, experiment.cases.pop(config_id))
        state.let_go += 1
    state.case_count = sum(len(each.cases) for each in state.experiments.values())


def _retire(experiment: Experiment, case: Case) -> None:
    for role, played in case.roles.items():
        add_role(experiment.past, role, played)


def keep_failures(case: Case) -> None:
    """Keep the errors that are most frequent; of the others, how many there were."""
    most = case.why_not.most
    if len(case.errors) > 2 * most:
        ordered = sorted(case.errors.items(), key=lambda item: (-item[1].count, item[0]))
        case.errors = dict(ordered[:most])
        case.other_errors += sum(failure.count for _, failure in ordered[most:])


def add_role(roles: dict[str, Role], name: str, more: Role) -> None:
    """Add what became of branches to what is known of others of that role."""
    mine = roles.get(name)
    if mine is None:
        mine = roles[name] = Role()
    for count in _COUNTS:
        setattr(mine, count, getattr(mine, count) + getattr(more, count))
    for key, often in more.flying.items():
        mine.flying[key] = mine.flying.get(key, 0) + often
        if not mine.flying[key]:
            del mine.flying[key]
    mine.duration.merge(more.duration)
    mine.queue.merge(more.queue)


_COUNTS: Final = [
    name for name in Role.__struct_fields__ if name not in ("duration", "queue", "flying")
]
