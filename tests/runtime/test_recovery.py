"""Recovery: after a full disk, a limit or a kill, the lines say exactly how many are missing."""

import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

posix = pytest.mark.skipif(sys.platform == "win32", reason="no limits here")
pytestmark = posix

LIMITED = """
import resource, sys
from understudy import FileSink
from understudy._events import Emitter

path, most, rotate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sink = FileSink(path, rotate_bytes=rotate or None, keep=1000)
emit = Emitter([sink], "shop", "limited")
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
for round in range(3):
    resource.setrlimit(resource.RLIMIT_FSIZE, (most * (round + 1), hard))
    for _ in range(10):
        for _ in range(60):
            emit("breaker.opened", experiment="answer")
        assert sink.flush(60)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
emit("breaker.closed")
assert sink.close(60)
print(sink.dropped)
"""

KILLED = """
import sys
from understudy import FileSink
from understudy._events import Emitter

sink = FileSink(sys.argv[1])
emit = Emitter([sink], "shop", sys.argv[2])
for number in range(10_000_000):
    emit("breaker.opened", experiment="answer")
    if number % 64 == 0:
        sink.flush(60)
"""

Seen = dict[str, tuple[list[int], int]]
"""For each runtime: the numbers of its events, and how many it says are missing."""


def seen(paths: list[Path], torn: int) -> Seen:
    numbers: dict[str, list[int]] = defaultdict(list)
    missing: dict[str, int] = defaultdict(int)
    broken = 0
    for path in paths:
        for line in path.read_bytes().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                broken += 1
                continue
            if event["event"] == "log.dropped":
                missing[event["runtime"]] += event["count"]
            else:
                numbers[event["runtime"]].append(event["seq"])
    assert broken <= torn
    return {name: (found, missing[name]) for name, found in numbers.items()}


def run(code: str, *arguments: object) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("rotate", [0, 9_000])
def test_what_a_limit_refused_is_told_to_the_last_one(tmp_path: Path, rotate: int) -> None:
    path = tmp_path / "events.jsonl"
    dropped = int(run(LIMITED, path, 12_000, rotate))
    files = sorted(tmp_path.iterdir(), key=lambda each: each.stat().st_mtime_ns)
    ((numbers, missing),) = seen(files, torn=100).values()
    assert (dropped > 0) == (not rotate)
    assert missing == dropped
    assert len({*numbers}) == len(numbers) == 1_801 - dropped
    assert max(numbers) == 1_801


def test_a_disk_that_is_full_for_a_while_is_told_when_it_is_not(tmp_path: Path) -> None:
    from understudy import FileSink
    from understudy._events import Emitter  # type: ignore[import-not-found]  # pyright: ignore

    path, disk = tmp_path / "events.jsonl", tmp_path / "disk"
    sink = FileSink(path)
    emit = Emitter([sink], "shop", "full")
    for target in (disk, Path("/dev/full"), disk, Path("/dev/full"), disk):
        path.unlink(missing_ok=True)
        path.symlink_to(target)
        for _ in range(100):
            emit("breaker.opened")
        assert sink.flush(20.0)
    assert sink.close(20.0)
    ((numbers, missing),) = seen([disk], torn=0).values()
    assert numbers == [*range(1, 101), *range(201, 301), *range(401, 501)]
    assert missing == sink.dropped == 200


def test_of_one_who_is_killed_all_is_there_up_to_a_point_and_the_next_one_goes_on(
    tmp_path: Path,
) -> None:
    path = tmp_path / "events.jsonl"
    for number in range(4):
        command = [sys.executable, "-c", KILLED, str(path), f"life{number}"]
        process = subprocess.Popen(command)
        before = path.stat().st_size if path.exists() else 0
        while not path.exists() or path.stat().st_size < before + 20_000:
            os.sched_yield()
        process.send_signal(signal.SIGKILL)
        process.wait()
    found = seen([path], torn=4)
    assert [*found] == [f"life{number}" for number in range(4)]
    for numbers, missing in found.values():
        assert numbers == [*range(1, len(numbers) + 1)]
        assert missing == 0
