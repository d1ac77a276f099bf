"""Whatever an event says or leaves out, it is folded; and what is kept is bounded."""

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
import pytest

from tests.dashboard.made import FIELDS, NAMES, NEEDED, as_json, made_event
from understudy.dashboard import Board, Limits, State, fold, fold_lines, merge, read_line
from understudy.events import Event, encode_line

make: Any = Event  # of fields that are chosen here


def event(name: str, **fields: Any) -> Event:
    told: Event = make(
        **{"v": 1, "ts": 1e9, "event": name, "level": "info", "seq": 1, "pid": 1, **fields}
    )
    return told


@pytest.mark.parametrize("name", NAMES)
def test_an_event_is_folded_whatever_it_leaves_out(name: str) -> None:
    chance = Random(name)
    whole = {field: chance.choice(values) for field, values in FIELDS.items()}
    for missing in [None, *(field for field in FIELDS if field not in NEEDED)]:
        told = {field: value for field, value in whole.items() if field != missing}
        first = make(**{**told, "v": 1, "event": name})
        state = State()
        for second in NAMES:
            state = fold(State(), first)
            state = fold(state, make(**{**told, "v": 1, "event": second}))
            assert state.events == 2
        assert msgspec.json.decode(msgspec.json.encode(state.tail[0]))


def test_a_config_that_is_pinned_is_seen_until_it_is_not_any_more() -> None:
    of = {"experiment": "answer", "reason": "dashboard"}
    pinned = event("experiment.pinned", config_id="5d4a", label="small", **of)
    unpinned = event("experiment.unpinned", seq=2, **of)
    board = Board()
    board.take(encode_line(pinned))
    assert board.document()["experiment:answer"]["pinned"] == "small"
    after = merge(fold(State(), pinned), fold(State(), unpinned))
    assert Board(after).document()["experiment:answer"]["pinned"] is None
    assert [each.event for each in after.notices] == [pinned.event, unpinned.event]


def test_a_state_is_saved_and_loaded_as_json_and_as_messagepack() -> None:
    chance = Random(7)
    state = State()
    for _ in range(500):
        state = fold(state, made_event(chance))
    told = msgspec.json.encode(state)
    loaded = msgspec.json.decode(told, type=State)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(loaded), type=State)
    assert again == loaded
    assert as_json(again) == as_json(state)
    for _ in range(100):  # and goes on as if nothing had been
        one = made_event(chance)
        assert as_json(fold(loaded, one)) == as_json(fold(state, one))


def test_folding_lines_is_folding_them_one_by_one() -> None:
    chance = Random(3)
    lines = [encode_line(made_event(chance))[:-1] for _ in range(200)]
    lines[50] = b'{"v":1,"torn'
    one_by_one = State(limits=Limits(tail=20))
    for raw in lines:
        line = read_line(raw)
        if line is None:
            one_by_one.unreadable += 1
        else:
            one_by_one = fold(one_by_one, line)
    at_once = fold_lines(State(limits=Limits(tail=20)), lines)
    assert msgspec.json.encode(at_once) == msgspec.json.encode(one_by_one)
    assert at_once.unreadable > 0


def test_events_and_fields_that_nobody_knows_are_kept() -> None:
    told = b'{"v":1,"ts":5.0,"event":"nobody.knows","level":"info","seq":7,"pid":1,"new":{"a":[1]}}'
    board = Board()
    board.take(told)
    assert board.document()["tail"]["lines"] == [[1, msgspec.json.decode(told)]]


def test_values_of_configs_are_shown_where_they_are_told_and_what_varies_is_named() -> None:
    class Told(Event, frozen=True, kw_only=True):  # as a later version may tell them
        values: Any = None

    state = State()
    for number, values in enumerate(
        [{"m": "a", "x": {"y": 1, "z": 0}}, {"m": "b", "x": {"y": 2, "z": 0}}]
    ):
        told = event("actor.started", experiment="answer", config_id=str(number), actor="answer[a]")
        fields = {name: getattr(told, name) for name in told.__struct_fields__ if name != "values"}
        state = fold(state, Told(**fields, values=values))
    document = Board(state).document()["experiment:answer"]
    assert document["varying"] == ["m", "x.y"]
    assert [case["values"]["m"] for case in document["cases"]] == ["a", "b"]


def test_what_an_actor_samples_is_shown() -> None:
    class Sampled(Event, frozen=True, kw_only=True):
        waiting: int | None = None
        capacity: int | None = None
        in_flight: int | None = None

    told = event("actor.sampled", actor="answer[a]")
    fields = {name: getattr(told, name) for name in told.__struct_fields__}
    fields |= {"waiting": 3, "capacity": 64, "in_flight": 2}
    (actor,) = Board(fold(State(), Sampled(**fields))).document()["actors"]
    assert (actor["waiting"], actor["capacity"], actor["in_flight"]) == (3, 64, 2)


def test_a_branch_that_never_began_counts_under_its_status_and_is_not_in_flight() -> None:
    state = State()
    of = {"experiment": "answer", "config_id": "c", "role": "shadow"}
    state = fold(state, event("branch.skipped", **of, status="timeout", reason="deadline"))
    case = state.experiments["answer"].cases["c"]
    role = case.roles["shadow"]
    assert (role.timeout, role.skipped, role.in_flight, role.planned) == (1, 0, 0, 1)
    assert case.why_not.names == {"deadline": 1}


def played(
    parent: str | None, role: str, ended: str, status: str, **fields: Any
) -> Iterator[Event]:
    """Yield what is told of a call of one branch."""
    call_id = f"of {parent} {role} {ended}"
    of: dict[str, Any] = {"experiment": "answer", "config_id": "c", "call_id": call_id}
    of |= {"parent_branch_id": parent, "branch_id": f"{call_id} 1"}
    yield event("call.planned", **of, count=1)
    if ended == "branch.completed":
        yield event("branch.started", **of, role=role)
    yield event(ended, **of, role=role, status=status, **fields)


def test_only_calls_from_outside_are_in_the_overview_and_all_in_their_experiment() -> None:
    told = [
        *played(None, "primary", "branch.completed", "ok", duration_ms=7.0),
        *played("b1", "primary", "branch.completed", "error", duration_ms=900.0),
        *played("b1", "shadow", "branch.shed", "shed"),
        *played("b1", "shadow", "branch.skipped", "skipped"),
    ]
    board = Board()
    board.take_all(told)
    document = board.document()
    overview, experiment = document["overview"], document["experiment:answer"]
    assert (overview["calls"], overview["inner_calls"]) == (1, 3)
    assert (overview["shed"], overview["skipped"]) == (0, 0)
    assert (overview["inner_shed"], overview["inner_skipped"]) == (1, 1)
    assert (overview["calls_per_s"], overview["error_share"], overview["shed_per_s"]) == (1, 0, 0)
    assert overview["p99_ms"] == pytest.approx(7.0, rel=0.05)
    (row,) = document["seconds"]["rows"]
    assert (row[1], row[2], row[3], row[5], row[6], row[11]) == (1, 1, 0, 0, 0, 3)
    assert (experiment["calls"], experiment["inner_calls"]) == (4, 3)
    assert (experiment["ok"], experiment["error"]) == (1, 1)
    assert [each["is_inner"] for each in document["calls"]] == [True, True, True, False]


def test_what_is_in_flight_is_of_calls_from_outside_and_the_rest_is_apart() -> None:
    state = State()
    for parent, role in [(None, "primary"), (None, "shadow"), ("b1", "primary"), ("b2", "shadow")]:
        state = fold(state, [*played(parent, role, "branch.completed", "ok")][1])
    overview = Board(state).document()["overview"]
    names = ("in_flight", "shadows_in_flight", "inner_in_flight")
    assert [overview[name] for name in names] == [1, 1, 2]


def test_a_call_of_an_older_log_which_does_not_say_who_made_it_counts_as_from_outside() -> None:
    planned, *branch = played("b1", "primary", "branch.completed", "ok", duration_ms=7.0)
    state = fold(State(), msgspec.structs.replace(planned, parent_branch_id=None))
    assert (state.called, state.inner_calls) == (1, 0)
    document = Board(fold_lines(state, branch)).document()
    assert [each["is_inner"] for each in document["calls"]] == [True]  # its branch says so


def test_errors_of_shadows_are_apart_from_those_that_somebody_waited_for() -> None:
    board = Board()
    for role, status in [("primary", "ok"), ("branch", "timeout"), ("shadow", "error")]:
        board.take_all(played(None, role, "branch.completed", status))
    told = board.document()["experiment:answer"]
    assert (told["leads"]["ok"], told["leads"]["timeout"], told["leads"]["error"]) == (1, 1, 0)
    assert (told["shadows"]["ok"], told["shadows"]["error"]) == (0, 1)


def test_configs_that_are_pinned_are_among_the_notices() -> None:
    names = ["experiment.pinned", "experiment.unpinned"]
    state = State()
    for name in names:
        state = fold(state, event(name, experiment="answer", reason="dashboard"))
    assert [each.event for each in state.notices] == names


def test_events_that_are_not_in_the_log_are_missing() -> None:
    state = State()
    for seq in (3, 4, 7, 6, 10):
        state = fold(state, event("nobody.knows", seq=seq))
    state = fold(state, event("log.dropped", seq=0, count=3))
    overview = Board(state).document()["overview"]
    assert (overview["missing"], overview["dropped"]) == (3, 3)


def busy(count: int) -> Iterator[Event]:
    """Yield events with ever new names of everything."""
    number = 0
    while True:
        number += 1
        of = {
            "ts": 1e9 + number,
            "pid": number % 5_000,
            "experiment": f"experiment {number % 3_000}",
            "config_id": f"config {number}",
            "label": f"label {number}",
            "call_id": f"call {number}",
            "actor": f"actor {number}",
            "reason": f"reason {number}",
            "error_type": f"Error{number}",
            "error_message": "why " * 300,
        }
        names = (
            "call.planned",
            "branch.started",
            "branch.completed",
            "branch.shed",
            "actor.crashed",
        )
        for place, name in enumerate((*names, "loop.lagged", "batch.item_completed")):
            yield event(
                name,
                **of,
                seq=number * 10 + place,
                branch_id=f"branch {number}",
                role="shadow",
                duration_ms=float(number),
                batch=f"batch {number}",
            )
            count -= 1
            if not count:
                return


def test_what_is_kept_does_not_grow_with_the_log() -> None:
    limits = Limits(
        experiments=50, cases=100, calls=100, seconds=60, tail=50, actors=100, processes=20
    )
    sizes: list[int] = []
    state = State(limits=limits)
    for place, told in enumerate(busy(60_000), start=1):
        state = fold(state, told)
        if place in (20_000, 60_000):
            sizes.append(len(msgspec.msgpack.encode(state)))
    assert state.events == 60_000
    assert sizes[1] < 1.1 * sizes[0]
    assert sizes[1] < 2_000_000
