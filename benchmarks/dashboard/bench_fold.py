"""What it costs to read a log and to fold it, by the line, and how much is kept of it.

The log is that of an experiment with a trusted config and two shadows, as a runtime writes it: of
each seven lines one tells of the call, and two of each branch. The floor is the standard library
parsing them. The goal is a million lines in 6 seconds, on one core, reading included.

What is kept is the size of the state as MessagePack, after a log in which every experiment, config,
call, actor and error has a name of its own: it is not to grow with the log.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec

from benchmarks._command import main
from benchmarks._harness import Case, Goal, Table
from benchmarks._meter import Meter, metered
from understudy import Event
from understudy.dashboard import Board, Follower, State, fold, fold_lines, merge, read_line
from understudy.events import encode_line

QUICK: Final = {"lines": 700, "whole": 7_000, "sizes": (700, 2_100)}

_LINES: Final = 70_000
_WHOLE: Final = 1_000_000
_SIZES: Final = (100_000, 300_000)
_FLOOR: Final = "json.loads: the floor"
_LABELS: Final = ("trusted", "cheaper", "quicker")


def _told(number: int, name: str, place: int, **fields: Any) -> Event:
    return Event(
        v=1,
        ts=1e9 + number / 2_000,
        event=name,
        level="info" if name == "branch.completed" else "debug",
        seq=number * 7 + place + 1,
        pid=7,
        service="shop",
        runtime="5f0c1a2b",
        **fields,
    )


def _call(number: int, chance: random.Random) -> Iterator[Event]:
    """Yield what is told of one call."""
    call_id = f"5f0c1a2b-1-{number * 4}"
    of: dict[str, Any] = {"experiment": "shop.models.answer", "call_id": call_id}
    yield _told(number, "call.planned", 0, **of, reason="static", count=len(_LABELS))
    branches = [
        {
            **of,
            "branch_id": f"{call_id}{place}",
            "config_id": f"{place:016}",
            "label": label,
            "actor": f"shop.models.answer[{label}]",
            "role": "shadow" if place else "primary",
            "reason": "static",
        }
        for place, label in enumerate(_LABELS)
    ]
    for place, branch in enumerate(branches, start=1):
        yield _told(number, "branch.started", place, **branch)
    for place, branch in enumerate(branches, start=4):
        times = {"duration_ms": chance.lognormvariate(3, 1), "queue_ms": float(place > 4)}
        yield _told(number, "branch.completed", place, **branch, **times, status="ok")


def _log(count: int) -> list[bytes]:
    chance = random.Random(1)
    events = (event for number in range(count // 7) for event in _call(number, chance))
    return [encode_line(event)[:-1] for event in events]


def _by_the_line(count: int) -> Table:
    lines = _log(count)
    half = len(lines) // 2
    one, two = fold_lines(State(), lines[:half]), fold_lines(State(), lines[half:])

    def shown() -> object:
        board = Board()
        board.take_all(lines)
        return board.patch()

    many = len(lines)
    cases = [
        Case(_FLOOR, lambda: [json.loads(line) for line in lines], many),
        Case("read_line", lambda: [None for line in lines if read_line(line)], many, _FLOOR),
        Case(
            "fold_lines: read and fold",
            lambda: fold_lines(State(), lines),
            many,
            _FLOOR,
            Goal(total=6e-6),
        ),
        Case("Board.take_all: and note what changed", shown, many, _FLOOR),
        Case("merge two states of half the log each", lambda: merge(one, two)),
    ]
    return Table(f"a line of a log, of {many:,}", cases)


def _of_a_file(count: int, file: Path) -> Table:
    """Read a log from its file and fold it, as the dashboard does."""
    with file.open("wb") as opened:
        for first in range(0, count, _LINES):
            opened.writelines(line + b"\n" for line in _log(min(_LINES, count - first)))

    def folded() -> object:
        state = State()
        with Follower([file]) as follower:
            while lines := follower.read():
                fold_lines(state, lines)
        return state

    size = file.stat().st_size / 1e6
    case = Case("read and folded", folded, goal=Goal(total=count * 6e-6))
    title = f"a log of {count:,} events, {size:,.0f} MB, all of it"
    return Table(title, [case], is_once=True, patience=60.0)


def _ever_new(count: int) -> Iterator[Event]:
    """Yield events of ever new names."""
    for number in range(count):
        of: dict[str, Any] = {
            "experiment": f"experiment {number}",
            "config_id": f"config {number}",
            "label": f"label {number}",
            "call_id": f"call {number}",
            "branch_id": f"branch {number}",
            "actor": f"actor {number}",
            "reason": f"reason {number}",
            "role": "shadow",
            "error_type": f"Error{number}",
            "error_message": f"because of {number}",
        }
        names = ("call.planned", "branch.started", "branch.completed", "branch.shed")
        name = (*names, "actor.crashed")[number % 5]
        yield _told(number * 1_000, name, 0, **of, duration_ms=float(number))


def _kept(sizes: tuple[int, int]) -> Table:
    def folded(count: int) -> float:
        state = State()
        for event in _ever_new(count):
            state = fold(state, event)
        return float(len(msgspec.msgpack.encode(state)))

    few, many = sizes
    meter = Meter()
    name = f"after {few:,} events"
    cases = [
        Case(name, metered(meter, lambda: folded(few)), clock=meter.read),
        Case(
            f"after {many:,} events",
            metered(meter, lambda: folded(many)),
            1,
            name,
            Goal(ratio=1.1),
            meter.read,
        ),
    ]
    return Table("what is kept, all names new", cases, unit="B", patience=60.0, is_once=True)


def tables(
    lines: int = _LINES, whole: int = _WHOLE, sizes: tuple[int, int] = _SIZES
) -> Iterator[Table]:
    """Yield the tables of this benchmark."""
    yield _by_the_line(lines)
    with TemporaryDirectory() as folder:
        yield _of_a_file(whole, Path(folder) / "events.jsonl")
    yield _kept(sizes)


if __name__ == "__main__":
    main(tables, quick=QUICK)
