"""Actors, experiments and runtimes: where they are in their lives."""

from typing import Any, Final

import msgspec

from understudy.events import Event

from ._bounds import keep_actors
from ._notices import note
from ._places import at, case_of, experiment_of, whole
from ._state import Actor, Crash, Process, State, actor_key
from ._texts import name_of, text_of

_MANY: Final = 16_384
_SAMPLED: Final = ("waiting", "capacity", "in_flight")
_OF_A_LIFE: Final = frozenset(
    {"actor.started", "actor.restarted", "actor.crashed", "actor.stopped", "actor.gave_up"}
)


def actor_told(state: State, event: Event, process: Process) -> None:
    """Note what an actor tells of itself."""
    if event.actor is None:
        return
    name = name_of(event.actor)
    ts = at(event.ts)
    key = actor_key(process.key, name)
    actor = state.actors.get(key)
    if actor is None:
        actor = state.actors[key] = Actor(name, process=process.key, last_ts=ts)
        keep_actors(state, key)
    actor.last_ts = max(actor.last_ts, ts)
    actor.experiment = event.experiment or actor.experiment
    actor.state = event.state or actor.state
    if event.event in _OF_A_LIFE:
        actor.since = ts
    match event.event:
        case "actor.started":
            _take_values(state, event, process)
        case "actor.restarted":
            actor.restarts += 1
            state.restarts += 1
        case "actor.crashed":
            actor.crash = Crash(ts, event.error_type, text_of(event.error_message))
        case "actor.dead_letter":
            actor.dead_letters += 1
        case "actor.gave_up":
            actor.gave_up += 1
        case _:
            for each in _SAMPLED:
                if (value := getattr(event, each, None)) is not None:
                    setattr(actor, each, whole(value))


def _take_values(state: State, event: Event, process: Process) -> None:
    """Note the values of the config that an actor plays, if it tells them."""
    values = getattr(event, "values", None)
    if values is None:
        return
    case = case_of(state, event, process)
    if case is not None:
        case.values = _plain(values) or case.values


def _plain(values: Any) -> Any:
    """Return values as JSON has them; as a text that is cut if they are many, or odd."""
    try:
        encoded = msgspec.json.encode(values, enc_hook=repr)
        return msgspec.json.decode(encoded) if len(encoded) <= _MANY else text_of(encoded.decode())
    except Exception:
        return None


def registered(state: State, event: Event, process: Process) -> None:
    if event.experiment is not None:
        experiment = experiment_of(state, event.experiment, event.ts)
        experiment.processes[process.key] = None
        experiment.strategy = event.strategy or experiment.strategy
        if event.count is not None:
            experiment.configs = whole(event.count)
    note(state, event, process)


def switched(state: State, event: Event, process: Process) -> None:
    is_disabled = event.event == "experiment.disabled"
    if event.experiment is None:
        state.is_disabled = is_disabled
    else:
        experiment_of(state, event.experiment, event.ts).is_disabled = is_disabled
    note(state, event, process)


def pinned(state: State, event: Event, process: Process) -> None:
    if event.experiment is not None:
        label = event.label or event.config_id or ""  # nothing: it is pinned no longer
        experiment_of(state, event.experiment, event.ts).pinned = name_of(label)
    note(state, event, process)


def strategy_failed(state: State, event: Event, process: Process) -> None:
    if event.experiment is not None:
        experiment_of(state, event.experiment, event.ts).strategy_failures += 1
    note(state, event, process)


def configs_told(state: State, event: Event, process: Process) -> None:
    if event.experiment is not None:
        experiment = experiment_of(state, event.experiment, event.ts)
        experiment.processes[process.key] = None
        if event.event == "config.rejected":
            experiment.rejections += 1
        elif event.event == "config.activated" and event.count is not None:
            experiment.configs = whole(event.count)
    note(state, event, process)


def lived(state: State, event: Event, process: Process) -> None:
    """Note where a runtime is in its life."""
    if event.event == "runtime.started":
        process.state = "running"
        process.started = at(event.ts)
    else:
        process.state = "draining" if event.event == "runtime.draining" else "stopped"
    note(state, event, process)


def dropped(state: State, event: Event, process: Process) -> None:
    process.dropped += whole(event.count)
    note(state, event, process)
