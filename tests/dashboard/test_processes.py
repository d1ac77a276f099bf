"""Several processes in one view: actors are those of one each, experiments are one by their name."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from understudy import Config, Runtime, ShadowStrategy
from understudy.dashboard import Board, State, fold_lines, merge
from understudy.events import Event

START = 1_700_000_000.0
ANSWER = {"experiment": "answer", "config_id": "c1", "label": "large"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def told(
    pid: int, service: str, *events: tuple[str, dict[str, Any]], begins: float = START
) -> list[bytes]:
    who = {"v": 1, "level": "info", "pid": pid, "runtime": f"r{pid}", "service": service}
    return [
        json.dumps({**who, "ts": begins + seq, "seq": seq, "event": name, **more}).encode()
        for seq, (name, more) in enumerate(events, 1)
    ]


def lived(pid: int, service: str, state: str, restarts: int) -> list[bytes]:
    """A process whose case was restarted some times, and is in some state in the end."""
    case = {**ANSWER, "actor": "answer[large]"}
    planned = {**ANSWER, "call_id": f"r{pid}-1", "count": 1}
    again = [("actor.restarted", {**case, "state": "running"})] * restarts
    return told(
        pid,
        service,
        ("actor.started", {**case, "state": "running"}),
        ("call.planned", planned),
        ("branch.started", {**planned, "role": "primary"}),
        *again,
        ("actor.stopped" if state == "stopped" else "actor.sampled", {**case, "state": state}),
    )


ONE = lived(1, "shop", "running", 2)
TWO = lived(2, "search", "stopped", 1)


def documents(*logs: Iterable[bytes]) -> list[dict[str, Any]]:
    """Return what logs come to, read one after the other and merged."""
    one, two = (fold_lines(State(), log) for log in logs)
    whole = fold_lines(State(), [line for log in logs for line in log])
    return [Board(whole).document(), Board(merge(one, two)).document()]


def test_actors_of_one_name_in_two_processes_are_two() -> None:
    for document in documents(ONE, TWO):
        actors = document["actors"]
        assert [(each["process"], each["service"]) for each in actors] == [
            ("1/r1", "shop"),
            ("2/r2", "search"),
        ]
        assert [(each["state"], each["restarts"]) for each in actors] == [
            ("running", 2),
            ("stopped", 1),
        ]
        assert {each["name"] for each in actors} == {"answer[large]"}
        assert len({each["key"] for each in actors}) == 2


def test_an_experiment_says_in_which_processes_and_services_it_is() -> None:
    for document in documents(ONE, TWO):
        answer = document["experiment:answer"]
        assert answer["processes"] == ["1/r1", "2/r2"]
        assert answer["services"] == ["search", "shop"]
        assert answer["calls"] == 2
        assert answer["cases"][0]["state"] == "1 running, 1 stopped"


def test_of_a_process_that_is_no_longer_kept_no_experiment_tells() -> None:
    state = fold_lines(State(), [*ONE, *TWO])
    for pid in range(3, 3 + state.limits.processes):
        state = fold_lines(state, told(pid, "other", ("runtime.started", {}), begins=START + 60))
    document = Board(state).document()
    assert document["experiment:answer"]["processes"] == []
    assert document["experiment:answer"]["calls"] == 2


async def test_actors_are_in_the_order_in_which_configs_were_given() -> None:
    events: list[Event] = []
    names = ["trusted", "quick", "cheaper", "another"]
    runtime = Runtime(
        configs=[{"model": name} for name in names],
        strategy=ShadowStrategy(),
        events=events.append,
    )

    async def answer(config: Config) -> str:
        return str(config.model)

    async with runtime:
        await runtime.call(runtime.experiment(name="answer")(answer))
    board = Board()
    board.take_all(events)
    cases = [each["name"] for each in board.document()["actors"] if each["kind"] == "case"]
    assert cases == [f"answer[{name}]" for name in names]
