"""Samples: how busy the cases are is told now and then, and costs no wake-up of its own."""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from understudy import Config, FileSink, MemorySink, Runtime
from understudy import _events as events_room  # pyright: ignore

LONG = 20.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a sample taken each time that somebody comes for events."""
    monkeypatch.setattr(events_room, "_OFTEN", 0.0)


def told(sink: MemorySink) -> list[tuple[str | None, int | None, int | None, int | None]]:
    samples = sink.named("actor.sampled")
    return [(each.actor, each.waiting, each.capacity, each.in_flight) for each in samples]


@pytest.mark.usefixtures("always")
@pytest.mark.anyio
async def test_a_case_is_told_of_when_it_is_as_busy_as_it_was_not_before() -> None:
    sink = MemorySink()
    runtime = Runtime(configs=[{"v": "a"}, {"v": "b"}], concurrency=1, mailbox=7, events=sink)
    gate = asyncio.Event()

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> None:
        await gate.wait()

    async with runtime:
        calls = [asyncio.create_task(answer()) for _ in range(3)]
        await asyncio.sleep(0)
        busy = ("answer[a]", 2, 7, 3)
        assert told(sink) == [busy]
        runtime.disable(answer)  # something is told, and nothing has changed
        assert told(sink) == [busy]
        gate.set()
        await asyncio.gather(*calls)
        assert told(sink) == [busy, ("answer[a]", 0, 7, 0)]
    assert len(told(sink)) == 2
    (first, _) = sink.named("actor.sampled")
    assert (first.experiment, first.label, first.level) == ("answer", "a", "debug")


@pytest.mark.anyio
async def test_within_a_second_there_is_no_second_sample() -> None:
    sink = MemorySink()
    runtime = Runtime(events=sink)
    gate = asyncio.Event()

    @runtime.experiment(name="answer")
    async def answer() -> None:
        await gate.wait()

    async with runtime:
        call = asyncio.create_task(answer())
        await asyncio.sleep(0)
        assert told(sink) == []  # the first second is not over either
        gate.set()
        await call


@pytest.mark.anyio
async def test_a_sample_is_taken_in_the_thread_that_writes_and_once_more_when_all_is_quiet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from understudy import _outlet as outlet_room  # pyright: ignore

    monkeypatch.setattr(events_room, "_OFTEN", 0.02)
    monkeypatch.setattr(outlet_room, "_SETTLED", 0.05)
    threads: list[str] = []
    path = tmp_path / "events.jsonl"
    sink = FileSink(path)
    runtime = Runtime(events=sink)
    gate = asyncio.Event()

    @runtime.experiment(name="answer")
    async def answer() -> None:
        await gate.wait()

    emitter: Any = runtime._telling._emitter
    samples = emitter.samples
    busy, quiet = threading.Event(), threading.Event()

    def looked() -> Any:
        threads.append(threading.current_thread().name)
        found = [*samples()]
        for _, each in found:
            (busy if each["in_flight"] else quiet).set()
        return found

    emitter.samples = looked
    async with runtime:
        calls = [asyncio.create_task(answer()) for _ in range(3)]
        assert await asyncio.to_thread(busy.wait, LONG)
        gate.set()
        await asyncio.gather(*calls)
        assert await asyncio.to_thread(quiet.wait, LONG)
    assert sink.close(LONG)
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    samples_written = [each["in_flight"] for each in lines if each["event"] == "actor.sampled"]
    assert samples_written[-1] == 0
    assert {*threads[:1]} == {"understudy events to events.jsonl"}
