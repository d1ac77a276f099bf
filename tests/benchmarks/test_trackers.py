"""The table of trackers has a cell for each work of each, or says why not."""

from importlib.metadata import PackageNotFoundError

import pytest

from benchmarks.runs import bench_trackers
from benchmarks.runs.trackers import _trackers
from benchmarks.runs.trackers._processes import TrackerError, place
from benchmarks.runs.trackers._report import TrackersTold, as_markdown, gathered, render
from benchmarks.runs.trackers._rounds import Rounds
from benchmarks.runs.trackers._tensorboardx import _records as records_of_events
from benchmarks.runs.trackers._trackers import BY_HAND, TRACKERS, UNDERSTUDY
from benchmarks.runs.trackers._trials import Trial
from benchmarks.runs.trackers._wandb import _records as records_of_wandb
from benchmarks.runs.trackers._worker import Task
from benchmarks.runs.trackers._works import QUICK, TIMED, Spent

PEERS = [key for key, each in TRACKERS.items() if each.distribution]


def test_each_work_is_measured_and_nothing_of_ours_is_lost() -> None:
    rounds = Rounds([BY_HAND, UNDERSTUDY], 1, QUICK)
    rounds.measure()
    told = gathered(rounds)
    assert rounds.problems == {}
    ours = told.titles.index("understudy")
    waits, cpu, lost = told.grids
    for row in (*waits.rows, *cpu.rows):
        assert (row.values[ours] or 0) > 0
        assert row.cells[0].endswith("(1)")
    assert [row.values[ours] for row in lost.rows] == [0, 0, 0]
    assert [row.cells[ours] for row in lost.rows][1:] == ["0 of 4", "0 of 20"]
    assert all(f"| {row.work} |" in as_markdown(told) for row in (*waits.rows, *lost.rows))


def test_what_is_not_installed_is_said_and_has_no_column(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(_trackers, "version", version)
    monkeypatch.setattr(Rounds, "measure", lambda rounds: fill(rounds))
    told = bench_trackers.told_by(1, QUICK)
    assert told.titles == ("by hand", "floor", "understudy")
    missing = [TRACKERS[key].title for key in PEERS]
    assert told.remarks[-1] == f"not installed: {', '.join(missing)}"
    assert told.remarks[-1] in as_markdown(told)


def fill(rounds: Rounds) -> None:
    """Say that everything took a second, but for understudy, which took half of one."""
    for key in rounds.trackers:
        spent = Spent(waits=0.5, cpu=0.25) if key == UNDERSTUDY else Spent(waits=1, cpu=1)
        for work in TIMED:
            rounds.spent[key, work][0] = spent
        rounds.kills[key] = rounds.starts[key] = Trial(acknowledged=7, processes=4)


def some_told(*keys: str) -> TrackersTold:
    rounds = Rounds(keys, 1, QUICK)
    fill(rounds)
    if "aim" in keys:
        rounds.problems["aim", "record"].append("no room")
        rounds.starts["aim"] += Trial(processes=4, failed=3, lost=2, problem="locked")
    return gathered(rounds)


def test_ratios_are_to_what_it_takes_by_hand() -> None:
    told = some_told(BY_HAND, UNDERSTUDY)
    assert told.grids[0].rows[0].cells == ("1 s (1)", "500 ms (0.5)")
    assert told.grids[1].rows[0].cells == ("1 s (1)", "250 ms (0.25)")
    assert "500 ms (0.5)" in render(told)


def test_what_a_tracker_cannot_do_or_failed_at_is_told_under_the_tables() -> None:
    told = some_told(BY_HAND, UNDERSTUDY, "wandb", "aim")
    assert "wandb, offline, 100,000 points read back: has no reader of what it keeps offline" in (
        told.remarks
    )
    assert "aim, record: failed 1 times, first with `no room`" in told.remarks
    assert "aim, a process or reader said: `locked`" in told.remarks
    _, failed, lost = told.grids[2].rows
    assert (failed.cells[-1], lost.cells[-1]) == ("3 of 8", "2 of 7")


def test_what_a_tracker_cannot_do_is_work_that_there_is() -> None:
    for entry in TRACKERS.values():
        assert entry.cannot.keys() <= TIMED.keys()
        assert all(entry.cannot.values())


def test_what_it_was_asked_for_and_could_not_is_an_error_with_its_last_words() -> None:
    with place() as at, pytest.raises(TrackerError, match="FileNotFoundError"):
        at.ask(Task(tracker=BY_HAND, work="read", load=QUICK), None)


def test_a_torn_end_of_a_foreign_log_ends_what_is_read_of_it() -> None:
    event = b"\x03" + bytes(11) + b"abc" + bytes(4)
    assert [*records_of_events(event * 2 + event[:-1])] == [b"abc", b"abc"]
    record = bytes(4) + b"\x03\x00\x01" + b"abc"
    halves = bytes(4) + b"\x01\x00\x02a" + bytes(4) + b"\x01\x00\x04b"
    assert [*records_of_wandb(bytes(7) + record + halves + record[:-1])] == [b"abc", b"ab"]
