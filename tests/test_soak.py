"""The soak, for some seconds in every run of the tests; `make soak` goes on for an hour."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.soak._ledger import Ledger
from tests.soak._readings import Reading, Told, accounts, growth
from understudy import Config, Event, MemorySink, Runtime

ROOT = Path(__file__).parent.parent
FIRST = Reading(50 * 2**20, 200_000, 8, frozenset({"MainThread"}), Counter({"understudy.X": 10}))


def test_a_short_soak_finds_nothing() -> None:
    command = [sys.executable, "-X", "dev", "-m", "tests.soak"]
    command += ["--minutes", "0.01", "--every", "0.5", "--seed", "1"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *rounds, _, _, verdict = done.stdout.splitlines()
    assert len(rounds) == 3
    assert all(line.endswith(": fine") for line in rounds)
    assert verdict == "fine after 3 rounds with seed 1"


@pytest.mark.parametrize(
    ("last", "problem"),
    [
        (FIRST._replace(resident=100 * 2**20), "memory: 50.0 MiB more than after the warm-up"),
        (FIRST._replace(blocks=300_000), "memory: 100000 blocks more than after the warm-up"),
        (FIRST._replace(files=9), "files: 1 more are open"),
        (FIRST._replace(threads=frozenset({"understudy lead 1"})), "threads: understudy lead 1"),
        (
            FIRST._replace(objects=Counter({"understudy.X": 900})),
            "objects: 900 of understudy.X, 10 after the warm-up",
        ),
    ],
)
def test_what_grows_is_named(last: Reading, problem: str) -> None:
    assert [*growth(FIRST, FIRST)] == []
    assert [*growth(FIRST, last)] == [problem]


def test_what_one_busy_round_leaves_is_no_growth_and_what_every_round_leaves_is() -> None:
    busy = FIRST._replace(blocks=400_000, objects=Counter({"understudy.X": 900}))
    assert [*growth(FIRST, Reading.least([busy, busy], 3))] == []
    assert [*growth(FIRST, Reading.least([busy, FIRST, busy], 3))] == []
    assert len([*growth(FIRST, Reading.least([busy, busy, busy], 3))]) == 2


def event_laws(events: list[Event]) -> list[str]:
    told = Told(0)
    for event in events:
        told.add(event)
    return [*told.problems()]


class Played:
    """One call, and what was counted of it."""

    def __init__(self) -> None:
        self.sink = MemorySink()
        self.ledger = Ledger()
        self.runtime = Runtime(configs=[{"n": 0}], events=self.sink)
        self.runtime.subscribe(self.ledger.tell)

        @self.runtime.experiment(name="play")
        def play(config: Config) -> None:
            self.ledger.began("play")
            self.ledger.returned("play")

        self.play = play
        with self.runtime:
            play()

    def problems(self) -> list[str]:
        return [*accounts(self.runtime, self.ledger, 0), *event_laws(self.sink.events)]


def test_accounts_that_add_up_are_fine() -> None:
    assert Played().problems() == []


def test_a_result_that_nobody_was_told_is_found() -> None:
    played = Played()
    played.ledger.told.clear()
    assert played.problems() == ["play: 1 ok, but 0 were told"]


def test_a_body_that_nobody_counted_is_found() -> None:
    played = Played()
    played.ledger.bodies["play", "returned"] = 0
    assert played.problems() == ["play: 1 began, 0 returned, but 1 are ok"]


def test_an_error_that_nobody_may_see_is_found() -> None:
    played = Played()
    played.ledger.called("Async", KeyError("ours"))
    assert played.problems() == ["Async: KeyError('ours')"]


@pytest.mark.parametrize("name", ["call.planned", "branch.started", "branch.completed"])
def test_an_event_that_is_missing_is_found(name: str) -> None:
    events = [event for event in Played().sink.events if event.event != name]
    gap, *others = event_laws(events)
    assert gap.startswith(f"events: {len(events)} from 1 to ")
    assert others


def test_a_branch_that_ends_twice_is_found() -> None:
    events = Played().sink.events
    completed = [event for event in events if event.event == "branch.completed"]
    assert event_laws([*events, *completed])[-1] == "events: 2 branches ended, and were 1"
