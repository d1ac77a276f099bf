"""Cancelling the caller cancels its primary at once; its shadows go on, or not."""

import asyncio
from typing import Any

import anyio
import pytest

from tests.loops import turns
from understudy import Config, MultiBranchStrategy, Runtime, ShadowStrategy

TWO = [{"n": 0}, {"n": 1}]


def sleeper(runtime: Runtime, log: list[Any], **settings: Any) -> Any:
    """Return an experiment that sleeps until it is cancelled, and notes it."""

    @runtime.experiment(**settings)  # type: ignore[untyped-decorator]
    async def sleep(config: Config) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            log.append(config.n)

    return sleep


async def test_a_running_primary_is_cancelled_at_once_and_its_shadow_goes_on() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), drain_timeout=0.01)
    log: list[int] = []
    sleep = sleeper(runtime, log)
    async with runtime:
        task = asyncio.create_task(sleep())
        await turns()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await turns()
        assert log == [0]
    assert log == [0, 1]


async def test_shadows_are_cancelled_with_their_primary_if_wanted() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(cancel_with_primary=True))
    log: list[int] = []
    sleep = sleeper(runtime, log)
    async with runtime:
        task = asyncio.create_task(sleep())
        await turns()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await turns()
        assert sorted(log) == [0, 1]
    assert runtime.statistics()[sleep.experiment.name][1].cancelled == 1


async def test_one_who_waits_in_the_mailbox_leaves_it() -> None:
    runtime = Runtime(configs=[{"n": 0}])
    log: list[int] = []
    sleep = sleeper(runtime, log, concurrency=1)
    async with runtime:
        tasks = [asyncio.create_task(sleep()) for _ in range(3)]
        await turns()
        tasks[1].cancel()
        await turns()
        case = runtime.statistics()[sleep.experiment.name][0]
        assert (case.waiting, case.in_flight, case.cancelled) == (1, 1, 1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_permit_handed_to_one_who_is_cancelled_in_the_same_turn_goes_on() -> None:
    runtime = Runtime(configs=[{"n": 0}])
    gate = asyncio.Event()

    @runtime.experiment(concurrency=1)
    async def wait(x: int, config: Config) -> int:
        await gate.wait()
        if x == 0:  # the cancellation comes when the permit is handed over, and not yet used
            asyncio.get_running_loop().call_soon(second.cancel)
        return x

    async with runtime:
        first, second, third = (asyncio.create_task(wait(x)) for x in range(3))
        await turns()
        gate.set()
        await first
        with pytest.raises(asyncio.CancelledError):
            await second
        assert await third == 2


async def test_a_multi_branch_call_leaves_no_branch_behind() -> None:
    runtime = Runtime(configs=[{"n": n} for n in range(4)], strategy=MultiBranchStrategy())
    log: list[int] = []

    @runtime.experiment(concurrency=1)
    async def slow_to_leave(config: Config) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0)
            log.append(config.n)

    async with runtime:
        tasks = [asyncio.create_task(slow_to_leave()) for _ in range(3)]
        await turns()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with pytest.raises(asyncio.CancelledError):
                await task
        assert sorted(log) == [0, 1, 2, 3]  # the others had not begun
        assert all(case.in_flight == 0 for case in runtime.statistics().experiments[0].cases)


async def test_scopes_outside_and_inside_work_as_ever() -> None:
    runtime = Runtime(configs=[{"n": 0}])

    @runtime.experiment
    async def inner(how: str, config: Config) -> str:
        if how == "timeout":
            try:
                async with asyncio.timeout(0.001):
                    await asyncio.sleep(3600)
            except TimeoutError:
                return "timeout"
        elif how == "scope":
            with anyio.move_on_after(0.001):
                await anyio.sleep(3600)
            return "scope"
        elif how == "group":
            with pytest.raises(ExceptionGroup):
                async with asyncio.TaskGroup() as group:
                    group.create_task(asyncio.sleep(3600))
                    raise ValueError("in the group")
            return "group"
        await asyncio.sleep(3600)
        return "never"

    async with runtime:
        for how in ("timeout", "scope", "group"):
            assert await inner(how) == how
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await inner("")
        with anyio.move_on_after(0.001) as scope:
            await inner("")
        assert scope.cancelled_caught
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0


async def test_a_coroutine_that_is_closed_midway_gives_its_permit_back() -> None:
    runtime = Runtime(configs=[{"n": 0}])
    log: list[int] = []
    sleep = sleeper(runtime, log, concurrency=1)
    async with runtime:
        call: Any = runtime.call(sleep)
        call.send(None)
        call.close()
        assert log == [0]
        case = runtime.statistics()[sleep.experiment.name][0]
        assert (case.in_flight, case.cancelled) == (0, 1)


async def test_what_does_not_obey_its_cancellation_ends_as_it_likes() -> None:
    runtime = Runtime(configs=[{"n": 0}])

    @runtime.experiment
    async def stubborn(config: Config) -> str:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return "done all the same"

    async with runtime:
        task = asyncio.create_task(stubborn())
        await turns()
        task.cancel()
        assert await task == "done all the same"
