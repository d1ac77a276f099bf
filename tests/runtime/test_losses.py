"""Whatever a sink does: all that was told is written, or counted as dropped; and no more."""

import asyncio
import json
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from understudy import CallableSink, Config, Event, FileSink, MemorySink, Runtime

LONG = 20.0
CONFIGS = [{"model": "x" * 300}]
posix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")


class Place(NamedTuple):
    """Somewhere to tell: the sink, how many arrived, what lets it go on, how long to wait for it."""

    sink: Any
    arrived: Callable[[], int]
    heal: Callable[[], object]
    patience: float


def _nothing() -> None: ...


def whole_lines(got: bytearray) -> int:
    """Count the events in what was read; a line that broke off is none, nor is `log.dropped`."""
    found = 0
    for line in got.splitlines():
        try:
            found += json.loads(line)["seq"] > 0
        except ValueError:
            continue
    return found


@contextmanager
def a_full_disk(folder: Path) -> Generator[Place]:
    path = folder / "events.jsonl"
    path.symlink_to("/dev/full")
    yield Place(FileSink(path), lambda: 0, _nothing, LONG)


@contextmanager
def a_pipe(folder: Path, *, is_closed: bool) -> Generator[Place]:
    path = folder / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    sink = FileSink(path, capacity=100)
    if is_closed:
        os.close(reader)
        yield Place(sink, lambda: 0, _nothing, LONG)
        return
    got = bytearray()

    def read() -> int:
        with suppress(BlockingIOError):  # there is no more
            got.extend(os.read(reader, 1 << 20))
        return whole_lines(got)

    try:
        yield Place(sink, read, _nothing, LONG)
    finally:
        os.close(reader)


@contextmanager
def a_closed_pipe(folder: Path) -> Generator[Place]:
    with a_pipe(folder, is_closed=True) as place:
        yield place


@contextmanager
def an_unread_pipe(folder: Path) -> Generator[Place]:
    with a_pipe(folder, is_closed=False) as place:
        yield place


@contextmanager
def one_that_raises(folder: Path) -> Generator[Place]:
    took: list[int] = []

    def take(event: Event) -> None:
        if event.seq % 3 == 0:
            raise ConnectionError("not this one")
        if event.seq:
            took.append(event.seq)

    yield Place(CallableSink(take), lambda: len(took), _nothing, LONG)


@contextmanager
def one_that_hangs(folder: Path) -> Generator[Place]:
    took: list[int] = []
    may_go = threading.Event()

    def take(event: Event) -> None:
        if event.seq == 40:
            assert may_go.wait(LONG)
        if event.seq:
            took.append(event.seq)

    try:
        yield Place(CallableSink(take, capacity=64), lambda: len(took), may_go.set, 0.05)
    finally:
        may_go.set()


@contextmanager
def a_disk_that_hangs(folder: Path) -> Generator[Place]:
    may_go = threading.Event()

    path = folder / "events.jsonl"
    sink = FileSink(path, capacity=64)
    file: Any = sink._file
    write = file.write

    def write_at_last(lines: bytes) -> int:
        assert may_go.wait(LONG)
        return int(write(lines))

    file.write = write_at_last

    def read() -> int:
        return whole_lines(bytearray(path.read_bytes())) if path.exists() else 0

    try:
        yield Place(sink, read, may_go.set, 0.05)
    finally:
        may_go.set()


PLACES = [
    a_full_disk,
    a_closed_pipe,
    an_unread_pipe,
    one_that_raises,
    one_that_hangs,
    a_disk_that_hangs,
]


@posix
@pytest.mark.anyio
@pytest.mark.parametrize("opened", PLACES, ids=lambda each: each.__name__)
async def test_what_was_told_is_what_arrived_and_what_was_dropped(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy._appended._PATIENCE", 0.01)
    all_of_them = MemorySink(limit=None)
    with opened(tmp_path) as place:
        runtime = Runtime(configs=CONFIGS, events=[place.sink, all_of_them], drain_timeout=0.1)

        @runtime.experiment(name="answer")
        async def answer(config: Config) -> str:
            await asyncio.sleep(0)
            return "yes"

        async with runtime:
            for _ in range(200):
                await answer()
        assert place.sink.close(place.patience) == (place.patience == LONG)
        told = len(all_of_them.events)
        assert told > 600
        assert runtime.statistics().events_dropped == place.sink.dropped
        assert place.sink.dropped > 0
        assert place.arrived() + place.sink.dropped == told
        place.heal()
        assert place.sink.close(LONG)
        assert place.arrived() + place.sink.dropped == told, "and when it goes on after all"
