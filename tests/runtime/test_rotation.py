"""Rotation: a file is put aside when it is large, once, and no line is lost, whoever writes."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from understudy import Event, FileSink
from understudy._events import EventsError  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

LONG = 20.0
LINE = 100
"""About how many bytes an event takes."""

posix = pytest.mark.skipif(sys.platform == "win32", reason="no locks that several may share")


def make(seq: int) -> Event:
    fields: dict[str, Any] = {"v": 1, "ts": 1.5, "event": "branch.started", "level": "debug"}
    return Event(**fields, seq=seq, pid=os.getpid(), label="x" * 10)


def tell(sink: FileSink, *numbers: int) -> None:
    for number in numbers:
        assert sink.put(make(number))
    assert sink.flush(LONG)


def files(path: Path) -> list[Path]:
    """Return what there is, the oldest first."""
    beside = [each for each in path.parent.iterdir() if each.name.startswith(f"{path.name}.")]
    beside.sort(key=lambda each: -int(each.suffix[1:]))
    return [*beside, *([path] if path.exists() else [])]


def numbers(path: Path) -> list[int]:
    return [json.loads(line)["seq"] for line in path.read_bytes().splitlines()]


def test_a_file_is_put_aside_before_it_is_too_large_and_so_many_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    sink = FileSink(path, rotate_bytes=2 * len(_line()) + 10, keep=2)
    for number in range(1, 8):
        tell(sink, number)
    assert sink.close(LONG)
    assert [each.name for each in files(path)] == [
        *("events.jsonl.2", "events.jsonl.1", "events.jsonl")
    ]
    assert [numbers(each) for each in files(path)] == [[3, 4], [5, 6], [7]]
    assert all(each.stat().st_size <= 2 * len(_line()) + 10 for each in files(path))
    assert sink.dropped == 0


def _line() -> bytes:
    from understudy.events import encode_line

    return encode_line(make(1))


def test_without_it_a_file_grows(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "events.jsonl")
    tell(sink, *range(200))
    assert sink.close(LONG)
    assert len(files(tmp_path / "events.jsonl")) == 1


def test_a_batch_that_is_larger_than_a_file_may_be_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    sink = FileSink(path, rotate_bytes=1)
    tell(sink, *range(50))
    tell(sink, 50)
    assert sink.close(LONG)
    assert [number for each in files(path) for number in numbers(each)] == [*range(51)]
    assert numbers(path) == [50]


@pytest.mark.parametrize(
    "given", [{"rotate_bytes": 0}, {"rotate_bytes": 1.5}, {"rotate_bytes": 9, "keep": 0}]
)
def test_what_is_no_size_is_refused(given: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(EventsError, match="must be a whole number from 1 on"):
        FileSink(tmp_path / "events.jsonl", **given)


def test_where_nothing_can_be_renamed_all_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "replace", refuse)
    path = tmp_path / "events.jsonl"
    sink = FileSink(path, rotate_bytes=100)
    for number in range(5):
        tell(sink, number)
    assert sink.close(LONG)
    assert (numbers(path), sink.dropped) == ([0, 1, 2, 3, 4], 0)


def test_what_is_no_file_is_not_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "null"
    path.symlink_to(os.devnull)
    sink = FileSink(path, rotate_bytes=1)
    tell(sink, 1)
    tell(sink, 2)
    assert sink.close(LONG)
    assert sink.dropped == 0
    assert files(path) == [path]


WRITER = """
import sys
from understudy import Event, FileSink
path, who, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
sink = FileSink(path, rotate_bytes=size, keep=10_000)
fields = dict(v=1, ts=1.5, event="branch.started", level="debug", pid=who)
for number in range(count):
    assert sink.put(Event(seq=number, **fields))
    if number % 7 == 0:
        assert sink.flush(60)
print("written", flush=True)
assert sink.close(60)
assert sink.dropped == 0
"""


def start(path: Path, who: int, count: int, size: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, str(path), str(who), str(count), str(size)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@posix
def test_several_processes_lose_no_line_and_put_no_file_aside_twice(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    count, size = 150, 3_000
    writers = [start(path, who, count, size) for who in range(3)]
    assert [writer.wait(60) for writer in writers] == [0] * 3
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.close()
    found = Counter[tuple[int, int]]()
    for each in files(path):
        for line in each.read_bytes().splitlines():
            event = json.loads(line)
            found[event["pid"], event["seq"]] += 1
    assert found == {(who, number): 1 for who in range(3) for number in range(count)}
    *aside, _ = files(path)
    assert len(aside) > 5
    least = size - 7 * 3 * LINE  # a batch of each does not fit any more
    assert all(each.stat().st_size > least / 2 for each in aside), "one was put aside too soon"


@posix
def test_one_who_is_killed_or_stopped_in_the_midst_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    stopped, killed = (start(path, who, 1_000_000, 2_000) for who in (7, 8))
    try:
        while len(files(path)) < 3:
            os.sched_yield()
        stopped.send_signal(signal.SIGSTOP)
        killed.kill()
        sink = FileSink(path, rotate_bytes=2_000, keep=10_000)
        for number in range(60):
            tell(sink, number)
        assert sink.close(LONG)
        assert sink.dropped == 0
    finally:
        for process in (stopped, killed):
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
    own = [
        event["seq"]
        for each in files(path)
        for event in map(json.loads, filter(_is_whole, each.read_bytes().splitlines(keepends=True)))
        if event["pid"] == os.getpid()
    ]
    assert own == [*range(60)]


def _is_whole(line: bytes) -> bool:
    return line.startswith(b"{") and line.endswith(b"}\n")
