"""The threads of a runtime: started when needed, bounded, ended after a rest, harmless."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from understudy.actors import Workers


async def told_by(workers: Workers, call: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    future: asyncio.Future[tuple[Any, BaseException | None]] = (
        asyncio.get_running_loop().create_future()
    )
    workers.post(call, lambda value, error: future.set_result((value, error)))
    return await asyncio.wait_for(future, 10)


async def test_what_a_function_returns_or_raises_is_told_on_the_loop() -> None:
    workers = Workers("test", 2)
    assert await told_by(workers, lambda: threading.current_thread().name) == ("test 1", None)
    for error in (ValueError("mine"), SystemExit(3), KeyboardInterrupt(), StopIteration(4)):

        def fails(error: BaseException = error) -> None:
            raise error

        assert await told_by(workers, fails) == (None, error)
    workers.rest()


async def test_there_are_never_more_threads_than_allowed_and_none_before_they_are_needed() -> None:
    workers = Workers("test", 3)
    assert workers.count == 0
    assert await told_by(workers, lambda: 1) == (1, None)
    assert await told_by(workers, lambda: 1) == (1, None)
    assert workers.count == 2, "the one that played, and one that waits"
    gate = threading.Event()
    waiting = [asyncio.create_task(told_by(workers, gate.wait)) for _ in range(10)]
    while workers.count < 3:  # noqa: ASYNC110  # the second thread starts the third
        await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(*waiting) == [(True, None)] * 10
    assert workers.count == 3
    workers.rest()


async def test_the_loop_waits_for_no_thread_to_start_but_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workers = Workers("test", 8)
    start = threading.Thread.start
    started_by: list[str] = []

    def note(thread: threading.Thread) -> None:
        if thread.name.startswith("test"):
            started_by.append(threading.current_thread().name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", note)
    gate = threading.Event()
    waiting = [asyncio.create_task(told_by(workers, gate.wait)) for _ in range(8)]
    while workers.count < 8:  # noqa: ASYNC110
        await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*waiting)
    me = threading.current_thread().name
    assert started_by == [me, *(f"test {n}" for n in range(1, 8))]
    workers.rest()


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Have the millisecond that a spare thread waits end when a test says so."""
    has_begun, is_over = threading.Event(), threading.Event()

    def wait(_: float) -> None:
        has_begun.set()
        is_over.wait(10)

    still = SimpleNamespace(sleep=wait, perf_counter=lambda: 0.0)
    monkeypatch.setattr("understudy.actors._workers.time", still)
    yield has_begun, is_over
    is_over.set()


async def test_short_jobs_that_come_together_are_all_done_by_one_thread(
    patience: tuple[threading.Event, threading.Event],
) -> None:
    workers = Workers("test", 8)
    names = await asyncio.gather(
        *(told_by(workers, lambda: threading.current_thread().name) for _ in range(500))
    )
    assert {*names} == {("test 1", None)}
    assert workers.count == 2, "one is spare"
    patience[1].set()
    workers.rest()


async def test_a_job_behind_one_that_hangs_is_taken_when_it_has_waited(
    patience: tuple[threading.Event, threading.Event],
) -> None:
    workers = Workers("test", 8)
    gate = threading.Event()
    hanging = asyncio.create_task(told_by(workers, gate.wait))
    waiting = asyncio.create_task(told_by(workers, lambda: threading.current_thread().name))
    await asyncio.to_thread(patience[0].wait, 10)
    assert not waiting.done()
    patience[1].set()
    assert await waiting == ("test 2", None)
    assert not hanging.done()
    gate.set()
    await hanging
    workers.rest()


@pytest.mark.parametrize("linger", [0.001, 10.0])
async def test_a_job_behind_one_that_hangs_is_taken_after_a_rest_as_well(linger: float) -> None:
    workers = Workers("test", 8, linger)
    gate = threading.Event()
    hanging = asyncio.create_task(told_by(workers, gate.wait))
    for _ in range(3):
        assert await told_by(workers, lambda: 1) == (1, None)
        workers.rest()
    assert not hanging.done()
    gate.set()
    await hanging
    workers.rest()


async def test_many_jobs_that_hang_each_get_a_thread_as_long_as_there_may_be_more() -> None:
    workers = Workers("test", 20)
    everybody = threading.Barrier(20)
    jobs = [told_by(workers, lambda: everybody.wait(10) >= 0) for _ in range(20)]
    assert await asyncio.gather(*jobs) == [(True, None)] * 20
    workers.rest()


async def test_threads_are_woken_even_where_no_pipe_can_be_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> tuple[int, int]:
        raise OSError(24, "Too many open files")

    workers = Workers("test", 2)
    monkeypatch.setattr(os, "pipe", refuse)
    for number in range(3):
        assert await told_by(workers, partial(abs, number)) == (number, None)
    workers.rest()


async def test_no_pipe_is_left_open_by_threads_that_are_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: set[int] = set()
    pipe, close = os.pipe, os.close

    def note_pipe() -> tuple[int, int]:
        ends = pipe()
        opened.update(ends)
        return ends

    def note_close(end: int) -> None:
        opened.discard(end)
        close(end)

    before = {*threading.enumerate()}
    monkeypatch.setattr(os, "pipe", note_pipe)
    monkeypatch.setattr(os, "close", note_close)
    workers = Workers("test", 2)
    for _ in range(3):
        assert await told_by(workers, lambda: 1) == (1, None)
        assert len(opened) == 2
        workers.rest()
        while workers.count:  # one that was just started is sent away as well
            workers.rest()
            await asyncio.sleep(0)
        for thread in {*threading.enumerate()} - before:
            if thread.name.startswith("test "):
                await asyncio.to_thread(thread.join, 10)
        assert opened == set()


async def test_a_job_that_comes_as_the_threads_are_sent_to_rest_is_done() -> None:
    workers = Workers("test", 8)
    for _ in range(20):
        assert await told_by(workers, lambda: 1) == (1, None)
        while not workers._is_awaited:  # noqa: ASYNC110  # one waits for more
            await asyncio.sleep(0)
        workers.rest()
        assert await told_by(workers, lambda: 2) == (2, None)
    workers.rest()


async def test_threads_end_after_a_rest_and_come_back() -> None:
    before = {*threading.enumerate()}
    workers = Workers("test", 2, linger=0.001)
    for _ in range(3):
        assert await told_by(workers, lambda: 1) == (1, None)
        for thread in {*threading.enumerate()} - before:
            if thread.name.startswith("test "):
                await asyncio.to_thread(thread.join, 10)
        assert workers.count == 0


async def test_many_jobs_from_many_loops_are_each_done_once() -> None:
    workers = Workers("test", 4)
    done: list[int] = []

    def run(start: int) -> None:
        async def main() -> None:
            jobs = [told_by(workers, partial(done.append, n)) for n in range(start, start + 500)]
            await asyncio.gather(*jobs)

        asyncio.run(main())

    threads = [threading.Thread(target=run, args=(start,)) for start in (0, 500, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert sorted(done) == [*range(1500)]
    workers.rest()


@pytest.mark.parametrize("problem", [RuntimeError("can't start new thread"), MemoryError()])
async def test_a_thread_that_cannot_be_started_is_no_loss_while_there_are_others(
    monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    workers = Workers("test", 4)
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("test"):
            raise problem
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError, match="test: no thread can be started"):
        workers.post(lambda: 1, lambda value, error: None)
    assert workers.count == 0
    monkeypatch.setattr(threading.Thread, "start", start)
    gate = threading.Event()
    first = asyncio.create_task(told_by(workers, gate.wait))
    await asyncio.sleep(0)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    second = asyncio.create_task(told_by(workers, lambda: 2))
    await asyncio.sleep(0)
    gate.set()
    assert [*await asyncio.gather(first, second)] == [(True, None), (2, None)]
    workers.rest()


async def test_nobody_is_told_when_the_loop_is_closed_by_then() -> None:
    workers = Workers("test", 1)
    gate, told = threading.Event(), list[Any]()

    async def leave() -> None:
        workers.post(gate.wait, lambda value, error: told.append(value))

    await asyncio.to_thread(asyncio.run, leave())
    gate.set()
    assert await told_by(workers, lambda: 1) == (1, None)
    assert told == []
    workers.rest()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
def test_a_forked_child_begins_afresh() -> None:
    workers = Workers("test", 1)
    assert asyncio.run(told_by(workers, lambda: 1)) == (1, None)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, bytes([workers.count]))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 1) == b"\0"
    os.close(reading)
    os.close(writing)
    workers.rest()


def test_a_thread_that_never_returns_does_not_keep_the_interpreter() -> None:
    script = """
import asyncio, threading
from understudy.actors import Workers
async def main():
    Workers("test", 1).post(threading.Event().wait, lambda value, error: None)
asyncio.run(main())
print("over")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("over\n", "", 0)


def test_a_thread_that_is_later_than_its_loop_keeps_that_alive_no_longer_than_to_the_next() -> None:
    workers = Workers("test", 1)
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []
    for _ in range(3):
        gate, is_late = threading.Event(), threading.Event()

        async def main(gate: threading.Event = gate, is_late: threading.Event = is_late) -> None:
            loop = asyncio.get_running_loop()
            loops.append(weakref.ref(loop))

            def done(_value: object, _error: object) -> None:
                assert loop.is_running()  # it is never told: this one leads to the loop

            workers.post(partial(gate.wait, 10), done)
            workers.post(is_late.set, lambda *_: None)  # is done when the first is handed in

        asyncio.run(main())
        gate.set()
        assert is_late.wait(10)
    assert asyncio.run(told_by(workers, lambda: 1)) == (1, None)
    gc.collect()
    assert [loop() for loop in loops] == [None] * 3
    workers.rest()
