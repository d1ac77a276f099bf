"""Notes: what a loop puts down in a few words becomes the right events, in their order."""

import asyncio
import doctest
import gc
import threading
import time
import weakref
from collections import Counter
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from understudy import (
    CallableSink,
    Config,
    Event,
    FileSink,
    MemorySink,
    MultiBranchStrategy,
    Runtime,
    ShadowStrategy,
)
from understudy._events import Emitter  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.events import encode_line, encode_lines

LONG = 20.0
TWO = [{"v": "a"}, {"v": "b"}]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def told_of(events: list[Event], *names: str) -> list[tuple[str, str | None]]:
    return [(each.event, each.experiment) for each in events if each.event in names]


@pytest.mark.anyio
async def test_a_branch_that_hangs_shows_as_started_and_not_as_completed() -> None:
    sink = MemorySink()
    runtime = Runtime(configs=TWO[:1], events=sink)

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> None:
        await asyncio.Event().wait()

    async with runtime:
        call = asyncio.create_task(answer())
        await asyncio.sleep(0)
        assert [each.event for each in sink.events][-2:] == ["call.planned", "branch.started"]
        call.cancel()
        await asyncio.wait([call])
    (ended,) = sink.named("branch.completed")
    assert (ended.status, ended.branch_id) == (
        "cancelled",
        sink.named("branch.started")[0].branch_id,
    )


@pytest.mark.anyio
async def test_what_is_nested_is_told_within_and_times_and_numbers_never_go_back() -> None:
    sink = MemorySink()
    runtime = Runtime(configs=TWO[:1], events=sink)

    @runtime.experiment(name="inner")
    async def inner(config: Config) -> int:
        return 1

    @runtime.experiment(name="outer")
    async def outer(config: Config) -> int:
        return await inner()

    before = time.time()
    async with runtime:
        await outer()
    events = sink.events
    names = ("branch.started", "branch.completed")
    assert told_of(events, *names) == [
        ("branch.started", "outer"),
        ("branch.started", "inner"),
        ("branch.completed", "inner"),
        ("branch.completed", "outer"),
    ]
    assert [each.seq for each in events] == [*range(1, len(events) + 1)]
    times = [each.ts for each in events]
    assert times == sorted(times)
    assert before - 0.1 <= times[0] <= times[-1] <= time.time() + 0.1
    started = {each.experiment: each for each in sink.named("branch.started")}
    assert started["inner"].parent_branch_id == started["outer"].branch_id
    assert started["outer"].parent_branch_id is None


@pytest.mark.anyio
async def test_a_call_that_a_branch_makes_says_which_however_it_is_made() -> None:
    sink = MemorySink()
    runtime = Runtime(configs=TWO[:1], events=sink)

    @runtime.experiment(name="alone")
    async def alone(config: Config) -> int:
        return 1

    @runtime.experiment(name="beside", configs=TWO, strategy=ShadowStrategy())
    async def beside(config: Config) -> int:
        return 1

    @runtime.experiment(name="read")
    async def read(config: Config) -> AsyncIterator[int]:
        yield 1

    @runtime.experiment(name="direct", concurrency=4)
    def direct(config: Config) -> int:
        return 1

    @runtime.experiment(name="waiting", concurrency=1)
    async def waiting(config: Config) -> int:
        await asyncio.sleep(0)
        return 1

    async def play_all() -> None:
        direct()
        await asyncio.gather(alone(), beside(), waiting(), waiting())
        assert [item async for item in read()] == [1]

    @runtime.experiment(name="outer")
    async def outer(config: Config) -> None:
        await play_all()

    async with runtime:
        await play_all()
        await outer()
    (caller,) = (each for each in sink.named("branch.started") if each.experiment == "outer")
    counts = Counter(
        (each.experiment, each.parent_branch_id) for each in sink.named("call.planned")
    )
    assert counts.pop(("outer", None)) == 1
    for name in ("alone", "beside", "read", "direct", "waiting"):
        often = 2 if name == "waiting" else 1
        assert counts.pop((name, None)) == often, name
        assert counts.pop((name, caller.branch_id)) == often, name
    assert not counts
    callers = {each.call_id: each.parent_branch_id for each in sink.named("call.planned")}
    for each in [*sink.named("branch.started"), *sink.named("branch.completed")]:
        assert each.parent_branch_id == callers[each.call_id]


@pytest.mark.anyio
async def test_branches_of_one_config_say_what_is_to_be_played_inside_them() -> None:
    sink = MemorySink()
    runtime = Runtime(strategy=ShadowStrategy(), events=sink)

    @runtime.experiment(name="inner", configs=[{"i": "x"}, {"i": "y"}])
    async def inner(config: Config) -> str:
        return str(config.i)

    @runtime.experiment(name="outer", configs=[{"o": "a"}, {"o": "b"}], uses=[inner])
    async def outer(config: Config) -> str:
        return f"{config.o}{await inner()}"

    async with runtime:
        assert await outer() == "ax"
        await runtime.drain()
    for name in ("branch.started", "branch.completed"):
        told = [
            (each.role, each.label, each.inner_case)
            for each in sink.named(name)
            if each.experiment == "outer"
        ]
        assert sorted(told) == [
            ("primary", "a", "inner[x]"),
            ("shadow", "a", "inner[y]"),
            ("shadow", "b", "inner[x]"),
            ("shadow", "b", "inner[y]"),
        ]
        inside = [each for each in sink.named(name) if each.experiment == "inner"]
        assert [each.inner_case for each in inside] == [None] * 4
    assert {each.inner_case for each in sink.named("call.planned")} == {None}


@pytest.mark.anyio
async def test_a_call_that_waits_for_its_turn_shows_as_planned_until_it_starts() -> None:
    sink = MemorySink()
    runtime = Runtime(configs=TWO[:1], concurrency=1, events=sink)
    gate = asyncio.Event()

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> None:
        await gate.wait()

    async with runtime:
        calls = [asyncio.create_task(answer()) for _ in range(2)]
        await asyncio.sleep(0)
        assert (len(sink.named("call.planned")), len(sink.named("branch.started"))) == (2, 1)
        gate.set()
        await asyncio.gather(*calls)
    assert (len(sink.named("call.planned")), len(sink.named("branch.started"))) == (2, 2)


@pytest.mark.anyio
async def test_the_words_of_a_branch_are_those_of_its_result() -> None:
    sink = MemorySink()
    runtime = Runtime(configs=TWO, strategy=MultiBranchStrategy(), events=sink)

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> str:
        if config.v == "b":
            raise ValueError("no")
        return "yes"

    async with runtime:
        results = [*(await runtime.collect(answer))]
    for result in results:
        (event,) = (
            each for each in sink.named("branch.completed") if each.branch_id == result.branch_id
        )
        config = result.experiment_case.config
        assert (event.status, event.reason, event.role) == (
            result.status,
            result.reason,
            result.role,
        )
        assert (event.config_id, event.label) == (config.id, config.label)
        assert event.call_id == result.call_id
        assert event.duration_ms == pytest.approx(result.duration * 1e3)
        assert event.queue_ms == pytest.approx(result.queue_time * 1e3)
    assert {each.error_message for each in sink.named("branch.completed")} == {None, "no"}


@pytest.mark.anyio
async def test_what_is_noted_keeps_neither_an_error_nor_a_result_nor_a_task() -> None:
    class Large:
        pass

    sink = MemorySink()
    runtime = Runtime(configs=TWO[:1], events=sink)
    kept: list[weakref.ref[Any]] = []

    @runtime.experiment(name="answer")
    async def answer(fails: bool, config: Config) -> Large:
        large = Large()
        kept.extend((weakref.ref(large), weakref.ref(asyncio.current_task())))
        await asyncio.sleep(0)
        if fails:
            raise ValueError("no")
        return large

    async with runtime:
        for fails in (True, False):
            await asyncio.gather(asyncio.create_task(answer(fails)), return_exceptions=True)
        await asyncio.sleep(0)  # the loop itself lets go of what just ended
        gc.collect()
        assert [each() for each in kept] == [None] * 4  # and nobody has read the events yet
    assert [each.status for each in sink.named("branch.completed")] == ["error", "ok"]


def test_what_nobody_reads_is_bounded_and_none_is_lost() -> None:
    sink = MemorySink(limit=None)
    emit = Emitter([sink], None, "a1")
    most = 0
    for _ in range(10_000):
        emit("branch.completed")
        most = max(most, len(emit.notes.pad))
    assert most <= sink.room + 1
    assert [event.seq for event in sink.events] == [*range(1, 10_001)]
    assert sink.dropped == emit.dropped == 0


def test_a_sink_that_hangs_holds_back_neither_the_teller_nor_another_sink(tmp_path: Path) -> None:
    is_entered, may_go = threading.Event(), threading.Event()

    def hang(event: Event) -> None:
        is_entered.set()
        assert may_go.wait(LONG)

    hanging, file = CallableSink(hang, capacity=100), FileSink(tmp_path / "events.jsonl")
    emit = Emitter([hanging, file], None, "a1")
    emit("runtime.started")
    assert is_entered.wait(LONG)
    for _ in range(1_000):
        emit("branch.completed")
    assert file.flush(LONG)
    assert len((tmp_path / "events.jsonl").read_bytes().splitlines()) == 1_001
    assert not hanging.flush(0.0)
    assert hanging.dropped == 900
    may_go.set()
    assert hanging.close(LONG)
    assert file.close(LONG)


def test_what_is_told_from_many_threads_is_written_once_and_in_the_order_of_its_numbers(
    tmp_path: Path,
) -> None:
    got: list[Event] = []
    sink = CallableSink(got.append, capacity=100_000)
    emit = Emitter([sink], None, "a1")
    start = threading.Barrier(4)

    def tell(name: str) -> None:
        start.wait()
        for number in range(500):
            emit("breaker.opened", label=name, config_id=str(number))
            if not number % 100:
                sink.flush(LONG)

    threads = [threading.Thread(target=tell, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sink.close(LONG)
    assert [event.seq for event in got] == [*range(1, 2_001)]
    for name in "abcd":
        assert [event.config_id for event in got if event.label == name] == [*map(str, range(500))]


def test_the_first_thing_told_after_a_rest_is_fetched_without_being_asked_for() -> None:
    is_told = threading.Semaphore(0)
    sink = CallableSink(lambda _: is_told.release())
    emit = Emitter([sink], None, "a1")
    for _ in range(3):
        emit("branch.started")
        assert is_told.acquire(timeout=LONG)
    assert sink.close(LONG)
    emit("branch.started")
    assert is_told.acquire(timeout=LONG)
    assert sink.close(LONG)


def test_a_clock_that_is_set_is_followed_and_one_that_is_not_is_left_alone() -> None:
    sink, shift = MemorySink(), 0
    emit = Emitter([sink], None, "a1", lambda: time.perf_counter_ns() + shift)
    emit("runtime.started")
    assert sink.events[-1].ts == pytest.approx(time.time(), abs=5)
    shift = -3_600_000_000_000  # as if the time of day went an hour ahead of the clock
    emit("runtime.stopped")
    assert sink.events[-1].ts == pytest.approx(time.time(), abs=5)


def test_lines_written_together_are_those_written_one_by_one() -> None:
    def make(**fields: Any) -> Event:
        return Event(v=1, ts=0.5, event="branch.shed", level="warning", seq=1, pid=1, **fields)

    events = [make(), make(label="ä"), make(error_message="no")]
    assert encode_lines(events) == b"".join(map(encode_line, events))
    events.append(make(label="\ud800"))
    assert encode_lines(events) == b"".join(map(encode_line, events))


@pytest.mark.anyio
async def test_a_shadow_is_told_as_one_and_its_call_is_planned_once() -> None:
    sink = MemorySink()
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), events=sink)

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> str:
        return "yes"

    async with runtime:
        await answer()
    (planned,) = sink.named("call.planned")
    assert planned.count == 2
    assert [each.role for each in sink.named("branch.started")] == ["primary", "shadow"]
    assert {each.call_id for each in sink.named("branch.completed")} == {planned.call_id}


@pytest.mark.parametrize("module", ["_sources", "_events"])
def test_the_examples_run(module: str) -> None:
    failed, attempted = doctest.testmod(import_module(f"understudy.{module}"))
    assert (failed, attempted > 0) == (0, True)
