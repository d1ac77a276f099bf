"""A page that got the document once, and every patch since, shows what the document says now."""

from random import Random
from typing import Any

import msgspec
import pytest

from tests.dashboard.made import made_event
from understudy.dashboard import Board, Limits, State
from understudy.events import Event, encode_line


class Page:
    """What a page does with a document and its patches."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.known: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document))

    def apply(self, patch: dict[str, Any]) -> None:
        told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(patch))
        for key, value in told.items():
            if value is None:
                del self.known[key]
            elif key == "seconds":
                rows = {row[0]: row for row in [*self.known[key]["rows"], *value["rows"]]}
                self.known[key] = {"rows": [rows[second] for second in sorted(rows)]}
            elif key == "tail":
                lines = [*self.known[key]["lines"], *value["lines"]]
                self.known[key] = {"lines": lines}
            else:
                self.known[key] = value


@pytest.mark.parametrize("seed", range(40))
def test_a_document_and_its_patches_are_the_document(seed: int) -> None:
    chance = Random(seed)
    small = Limits(cases=4, experiments=2, calls=5, actors=3, tail=50, lags=5, notices=5)
    board = Board(State(limits=small if seed % 2 else Limits()))
    for _ in range(chance.randrange(20)):
        board.take(made_event(chance))
    page = Page(board.document())
    board.patch()
    for _ in range(15):
        for _ in range(chance.randrange(6)):
            told = made_event(chance)
            board.take(told if chance.random() < 0.5 else encode_line(told)[:-1])
        page.apply(board.patch())
    now = Page(board.document()).known
    for key, told in now.items():
        if key == "tail":
            assert page.known[key]["lines"][-len(told["lines"]) :] == told["lines"]
        else:
            assert page.known[key] == told, key
    assert page.known.keys() == now.keys()
    assert board.patch() == {}


def test_a_patch_has_two_hundred_lines_at_most_and_says_how_many_it_left_out() -> None:
    board = Board()
    for _ in range(500):
        board.take(b'{"v":1,"ts":5.0,"event":"nobody.knows","level":"info","seq":7,"pid":1}')
    tail = board.patch()["tail"]
    assert (len(tail["lines"]), tail["skipped"], tail["lines"][-1][0]) == (200, 300, 500)


def test_what_happened_is_told_newest_first_in_whatever_order_logs_are_read() -> None:
    board = Board()
    for pid, ts in ((1, 50.0), (1, 60.0), (2, 10.0), (2, 55.0), (2, 60.0)):
        happened = Event(v=1, ts=ts, event="runtime.started", level="info", seq=1, pid=pid)
        board.take(happened)
        board.take(msgspec.structs.replace(happened, event="loop.lagged", lag_ms=ts))
    document = board.document()
    told = [(each["pid"], each["ts"]) for each in document["notices"]]
    assert told == [(2, 60.0), (1, 60.0), (2, 55.0), (1, 50.0), (2, 10.0)]
    assert [each["ts"] for each in document["lags"]] == sorted([60, 60, 55, 50, 10], reverse=True)


def test_whoever_shares_a_board_lets_others_go_on_between_its_parts() -> None:
    board, rests = Board(), []
    for _ in range(3):
        board.take(b'{"v":1,"ts":5.0,"event":"call.planned","level":"info","seq":7,"pid":1}')
    board.patch(lambda: rests.append("patch"))
    assert len(rests) >= 2  # before `calls`, and before `tail`
    rests.clear()
    board.document(lambda: rests.append("document"))
    assert len(rests) >= 6


def test_a_call_is_told_with_the_calls_around_it_and_inside_it() -> None:
    board = Board()
    started = b'"ts":5.0,"event":"branch.started","level":"debug","seq":7,"pid":1'
    board.take(b'{"v":1,%s,"call_id":"c1","branch_id":"b1","role":"primary"}' % started)
    inner = b'"call_id":"c2","branch_id":"b2","parent_branch_id":"b1","role":"primary"'
    board.take(b"{%s,%s,%s}" % (b'"v":1', started, inner))
    outer, inside = board.call("c1"), board.call("c2")
    assert outer is not None
    assert inside is not None
    assert (outer["parent"], outer["inner"]) == (None, ["c2"])
    assert (inside["parent"], inside["inner"]) == ("c1", [])
    assert board.call("c3") is None
    assert board.experiment("answer") is None


def test_a_case_shows_the_state_of_its_actor_whoever_tells_of_it() -> None:
    board = Board()
    head = b'{"v":1,"ts":5.0,"level":"info","seq":7,"pid":1'
    branch = b'"experiment":"answer","config_id":"c","label":"large","role":"primary"}'
    board.take(head + b',"event":"branch.started",' + branch)
    board.patch()
    actor = b'"actor":"answer[large]","experiment":"another","state":"stopped"}'
    board.take(head + b',"event":"actor.stopped",' + actor)
    (case,) = board.patch()["experiment:answer"]["cases"]
    assert case["state"] == "stopped"


def test_what_a_board_remembers_for_nobody_does_not_grow() -> None:
    board = Board(State(limits=Limits(seconds=10, experiments=10)))
    for number in range(200):
        told = b'{"v":1,"ts":%d,"event":"call.planned","level":"info","seq":7,"pid":1,' % (
            number + 1
        )
        board.take(told + b'"experiment":"e%d"}' % number)
        assert len(board._experiments) <= 20
        assert len(board._seconds) <= 10
    changes = board.patch()
    assert [row[0] for row in changes["seconds"]["rows"]] == [*board.state.seconds]
    names = {name for name in changes if name.startswith("experiment:")}
    assert names == {f"experiment:{name}" for name in board.state.experiments}
