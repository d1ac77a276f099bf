"""Leaving a runtime: each loop by itself, in bounded time, in order whatever happens meanwhile."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.loops import turns
from tests.simulation import run_virtual
from understudy import ActorStopped, Config, FunctionResult, Runtime, ShadowStrategy

TWO = [{"n": 0}, {"n": 1}]


def on_a_loop_of_its_own(main: Any) -> threading.Thread:
    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    return thread


def test_no_loop_waits_for_the_errands_of_another() -> None:
    runtime = Runtime(configs=TWO[:1])
    has_closed, may_end = threading.Event(), threading.Event()

    @runtime.experiment
    async def play(config: Config) -> None: ...

    async def slow(result: FunctionResult[Any]) -> None:
        await asyncio.to_thread(may_end.wait, 10)

    async def one() -> None:
        async with runtime:
            subscription = runtime.subscribe(slow)
            await play()
            await turns()
            subscription.close()
            has_closed.set()
            await asyncio.to_thread(may_end.wait, 10)

    async def other() -> None:
        async with runtime:
            await play()

    first = on_a_loop_of_its_own(one)
    assert has_closed.wait(10)
    second = on_a_loop_of_its_own(other)
    second.join(10)
    assert not second.is_alive(), "it waits for the other loop"
    may_end.set()
    first.join(10)
    assert not first.is_alive()


async def test_leaving_that_is_cancelled_leaves_a_runtime_that_can_be_used_again() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), drain_timeout=3600)
    heard: list[str] = []
    runtime.subscribe(lambda result: heard.append(result.status))

    @runtime.experiment(name="play")
    async def play(waits: bool, config: Config) -> int:
        if config.n and waits:
            await asyncio.sleep(3600)
        return int(config.n)

    assert await play(True) == 0
    leaving = asyncio.create_task(runtime.aclose())
    await turns()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    for _ in range(3):
        assert await play(False) == 0
    report = await runtime.aclose()
    assert report.cancelled == ()
    cases = runtime.statistics()["play"].cases
    assert [(case.planned, case.in_flight) for case in cases] == [(4, 0), (4, 0)]
    assert heard.count("ok") == 7


@pytest.mark.parametrize("turns_before", range(16))
def test_what_is_called_while_somebody_leaves_has_ended_when_the_next_has_left(
    turns_before: int,
) -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
    begun: list[int] = []
    ended: list[int] = []

    @runtime.experiment
    async def play(config: Config) -> None:
        begun.append(config.n)
        await asyncio.sleep(config.n)
        ended.append(config.n)

    async def main() -> None:
        await play()
        first = asyncio.create_task(runtime.aclose())
        await asyncio.sleep(1)
        for _ in range(turns_before):
            await asyncio.sleep(0)
        with suppress(ActorStopped):
            await play()
        await runtime.aclose()
        assert begun.count(1) == ended.count(1)
        await first

    run_virtual(main())


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_leaving_that_is_thrown_away_with_its_loop_ends_quietly_wherever_it_was() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

    @runtime.experiment
    async def play(config: Config) -> int:
        return int(config.n)

    async def leave(leaving: list[bool]) -> None:
        async with runtime:
            await runtime.collect(play)
            leaving.append(True)

    def thrown_away_after(turns: int) -> bool:
        leaving: list[bool] = []
        loop = asyncio.SelectorEventLoop()
        coroutine = leave(leaving)
        task = loop.create_task(coroutine)
        while not task.done() and turns:
            loop.call_soon(loop.stop)
            loop.run_forever()
            turns -= bool(leaving)
        has_left = task.done()
        loop.close()
        setattr(task, "_log_destroy_pending", False)  # noqa: B010  # it is meant to be
        coroutine.close()
        return has_left

    assert any(map(thrown_away_after, range(1, 100)))
    assert asyncio.run(runtime.call(play)) == 0
    gc.collect()  # coroutines that never began say so now


async def test_two_that_leave_at_once_leave_together() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
    gate = asyncio.Event()

    @runtime.experiment
    async def play(config: Config) -> None:
        if config.n:
            await gate.wait()

    await play()
    leaving = [asyncio.create_task(runtime.aclose()) for _ in range(3)]
    await turns()
    assert not any(task.done() for task in leaving)
    gate.set()
    first, *others = await asyncio.gather(*leaving)
    assert first.waited_for == 1
    assert others == [first] * 2


def virtual_runtime(**settings: Any) -> tuple[Any, Runtime]:
    loop: Any = asyncio.get_running_loop()
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), clock=loop.clock, **settings)
    return loop, runtime


def test_a_drain_waits_for_what_is_first_called_during_it() -> None:
    async def main() -> list[str]:
        loop, runtime = virtual_runtime(drain_timeout=10)
        log: list[str] = []
        visits: list[asyncio.Task[Any]] = []

        @runtime.experiment(configs=TWO[:1])
        async def late(config: Config) -> None:
            await asyncio.sleep(3)
            log.append("late")

        @runtime.experiment
        async def early(config: Config) -> None:
            await asyncio.sleep(2 * config.n)
            log.append(f"early {config.n}")

        await early()
        loop.call_later(1, lambda: visits.append(asyncio.ensure_future(late())))
        await runtime.aclose()
        log.append("left")
        return log

    assert run_virtual(main()) == ["early 0", "early 1", "late", "left"]


def test_a_report_names_what_was_cancelled_and_nothing_else() -> None:
    async def main() -> list[tuple[str, str]]:
        _, runtime = virtual_runtime(drain_timeout=1)

        @runtime.experiment(name="slow")
        async def slow(config: Config) -> None:
            if config.n:
                try:
                    await asyncio.sleep(60)
                finally:
                    await asyncio.sleep(0.5)

        @runtime.experiment(name="quick", configs=TWO[:1])
        async def quick(config: Config) -> None: ...

        async def visit() -> None:
            for _ in range(9):
                await quick()
                await asyncio.sleep(0.2)

        visitor = asyncio.create_task(visit())
        await slow()
        report = await runtime.drain()
        await visitor
        await runtime.aclose()
        return [(each.experiment_case.experiment, each.reason) for each in report.cancelled]

    assert run_virtual(main()) == [("slow", "drain")]


def test_a_primary_that_does_not_obey_is_reported_and_accounted_for() -> None:
    async def main() -> None:
        loop, runtime = virtual_runtime(drain_timeout=1)

        @runtime.experiment(name="stubborn", configs=TWO[:1])
        async def stubborn(config: Config) -> str:
            until = loop.time() + 60
            while loop.time() < until:
                try:
                    await asyncio.sleep(until - loop.time())
                except asyncio.CancelledError:
                    continue
            return "at last"

        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0.1)
        (told,) = (await runtime.aclose()).cancelled
        assert (told.role, told.status, told.reason) == ("primary", "cancelled", "abandoned")
        case = runtime.statistics()["stubborn"][0]
        assert (case.planned, case.cancelled, case.in_flight) == (1, 1, 0)
        assert await task == "at last"
        assert runtime.statistics()["stubborn"][0].ok == 0

    run_virtual(main())


async def test_subscribers_that_hang_hold_up_leaving_all_together_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("understudy._stages._SHORT", 0.01)
    runtime = Runtime(configs=TWO[:1], drain_timeout=0.01)
    gate = threading.Event()

    async def hang(result: FunctionResult[Any]) -> None:
        await asyncio.sleep(3600)

    @runtime.experiment
    async def play(config: Config) -> None: ...

    for _ in range(20):
        runtime.subscribe(lambda result: gate.wait(30))
        runtime.subscribe(hang)
    await play()
    async with asyncio.timeout(5):  # one after the other they would take longer
        await runtime.aclose()
    gate.set()


async def test_closing_a_subscription_does_not_block_the_loop_and_all_is_told() -> None:
    runtime = Runtime(configs=TWO[:1])
    gate, told = threading.Event(), list[Any]()

    def note(result: FunctionResult[Any]) -> None:
        gate.wait(10)
        told.append(result.result)

    @runtime.experiment
    async def play(x: int, config: Config) -> int:
        return x

    async with runtime:
        with runtime.subscribe(note):
            for x in range(3):
                await play(x)
        assert told == []
        gate.set()
    assert told == [0, 1, 2]


def test_an_async_subscriber_whose_loop_does_not_run_can_be_closed() -> None:
    runtime = Runtime(configs=TWO[:1])
    loop = asyncio.new_event_loop()

    async def note(result: FunctionResult[Any]) -> None: ...

    @runtime.experiment
    async def play(config: Config) -> None: ...

    subscription = runtime.subscribe(note)
    loop.run_until_complete(play())
    subscription.close()
    loop.run_until_complete(runtime.aclose())
    loop.close()


def test_either_of_two_loops_may_leave_first_and_the_other_still_follows(tmp_path: Path) -> None:
    file = tmp_path / "configs.yaml"
    file.write_text("model: one\n")
    runtime = Runtime(configs=str(file), watch=True)
    played: list[str] = []

    @runtime.experiment
    async def play(config: Config) -> str:
        return str(config.model)

    async def first() -> None:
        async with runtime:
            await play()

    async def second() -> None:
        async with runtime, asyncio.timeout(20):
            thread = on_a_loop_of_its_own(first)
            await asyncio.to_thread(thread.join, 10)
            file.write_text("model: two\n")
            while await play() != "two":  # noqa: ASYNC110  # the file system tells nobody else
                await asyncio.sleep(0.001)
            played.append(await play())

    thread = on_a_loop_of_its_own(second)
    thread.join(30)
    assert not thread.is_alive()
    assert played == ["two"]


async def test_values_that_change_under_one_id_are_taken_over(tmp_path: Path) -> None:
    file = tmp_path / "configs.yaml"
    file.write_text("__config_id__: prod\nmodel: one\n")
    runtime = Runtime(configs=str(file), watch=True)
    async with runtime, asyncio.timeout(20):
        await asyncio.sleep(0)
        file.write_text("__config_id__: prod\nmodel: two\n")
        while runtime.settings.configs[0].model != "two":  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.001)

        @runtime.experiment
        async def play(config: Config) -> str:
            return str(config.model)

        assert await play() == "two"


def test_the_thread_behind_the_scenes_ends_when_the_last_who_waits_there_is_answered() -> None:
    runtime = Runtime(configs=TWO[:1], drain_timeout=0.05)
    before = {*threading.enumerate()}  # other runtimes may have such a thread, too
    has_begun, may_end = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    @runtime.experiment
    async def stubborn(config: Config) -> str:
        loops.append(asyncio.get_running_loop())
        has_begun.set()
        while not may_end.is_set():
            try:
                await may_end.wait()
            except asyncio.CancelledError:
                continue
        return "answered"

    told: list[str] = []
    caller = threading.Thread(target=lambda: told.append(runtime.call_blocking(stubborn)))
    caller.start()
    assert has_begun.wait(10)
    begun = {*threading.enumerate()} - before
    (behind,) = [each for each in begun if each.name == "understudy backstage"]
    runtime.close()
    assert behind.is_alive()  # for somebody waits there still
    loops[0].call_soon_threadsafe(may_end.set)
    caller.join(10)
    behind.join(10)
    assert (told, behind.is_alive()) == (["answered"], False)


async def test_leaving_writes_what_was_told_where_no_thread_can_be_started_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    gate = threading.Event()

    def write(event: Any) -> None:
        gate.wait(10)
        told.append(event.event)

    runtime = Runtime(configs=TWO[:1], events=write)
    start = threading.Thread.start

    def start_none(thread: threading.Thread) -> None:
        if thread.name == "understudy flush":
            gate.set()
            raise RuntimeError("can't create new thread at interpreter shutdown")
        start(thread)

    @runtime.experiment
    async def play(config: Config) -> None: ...

    async with runtime:
        await play()
        monkeypatch.setattr(threading.Thread, "start", start_none)
    assert gate.is_set()
    assert told[-1] == "runtime.stopped"


def test_many_who_wait_without_a_loop_leave_the_process_its_files_and_the_last_closes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened, closed = list[int](), list[int]()
    pipe, close = os.pipe, os.close

    def open_noted() -> tuple[int, int]:
        ends = pipe()
        opened.extend(ends)
        return ends

    def close_noted(file: int) -> None:
        if file in opened:
            closed.append(file)
        close(file)

    monkeypatch.setattr(os, "pipe", open_noted)
    monkeypatch.setattr(os, "close", close_noted)
    runtime = Runtime(configs=TWO[:1])
    has_come, may_go = threading.Semaphore(0), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    @runtime.experiment
    async def wait(config: Config) -> str:
        loops.append(asyncio.get_running_loop())
        has_come.release()
        await may_go.wait()
        return "gone"

    told: list[str] = []
    before = {*threading.enumerate()}
    callers = [
        threading.Thread(target=lambda: told.append(runtime.call_blocking(wait))) for _ in range(40)
    ]
    for caller in callers:
        caller.start()
    for _ in callers:
        assert has_come.acquire(timeout=10)
    begun = {*threading.enumerate()} - before
    (behind,) = [each for each in begun if each.name == "understudy backstage"]
    loops[0].call_soon_threadsafe(may_go.set)
    for caller in callers:
        caller.join(10)
    assert told == ["gone"] * 40
    assert 2 <= len(opened) <= 2 * 16
    runtime.close()
    behind.join(10)  # it has rung the last of them
    assert sorted(closed) == sorted(opened)


@pytest.mark.parametrize("is_used", [False, True])
def test_a_finalizer_at_the_very_end_cannot_make_the_interpreter_wait(
    is_used: bool, tmp_path: Path
) -> None:
    script = f"""
from understudy import Config, Runtime

runtime = Runtime(configs=[{{"n": 0}}], events="events.jsonl")

@runtime.experiment
def play(config: Config):
    return config.n

class Late:
    def __init__(self):
        self.me = self  # only the collector can free it

    def __del__(self, play=play, problem=Exception):
        try:
            play()
        except problem as error:
            print(type(error).__name__)

late = Late()
if {is_used}:
    play()
print("over")
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=20, check=False, cwd=tmp_path
    )
    assert (done.stdout, done.stderr, done.returncode) == ("over\nExperimentError\n", "", 0)


def test_a_case_that_holds_the_loop_behind_the_scenes_does_not_keep_the_interpreter() -> None:
    script = """
import threading
from understudy import Config, Runtime, _stages

_stages._LATE = 0.05
runtime = Runtime(configs=[{"n": 0}], drain_timeout=0.05, lag=None)
has_begun = threading.Event()

@runtime.experiment
async def hold(config: Config):
    has_begun.set()
    threading.Event().wait()

threading.Thread(target=runtime.call_blocking, args=(hold,), daemon=True).start()
has_begun.wait(10)
print("over")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("over\n", "", 0)
