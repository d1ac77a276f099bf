"""Calls from many threads while the runtime is closed again and again: each is answered, and told."""

import asyncio
import threading
from collections import Counter
from contextlib import suppress
from typing import Any

from tests.laws import assert_event_laws
from understudy import (
    ActorStopped,
    Config,
    FunctionResult,
    MemorySink,
    MultiBranchStrategy,
    Runtime,
    ShadowStrategy,
)

TWO = [{"n": 0}, {"n": 1}]


def called_while(runtime: Runtime, calls: list[Any], close: Any) -> None:
    """Make calls, each in a thread of its own, again and again until all the closing is done."""
    over = threading.Event()
    problems: list[BaseException] = []

    def run(call: Any) -> None:
        try:
            while not over.is_set():
                with suppress(ActorStopped):  # it was being played as all was stopped
                    call()
        except BaseException as error:  # noqa: BLE001  # whatever it is
            problems.append(error)

    threads = [threading.Thread(target=run, args=[call], daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    close()
    over.set()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    assert problems == []
    runtime.close()


def test_closing_again_and_again_loses_no_call_and_no_result() -> None:
    told: Counter[tuple[str, str]] = Counter()
    sink = MemorySink(limit=None)
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), drain_timeout=0.01, events=sink)

    def tell(result: FunctionResult[Any]) -> None:
        told[result.experiment_case.experiment, result.status] += 1

    @runtime.experiment(name="alone", configs=TWO[:1])
    def alone(config: Config) -> int:
        return int(config.n)

    @runtime.experiment(name="shadowed")
    def shadowed(config: Config) -> int:
        return int(config.n)

    @runtime.experiment(name="after", strategy=ShadowStrategy(after_primary=True))
    def after(config: Config) -> int:
        return int(config.n)

    @runtime.experiment(name="all", strategy=MultiBranchStrategy())
    def everything(config: Config) -> int:
        return int(config.n)

    def close() -> None:
        for _ in range(5):
            runtime.close()

    with runtime.subscribe(tell, buffer=1_000_000):
        called_while(runtime, [alone, shadowed, after, everything], close)
    ended: Counter[tuple[str, str]] = Counter()
    for experiment in runtime.statistics().experiments:
        for case in experiment.cases:
            for status in ("ok", "error", "timeout", "cancelled", "shed", "skipped"):
                ended[experiment.experiment, status] += getattr(case, status)
    assert_event_laws(sink.events)
    assert +told == +ended


def test_a_blocking_call_of_an_async_function_is_answered_though_all_is_closed() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), drain_timeout=0.01)

    @runtime.experiment(name="play")
    async def play(config: Config) -> int:
        return int(config.n)

    async def leave() -> None:
        for _ in range(20):
            async with runtime:
                await play()
            runtime.close()

    called_while(runtime, [lambda: runtime.call_blocking(play)] * 2, lambda: asyncio.run(leave()))


def test_a_task_of_a_users_that_exits_does_not_end_the_loop_of_blocking_calls() -> None:
    with Runtime(configs=TWO, strategy=ShadowStrategy()) as runtime:

        @runtime.experiment(name="play")
        async def play(config: Config) -> int:
            async def leave() -> None:
                raise SystemExit(3)

            if config.n:
                await asyncio.create_task(leave())
            return int(config.n)

        assert [runtime.call_blocking(play) for _ in range(3)] == [0, 0, 0]
    assert [case.ok for case in runtime.statistics()["play"].cases] == [3, 0]
