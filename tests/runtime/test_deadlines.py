"""Deadlines: they cover waiting and running, and nested calls inherit what is left."""

import asyncio
from typing import Any

import anyio
import pytest

from tests.simulation import SimulatedLoop, run_virtual
from understudy import Config, DeadlineExceeded, FunctionResult, Runtime, ShadowStrategy


def virtual_runtime(**settings: Any) -> tuple[SimulatedLoop, Runtime]:
    loop: Any = asyncio.get_running_loop()
    settings.setdefault("configs", [{"n": 0}])
    return loop, Runtime(clock=loop.clock, **settings)


def test_a_primary_past_its_deadline_raises_a_timeout_error_that_says_who() -> None:
    async def main() -> None:
        loop, runtime = virtual_runtime()

        @runtime.experiment(timeout=5, name="slow")
        async def slow(config: Config) -> None:
            await asyncio.sleep(60)

        with pytest.raises(TimeoutError, match=r"slow\[.*\]: no answer within 5 s") as caught:
            await slow()
        assert isinstance(caught.value, DeadlineExceeded)
        assert loop.time() == 1005
        with pytest.raises(TimeoutError, match="within 2 s"):
            await slow.options(timeout=2)()
        assert loop.time() == 1007
        assert runtime.statistics()["slow"][0].timeout == 2

    run_virtual(main())


def test_the_time_in_the_mailbox_counts() -> None:
    async def main() -> None:
        loop, runtime = virtual_runtime()

        @runtime.experiment(timeout=5, concurrency=1, name="slow")
        async def slow(seconds: float, config: Config) -> str:
            await asyncio.sleep(seconds)
            return "done"

        first = asyncio.create_task(slow(4))
        second = asyncio.create_task(slow(4))
        third = asyncio.create_task(slow.options(timeout=1)(0))
        ended = await asyncio.gather(first, second, third, return_exceptions=True)
        assert ended[0] == "done"
        assert [type(each) for each in ended[1:]] == [DeadlineExceeded, DeadlineExceeded]
        assert loop.time() == 1005
        assert runtime.statistics()["slow"][0].timeout == 2

    run_virtual(main())


def test_a_shadow_past_its_deadline_is_recorded_queued_or_running() -> None:
    async def main() -> None:
        _, runtime = virtual_runtime(
            configs=[{"n": 0}, {"n": 1}], strategy=ShadowStrategy(timeout=3)
        )
        ended: list[FunctionResult[Any]] = []

        @runtime.experiment(concurrency=1)
        async def slow(config: Config) -> None:
            await asyncio.sleep(60 if config.n else 0)

        async with runtime:
            with runtime.subscribe(collector(ended)):
                await slow()
                await slow()
                await runtime.drain()
        shadows = [each for each in ended if each.role == "shadow"]
        assert [each.status for each in shadows] == ["timeout", "timeout"]
        assert sorted(each.duration for each in shadows) == [0, 3]
        assert sorted(each.queue_time for each in shadows) == [0, 3]

    run_virtual(main())


def collector(ended: list[FunctionResult[Any]]) -> Any:
    async def collect(result: FunctionResult[Any]) -> None:
        ended.append(result)

    return collect


def test_nested_calls_inherit_what_is_left_in_the_same_task_and_in_others() -> None:
    async def main() -> None:
        loop, runtime = virtual_runtime()
        told: list[tuple[str, float]] = []

        @runtime.experiment
        async def inner(config: Config) -> None:
            await asyncio.sleep(60)

        @runtime.experiment(timeout=5, name="outer")
        async def outer(how: str, config: Config) -> None:
            await asyncio.sleep(2)
            if how == "here":
                await inner()
            task = asyncio.create_task(inner())
            task.add_done_callback(
                lambda task: told.append((type(task.exception()).__name__, loop.time()))
            )
            await asyncio.sleep(1)

        with pytest.raises(DeadlineExceeded, match=r"outer\["):
            await outer("here")
        assert loop.time() == 1005
        await outer("apart")
        await asyncio.sleep(10)
        assert told == [("DeadlineExceeded", 1010)]

    run_virtual(main())


def test_a_call_made_when_the_outer_branch_is_over_has_all_the_time() -> None:
    async def main() -> None:
        _, runtime = virtual_runtime()
        later: list[asyncio.Task[Any]] = []

        @runtime.experiment
        async def inner(config: Config) -> str:
            await asyncio.sleep(60)
            return "done"

        @runtime.experiment(timeout=5)
        async def outer(config: Config) -> None:
            async def call() -> str:
                await asyncio.sleep(30)
                return str(await inner())

            later.append(asyncio.create_task(call()))

        await outer()
        assert await later[0] == "done"

    run_virtual(main())


def test_the_timeouts_of_the_function_itself_are_its_own_errors() -> None:
    async def main() -> None:
        _, runtime = virtual_runtime()

        @runtime.experiment(timeout=50, name="mine")
        async def mine(config: Config) -> None:
            async with asyncio.timeout(1):
                await asyncio.sleep(60)

        with pytest.raises(TimeoutError) as caught:
            await mine()
        assert not isinstance(caught.value, DeadlineExceeded)
        assert runtime.statistics()["mine"][0].error == 1

    run_virtual(main())


def test_a_deadline_leaves_nothing_with_the_caller_even_when_swallowed() -> None:
    async def main() -> None:
        _, runtime = virtual_runtime()

        @runtime.experiment(timeout=1)
        async def stubborn(how: str, config: Config) -> str:
            try:
                if how == "anyio":
                    async with anyio.create_task_group() as group:
                        group.start_soon(anyio.sleep, 60)
                else:
                    await asyncio.sleep(60)
            except asyncio.CancelledError:
                if how == "raise":
                    raise ValueError("while leaving") from None
                if how == "return":
                    return "late"
                raise
            return "never"

        task = asyncio.current_task()
        assert task is not None
        assert await stubborn("return") == "late"
        assert task.cancelling() == 0
        with pytest.raises(ValueError, match="while leaving"):
            await stubborn("raise")
        assert task.cancelling() == 0
        for how in ("anyio", "sleep"):
            with pytest.raises(DeadlineExceeded):
                await stubborn(how)
            assert task.cancelling() == 0
        await asyncio.sleep(1)

    run_virtual(main())


def test_a_deadline_does_not_swallow_the_cancellation_by_somebody_else() -> None:
    async def main() -> None:
        _, runtime = virtual_runtime()

        @runtime.experiment(timeout=1)
        async def slow(config: Config) -> None:
            await asyncio.sleep(60)

        task = asyncio.create_task(slow())
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        loop.call_later(1, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        both = asyncio.create_task(slow())
        await asyncio.sleep(0.5)
        both.cancel()
        with pytest.raises(asyncio.CancelledError):
            await both

    run_virtual(main())
