"""A process that is silent does not look alive: by the clock of who reads its log."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from understudy.dashboard import Board, State, fold_lines, merge
from understudy.dashboard._report import report  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.dashboard._top import screen  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

START = 1_700_000_000.0
LONG = 30.0
Json = dict[str, Any]
RUN = [sys.executable, "-m", "understudy"]


class Clock:
    """A clock that is set."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def told(pid: int, *events: tuple[str, float, dict[str, Any]]) -> Iterable[bytes]:
    for seq, (name, ts, more) in enumerate(events, 1):
        head = {"v": 1, "ts": START + ts, "event": name, "level": "info", "seq": seq, "pid": pid}
        yield json.dumps({**head, "runtime": f"r{pid}", **more}).encode()


def branch(number: int, role: str = "primary") -> dict[str, Any]:
    return {
        "experiment": "answer",
        "config_id": "c1",
        "label": "large",
        "role": role,
        "call_id": f"r-{number}",
        "branch_id": f"r-b{number}",
    }


def killed(pid: int = 1) -> list[bytes]:
    """A process that answers a call a second, is in the midst of two, and tells no more."""
    played: list[tuple[str, float, dict[str, Any]]] = [("runtime.started", 0.0, {})]
    for second in range(1, 31):
        number = 100 * pid + second
        role = "shadow" if second == 30 else "primary"
        played.append(("call.planned", second, {**branch(number), "count": 1}))
        played.append(("branch.started", second, branch(number, role)))
        if second < 29:
            done = {"status": "ok", "duration_ms": 5.0}
            played.append(("branch.completed", second + 0.005, branch(number, role) | done))
    busy = {"actor": "answer[large]", "state": "running", "waiting": 0, "in_flight": 2}
    played.append(("actor.sampled", 30.0, busy))
    return [*told(pid, *played)]


def look(board: Board) -> tuple[Json, Json]:
    document = board.document()
    return document["overview"], document["experiment:answer"]


def board_of(lines: Iterable[bytes], clock: Clock | None) -> Board:
    board = Board(clock=clock)
    for line in lines:
        board.take(line)
    return board


def test_rates_decay_by_the_clock_of_who_reads() -> None:
    clock = Clock(START + 30.0)
    board = board_of(killed(), clock)
    rates: list[float] = []
    for now in (30.0, 45.0, 60.0, 89.0, 91.0, 5000.0):
        clock.now = START + now
        rates.append(board.document()["overview"]["calls_per_s"])
    assert rates[0] == pytest.approx(1.0)
    assert rates == sorted(rates, reverse=True)
    assert rates[-2:] == [0.0, 0.0]
    seen = board.document()["overview"]
    assert (seen["error_share"], seen["calls"]) == (None, 30)
    assert seen["p50_ms"] == pytest.approx(5.0, rel=0.05)  # of the last minute there was
    assert START + 28 <= seen["latency_until"] <= START + 30


def test_what_a_silent_process_played_is_unknown_and_no_longer_in_flight() -> None:
    clock = Clock(START + 31.0)
    board = board_of(killed(), clock)
    seen, answer = look(board)
    assert (seen["in_flight"], seen["shadows_in_flight"], seen["unknown"]) == (1, 1, 0)
    assert (answer["in_flight"], answer["unknown"]) == (2, 0)
    assert not seen["processes"][0]["is_silent"]
    assert board.document()["actors"][0]["in_flight"] == 2
    clock.now = START + 46.0
    seen, answer = look(board)
    assert (seen["in_flight"], seen["shadows_in_flight"], seen["unknown"]) == (0, 0, 2)
    assert (answer["in_flight"], answer["unknown"]) == (0, 2)
    roles = answer["cases"][0]["roles"]
    assert [(each["in_flight"], each["unknown"]) for each in roles.values()] == [(0, 1), (0, 1)]
    assert answer["cases"][0]["state"] == "unknown"
    assert seen["processes"][0]["is_silent"]
    (actor,) = board.document()["actors"]
    assert (actor["state"], actor["in_flight"], actor["waiting"]) == ("unknown", None, None)
    (call,) = [each for each in board.document()["calls"] if each["call_id"] == "r-129"]
    assert call["status"] == "unknown"
    (inside,) = (board.call("r-129") or {})["branches"]
    assert inside["status"] == "unknown"


def test_of_two_processes_only_what_the_silent_one_played_is_unknown() -> None:
    second = [*told(2, ("runtime.started", 40.0, {}), ("branch.started", 50.0, branch(9)))]
    clock = Clock(START + 55.0)
    for state in (
        fold_lines(State(), [*killed(), *second]),
        merge(fold_lines(State(), killed()), fold_lines(State(), second)),
        msgspec.json.decode(
            msgspec.json.encode(fold_lines(State(), [*killed(), *second])), type=State
        ),
    ):
        seen, answer = look(Board(state, clock=clock))
        assert (seen["in_flight"], seen["unknown"]) == (1, 2)
        assert (answer["in_flight"], answer["unknown"]) == (1, 2)
        assert [each["is_silent"] for each in seen["processes"]] == [True, False]


def test_an_idle_process_is_silent_and_nothing_of_it_is_unknown() -> None:
    lines = killed()[:4]  # all that began has ended
    board = board_of(lines, Clock(START + 500.0))
    seen = board.document()["overview"]
    assert (seen["in_flight"], seen["unknown"]) == (0, 0)
    assert seen["processes"][0]["is_silent"]
    assert seen["processes"][0]["is_idle"]
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(START + 1.005))
    told = f"1/r1: idle since {since}, nothing in flight (never said closed)"
    assert told in report(board.document())
    assert f"1/r1 idle since {since}" in "\n".join(screen(board, 100, None))


def test_without_a_clock_all_is_as_it_was_at_the_last_event() -> None:
    seen, answer = look(board_of(killed(), None))
    assert (seen["in_flight"], seen["unknown"], answer["in_flight"]) == (1, 0, 2)
    assert seen["calls_per_s"] == pytest.approx(1.0)


def test_patches_tell_of_the_silence_and_then_are_silent_too() -> None:
    clock = Clock(START + 31.0)
    board = board_of(killed(), clock)
    assert board.patch()["experiment:answer"]["unknown"] == 0
    assert board.patch() == {}
    clock.now += 1.0
    assert [*board.patch()] == ["overview"]  # the rates decay
    clock.now = START + 46.0
    patch = board.patch()
    assert patch["experiment:answer"]["unknown"] == 2
    assert {"actors", "calls"} <= patch.keys()
    clock.now = START + 200.0
    assert board.patch()["overview"]["calls_per_s"] == 0.0
    clock.now = START + 300.0
    assert board.patch() == {}


def test_a_process_that_goes_on_is_not_silent_any_more() -> None:
    clock = Clock(START + 46.0)
    board = board_of(killed(), clock)
    assert look(board)[0]["unknown"] == 2
    done = ("branch.completed", 46.0, branch(129) | {"status": "ok", "duration_ms": 5.0})
    for line in told(1, done):
        board.take(line)
    seen, answer = look(board)
    assert (seen["in_flight"], seen["shadows_in_flight"], seen["unknown"]) == (0, 1, 0)
    assert (answer["in_flight"], answer["unknown"]) == (1, 0)


def test_a_report_says_how_each_process_ended() -> None:
    closed = told(2, ("runtime.started", 0.0, {}), ("runtime.stopped", 1.0, {"count": 0}))
    board = board_of([*killed(), *closed], Clock(START + 400.0))
    text = report(board.document())
    ended = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(START + 30.0))
    assert f"1/r1: silent since {ended}, 2 in flight unknown (never" in text
    assert "2/r2: closed" in text
    assert " 1?" in text
    shown = "\n".join(screen(board, 100, None))
    assert "1/r1 silent for 6 min, 2 in flight unknown, 2/r2 closed" in shown
    assert "in flight 0 and 0 shadows, 2 unknown" in shown


SERVICE = """
import asyncio, sys
from understudy import Config, Runtime

runtime = Runtime(configs=[{"model": "large"}], events=sys.argv[1])

@runtime.experiment(name="answer")
async def answer(config: Config):
    await asyncio.Event().wait()

async def main():
    async with runtime:
        await answer()

asyncio.run(main())
"""


def test_a_process_that_was_killed_is_seen_to_be_so(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    with subprocess.Popen([sys.executable, "-c", SERVICE, str(log)]) as service:
        deadline = time.monotonic() + LONG
        while not (log.exists() and b"branch.started" in log.read_bytes()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        service.send_signal(signal.SIGKILL)
    last = time.time() - 3600.0
    lines = [json.loads(line) for line in log.read_bytes().splitlines()]
    log.write_text("".join(json.dumps(each | {"ts": last}) + "\n" for each in lines))
    done = subprocess.run([*RUN, "report", str(log)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "silent since " in done.stdout
    assert "1 in flight unknown (never said closed)" in done.stdout
