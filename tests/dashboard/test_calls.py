"""Calls: what they were about, how they are found by it, and which of them are kept longer."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.contextvars import bound_contextvars

from understudy import Config, Runtime, ShadowStrategy
from understudy.dashboard import Board, Limits, State, fold_lines, merge
from understudy.events import Event, encode_line

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def told(name: str, seq: int, **fields: Any) -> Event:
    ts = 1e9 + seq / 10
    return Event(v=1, ts=ts, event=name, level="info", seq=seq, pid=7, runtime="r1", **fields)


def played(number: int, status: str = "ok", role: str = "primary", **fields: Any) -> list[Event]:
    """Return what is told of a call of one branch."""
    of: dict[str, Any] = {"experiment": "answer", "config_id": "c1", "label": "large"}
    of |= {"call_id": f"r1-{number}", "branch_id": f"r1-b{number}", "role": role}
    return [
        told("call.planned", 3 * number, experiment="answer", call_id=f"r1-{number}", count=1),
        told("branch.started", 3 * number + 1, **of),
        told("branch.completed", 3 * number + 2, **of, status=status, duration_ms=9.0, **fields),
    ]


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["call_id"] for row in rows]


async def test_a_call_is_found_by_what_it_was_about_from_a_log_and_live(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    live: list[Event] = []
    runtime = Runtime(
        configs=[{"model": "trusted"}, {"model": "cheaper"}],
        strategy=ShadowStrategy(),
        events=[str(log), live.append],
    )

    @runtime.experiment(name="answer", capture=True)
    async def answer(prompt: str, config: Config) -> str:
        return f"{prompt.upper()} by {config.model}"

    async with runtime:
        for number in range(3):
            with bound_contextvars(request_id=f"req-{number}", seq="theirs"):
                await answer(f"question {number}")
    for lines in (log.read_bytes().splitlines(), live):
        board = Board()
        board.take_all(lines)
        (row,) = board.found_calls("req-1")
        call = board.call(row["call_id"]) or {}
        assert call["context"] == {"request_id": "req-1", "seq": "theirs"}
        asked, gave = call["branches"][0]["arguments"], call["branches"][0]["result"]
        assert msgspec.json.decode(asked) == {"prompt": "question 1"}
        assert msgspec.json.decode(gave) == "QUESTION 1 by trusted"
        for words in ("request_id:req-1", "question 1 cheaper", ['result:"question', "1"][0]):
            assert row["call_id"] in ids(board.found_calls(words)), words
        assert ids(board.found_calls("REQUEST_ID:REQ-1")) == [row["call_id"]]
        assert board.found_calls("request_id:question") == []
        assert len(board.found_calls("")) == 3


def test_a_call_is_found_by_its_trace_and_by_its_error() -> None:
    board = Board()
    board.take_all(played(1))
    board.take_all(played(2, "error", error_type="ValueError", error_message="no room"))
    planned = told("call.planned", 9, call_id="r1-3", trace_id=TRACE, span_id="b7ad6b7169203331")
    board.take(encode_line(planned)[:-1])
    assert ids(board.found_calls(TRACE)) == ["r1-3"]
    assert ids(board.found_calls("trace_id:0af7")) == ["r1-3"]
    assert ids(board.found_calls("status:error")) == ["r1-2"]
    assert ids(board.found_calls("no room")) == ["r1-2"]
    assert (board.call("r1-3") or {})["span_id"] == "b7ad6b7169203331"


def test_what_is_kept_of_a_context_is_bounded() -> None:
    context = {f"key {number}": "x" * 5_000 for number in range(500)}
    for line in (told("call.planned", 1, call_id="r1-1", context=context),):
        for given in (line, encode_line(line)[:-1]):
            board = Board()
            board.take(given)
            assert len(msgspec.json.encode(board.call("r1-1"))) < 5_000


@pytest.mark.parametrize("is_merged", [False, True], ids=["folded", "merged"])
def test_calls_that_failed_are_kept_longer_and_no_more_than_there_is_room(is_merged: bool) -> None:
    limits = Limits(calls=10, failed=3)
    events = [
        event
        for number in range(100)
        for event in played(number, "error" if number % 20 == 0 else "ok")
    ]
    if is_merged:
        parts = (fold_lines(State(limits=limits), each) for each in (events[:150], events[150:]))
        state = merge(*parts)
    else:
        state = fold_lines(State(limits=limits), events)
    assert [*state.failed] == ["r1-40", "r1-60", "r1-80"]
    assert len(state.calls) == 10
    board = Board(state)
    assert (board.call("r1-60") or {})["branches"][0]["status"] == "error"
    assert board.call("r1-61") is None
    assert ids(board.found_calls("status:error")) == ["r1-80", "r1-60", "r1-40"]


def test_a_shadow_that_fails_takes_no_room_from_primaries() -> None:
    limits = Limits(calls=2)
    events = [event for number in range(9) for event in played(number, "error", "shadow")]
    assert fold_lines(State(limits=limits), events).failed == {}


def test_a_primary_that_fails_after_its_call_was_let_go_of_is_kept() -> None:
    slow = played(0, "timeout")
    slow[-1] = msgspec.structs.replace(slow[-1], ts=1e9 + 60.0, duration_ms=60_000.0)
    others = [event for number in range(1, 20) for event in played(number)]
    state = fold_lines(State(limits=Limits(calls=5)), [*slow[:2], *others, slow[-1]])
    (branch,) = state.failed["r1-0"].branches.values()
    assert branch.status == "timeout"
