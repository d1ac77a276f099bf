"""Draining: what is in flight ends, or is cancelled and reported; nothing is left."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.simulation import SimulatedLoop, run_virtual
from understudy import ActorStopped, CallableSink, Config, Runtime, ShadowStrategy, UnderstudyError

TWO = [{"n": 0}, {"n": 1}]


def virtual_runtime(**settings: Any) -> tuple[SimulatedLoop, Runtime]:
    loop: Any = asyncio.get_running_loop()
    return loop, Runtime(configs=TWO, strategy=ShadowStrategy(), clock=loop.clock, **settings)


def shadow_that_takes(runtime: Runtime, seconds: float, log: list[str]) -> Any:
    @runtime.experiment(name="play")
    async def play(config: Config) -> None:
        if config.n:
            await asyncio.sleep(seconds)
            log.append("shadow done")

    return play


def test_leaving_waits_for_shadows_as_long_as_it_was_told() -> None:
    async def main() -> None:
        loop, runtime = virtual_runtime(drain_timeout=10)
        log: list[str] = []
        play = shadow_that_takes(runtime, 5, log)
        async with runtime:
            await play()
        assert log == ["shadow done"]
        assert 1005 <= loop.time() < 1006

    run_virtual(main())


def test_what_takes_longer_is_cancelled_and_reported() -> None:
    async def main() -> None:
        loop, runtime = virtual_runtime(drain_timeout=10)
        log: list[str] = []
        play = shadow_that_takes(runtime, 60, log)
        await play()
        await play()
        report = await runtime.aclose()
        assert (report.waited_for, len(report.cancelled), log) == (2, 2, [])
        assert {(each.status, each.reason) for each in report.cancelled} == {("cancelled", "drain")}
        assert loop.time() < 1012
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtual(main())


def test_a_primary_in_flight_gets_an_error_of_ours() -> None:
    async def main() -> None:
        _, runtime = virtual_runtime(drain_timeout=1)

        @runtime.experiment(concurrency=1, name="play")
        async def play(config: Config) -> None:
            await asyncio.sleep(60)

        running, waiting = asyncio.create_task(play()), asyncio.create_task(play())
        await asyncio.sleep(0)
        await runtime.aclose()
        for task in (running, waiting):
            with pytest.raises(ActorStopped, match=r"play\[0\]: cancelled by a drain after 1 s"):
                await task
            assert task.cancelling() == 0

    run_virtual(main())


def test_a_shadow_that_does_not_obey_is_reported_as_abandoned() -> None:
    async def main() -> None:
        loop, runtime = virtual_runtime(drain_timeout=1)
        free = asyncio.Event()

        @runtime.experiment
        async def play(config: Config) -> None:
            while config.n and not free.is_set():
                try:
                    await free.wait()
                except asyncio.CancelledError:
                    continue

        await play()
        report = await runtime.aclose()
        assert [each.reason for each in report.cancelled] == ["abandoned"]
        assert loop.time() < 1005
        free.set()
        await asyncio.sleep(0.1)

    run_virtual(main())


async def test_no_thread_is_left_when_it_is_closed(tmp_path: Path) -> None:
    before = {*threading.enumerate()}
    told: list[str] = []
    runtime = Runtime(configs=TWO, events=[tmp_path / "events.jsonl", CallableSink(print)])
    runtime.subscribe(lambda result: told.append(result.status))

    @runtime.experiment
    async def play(config: Config) -> None: ...

    for times in (1, 2):
        async with runtime:
            await play()
        assert {*threading.enumerate()} == before
        assert told == ["ok"] * times


async def test_it_may_be_closed_twice_at_once_and_started_again() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

    @runtime.experiment
    async def play(config: Config) -> int:
        await asyncio.sleep(0)
        return int(config.n)

    for _ in range(3):
        async with runtime:
            assert await play() == 0
            await asyncio.gather(runtime.aclose(), runtime.aclose())
        await runtime.aclose()
    assert await play() == 0
    await runtime.aclose()
    assert [case.ok for case in runtime.statistics().experiments[0].cases] == [4, 4]


async def test_a_drain_alone_leaves_the_runtime_running() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
    log: list[str] = []
    play = shadow_that_takes(runtime, 0, log)
    async with runtime:
        await play()
        await runtime.drain()
        assert log == ["shadow done"]
        await play()
        await runtime.drain()
    assert log == ["shadow done"] * 2


SCRIPT = """
import asyncio
from understudy import Config, Runtime, ShadowStrategy

runtime = Runtime(configs=[{"n": 0}, {"n": 1}], strategy=ShadowStrategy(), drain_timeout=TIMEOUT)

@runtime.experiment
async def play(config: Config):
    if config.n:
        await asyncio.sleep(0.2)
        print("shadow done")
    return config.n

async def main():
    print("answer", await play())

asyncio.run(main())
case = runtime.statistics()["play"][1]
print(case.ok, case.cancelled)
"""


@pytest.mark.parametrize(
    ("timeout", "told", "logged"),
    [
        ("10", "answer 0\nshadow done\n1 0\n", ""),
        ("0.01", "answer 0\n0 1\n", "the drain was over, and cancelled what ran: play[1] x 1\n"),
    ],
)
def test_a_script_that_does_not_close_the_runtime_drains_at_its_end(
    timeout: str, told: str, logged: str
) -> None:
    command = [sys.executable, "-c", SCRIPT.replace("TIMEOUT", timeout)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == (told, logged, 0)


def test_a_drain_that_takes_long_says_what_it_waits_for() -> None:
    script = SCRIPT.replace("TIMEOUT", "1.2").replace("sleep(0.2)", "sleep(60)")
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines() == [
        "leaving waits for what is in flight, for 1.2 s at most (drain_timeout): play[1] x 1",
        "the drain was over, and cancelled what ran: play[1] x 1",
    ]


async def test_a_branch_that_drains_does_not_wait_for_itself() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
    log: list[str] = []
    play = shadow_that_takes(runtime, 0.01, log)

    @runtime.experiment(configs=TWO[:1])
    async def drains(config: Config) -> int:
        await asyncio.sleep(0)
        await play()
        return (await runtime.drain(5)).waited_for

    async with runtime:
        assert await drains() == 1
        assert log == ["shadow done"]


async def test_a_branch_cannot_close_the_runtime_that_plays_it() -> None:
    runtime = Runtime(configs=TWO[:1])

    @runtime.experiment
    async def closes(config: Config) -> None:
        await runtime.aclose()

    async with runtime:
        with pytest.raises(UnderstudyError, match="cannot close the runtime that plays it"):
            await closes()
