"""Where things meet: options and garbage, hints and proxies, refusals and branches, tasks left over."""

import asyncio
import functools
import gc
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.loops import turns
from tests.simulation import run_virtual
from understudy import (
    ActorStopped,
    CircuitBreaker,
    Config,
    DeadlineExceeded,
    ExperimentError,
    FunctionResult,
    MemorySink,
    MultiBranchStrategy,
    Plan,
    RoundRobinStrategy,
    Runtime,
    ShadowStrategy,
    current_experiment_case,
)
from understudy.actors import current_branch

TWO = [{"n": 0}, {"n": 1}]


async def test_calls_through_options_that_nobody_keeps_are_accounted_for() -> None:
    runtime = Runtime(configs=TWO[:1])

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> int:
        await asyncio.sleep(0)
        return int(config.user)

    async with runtime:
        calls = [answer.options(configs=[{"user": user}])() for user in range(200)]
        calls += [
            runtime.call(answer.options(configs=[{"user": user}])) for user in range(200, 400)
        ]
        gc.collect()
        tasks = [asyncio.ensure_future(call) for call in calls]
        await turns(2)
        assert runtime.statistics()["answer"].planned == 400
        assert await asyncio.gather(*tasks) == [*range(400)]
    assert runtime.statistics()["answer"].planned == 400


async def test_configs_for_every_call_make_no_row_for_every_call() -> None:
    runtime = Runtime(configs=TWO[:1])

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> int:
        return int(config.user)

    async with runtime:
        for user in range(1000):
            assert await answer.options(configs=[{"user": user}])() == user
        statistics = runtime.statistics()["answer"]
        assert statistics.planned == 1000
        assert len(statistics.cases) < 400
        assert statistics["(others)"].ok > 600


class Proxy:
    """Stands for a request that is bound only while one is handled."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("working outside of a request")

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]
        raise RuntimeError("working outside of a request")


REQUEST: Any = Proxy()


@pytest.mark.parametrize("configs", [TWO, TWO[:1]])
async def test_hints_do_not_run_the_code_of_others(configs: Any) -> None:
    runtime = Runtime(configs=configs, strategy=MultiBranchStrategy())

    @runtime.experiment
    async def answer(asks: bool, config: Config) -> int:
        return REQUEST.user if asks else int(config.n)

    async with runtime:
        assert (await answer(False))[0].result == 0  # type: ignore[index]


@pytest.mark.parametrize("way", ["call", "collect"])
async def test_what_is_wrapped_around_an_experiment_is_called_too(way: str) -> None:
    runtime = Runtime(configs=TWO)
    log: list[str] = []

    @runtime.experiment
    async def answer(config: Config) -> int:
        return int(config.n)

    @functools.wraps(answer)
    async def checked() -> Any:
        log.append("checked")
        return await answer()

    async with runtime:
        result = await getattr(runtime, way)(checked)
        assert (result if way == "call" else result.main_result.result) == 0
        assert log == ["checked"]
        with runtime.force(checked, 1):
            assert await checked() == 1


class Unhashable:
    def __hash__(self) -> int:
        raise TypeError("unhashable after all")

    def __eq__(self, other: object) -> bool:
        return self is other

    def plan(self, call: Any, configs: Any) -> Plan:
        return Plan(primary=configs[1])


class NeverFresh:
    def plan(self, call: Any, configs: Any) -> Plan:
        return Plan(primary=configs[1])

    def fresh(self) -> "NeverFresh":
        raise ValueError("not today")


@pytest.mark.parametrize(("strategy", "answer"), [(Unhashable(), 1), (NeverFresh(), 0)])
async def test_a_strategy_with_a_bad_method_costs_nothing(strategy: Any, answer: int) -> None:
    runtime = Runtime(configs=TWO, strategy=strategy)

    @runtime.experiment
    async def play(config: Config) -> int:
        return int(config.n)

    async with runtime:
        assert [await play() for _ in range(8)] == [answer] * 8
        result = (await runtime.collect(play)).main_result
        assert result.reason == ("static" if answer else "error")


@pytest.mark.parametrize("strategy", [MultiBranchStrategy(), ShadowStrategy()])
def test_branches_and_shadows_pass_on_what_is_left_of_their_time(strategy: Any) -> None:
    slept: list[tuple[int, float]] = []

    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        runtime = Runtime(configs=TWO, strategy=strategy, timeout=1, clock=loop.clock)

        @runtime.experiment(configs=None, timeout=None)
        async def inner(n: int) -> None:
            began = loop.time()
            try:
                await asyncio.sleep(5)
            finally:
                slept.append((n, loop.time() - began))

        @runtime.experiment
        async def outer(config: Config) -> None:
            await asyncio.create_task(inner(int(config.n)))

        async with runtime:
            with suppress(DeadlineExceeded):
                await runtime.collect(outer)

    run_virtual(main())
    assert sorted((n, round(seconds, 2)) for n, seconds in slept) == [(0, 1), (1, 1)]


async def test_a_refused_multi_branch_call_plays_none_of_its_branches() -> None:
    runtime = Runtime(
        configs=TWO,
        strategy=MultiBranchStrategy(),
        concurrency=1,
        mailbox=1,
        overflow="reject",
    )
    gate = asyncio.Event()

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> None:
        await gate.wait()

    async with runtime:
        tasks = [asyncio.create_task(answer()) for _ in range(50)]
        await turns()
        gate.set()
        await asyncio.gather(*tasks)
    for case in runtime.statistics()["answer"].cases:
        assert (case.most_waiting, case.ok) == (1, 2)


@pytest.mark.parametrize("way", ["call", "collect"])
async def test_a_primary_that_exits_at_once_leaves_no_branch_untold(way: str) -> None:
    sink = MemorySink()
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), events=sink)

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> None:
        if not config.n:
            raise SystemExit(3)

    async with runtime:
        with pytest.raises(SystemExit):
            await getattr(runtime, way)(answer)
    assert runtime.statistics()["answer"].planned == 2
    (planned,) = sink.named("call.planned")
    begun = sink.named("branch.started") + sink.named("branch.skipped")
    assert planned.count == len(begun) == 2


async def test_a_task_that_starts_the_next_for_ever_makes_no_chain() -> None:
    runtime = Runtime(configs=TWO[:1])
    depth = most = 0
    over = asyncio.Event()

    @runtime.experiment
    async def tick(left: int, config: Config) -> None:
        nonlocal depth, most
        branch = current_branch()
        depth = 0
        while branch is not None:
            depth, branch = depth + 1, branch.parent
        most = max(most, depth)
        if left:
            tasks.add(asyncio.create_task(later(left)))
        else:
            over.set()

    async def later(left: int) -> None:
        await turns(1)
        await tick(left - 1)

    tasks: set[asyncio.Task[None]] = set()
    async with runtime:
        await tick(200)
        await over.wait()
        await asyncio.gather(*tasks)
    assert most <= 3


async def test_a_worker_begun_in_a_shadow_has_shadows_when_that_is_over() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), nested="independent")
    queue: asyncio.Queue[asyncio.Future[Any]] = asyncio.Queue()
    workers: list[asyncio.Task[None]] = []

    @runtime.experiment(name="inner")
    async def inner(config: Config) -> None: ...

    async def work() -> None:
        while True:
            waiting = await queue.get()
            results = await runtime.collect(inner)
            waiting.set_result([each.status for each in results])

    @runtime.experiment(name="outer")
    async def outer(config: Config) -> None:
        if config.n:
            workers.append(asyncio.create_task(work()))

    async with runtime:
        await outer()
        await runtime.drain()
        asked: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        queue.put_nowait(asked)
        assert await asked == ["ok", "ok"]
        workers[0].cancel()


async def test_a_drain_tells_one_who_cleans_up_after_a_cancellation() -> None:
    runtime = Runtime(configs=TWO[:1], drain_timeout=0.0)
    told: list[BaseException] = []

    @runtime.experiment
    async def save(config: Config) -> None:
        await asyncio.sleep(3600)

    async def handle() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            try:
                await save()
            except (asyncio.CancelledError, ActorStopped) as error:
                told.append(error)

    async with runtime:
        task = asyncio.create_task(handle())
        await turns()
        task.cancel()
        await turns()
    await asyncio.wait([task])
    assert [type(error).__name__ for error in told] == ["ActorStopped"]


async def test_a_shadow_that_cancels_itself_has_failed() -> None:
    breaker = CircuitBreaker(failures=2)
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), circuit=breaker)

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> None:
        if config.n:
            await asyncio.sleep(0)
            raise asyncio.CancelledError

    async with runtime:
        for _ in range(4):
            await answer()
            await runtime.drain()
    case = runtime.statistics()["answer"][1]
    assert (case.error, case.skipped, case.cancelled, case.circuit) == (2, 2, 0, "open")


async def test_a_pin_holds_only_where_there_is_such_a_config() -> None:
    runtime = Runtime(configs=TWO)

    @runtime.experiment
    async def answer(config: Config) -> Any:
        return config.get("n"), config.get("other")

    async with runtime:
        with runtime.force(answer, 1):
            assert await answer() == (1, None)
            result = (await runtime.collect(answer.options(configs=[{"other": 5}]))).main_result
            assert (result.result, result.reason) == ((None, 5), "static")


async def test_a_case_plays_what_it_has_chosen_also_under_other_settings() -> None:
    runtime = Runtime(configs=TWO, strategy=RoundRobinStrategy(), nested="independent")

    @runtime.experiment
    async def inner(config: Config) -> Any:
        return config.get("n"), current_experiment_case.get().config.get("n")

    @runtime.experiment(configs=None)
    async def outer() -> list[Any]:
        others = inner.options(configs=[{"other": 5}])
        return [await inner(), await others(), await inner()]

    async with runtime:
        for n in (0, 1):
            assert await outer() == [(n, n)] * 3


def test_options_may_not_play_more_cases_than_allowed() -> None:
    runtime = Runtime(configs=TWO, strategy=MultiBranchStrategy(), max_cases=2)

    @runtime.experiment
    async def answer(config: Config) -> None: ...

    with pytest.raises(ExperimentError, match="10 cases"):
        answer.options(configs=[{"n": n} for n in range(10)])


async def test_an_error_that_cannot_be_told_harms_nobody() -> None:
    class EvilError(Exception):
        def __str__(self) -> str:
            raise SystemExit(3)

    sink = MemorySink()
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), events=sink)

    @runtime.experiment
    async def answer(config: Config) -> int:
        if config.n:
            raise EvilError
        return 0

    async with runtime:
        assert await answer() == 0
    (failed,) = [event for event in sink.named("branch.completed") if event.status == "error"]
    assert failed.error_type is not None


@pytest.mark.parametrize("seconds", [1e-10, 1e-300])
async def test_a_tiny_timeout_is_one(seconds: float) -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(timeout=seconds), timeout=seconds)

    @runtime.experiment
    async def answer(config: Config) -> None:
        await asyncio.sleep(3600)

    async with runtime:
        with pytest.raises(DeadlineExceeded):
            await answer()


def test_one_runtime_in_many_threads_at_once() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> int:
        await asyncio.sleep(0)
        return int(config.n)

    failed: list[BaseException] = []

    async def main() -> None:
        async with runtime:
            for _ in range(3):
                assert await answer() == 0
                assert runtime.statistics()["answer"].planned

    def run() -> None:
        try:
            for _ in range(5):
                asyncio.run(main())
        except Exception as error:  # noqa: BLE001  # whatever it is
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(6)]
    start_all: list[Callable[[], None]] = [thread.start for thread in threads]
    for start in start_all:
        start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert [case.ok for case in runtime.statistics()["answer"].cases] == [90, 90]


async def test_a_subscriber_runs_outside_of_the_branch_it_is_told_of() -> None:
    runtime = Runtime(configs=TWO, strategy=RoundRobinStrategy(), nested="independent")
    judged: list[int] = []
    has_judged = asyncio.Event()

    @runtime.experiment
    async def judge(config: Config) -> int:
        return int(config.n)

    @runtime.experiment(configs=None, name="inner")
    async def inner() -> None: ...

    @runtime.experiment(configs=None)
    async def outer() -> Any:
        await inner()
        await has_judged.wait()
        return await judge()

    async def listen(result: FunctionResult[Any]) -> None:
        if result.experiment_case.experiment == "inner":
            judged.append(await judge())
            has_judged.set()

    async with runtime:
        runtime.subscribe(listen)
        assert await outer() == 1
        assert judged == [0]


async def test_a_strategy_that_needs_the_arguments_is_left_out_of_the_product() -> None:
    def by_argument(configs: Any, call: Any) -> Any:
        return configs[call.args[0] % 2], []

    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

    @runtime.experiment(strategy=by_argument, name="inner")
    async def inner(x: int, config: Config) -> int:
        return int(config.n)

    @runtime.experiment
    async def outer(x: int, config: Config) -> int:
        return int(await inner(x))

    async with runtime:
        assert [await outer(x) for x in range(6)] == [0, 1] * 3
        assert [await inner(x) for x in range(4)] == [0, 1] * 2
    assert runtime.statistics()["inner"].restarts == 0


def test_a_task_group_is_ended_by_the_deadline_and_not_by_its_tasks() -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        runtime = Runtime(timeout=1, clock=loop.clock)

        @runtime.experiment(timeout=None)
        async def inner() -> None:
            await asyncio.sleep(60)

        @runtime.experiment(name="outer")
        async def outer() -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(3):
                    group.create_task(inner())

        async with runtime:
            with pytest.raises(DeadlineExceeded):
                await outer()
        assert runtime.statistics()["outer"][0].timeout == 1

    run_virtual(main())


async def test_a_refused_call_plays_no_shadows() -> None:
    runtime = Runtime(
        configs=TWO, strategy=ShadowStrategy(), concurrency=1, mailbox=0, overflow="reject"
    )
    gate = asyncio.Event()

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> None:
        if not config.n:
            await gate.wait()

    async with runtime:
        tasks = [asyncio.create_task(answer()) for _ in range(3)]
        await turns()
        gate.set()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(each).__name__ for each in ended] == ["NoneType", "MailboxFull", "MailboxFull"]
    case = runtime.statistics()["answer"][1]
    assert (case.ok, case.skipped) == (1, 2)


async def test_a_pin_ends_with_its_block_also_for_tasks_that_go_on() -> None:
    runtime = Runtime(configs=TWO)
    gate = asyncio.Event()

    @runtime.experiment
    async def play(config: Config) -> int:
        return int(config.n)

    @runtime.experiment
    async def stranger(config: Config) -> None: ...

    async def later() -> list[int]:
        inside = await play()
        await gate.wait()
        return [inside, await play()]

    async with runtime:
        with runtime.force(play, 1):
            task = asyncio.create_task(later())
            await turns()
        with runtime.force(stranger, 1):
            gate.set()
            assert await task == [1, 0]


def test_a_drain_gives_up_on_nothing_that_it_did_not_cancel() -> None:
    async def main() -> tuple[int, int]:
        loop: Any = asyncio.get_running_loop()
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), clock=loop.clock)

        @runtime.experiment(name="play")
        async def play(x: int, config: Config) -> None:
            if config.n and x < 2:
                until = loop.time() + 5
                while loop.time() < until:  # it does not obey
                    with suppress(asyncio.CancelledError):
                        await asyncio.sleep(until - loop.time())
            elif config.n:
                await asyncio.sleep(3)

        async def visit() -> None:
            for x in range(2, 6):
                await asyncio.sleep(0.4)
                await play(x)

        await play(0)
        visitor = asyncio.create_task(visit())
        await runtime.drain(0.2)
        await visitor
        await runtime.drain(10)
        await runtime.aclose()
        case = runtime.statistics()["play"][1]
        return case.cancelled, case.ok

    assert run_virtual(main()) == (1, 4)
