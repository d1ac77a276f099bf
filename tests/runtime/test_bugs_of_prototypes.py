"""Ten bugs that the prototypes of this runtime had, each of them easy to have again."""

import asyncio
import sys
from typing import Any

import uvloop

from tests.loops import turns
from tests.simulation import SimulatedLoop, run_virtual
from understudy import (
    Config,
    DeadlockError,
    MultiBranchStrategy,
    Runtime,
    ShadowStrategy,
)
from understudy.actors import Mailbox

TWO = [{"n": 0}, {"n": 1}]


def virtually(main: Any) -> Any:
    """Run on a loop that raises where somebody would wait for ever."""
    return run_virtual(main())


def virtual_runtime(**settings: Any) -> Runtime:
    loop: Any = asyncio.get_running_loop()
    assert isinstance(loop, SimulatedLoop)
    return Runtime(clock=loop.clock, **settings)


class Entry:
    """Somebody who waits."""

    is_gone = False

    def admit(self) -> bool:
        return not self.is_gone

    def refuse(self, error: BaseException) -> None: ...


async def test_1_a_task_cancelled_before_its_first_step_gives_its_permit_back() -> None:
    shadowing = ShadowStrategy(cancel_with_primary=True)
    runtime = Runtime(configs=TWO, strategy=shadowing, concurrency=1)
    begun: list[int] = []
    gate = asyncio.Event()
    before = asyncio.all_tasks()

    @runtime.experiment
    async def play(config: Config) -> None:
        begun.append(config.n)
        await gate.wait()

    async with runtime, asyncio.timeout(5):  # a drain would give up later
        for steps in range(4):  # the first time not even the call has begun
            call = asyncio.create_task(play())
            for _ in range(steps):
                await asyncio.sleep(0)
            await cancel_all(asyncio.all_tasks() - before)
            assert call.cancelled()
            await runtime.drain()
        gate.set()
        await play()
        await runtime.drain()
        told = runtime.statistics().experiments[0]
        lead, shadow = told[0], told[1]
        assert shadow.ok == 1
        assert (lead.in_flight, shadow.in_flight) == (0, 0)
        assert shadow.planned == shadow.ok + shadow.cancelled + shadow.shed
    assert begun[-1] == 1


async def cancel_all(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait for them."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_2_a_permit_handed_to_one_cancelled_in_the_same_turn_is_passed_on() -> None:
    runtime = Runtime(configs=TWO[:1], concurrency=1)
    gate = asyncio.Event()
    cancelled: list[asyncio.Task[Any]] = []

    @runtime.experiment
    async def play(config: Config) -> None:
        await gate.wait()
        for task in cancelled:  # when it has the permit, and before it knows
            asyncio.get_running_loop().call_soon(task.cancel)
        cancelled.clear()

    async with runtime:
        first, second, third = (asyncio.create_task(play()) for _ in range(3))
        await turns()
        cancelled.append(second)
        gate.set()
        await asyncio.wait_for(third, 5)
        await asyncio.wait([first, second])
        assert second.cancelled()


def test_3_one_who_left_is_not_counted_twice_when_the_mailbox_is_cleared() -> None:
    mailbox = Mailbox(1, 8)
    assert mailbox.take()
    entries = [Entry(), Entry()]
    for entry in entries:
        mailbox.wait(entry)
    entries[0].is_gone = True
    mailbox.leave()
    assert mailbox.waiting == 1
    assert len(mailbox.clear()) == 1
    assert mailbox.waiting == 0


async def test_4_a_drain_of_what_ends_at_once_ends_too() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

    @runtime.experiment
    async def play(config: Config) -> None: ...

    async with runtime:
        for _ in range(10):
            await play()
            assert (await asyncio.wait_for(runtime.drain(), 5)).cancelled == ()


def test_5_a_call_that_waits_for_all_its_branches_can_close_a_cycle() -> None:
    async def main() -> list[Any]:
        runtime = virtual_runtime(concurrency=1)
        both = asyncio.Barrier(2)

        @runtime.experiment(configs=TWO, strategy=MultiBranchStrategy())
        async def fan(is_first: bool, config: Config) -> None:
            if is_first and config.n:
                await both.wait()
                await one(False)

        @runtime.experiment
        async def one(is_first: bool) -> None:
            if is_first:
                await both.wait()
                await fan(False)

        async with runtime:
            ended = await asyncio.gather(fan(True), one(True), return_exceptions=True)
            several: Any = ended[0]
            return [several[1].exception_info, ended[1]]

    errors = virtually(main)
    assert [type(error) for error in errors].count(DeadlockError) == 1


def test_6_who_waits_for_nothing_we_know_can_move_and_raises_no_alarm() -> None:
    async def main() -> list[int]:
        runtime = virtual_runtime(concurrency=1)

        @runtime.experiment
        async def inner(n: int) -> Any:
            await asyncio.sleep(1)
            return n

        @runtime.experiment
        async def outer(n: int) -> Any:
            await asyncio.sleep(1)
            return await inner(n)

        async with runtime:
            mixed = [call(n) for n in range(10) for call in (outer, inner)]
            return [*await asyncio.gather(*mixed)]

    assert virtually(main) == [n for n in range(10) for _ in range(2)]


def test_7_a_deadline_that_is_swallowed_leaves_no_cancellation_behind() -> None:
    async def main() -> int:
        runtime = virtual_runtime(timeout=1)

        @runtime.experiment
        async def stubborn() -> str:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                return "late"
            return "never"

        async with runtime:
            assert await stubborn() == "late"
            task = asyncio.current_task()
            assert task is not None
            return task.cancelling()

    assert virtually(main) == 0


async def test_8_inner_calls_may_be_gathered() -> None:
    runtime = Runtime(configs=TWO, strategy=MultiBranchStrategy())

    @runtime.experiment(configs=[{"m": 0}, {"m": 1}], strategy=MultiBranchStrategy())
    async def inner(x: int, config: Config) -> tuple[int, int]:
        await asyncio.sleep(0)
        return x, int(config.m)

    @runtime.experiment
    async def outer(config: Config) -> list[Any]:
        return list(await asyncio.gather(*(runtime.call(inner, x) for x in range(3))))

    async with runtime:
        results = await outer()
        choices = [[each.main_result.result[1] for each in branch.result] for branch in results]
        assert sorted(choices) == [[0] * 3, [0] * 3, [1] * 3, [1] * 3]


async def test_9_what_a_full_mailbox_drops_is_seen_and_the_primary_does_not_care() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), concurrency=1, mailbox=8)

    @runtime.experiment
    async def play(x: int, config: Config) -> int:
        return x

    async with runtime:
        assert [await play(x) for x in range(200)] == [*range(200)]
        await runtime.drain()
        case = runtime.statistics().experiments[0][1]
        assert case.planned == 200 == case.ok + case.shed
        assert case.shed > 0


if sys.version_info >= (3, 12):

    def test_10_eager_tasks_on_uvloop_though_some_versions_cannot_make_any() -> None:
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

        @runtime.experiment
        async def play(config: Config) -> int:
            await asyncio.sleep(0)
            return int(config.n)

        async def main() -> list[int]:
            loop = asyncio.get_running_loop()
            loop.set_task_factory(asyncio.eager_task_factory)
            async with runtime:
                results = await runtime.collect(play)
            loop.set_task_factory(None)  # the end of the loop makes tasks too
            return [each.result for each in results]

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            assert runner.run(main()) == [0, 1]
