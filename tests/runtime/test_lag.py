"""Who holds the loop, or the interpreter, is told of while it does; nothing is paid for it else.

The guilty hold until they are told of: had nobody told in the meantime, they would be for ever.
"""

import asyncio
import gc
import logging
import os
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from tests.simulation import run_virtual
from understudy import (
    CircuitBreaker,
    Config,
    Event,
    ExperimentError,
    Runtime,
    ShadowStrategy,
    current_experiment_case,
)

TWO = [{"n": 0}, {"n": 1}]
LAG = 0.02
LONG = 30.0
"""How many seconds the guilty wait at most: a test that gets there fails."""


class Told:
    """Listens to a runtime's events, from the thread that tells them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event.event == name]

    def functions(self) -> set[str]:
        return {str(event.function).rpartition(".")[2] for event in self.named("loop.lagged")}

    def wait(self, name: str = "loop.lagged", count: int = 1) -> None:
        """Block this thread until so many events have been told."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.named(name)) >= count, LONG)

    def compute(self, count: int = 1) -> None:
        """Compute until so many have been told."""
        until = time.monotonic() + LONG
        while len(self.named("loop.lagged")) < count:
            assert time.monotonic() < until


def watched(told: Told, **settings: Any) -> Runtime:
    given: dict[str, Any] = {"configs": TWO, "strategy": ShadowStrategy(), "lag": LAG}
    return Runtime(events=told, **(given | settings))


async def test_a_shadow_that_blocks_the_loop_is_named_while_it_does() -> None:
    told = Told()
    runtime = watched(told)

    @runtime.experiment
    async def answer(config: Config) -> int:
        if config.n:
            told.wait()
        return int(config.n)

    async with runtime:
        results = await runtime.collect(answer)
        assert [each.result for each in results] == [0, 1]
    (lagged,) = told.named("loop.lagged")
    (resumed,) = told.named("loop.resumed")
    shadow = results.variant_results[0]
    assert lagged.experiment is not None
    assert lagged.experiment.endswith("answer")
    assert lagged.function is not None
    assert lagged.function.endswith("answer")
    assert (lagged.label, lagged.role, lagged.place) == ("1", "shadow", "loop")
    assert (lagged.branch_id, lagged.call_id) == (shadow.branch_id, shadow.call_id)
    assert lagged.config_id == shadow.experiment_case.config.id
    assert lagged.where is not None
    assert lagged.where.startswith(f"{__file__}:")
    assert " in answer > " in lagged.where
    assert resumed.branch_id == lagged.branch_id
    assert resumed.lag_ms is not None
    assert lagged.lag_ms is not None
    assert 1e3 * LAG <= lagged.lag_ms <= resumed.lag_ms
    case = runtime.statistics().experiments[0]
    assert (case[0].lagged, case[1].lagged, case[1].ok) == (0, 1, 1)


async def test_the_innermost_of_the_experiments_that_call_each_other_is_named() -> None:
    told = Told()
    runtime = watched(told, strategy=None)

    @runtime.experiment
    async def inner(config: Config) -> None:
        told.wait()

    @runtime.experiment
    async def outer(config: Config) -> None:
        await inner()

    async with runtime:
        await outer()
    assert told.functions() == {"inner"}


async def test_one_that_calls_others_again_and_again_without_a_pause_is_named_itself() -> None:
    told = Told()
    runtime = watched(told, strategy=None)

    @runtime.experiment
    def inner(config: Config) -> None:
        time.sleep(0.001)

    @runtime.experiment
    async def outer(config: Config) -> None:
        until = time.monotonic() + LONG
        while not told.named("loop.lagged"):
            inner()
            assert time.monotonic() < until

    async with runtime:
        await outer()
    assert told.functions() == {"outer"}


async def test_after_a_suspension_it_is_found_as_well() -> None:
    told = Told()
    runtime = watched(told, strategy=None)

    @runtime.experiment
    async def answer(config: Config) -> None:
        await asyncio.sleep(0)
        told.wait()

    async with runtime:
        await answer()
    assert [event.role for event in told.named("loop.lagged")] == ["primary"]


async def test_a_task_that_a_branch_makes_is_its_own_doing() -> None:
    told = Told()
    runtime = watched(told)

    @runtime.experiment
    async def answer(config: Config) -> None:
        async def block() -> None:
            await asyncio.sleep(0)
            told.wait()

        if config.n:
            await asyncio.gather(block())

    async with runtime:
        await runtime.collect(answer)
    (lagged,) = told.named("loop.lagged")
    assert (lagged.label, lagged.place) == ("1", "loop")


async def test_a_function_without_async_called_on_a_loop_holds_it_too() -> None:
    told = Told()
    runtime = watched(told, strategy=None)

    @runtime.experiment
    def answer(config: Config) -> None:
        told.wait()

    async with runtime:
        answer()
    assert [event.place for event in told.named("loop.lagged")] == ["loop"]
    assert runtime.statistics().experiments[0][0].lagged == 1


async def test_a_long_turn_of_many_short_steps_is_told_and_none_of_them_is_blamed() -> None:
    told = Told()
    lag = 10 * LAG
    runtime = watched(told, strategy=None, lag=lag)

    @runtime.experiment
    async def answer(config: Config) -> None:
        until = time.thread_time() + lag / 50  # so that a busy machine only makes it longer
        while time.thread_time() < until and not told.named("loop.lagged"):
            pass

    async with runtime:
        calls = [asyncio.create_task(answer()) for _ in range(1_000)]
        await asyncio.gather(*calls)
    lagged, *more = told.named("loop.lagged")
    resumed, *_ = told.named("loop.resumed")
    assert (lagged.reason, lagged.place) == ("many_short_steps", "loop")
    blamed = [(each.experiment, each.branch_id) for each in (lagged, *more)]
    assert {*blamed} == {(None, None)}  # a busy machine may hold it once more
    assert lagged.lag_ms is not None
    assert resumed.lag_ms is not None
    assert 1e3 * lag <= lagged.lag_ms <= resumed.lag_ms
    assert runtime.statistics().experiments[0][0].lagged == 0


async def test_whoever_is_there_while_the_garbage_collector_works_is_not_blamed() -> None:
    told = Told()
    runtime = watched(told, strategy=None)
    waits: list[float] = []

    @runtime.experiment
    async def answer(config: Config) -> None:
        await asyncio.sleep(0)
        before = time.perf_counter()
        gc.collect()
        waits.append(time.perf_counter() - before)

    heap: list[list[int]] = [[] for _ in range(500_000)]
    gc.disable()  # but for what is collected here
    try:
        async with runtime:
            await answer()
    finally:
        gc.enable()
    assert told.named("loop.lagged") == [], (waits, len(heap))
    assert waits[0] > LAG


async def test_what_is_nobodys_is_not_told() -> None:
    told = Told()
    runtime = watched(told)
    in_flight, others = asyncio.Event(), Told()
    other = watched(others, strategy=None)

    @runtime.experiment
    async def answer(config: Config) -> None:
        await in_flight.wait()

    @other.experiment
    async def block(config: Config) -> None:
        others.wait()

    async with runtime, other:
        call = asyncio.create_task(answer())
        await asyncio.sleep(0)
        await block()  # another runtime's: this one's watchdog looked as often as that one's
        time.sleep(4 * LAG)  # noqa: ASYNC251  # our own
        in_flight.set()
        await call
    assert told.named("loop.lagged") == []


async def test_a_thread_that_computes_holds_the_interpreter() -> None:
    told = Told()
    runtime = watched(told)

    @runtime.experiment
    def answer(config: Config) -> None:
        if config.n:
            told.compute()

    async with runtime:
        await runtime.collect(answer)
    (lagged,) = told.named("loop.lagged")
    assert (lagged.label, lagged.role, lagged.place) == ("1", "shadow", "thread")
    assert lagged.where is not None
    assert f"{__file__}:" in lagged.where
    assert len(told.named("loop.resumed")) == 1


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_call_that_keeps_the_interpreter_is_named_as_soon_as_it_lets_go(
    is_async: bool,
) -> None:
    told = Told()
    runtime = watched(told)

    def hold() -> None:
        until = time.monotonic() + LONG
        while not told.named("loop.lagged"):
            sum(range(5_000_000))  # in C: no other thread runs
            assert time.monotonic() < until

    @runtime.experiment
    async def in_loop(config: Config) -> None:
        if config.n:
            hold()

    @runtime.experiment
    def in_thread(config: Config) -> None:
        if config.n:
            hold()

    async with runtime:
        await runtime.collect(in_loop if is_async else in_thread)
    (lagged,) = told.named("loop.lagged")
    assert (lagged.label, lagged.place) == ("1", "loop" if is_async else "thread")


async def test_a_thread_that_only_waits_holds_nothing() -> None:
    told = Told()
    runtime = watched(told, strategy=None)
    go_on = threading.Event()

    @runtime.experiment
    def wait(config: Config) -> None:
        assert go_on.wait(LONG)

    @runtime.experiment
    async def block(config: Config) -> None:
        told.wait()

    async with runtime:
        waiting = asyncio.create_task(runtime.call(wait))
        await asyncio.sleep(0)
        await block()
        go_on.set()
        await waiting
    assert told.functions() == {"block"}


async def test_a_shadow_that_holds_the_loop_again_and_again_opens_its_circuit() -> None:
    told = Told()
    runtime = watched(told, circuit=CircuitBreaker(failures=2, cooldown=60))
    times = 0

    @runtime.experiment
    async def answer(config: Config) -> None:
        nonlocal times
        if config.n:
            times += 1
            told.wait(count=times)

    async with runtime:
        ended = [(await runtime.collect(answer)).variant_results[0] for _ in range(3)]
    assert [each.status for each in ended] == ["ok", "ok", "skipped"]
    assert ended[-1].reason == "circuit_open"
    assert runtime.statistics().experiments[0][1].lagged == 2


async def test_a_lead_that_holds_the_loop_is_counted_and_plays_on() -> None:
    told = Told()
    runtime = watched(told, circuit=CircuitBreaker(failures=1))
    times = 0

    @runtime.experiment
    async def answer(config: Config) -> int:
        nonlocal times
        if not config.n:
            times += 1
            told.wait(count=times)
        return int(config.n)

    async with runtime:
        assert [await answer() for _ in range(3)] == [0, 0, 0]
        await runtime.drain()
    lead = runtime.statistics().experiments[0][0]
    assert (lead.ok, lead.lagged, lead.circuit) == (3, 3, "closed")


async def test_without_anybody_listening_it_is_a_warning_in_the_log_and_one_when_it_is_over() -> (
    None
):
    runtime = Runtime(configs=TWO[:1], lag=LAG, events=[])
    warned, over = threading.Event(), threading.Event()
    records: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            (over if records else warned).set()
            records.append(record.getMessage())

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> None:
        assert warned.wait(LONG)

    handler = Handler(logging.WARNING)
    logging.getLogger("understudy").addHandler(handler)
    try:
        async with runtime:
            await answer()
        assert over.wait(LONG)
    finally:
        logging.getLogger("understudy").removeHandler(handler)
    assert records[0].startswith("answer[0] (primary) has held the loop for 0.")
    assert f"{__file__}:" in records[0]
    assert records[1].startswith("answer[0] (primary) has let go of the loop after 0.")


async def test_it_sleeps_while_no_call_is_in_flight_and_is_gone_afterwards() -> None:
    told = Told()
    runtime = watched(told)

    @runtime.experiment
    async def answer(config: Config) -> None:
        await asyncio.sleep(0)

    threads = set(threading.enumerate())
    async with runtime:
        assert watchdogs(threads) == []
        await runtime.collect(answer)
        (thread,) = watchdogs(threads)
        watchdog = runtime.stages.watchdog
        assert watchdog is not None
        await until(lambda: watchdog.is_asleep)
        wakings = watchdog.wakings
        await asyncio.sleep(10 * LAG)
        assert watchdog.wakings == wakings
        await runtime.collect(answer)
        await until(lambda: watchdog.wakings > wakings)
        assert watchdogs(threads) == [thread]
    await until(lambda: not thread.is_alive())
    await runtime.collect(answer)  # and there again, if it is started again
    assert len(watchdogs(threads)) == 1
    await runtime.aclose()


def watchdogs(before: set[threading.Thread]) -> list[threading.Thread]:
    new = set(threading.enumerate()) - before
    return [each for each in new if each.name == "understudy watchdog"]


async def has_woken(watchdog: Any) -> None:
    await until(lambda: watchdog.wakings > 0)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONG):
        while not holds():  # noqa: ASYNC110  # what another thread does
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("lag", [None, 0])
async def test_it_can_be_switched_off(lag: float | None) -> None:
    runtime = Runtime(lag=lag)
    assert runtime.stages.watchdog is None


def test_a_runtime_with_a_clock_of_its_own_is_not_watched() -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        assert Runtime(clock=loop.clock, lag=LAG).stages.watchdog is None

    run_virtual(main())


@pytest.mark.parametrize("lag", [-1, True, "1", float("nan"), 0.001])
def test_a_lag_that_is_no_time_is_refused(lag: Any) -> None:
    with pytest.raises(ExperimentError, match=r"lag must be a number of seconds"):
        Runtime(lag=lag)


async def test_a_call_that_does_not_suspend_does_nothing_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    has_looked = threading.Event()
    kind: Any = type(Runtime().stages.watchdog)
    wait = kind._wait

    def looked(*given: Any) -> Any:
        has_looked.set()
        return wait(*given)

    monkeypatch.setattr(kind, "_wait", looked)
    did: list[list[str]] = []
    for lag in (None, 1e6):
        runtime = Runtime(configs=TWO[:1], lag=lag, events=[])

        @runtime.experiment
        async def answer(config: Config) -> None:
            pass

        async with runtime:
            await runtime.call(answer)
            await asyncio.sleep(0)
            stage = runtime.stage_on(asyncio.get_running_loop())
            if lag is not None:  # it looks once, and then not for a long time
                await until(has_looked.is_set)
            await runtime.call(answer)  # the next one rings
            stage.slice_end = sys.maxsize  # and none yields
            with profiled() as done:
                await runtime.call(answer)
        did.append(done)
    assert did[0] == did[1]
    assert len(did[0]) > 5


@contextmanager
def profiled() -> Generator[list[str]]:
    """Note each call that this thread makes, but none of the garbage of others."""
    done: list[str] = []
    gc.collect()
    gc.disable()

    def note(frame: Any, event: str, function: Any) -> None:
        if event in ("call", "c_call"):
            name = frame.f_code.co_qualname if event == "call" else function.__qualname__
            done.append(f"{event} {name}")

    sys.setprofile(note)
    try:
        yield done
    finally:
        sys.setprofile(None)
        gc.enable()


async def test_two_loops_in_two_threads_are_watched_each() -> None:
    told = Told()
    runtime = watched(told, configs=[{"n": n} for n in range(2)], strategy=None)

    @runtime.experiment
    async def answer(config: Config) -> str:
        label = current_experiment_case.get().config.label
        told.wait(count=2)  # each holds its loop until both are told of
        return label

    def elsewhere() -> None:
        async def main() -> None:
            with runtime.force(answer, 1):
                await answer()

        asyncio.run(main())

    async with runtime:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        await answer()
        await asyncio.to_thread(thread.join)
    assert {event.label for event in told.named("loop.lagged")} == {"0", "1"}


def test_one_who_held_a_loop_until_that_ended_is_told_to_have_let_go_of_it() -> None:
    told = Told()
    runtime = Runtime(configs=TWO[:1], events=told, lag=LAG)

    @runtime.experiment
    async def hold(config: Config, name: str) -> None:
        told.wait(name)

    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    first.run_until_complete(hold(name="loop.lagged"))
    second.run_until_complete(hold(name="loop.resumed"))  # in the same thread
    first.run_until_complete(runtime.aclose())
    second.run_until_complete(runtime.aclose())
    first.close()
    second.close()
    assert {event.branch_id for event in told.named("loop.lagged")} == {
        event.branch_id for event in told.named("loop.resumed")
    }


def test_the_loop_behind_the_scenes_is_watched_too() -> None:
    told = Told()
    runtime = watched(told, strategy=None)

    @runtime.experiment
    async def answer(config: Config) -> int:
        told.wait()
        return 42

    with runtime:
        assert runtime.call_blocking(answer) == 42
    assert len(told.named("loop.lagged")) == 1


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_has_a_watchdog_of_its_own() -> None:
    told = Told()
    runtime = watched(told, strategy=None)
    goes_on = threading.Event()

    @runtime.experiment
    async def answer(config: Config) -> None:
        told.wait()

    @runtime.experiment
    def wait(config: Config) -> None:
        assert goes_on.wait(LONG)

    with runtime:
        runtime.call_blocking(answer)
        thread = threading.Thread(target=wait)
        thread.start()  # in flight while it forks
        child = os.fork()
        if not child:
            status = 1
            try:
                told.__init__()  # type: ignore[misc]
                runtime.call_blocking(answer)
                status = 0 if told.named("loop.lagged") else 2
            finally:
                os._exit(status)
        goes_on.set()
        thread.join()
        assert os.waitpid(child, 0)[1] == 0


async def test_a_stream_is_named_for_what_it_does_not_for_what_its_reader_does() -> None:
    told = Told()
    runtime = watched(told, strategy=None)

    @runtime.experiment
    async def items(config: Config) -> AsyncGenerator[int, None]:
        yield 1
        await asyncio.sleep(0)
        told.wait(count=1)
        yield 2

    @runtime.experiment
    async def read(config: Config) -> None:
        async for item in items():
            if item == 2:
                told.wait(count=2)

    async with runtime:
        await read()
    functions = [str(event.function) for event in told.named("loop.lagged")]
    assert [name.rpartition(".")[2] for name in functions] == ["items", "read"]


def test_what_is_gone_before_it_looks_is_none_of_its_concern() -> None:
    gc.collect()
    gc.freeze()  # what was there before: it takes long to look through
    try:
        for _ in range(50):
            runtime = Runtime(lag=LAG)

            @runtime.experiment
            async def answer() -> int:
                return 42

            loop = asyncio.new_event_loop()
            assert loop.run_until_complete(answer()) == 42
            loop.run_until_complete(runtime.aclose())
            loop.close()
            del runtime, answer, loop
            gc.collect()
    finally:
        gc.unfreeze()


async def test_however_a_step_ends_nobody_is_taken_to_be_on_the_loop_afterwards() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), lag=LAG)
    stage = runtime.stage_on(asyncio.get_running_loop())
    seen: list[bool] = []

    @runtime.experiment
    async def answer(way: str, config: Config) -> None:
        if way.startswith("late"):
            await asyncio.sleep(0)
        seen.append(stage.stepping is not None or config.n == 1)
        if way.endswith("raises"):
            raise ValueError(way)
        if way == "hangs":
            await asyncio.Event().wait()

    async with runtime:
        for way in ("returns", "raises", "late returns", "late raises"):
            with suppress(ValueError):
                await answer(way)
            assert stage.stepping is None
        hanging = asyncio.create_task(answer("hangs"))
        await asyncio.sleep(0)
        assert stage.stepping is None
        hanging.cancel()
        await asyncio.wait([hanging])
        assert stage.stepping is None
        await runtime.drain(0)
    assert len(seen) == 10
    assert all(seen)
