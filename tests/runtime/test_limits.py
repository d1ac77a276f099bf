"""Limits: FIFO, concurrency, bounded mailboxes, and what is shed."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.loops import turns
from understudy import (
    Config,
    ExperimentCaseResults,
    FunctionResult,
    MailboxFull,
    Runtime,
    ShadowStrategy,
)

TWO = [{"n": 0}, {"n": 1}]


@pytest.mark.parametrize("concurrency", [1, 3, 256])
async def test_branches_start_in_order_and_never_too_many_at_a_time(concurrency: int) -> None:
    runtime = Runtime(configs=[{"n": 0}], concurrency=concurrency)
    started: list[int] = []
    running = [0, 0]

    @runtime.experiment
    async def play(x: int, config: Config) -> int:
        started.append(x)
        running[0] += 1
        running[1] = max(running)
        for _ in range(x % 3):
            await asyncio.sleep(0)
        running[0] -= 1
        return x

    async with runtime:
        assert await asyncio.gather(*(play(x) for x in range(100))) == list(range(100))
    assert started == list(range(100))
    assert running == [0, min(concurrency, running[1])]


async def test_a_call_that_is_closed_while_it_waits_leaves_its_place_to_the_next() -> None:
    runtime = Runtime(configs=[{"n": 0}], concurrency=1)
    may_end = asyncio.Event()

    @runtime.experiment
    async def play(x: int, config: Config) -> int:
        await may_end.wait()
        return x

    async with runtime:
        first = asyncio.create_task(runtime.call(play, 1))
        await asyncio.sleep(0)
        waiting = runtime.call(play, 2)
        waiting.send(None)
        waiting.close()
        third = asyncio.create_task(runtime.call(play, 3))
        await turns()
        may_end.set()
        async with asyncio.timeout(5):
            assert [await first, await third] == [1, 3]


@pytest.mark.parametrize("suspends", [False, True])
@pytest.mark.parametrize("concurrency", [1, 256])
async def test_nobody_can_tell_the_short_way_from_the_long_one(
    concurrency: int, suspends: bool
) -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), concurrency=concurrency)
    order: dict[int, list[int]] = {0: [], 1: []}
    told: list[FunctionResult[Any]] = []

    @runtime.experiment
    async def play(x: int, config: Config) -> int:
        order[config.n].append(x)
        if suspends:
            await asyncio.sleep(0)
        if x % 5 == 0:
            raise ValueError(x)
        return x + int(config.n)

    async def note(result: FunctionResult[Any]) -> None:
        told.append(result)

    async with runtime:
        with runtime.subscribe(note):
            ended = await asyncio.gather(*(play(x) for x in range(20)), return_exceptions=True)
            await runtime.drain()
    assert [each for each in ended if not isinstance(each, ValueError)] == [
        x for x in range(20) if x % 5
    ]
    assert order == {0: list(range(20)), 1: list(range(20))}
    counted = Counter((each.role, each.status) for each in told)
    assert counted == {
        ("primary", "ok"): 16,
        ("primary", "error"): 4,
        ("shadow", "ok"): 16,
        ("shadow", "error"): 4,
    }


async def test_primaries_and_shadows_of_one_actor_keep_one_order() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), concurrency=1)
    started: list[tuple[int, int]] = []
    gate = asyncio.Event()

    @runtime.experiment
    async def play(x: int, config: Config) -> None:
        started.append((config.n, x))
        await gate.wait()

    async with runtime:
        calls = [asyncio.create_task(play(0))]
        await asyncio.sleep(0)
        for x in range(1, 5):
            with runtime.force(play, x % 2):
                calls.append(asyncio.create_task(play(x)))
            await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*calls)
    for n in (0, 1):
        mine = [x for config, x in started if config == n]
        assert mine == sorted(mine)


async def test_a_caller_waits_when_the_mailbox_is_full_or_is_refused() -> None:
    runtime = Runtime(configs=[{"n": 0}])
    gate = asyncio.Event()

    @runtime.experiment(concurrency=1, mailbox=1)
    async def play(config: Config) -> str:
        await gate.wait()
        return "played"

    async with runtime:
        waiting = [asyncio.create_task(play()) for _ in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(MailboxFull, match=r"play\[.*\]: 3 calls wait already; raise mailbox="):
            await play.options(overflow="reject")()
        gate.set()
        assert await asyncio.gather(*waiting) == ["played"] * 4
        case = runtime.statistics().experiments[0][0]
        assert (case.ok, case.shed, case.most_waiting) == (4, 1, 3)


async def test_a_shadow_that_finds_the_mailbox_full_is_shed() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), concurrency=1, mailbox=2)
    gate = asyncio.Event()

    @runtime.experiment
    async def play(x: int, config: Config) -> int:
        if config.n:
            await gate.wait()
        return x

    async with runtime:
        for x in range(10):
            assert await play(x) == x  # the primary never waits for a stuck shadow
        case = runtime.statistics().experiments[0][1]
        assert (case.in_flight, case.waiting, case.shed) == (1, 2, 7)
        gate.set()


async def test_the_limit_of_shadows_counts_those_in_flight_of_each_config() -> None:
    runtime = Runtime(configs=[{"n": n} for n in range(3)], strategy=ShadowStrategy(limit=2))
    gate = asyncio.Event()

    @runtime.experiment
    async def play(config: Config) -> None:
        if config.n == 1:
            await gate.wait()

    async with runtime:
        for _ in range(5):
            await play()
            await turns()
        assert runtime.statistics().experiments[0].shadows_in_flight == 2
        gate.set()
    told = [(case.ok, case.shed) for case in runtime.statistics().experiments[0].cases]
    assert told == [(5, 0), (2, 3), (5, 0)]


async def test_shadows_start_after_the_primary_if_wanted_also_when_it_fails() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(after_primary=True))
    log: list[str] = []

    @runtime.experiment
    async def play(fails: bool, config: Config) -> None:
        log.append(f"begin {config.n}")
        await asyncio.sleep(0)
        log.append(f"end {config.n}")
        if fails:
            raise ValueError("failed")

    async with runtime:
        await play(False)
        await runtime.drain()
        with pytest.raises(ValueError, match="failed"):
            await play(True)
    assert log == ["begin 0", "end 0", "begin 1", "end 1"] * 2


async def test_what_is_sampled_out_is_skipped_and_says_so() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(sample=0.0))

    @runtime.experiment
    async def play(config: Config) -> int:
        return int(config.n)

    async with runtime:
        results: ExperimentCaseResults[int] = await runtime.collect(play)
    (skipped,) = results.variant_results
    assert (skipped.status, skipped.reason) == ("skipped", "sampled_out")


async def test_calls_that_never_suspend_do_not_starve_the_loop() -> None:
    runtime = Runtime(configs=[{"n": 0}])

    @runtime.experiment
    async def quick(config: Config) -> None:
        pass

    turned = 0

    async def turn() -> None:
        nonlocal turned
        while True:
            turned += 1
            await asyncio.sleep(0)

    async with runtime:
        task = asyncio.create_task(turn())
        for _ in range(100_000):  # a second or two, in slices of a millisecond
            await quick()
            if turned > 5:
                break
        task.cancel()
    assert turned > 5


async def test_a_shadow_whose_task_cannot_be_made_is_shed_and_the_primary_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), concurrency=1)

    @runtime.experiment
    async def play(config: Config) -> int:
        await asyncio.sleep(0)
        return int(config.n)

    def refuse(*args: object, **settings: object) -> None:
        raise MemoryError("no room for another task")

    async with runtime:
        monkeypatch.setattr("understudy.actors._message._Task", refuse)
        assert await play() == 0
        results: ExperimentCaseResults[int] = await runtime.collect(play)
        (shed,) = results.variant_results
        assert (shed.status, shed.reason) == ("shed", "not_started")
        monkeypatch.undo()
        assert [each.result for each in await runtime.collect(play)] == [0, 1]
