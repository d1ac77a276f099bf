"""Sync functions: called like any function, from any thread; played in threads where awaited."""

import asyncio
import contextvars
import functools
import gc
import signal
import subprocess
import sys
import textwrap
import threading
import warnings
import weakref
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from understudy import (
    ActorError,
    Config,
    DeadlineExceeded,
    DeadlockError,
    ExperimentError,
    MailboxFull,
    MultiBranchStrategy,
    Plan,
    RoundRobinStrategy,
    Runtime,
    ShadowStrategy,
    current_experiment_case,
)

TWO = [{"n": 0}, {"n": 1}]
REQUEST = contextvars.ContextVar("request", default="none")


def here() -> str:
    return threading.current_thread().name


def in_threads(count: int, call: Callable[[int], Any]) -> list[Any]:
    """Call something from so many threads at once, and return what came of it."""
    ended: list[Any] = [None] * count

    def run(place: int) -> None:
        try:
            ended[place] = call(place)
        except BaseException as error:  # noqa: BLE001  # whatever it is
            ended[place] = error

    threads = [threading.Thread(target=run, args=(n,), name=f"caller {n}") for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    return ended


# Called directly


def test_the_lead_plays_in_the_callers_own_thread_and_the_shadow_elsewhere() -> None:
    played: dict[int, str] = {}
    with Runtime(configs=TWO, strategy=ShadowStrategy()) as runtime:

        @runtime.experiment(name="play")
        def play(x: int, config: Config) -> int:
            """Say which."""
            played[config.n] = here()
            return x + int(config.n)

        assert play(5) == 5
        assert play.__name__ == "play"
        assert play.__doc__ == "Say which."
    assert played[0] == here()
    assert played[1].startswith("understudy shadow")
    assert [case.ok for case in runtime.statistics()["play"].cases] == [1, 1]


def test_context_variables_cross_as_they_would_without_us() -> None:
    seen: list[tuple[int, str]] = []
    with Runtime(configs=TWO, strategy=ShadowStrategy()) as runtime:

        @runtime.experiment
        def play(config: Config) -> None:
            seen.append((config.n, REQUEST.get()))
            REQUEST.set(f"set by {config.n}")

        def main() -> str:
            REQUEST.set("mine")
            play()
            return REQUEST.get()

        assert contextvars.copy_context().run(main) == "set by 0"
    assert sorted(seen) == [(0, "mine"), (1, "mine")]


def test_an_exception_is_the_users_own_and_a_shadows_is_nobodys() -> None:
    mine = ValueError("mine")
    with Runtime(configs=TWO, strategy=ShadowStrategy()) as runtime:

        @runtime.experiment(name="play")
        def play(fails: int, config: Config) -> None:
            if config.n == fails:
                raise mine

        with pytest.raises(ValueError, match="mine") as caught:
            play(0)
        assert caught.value is mine
        play(1)
    cases = runtime.statistics()["play"].cases
    assert [(case.ok, case.error) for case in cases] == [(1, 1), (1, 1)]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_what_would_end_the_process_is_recorded_in_a_shadow_and_not_obeyed(
    error: BaseException,
) -> None:
    with Runtime(configs=TWO, strategy=ShadowStrategy()) as runtime:

        @runtime.experiment(name="play")
        def play(who: int, config: Config) -> str:
            if config.n == who:
                raise error
            return "fine"

        assert play(1) == "fine"
        with pytest.raises(type(error)):
            play(0)
    assert runtime.statistics()["play"][1].error == 1


def test_all_branches_of_a_multi_branch_call_are_waited_for() -> None:
    with Runtime(configs=TWO, strategy=MultiBranchStrategy()) as runtime:

        @runtime.experiment
        def play(x: int, config: Config) -> int:
            if config.n and x < 0:
                raise ValueError(x)
            return x + int(config.n)

        assert [each.result for each in play(1)] == [1, 2]  # type: ignore[attr-defined]
        assert [each.status for each in play(-1)] == ["ok", "error"]  # type: ignore[attr-defined]


def test_round_robin_is_exact_from_any_number_of_threads() -> None:
    with Runtime(configs=[{"n": n} for n in range(4)], strategy=RoundRobinStrategy()) as runtime:

        @runtime.experiment
        def play(config: Config) -> int:
            return int(config.n)

        played = in_threads(8, lambda _: [play() for _ in range(50)])
        assert Counter(n for each in played for n in each) == dict.fromkeys(range(4), 100)


def test_a_strategy_that_fails_costs_a_direct_call_nothing() -> None:
    class Broken:
        def plan(self, call: Any, configs: Any) -> Plan:
            raise RuntimeError("broken")

    with Runtime(configs=TWO, strategy=Broken()) as runtime:

        @runtime.experiment(name="play")
        def play(config: Config) -> int:
            return int(config.n)

        assert [play() for _ in range(20)] == [0] * 20
    assert runtime.statistics()["play"].restarts <= 3


# Limits


def test_a_case_never_exceeds_its_limit_whoever_calls() -> None:
    running = most = 0
    lock = threading.Lock()
    with Runtime(configs=TWO, strategy=MultiBranchStrategy(), concurrency=1) as runtime:

        @runtime.experiment(name="play")
        def play(config: Config) -> None:
            nonlocal running, most
            if config.n == 0:
                with lock:
                    running += 1
                    most = max(most, running)
                threading.Event().wait(0.001)
                with lock:
                    running -= 1

        in_threads(6, lambda _: [play() for _ in range(10)])
    assert most == 1
    assert [case.ok for case in runtime.statistics()["play"].cases] == [60, 60]


def test_a_caller_is_refused_if_that_is_wanted() -> None:
    gate, inside = threading.Event(), threading.Event()
    with Runtime(configs=TWO[:1], concurrency=1, mailbox=0, overflow="reject") as runtime:

        @runtime.experiment
        def play(config: Config) -> None:
            inside.set()
            gate.wait(10)

        def second(place: int) -> None:
            if place:
                inside.wait(10)
            try:
                play()
            finally:
                if place:
                    gate.set()

        first, refused = in_threads(2, second)
        assert first is None
        assert isinstance(refused, MailboxFull)


def test_waiting_for_a_turn_never_blocks_a_loop() -> None:
    gate, inside = threading.Event(), threading.Event()
    with Runtime(configs=TWO[:1], concurrency=1) as runtime:

        @runtime.experiment
        def play(config: Config) -> None:
            inside.set()
            gate.wait(10)

        async def on_a_loop() -> None:
            play()

        def call(place: int) -> None:
            if not place:
                play()
                return
            inside.wait(10)
            try:
                asyncio.run(on_a_loop())
            finally:
                gate.set()

        _, refused = in_threads(2, call)
        assert isinstance(refused, ActorError)
        assert "would block the loop" in str(refused)


def test_recursion_needs_one_permit() -> None:
    with Runtime(configs=TWO[:1], concurrency=1) as runtime:

        @runtime.experiment
        def play(depth: int, config: Config) -> int:
            return 0 if not depth else 1 + play(depth - 1)

        assert play(50) == 50


def test_a_cycle_of_threads_that_wait_for_each_other_is_found() -> None:
    both = threading.Barrier(2)
    with Runtime(concurrency=1) as runtime:

        @runtime.experiment
        def left(is_first: bool) -> str:
            if is_first:
                both.wait(10)
                right(False)
            return "left"

        @runtime.experiment
        def right(is_first: bool) -> str:
            if is_first:
                both.wait(10)
                left(False)
            return "right"

        ended = in_threads(2, lambda place: (left if place else right)(True))
    assert len([each for each in ended if isinstance(each, DeadlockError)]) == 1, ended
    assert len([each for each in ended if isinstance(each, str)]) == 1


# Awaited


async def test_an_awaited_call_plays_in_a_thread_while_the_loop_goes_on() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
    gate = threading.Event()
    names: dict[int, str] = {}

    @runtime.experiment
    def play(x: int, config: Config) -> tuple[int, str]:
        names[config.n] = here()
        gate.wait(10)
        return x, REQUEST.get()

    async with runtime:
        REQUEST.set("mine")
        asyncio.get_running_loop().call_later(0.01, gate.set)
        assert await runtime.call(play, 3) == (3, "mine")
        results = await runtime.collect(play, 4)
        assert [each.result for each in results] == [(4, "mine")] * 2
    assert names[0].startswith("understudy lead")
    assert names[1].startswith("understudy shadow")


async def test_a_thread_keeps_its_permit_when_its_caller_is_gone() -> None:
    runtime = Runtime(configs=TWO[:1], concurrency=1)
    gates = [threading.Event() for _ in range(2)]
    order: list[str] = []

    @runtime.experiment(name="play")
    def play(place: int, config: Config) -> int:
        order.append(f"begin {place}")
        gates[place].wait(10)
        order.append(f"end {place}")
        return place

    async with runtime:
        with pytest.raises(DeadlineExceeded):
            await runtime.call(play.options(timeout=0.3), 0)
        second = asyncio.create_task(runtime.call(play, 1))
        await asyncio.sleep(0.01)
        assert order == ["begin 0"]
        gates[0].set()
        gates[1].set()
        assert await second == 1
        assert order == ["begin 0", "end 0", "begin 1", "end 1"]
    case = runtime.statistics()["play"][0]
    assert (case.ok, case.timeout, case.in_flight) == (1, 1, 0)


async def test_a_cancelled_caller_leaves_at_once() -> None:
    runtime = Runtime(configs=TWO[:1])
    gate, inside = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    @runtime.experiment(name="play")
    def play(config: Config) -> None:
        loop.call_soon_threadsafe(inside.set)
        gate.wait(10)

    async with runtime:
        task = asyncio.create_task(runtime.call(play))
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert runtime.statistics()["play"][0].cancelled == 1
        gate.set()


def test_a_finalizer_may_call_while_the_thread_for_such_calls_is_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runtime = Runtime(configs=TWO)
    start = threading.Thread.start
    answers: list[int] = []

    @runtime.experiment
    async def play(config: Config) -> int:
        return int(config.n)

    class Finalized:
        def __del__(self) -> None:
            answers.append(runtime.call_blocking(play))

    behind: list[threading.Thread] = []
    left = [Finalized()]

    def collect_and_start(thread: threading.Thread) -> None:
        if thread.name == "understudy backstage":
            behind.append(thread)
            left.clear()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", collect_and_start)
    with runtime:
        assert runtime.call_blocking(play) == 0
    assert answers == [0]
    assert len(behind) == 2
    for thread in behind:
        thread.join(5)
        assert not thread.is_alive()


async def test_a_shadow_whose_thread_cannot_be_started_is_no_business_of_the_lead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("understudy shadow"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)

    @runtime.experiment(name="play")
    def play(config: Config) -> int:
        return int(config.n)

    async with runtime:
        assert play() == 0
        assert await runtime.call(play) == 0
    assert runtime.statistics()["play"][1].error == 2


# Nested


async def test_either_colour_may_call_the_other_and_one_case_holds() -> None:
    runtime = Runtime(configs=TWO, strategy=MultiBranchStrategy())
    cases: list[tuple[int, int | None, int | None]] = []

    @runtime.experiment(configs=[{"m": 0}, {"m": 1}], strategy=MultiBranchStrategy())
    def inner(config: Config) -> int:
        return int(config.m)

    @runtime.experiment
    async def outer(config: Config) -> None:
        first = inner()
        second = await runtime.call(inner)
        cases.append((int(config.n), first.main_result.result, second.main_result.result))

    async with runtime:
        await outer()
    assert sorted(cases) == [(n, m, m) for n in (0, 1) for m in (0, 1)]


def test_a_sync_function_may_call_an_async_one_and_wait() -> None:
    with Runtime(configs=TWO, strategy=ShadowStrategy()) as runtime:
        seen: list[tuple[int, int]] = []

        @runtime.experiment(configs=[{"m": 7}])
        async def inner(config: Config) -> int:
            case = current_experiment_case.get()
            assert case.config.m == 7
            await asyncio.sleep(0)
            return int(config.m)

        @runtime.experiment
        def outer(config: Config) -> int:
            seen.append((int(config.n), runtime.call_blocking(inner)))
            return int(config.n)

        assert outer() == 0
    assert sorted(seen) == [(0, 7), (1, 7)]


def test_each_thread_that_calls_an_async_one_gets_its_own_answer() -> None:
    runtime = Runtime(configs=TWO)

    @runtime.experiment
    async def answer(x: int, config: Config) -> tuple[int, str]:
        await asyncio.sleep(0)
        if x == 3:
            raise KeyError(x)
        return x, REQUEST.get()

    def ask(place: int) -> list[tuple[int, str]]:
        REQUEST.set(f"{place}")
        return [runtime.call_blocking(answer, place) for _ in range(50)]

    with runtime:
        told = in_threads(4, ask)
    assert told[:3] == [[(place, f"{place}")] * 50 for place in range(3)]
    assert isinstance(told[3], KeyError)


def test_what_is_called_off_before_it_begins_keeps_nobody_from_leaving() -> None:
    backstage = Runtime().stages._backstage
    has_begun, gate = threading.Event(), threading.Event()

    def hold() -> None:
        has_begun.set()
        gate.wait(10)

    async def leave() -> bool:
        async with asyncio.timeout(10):
            while not backstage.stop():  # noqa: ASYNC110  # what was called off ends some turns later
                await asyncio.sleep(0)
        return True

    holder = threading.Thread(target=backstage.do, args=(hold,))
    holder.start()
    assert has_begun.wait(10)
    told = backstage.hand_over(asyncio.Event().wait)
    assert told.cancel()
    gate.set()
    holder.join(10)
    assert backstage.play(leave)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals for a thread")
def test_ctrl_c_while_waiting_for_an_async_one_cancels_that(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runtime = Runtime()
    waiter, interruptions = threading.get_ident(), list[int]()
    ended = threading.Event()

    def interrupt(number: int, _: object) -> None:
        interruptions.append(number)
        if len(interruptions) == 1:
            raise KeyboardInterrupt

    @runtime.experiment
    async def interrupts() -> None:
        try:
            while True:  # a signal that comes just before the thread waits does not wake it
                signal.pthread_kill(waiter, signal.SIGINT)
                await asyncio.sleep(0.001)
        finally:
            ended.set()

    @runtime.experiment
    async def answer(x: int) -> int:
        await asyncio.sleep(0)
        return x

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        with runtime:
            with pytest.raises(KeyboardInterrupt):
                runtime.call_blocking(interrupts)
            assert ended.wait(10)
            assert [runtime.call_blocking(answer, number) for number in range(3)] == [0, 1, 2]
    finally:
        signal.signal(signal.SIGINT, before)
    gc.collect()  # tasks that failed tell it now
    assert caplog.records == []
    (counts, _) = (each.cases[0] for each in runtime.statistics().experiments)
    assert (counts.planned, counts.cancelled) == (1, 1)


async def test_waiting_on_a_loops_own_thread_is_an_error_at_once() -> None:
    runtime = Runtime()

    @runtime.experiment
    async def play() -> None: ...

    async with runtime:
        with pytest.raises(ExperimentError, match=r"await runtime\.call"):
            runtime.call_blocking(play)
        with runtime.run(play) as runner, pytest.raises(ExperimentError, match="await runner"):
            runner()


# Runners


@pytest.mark.parametrize("await_variants", [False, True])
def test_a_runner_gives_results_without_await(await_variants: bool) -> None:
    with Runtime(configs=TWO, strategy=ShadowStrategy()) as runtime:

        @runtime.experiment
        def plain(x: int, config: Config) -> int:
            return x + int(config.n)

        @runtime.experiment
        async def awaited(x: int, config: Config) -> int:
            await asyncio.sleep(0)
            return x + int(config.n)

        for function in (plain, awaited):
            with runtime.run(function, await_variants) as runner:
                for x in (1, 2):
                    results = runner(x)
                    assert results.main_result.result == x
                    told = [each.result for each in results.variant_results]
                    assert told == ([x + 1] if await_variants else [])


# Kinds


class Model:
    def __init__(self, runtime: Runtime) -> None:
        self.own = runtime.experiment(self.plain)

    def plain(self, x: int, config: Config) -> tuple[str, int, int]:
        return type(self).__name__, x, int(config.n)


def kinds(runtime: Runtime) -> dict[str, Callable[..., Any]]:
    class Methods:
        @runtime.experiment
        def method(self, x: int, config: Config) -> tuple[str, int, int]:
            return type(self).__name__, x, int(config.n)

        @runtime.experiment
        @classmethod
        def of_class(cls, x: int, config: Config) -> tuple[str, int, int]:
            return cls.__name__, x, int(config.n)

        @staticmethod
        @runtime.experiment
        def static(x: int, config: Config) -> tuple[str, int, int]:
            return "Methods", x, int(config.n)

        @runtime.experiment
        @staticmethod
        def static_inside(x: int, config: Config) -> tuple[str, int, int]:
            return "Methods", x, int(config.n)

        def __call__(self, x: int, config: Config) -> tuple[str, int, int]:
            return type(self).__name__, x, int(config.n)

    def plain(name: str, x: int, config: Config) -> tuple[str, int, int]:
        return name, x, int(config.n)

    async def waits(x: int, n: int) -> tuple[str, int, int]:
        await asyncio.sleep(0)
        return "Methods", x, n

    def gives_a_coroutine(x: int, config: Config) -> Coroutine[Any, Any, Any]:
        return waits(x, int(config.n))

    space: dict[str, Any] = {}
    exec("def typed(x, config):\n    return 'Methods', x, config.n", space)
    return {
        "method": Methods().method,
        "classmethod": Methods.of_class,
        "staticmethod": Methods.static,
        "staticmethod inside": Methods().static_inside,
        "callable object": runtime.experiment(Methods()),
        "partial": runtime.experiment(functools.partial(plain, "Methods")),
        "lambda": runtime.experiment(lambda x, config: ("Methods", x, int(config.n))),
        "without source": runtime.experiment(space["typed"]),
        "bound method": runtime.experiment(Methods().__call__),
        "gives a coroutine": runtime.experiment(gives_a_coroutine),
    }


KINDS = [
    "method", "classmethod", "staticmethod", "staticmethod inside", "callable object", "partial",
    "lambda", "without source", "bound method", "gives a coroutine",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_function_is_played_as_it_is(kind: str) -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
    function = kinds(runtime)[kind]
    async with runtime:
        direct = function(3)
        direct = await direct if asyncio.iscoroutine(direct) else direct
        awaited = await runtime.call(function, 3)
        results = await runtime.collect(function, 3)
    assert direct == awaited == ("Methods", 3, 0)
    assert [each.result for each in results] == [("Methods", 3, 0), ("Methods", 3, 1)]
    (played,) = [each for each in runtime.statistics().experiments if each.planned]
    assert [case.ok for case in played.cases] == [3, 3]


def test_builtins_and_functions_without_experiments_just_run() -> None:
    with Runtime() as runtime:
        assert runtime.call_blocking(len, "four") == 4
        assert runtime.call_blocking(functools.partial(max, 3), 7) == 7
        assert runtime.experiment(len)("four") == 4


async def test_builtins_are_awaited_in_a_thread() -> None:
    async with Runtime() as runtime:
        assert await runtime.call(len, "four") == 4


def test_a_coroutine_that_is_dropped_ends_its_branch() -> None:
    async def waits() -> None: ...

    with Runtime(configs=TWO[:1]) as runtime, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)

        @runtime.experiment(name="play")
        def play(config: Config) -> Coroutine[Any, Any, None]:
            return waits()

        coroutine = play()
        assert runtime.statistics()["play"][0].in_flight == 1
        del coroutine
        assert runtime.statistics()["play"][0].cancelled == 1


def test_an_experiment_of_an_instance_dies_with_it() -> None:
    with Runtime(configs=TWO[:1]) as runtime:
        model = Model(runtime)
        assert model.own(1) == ("Model", 1, 0)
        gone = weakref.ref(model)
        del model
        gc.collect()
        assert gone() is None


def test_two_runtimes_that_decorate_one_function_know_nothing_of_each_other() -> None:
    def play(config: Config) -> int:
        return int(config.n)

    with Runtime(configs=TWO) as one, Runtime(configs=TWO[1:]) as other:
        mine, theirs = one.experiment(play), other.experiment(play)
        assert (mine(), theirs()) == (0, 1)
        assert (one.statistics().experiments[0].planned, mine()) == (1, 0)
        assert other.statistics().experiments[0].planned == 1


# Its end


def run_script(script: str) -> tuple[str, str, int]:
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout, done.stderr, done.returncode


SCRIPT = """
    import threading, time
    from understudy import Config, Runtime, ShadowStrategy

    runtime = Runtime(configs=[{"n": 0}, {"n": 1}], strategy=ShadowStrategy(), drain_timeout=SECONDS)

    @runtime.experiment(name="play")
    def play(config: Config):
        if config.n:
            WAIT
            print("shadow done", flush=True)
        return config.n

    print("answer", play())
"""


def test_a_script_without_a_loop_drains_at_its_end() -> None:
    script = SCRIPT.replace("SECONDS", "10").replace("WAIT", "time.sleep(0.05)")
    assert run_script(script) == ("answer 0\nshadow done\n", "", 0)


def test_a_shadow_that_never_returns_is_reported_at_the_end_and_left_behind() -> None:
    script = SCRIPT.replace("SECONDS", "0.05").replace("WAIT", "threading.Event().wait()")
    told = "the drain was over, and cancelled what ran: play[1] x 1\n"
    assert run_script(script) == ("answer 0\n", told, 0)


def test_a_lead_in_its_callers_thread_cannot_be_ended_but_is_reported() -> None:
    runtime = Runtime(drain_timeout=0.001)
    is_inside, may_go_on = threading.Event(), threading.Event()
    answers: list[str] = []

    @runtime.experiment(name="play")
    def play() -> str:
        is_inside.set()
        may_go_on.wait()
        return "late"

    thread = threading.Thread(target=lambda: answers.append(play()))
    thread.start()
    is_inside.wait()
    report = runtime.close()
    assert [(each.status, each.reason) for each in report.cancelled] == [("cancelled", "abandoned")]
    may_go_on.set()
    thread.join()
    assert answers == ["late"]
    (case,) = runtime.statistics()["play"].cases
    assert (case.planned, case.cancelled, case.ok) == (1, 1, 0)


def test_closing_ends_all_threads_and_the_next_call_starts_again() -> None:
    before = {*threading.enumerate()}
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

    @runtime.experiment(name="play")
    def play(config: Config) -> int:
        return int(config.n)

    for rounds in (1, 2, 3):
        with runtime:
            assert play() == 0
        runtime.close()
        for thread in {*threading.enumerate()} - before:
            thread.join(10)
        assert {*threading.enumerate()} <= before
        assert [case.ok for case in runtime.statistics()["play"].cases] == [rounds, rounds]


async def test_leaving_a_loop_ends_the_threads_that_played_for_it() -> None:
    threads = list[threading.Thread]()
    async with Runtime(configs=TWO, strategy=ShadowStrategy()) as runtime:

        @runtime.experiment
        def answer(config: Config) -> None:
            threads.append(threading.current_thread())

        await runtime.call(answer)
    assert len(threads) == 2
    for thread in threads:  # they would wait for more for longer than this
        await asyncio.to_thread(thread.join, 4)
    assert not any(thread.is_alive() for thread in threads)


async def test_a_thread_that_ends_as_its_branch_is_cancelled_gives_back_one_permit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), concurrency=1)
    is_inside, may_go_on, is_left = threading.Event(), threading.Event(), threading.Event()

    @runtime.experiment()
    def answer(config: Config) -> None:
        if config.n == 1:
            is_inside.set()
            may_go_on.wait()

    async with runtime:
        await runtime.call(answer)
        await asyncio.to_thread(is_inside.wait)
        stage = runtime.stage_on(asyncio.get_running_loop())
        ((task, message),) = stage.playing.items()
        hand_in = stage.loop.call_soon_threadsafe

        def note(*args: Any, **kwargs: Any) -> Any:
            hand_in(*args, **kwargs)
            is_left.set()

        with monkeypatch.context() as patch:
            patch.setattr(stage.loop, "call_soon_threadsafe", note)
            task.cancel()
            may_go_on.set()
            is_left.wait()  # and holds the loop: both come in the same turn
        await asyncio.wait([task])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert message.actor.mailbox.permits == 1
