"""Logs are followed whatever becomes of them: each line is told once, and none is made up."""

import os
import subprocess
import sys
from itertools import chain
from pathlib import Path
from random import Random

import pytest

from understudy.dashboard import Follower
from understudy.dashboard._follow import read_logs  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.dashboard._splitter import Splitter  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

SETTLED = 25
"""After so many looks at which nothing had come nothing more comes of what was rotated."""


def settle(follower: Follower) -> list[bytes]:
    """Read until nothing more comes."""
    found: list[bytes] = []
    silent = 0
    while silent < SETTLED:
        lines = follower.read()
        silent = 0 if lines else silent + 1
        found += lines
    return found


class World:
    """Files that are written, rotated and cut short in the midst of lines."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = Random(seed)
        self.log = folder / "events.jsonl"
        self.writer: int | None = None
        self.torn = b""
        self.done = 0
        self.number = 0
        self.written: list[bytes] = []
        self.lost: set[bytes] = set()
        """What was cut off before somebody could read it."""
        self.told: list[bytes] = []
        self.unread: list[bytes] = []

    def write(self) -> None:
        """Write some lines; the last may be left without an end until the next time."""
        if self.writer is None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            self.writer = os.open(self.log, flags)
        lines = [self.torn] if self.torn else []
        for _ in range(self.chance.randrange(1, 4)):
            self.number += 1
            lines.append(b'{"n":%d,"x":"%s"}' % (self.number, b"x" * self.chance.randrange(50)))
        data = b"\n".join(lines) + b"\n"
        if self.torn:
            data = data[self.done :]
        self.torn = b""
        self.written += lines
        if self.chance.random() < 0.4:
            self.torn = self.written.pop()
            self.done = self.chance.randrange(len(self.torn) + 1)
            data = data[: len(data) - len(self.torn) - 1 + self.done]
        os.write(self.writer, data)

    def rotate(self) -> None:
        """Rename the file; the writer goes on with the old one until it opens the new one."""
        if self.log.exists():
            self.log.rename(self.log.with_name(f"rotated.{self.number}.{self.chance.random()}"))
            if self.chance.random() < 0.5:
                self.write()
            self.reopen()

    def reopen(self) -> None:
        if self.torn and self.writer is not None:  # a writer ends its line
            os.write(self.writer, self.torn[self.done :] + b"\n")
            self.written.append(self.torn)
            self.torn = b""
        if self.writer is not None:
            os.close(self.writer)
            self.writer = None

    def truncate(self, follower: Follower) -> None:
        """Cut the file short; what nobody has read is gone, and what is torn too."""
        if not self.log.exists() or self.writer is None:
            return
        if self.chance.random() < 0.7:
            self.told += settle(follower)
        self.lost |= set(self.written)
        if self.torn:
            self.lost.add(self.torn[: self.done])
            self.torn = b""
        os.ftruncate(self.writer, 0)

    def read(self, follower: Follower) -> None:
        self.told += follower.read()


@pytest.mark.parametrize("seed", range(60))
def test_each_line_is_told_once_whatever_becomes_of_the_file(seed: int, tmp_path: Path) -> None:
    world = World(tmp_path, seed)
    with Follower([world.log]) as follower:
        for _ in range(40):
            act = world.chance.choice(["write"] * 5 + ["read"] * 4 + ["rotate", "truncate"])
            if act == "rotate":
                world.read(follower)  # it looks more often than files are renamed
                world.rotate()
                world.read(follower)
            elif act in ("truncate", "read"):
                getattr(world, act)(follower)
            else:
                world.write()
        world.reopen()
        world.told += settle(follower)
    whole = [line for line in world.told if line in set(world.written)]
    assert len(whole) == len(set(whole)), "told twice"
    assert set(world.written) - set(whole) <= world.lost, "not told"
    others = [line for line in world.told if line not in set(world.written)]
    assert all(any(lost.startswith(line) for lost in world.lost) for line in others), others
    numbers = [int(line[5:].partition(b",")[0]) for line in whole]
    assert numbers == sorted(numbers)


def test_a_file_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    with Follower([log]) as follower:
        assert follower.read() == []
        log.write_bytes(b"1\n\n  \n2\r\n")
        assert follower.read() == [b"1", b"2\r"]
        log.unlink()
        assert follower.read() == []
        log.write_bytes(b"3\n")
        assert settle(follower) == [b"3"]


def test_a_file_that_was_written_anew_and_is_longer_now_is_read_from_its_start(
    tmp_path: Path,
) -> None:
    log = tmp_path / "events.jsonl"
    log.write_bytes(b"first\n")
    with Follower([log]) as follower:
        assert follower.read() == [b"first"]
        log.write_bytes(b"second, and much longer\nthird\n")
        assert settle(follower) == [b"second, and much longer", b"third"]


def test_what_was_rotated_before_is_read_first_if_that_is_asked(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    for name, text in {
        ".10": "a",
        ".2": "b",
        ".1": "c",
        "": "d",
        ".gz": "no",
        ".old": "no",
    }.items():
        log.with_name(f"events.jsonl{name}").write_text(f"{text}\n")
    with Follower([log], siblings=True) as follower:
        assert settle(follower) == [b"a", b"b", b"c", b"d"]
    assert [*chain.from_iterable(read_logs([log], siblings=True))] == [b"a", b"b", b"c", b"d"]
    assert [*chain.from_iterable(read_logs([log]))] == [b"d"]


def test_several_files_are_followed_at_once(tmp_path: Path) -> None:
    logs = [tmp_path / name for name in ("a", "b")]
    with Follower(logs) as follower:
        logs[0].write_bytes(b"1\n")
        logs[1].write_bytes(b"2\n")
        assert follower.read() == [b"1", b"2"]


def test_of_several_logs_of_the_past_lines_come_by_their_time(tmp_path: Path) -> None:
    """Also if one is far longer than what is read of it at once."""
    times = {"long": range(40_000), "short": range(39_990, 40_010), "early": range(5, 10)}
    for name, told in times.items():
        lines = (f'{{"v":1,"ts":{ts}.5,"event":"{name}{"." * 60}"}}\n' for ts in told)
        (tmp_path / name).write_text("".join(lines))
    expected = sorted(ts for told in times.values() for ts in told)
    paths = [tmp_path / name for name in times]
    found = [line for lines in read_logs(paths) for line in lines]
    assert [int(line[12:].partition(b".")[0]) for line in found] == expected
    with Follower(paths) as follower:
        followed = [line for lines in iter(follower.read, []) for line in lines]
    assert followed == found


def test_what_is_written_now_waits_for_no_log_that_is_behind(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    with Follower([one, two]) as follower:
        for number in range(3):
            for path, ts in ((one, 2_000 + number), (two, 1_000 + number)):
                with path.open("a") as file:
                    file.write(f'{{"v":1,"ts":{ts}.5,"event":"x"}}\n')
            assert len(follower.read()) == 2


def test_a_last_line_without_an_end_is_told_when_the_log_is_read_as_it_is(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    log.write_bytes(b'{"a":1}\n{"b":')
    assert [*chain.from_iterable(read_logs([log]))] == [b'{"a":1}', b'{"b":']


def test_a_line_that_never_ends_takes_no_memory_and_is_one_that_cannot_be_read() -> None:
    splitter = Splitter()
    for _ in range(200):
        assert splitter.split(b"x" * 100_000) == []
    assert splitter._size < 2_000_000
    torn, after = splitter.split(b"x\nafter\n")
    assert (len(torn), after) == (200, b"after")


def test_a_folder_is_an_error_that_says_so(tmp_path: Path) -> None:
    with Follower([tmp_path]) as follower, pytest.raises(IsADirectoryError):
        follower.read()


WRITER = """
import sys
from understudy.events import Event, encode_line
import os
file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
for seq in range(1, 301):
    told = Event(v=1, ts=5.0, event="nobody.knows", level="info", seq=seq, pid=os.getpid())
    os.write(file, encode_line(told) * 1)
"""


def test_what_several_processes_write_into_one_file_is_told_whole(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    command = [sys.executable, "-c", WRITER, str(log)]
    with Follower([log]) as follower:
        processes = [subprocess.Popen(command) for _ in range(3)]
        found: list[bytes] = []
        while any(process.poll() is None for process in processes):
            found += follower.read()
        found += settle(follower)
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(found) == len(set(found)) == 900
