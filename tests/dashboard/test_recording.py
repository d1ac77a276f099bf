"""Runs that results are recorded into: what several processes tell of them comes to one row."""

from typing import Any

from understudy.dashboard import Board, Limits, State, fold
from understudy.dashboard._report import report  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.events import Event

RUN: dict[str, Any] = {"run": "r1", "project": "shop", "prefix": "tuned", "path": "/runs/tuned"}


def told(seq: int, name: str = "run.recording", **fields: Any) -> Event:
    stamps: dict[str, Any] = {"v": 1, "ts": 1e9 + seq, "level": "info", "seq": seq, "pid": 7}
    every: dict[str, Any] = {**stamps, "event": name, "runtime": "a", **RUN, **fields}
    return Event(**every)


def recorded(seq: int, label: str, count: int, **fields: Any) -> Event:
    of = {"experiment": "answer", "config_id": f"id of {label}", "label": label}
    more: dict[str, Any] = {**of, "count": count, "dropped": 0, **fields}
    return told(seq, **more)


def rows(*events: Event) -> list[dict[str, Any]]:
    board = Board()
    for event in events:
        board.take(event)
    found: list[dict[str, Any]] = board.document()["runs"]
    return found


def test_a_run_is_there_from_its_first_event_and_ends_with_the_last() -> None:
    events = [told(1), recorded(2, "large", 3), recorded(3, "large", 8), recorded(4, "small", 5)]
    (row,) = rows(*events)
    assert (row["run"], row["name"], row["path"]) == ("r1", "shop/tuned", "/runs/tuned")
    assert (row["status"], row["started"], row["ended"]) == ("running", 1e9 + 1, None)
    assert row["counts"] == {"answer[large]": 8, "answer[small]": 5}
    assert (row["done"], row["lost"]) == (13, 0)
    events.append(told(5, "run.ended", count=14, dropped=2))
    (row,) = rows(*events)
    assert (row["status"], row["ended"], row["done"], row["lost"]) == ("ended", 1e9 + 5, 14, 2)
    (row,) = rows(*events, told(6))
    assert (row["status"], row["ended"]) == ("running", None)


def test_processes_that_record_into_one_run_add_up() -> None:
    events = [recorded(2, "large", 3), recorded(3, "large", 4, pid=8, dropped=1)]
    (row,) = rows(*events, recorded(4, "large", 5))
    assert (row["counts"], row["done"], row["lost"]) == ({"answer[large]": 9}, 9, 1)


def test_what_is_kept_of_runs_is_bounded() -> None:
    state = State(limits=Limits(runs=3))
    for number in range(300):
        state = fold(state, recorded(number, f"label {number}", 1, pid=number))
        state = fold(state, recorded(number, f"label {number}", 1))
        state = fold(state, recorded(number, "large", 1, run=f"run {number}"))
        state = fold(state, recorded(number, "large", 1))
    assert len(state.recordings) == 3
    for kept in state.recordings.values():
        assert len(kept.counts) <= 50
        assert all(len(each) <= 200 for each in kept.counts.values())


def test_the_report_has_a_table_of_them_and_of_batches() -> None:
    board = Board()
    for event in (
        recorded(1, "large", 3, dropped=2),
        recorded(2, "small", 4),
        Event(v=1, ts=1e9, event="batch.started", level="info", seq=3, pid=7, batch="b1", count=9),
    ):
        board.take(event)
    text = report(board.document())
    assert text[text.index("Runs:") :].splitlines() == [
        "Runs:",
        "run         status   results of     lost  results",
        "b1          running                    0        0",
        "shop/tuned  running  /runs/tuned       2        7",
        "                     answer[small]     0        4",
        "                     answer[large]     0        3",
    ]
