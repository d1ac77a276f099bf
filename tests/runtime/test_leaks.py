"""Nothing is kept that nobody needs: memory, results, arguments, experiments."""

import asyncio
import gc
import subprocess
import sys
import weakref
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from understudy import (
    Config,
    DeadlineExceeded,
    FunctionResult,
    MultiBranchStrategy,
    RoundRobinStrategy,
    Runtime,
    ShadowStrategy,
    SingleConfigStrategy,
)
from understudy.actors import Branch

TWO = [{"n": 0}, {"n": 1}]

GROWTH = """
import asyncio, gc, logging
from understudy import Config, Runtime, ShadowStrategy

logging.disable()  # most of the shadows are shed, which is worth a warning
runtime = Runtime(configs=[{"n": 0}, {"n": 1}], strategy=ShadowStrategy())

@runtime.experiment
async def play(x, config: Config):
    return x

async def call(times):
    for _ in range(times):
        await play("x")
    await runtime.drain()

async def main():
    async with runtime:
        await call(2_000)
        before = memory()
        await call(CALLS)
        print(memory() - before)
    case = runtime.statistics()["play"][1]
    assert case.planned == CALLS + 2_000 and case.planned == case.ok + case.shed

asyncio.run(main())
"""

DROPPED = """
import asyncio, gc
from understudy import Config, Runtime, ShadowStrategy

runtime = Runtime(configs=[{"n": 0}, {"n": 1}], strategy=ShadowStrategy())

async def make(times):
    for number in range(times):
        async def play(config: Config):
            return number
        played = runtime.experiment(play)
        if number % 10 == 0:
            assert await played() == number
    await runtime.drain()

async def main():
    async with runtime:
        await make(500)
        before = memory()
        await make(EXPERIMENTS)
        print(memory() - before)

asyncio.run(main())
"""


MEMORY = """
import gc, sys
from pathlib import Path

def memory():
    gc.collect()
    pages = Path("/proc/self/statm")
    resident = int(pages.read_text().split()[1]) * 4096 if pages.exists() else 0
    return max(resident, 512 * sys.getallocatedblocks())
"""


def growth_of(script: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", MEMORY + script],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    return int(done.stdout)


def test_a_hundred_thousand_shadow_calls_grow_memory_by_less_than_a_mebibyte() -> None:
    assert growth_of(GROWTH.replace("CALLS", "100_000")) < 2**20


def test_experiments_that_are_made_and_dropped_leave_nothing() -> None:
    assert growth_of(DROPPED.replace("EXPERIMENTS", "100_000")) < 2**20


class Large:
    """Something that can be watched."""


class FailedError(Exception):
    """So can this."""


@pytest.fixture
def without_collector() -> Any:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("fails", [False, True])
async def test_arguments_and_results_are_gone_after_the_call_without_the_collector(
    fails: bool, without_collector: None
) -> None:
    runtime = Runtime(configs=TWO[:1])

    @runtime.experiment
    async def play(argument: Large, config: Config) -> Large:
        await asyncio.sleep(0)
        if fails:
            raise FailedError
        return Large()

    async def call() -> tuple[weakref.ref[Any], weakref.ref[Any]]:
        argument = Large()
        result: Any = None
        try:
            result = await play(argument)
        except FailedError as error:
            result = error
        return weakref.ref(argument), weakref.ref(result)

    async with runtime:
        references = await call()
        if fails:  # the frame of `call` is in the traceback of the error it holds: its own cycle
            gc.collect()
        assert [reference() for reference in references] == [None, None]


MODES: dict[str, dict[str, Any]] = {
    "single": {"strategy": SingleConfigStrategy()},
    "shadow": {"strategy": ShadowStrategy()},
    "multi-branch": {"strategy": MultiBranchStrategy()},
    "round-robin": {"strategy": RoundRobinStrategy()},
}


@pytest.mark.parametrize("ending", ["returns", "raises", "is late"])
@pytest.mark.parametrize("mode", MODES)
async def test_no_call_leaves_cycles_for_the_collector(
    mode: str, ending: str, without_collector: None
) -> None:
    runtime = Runtime(configs=TWO, timeout=0.001, **MODES[mode])

    @runtime.experiment
    async def play(config: Config) -> None:
        await asyncio.sleep(9 if ending == "is late" else 0)
        if ending == "raises":
            raise FailedError

    async def call() -> None:
        for way in (play, partial(runtime.collect, play)):
            with suppress(FailedError, DeadlineExceeded):
                await way()

    async with runtime:
        await call()  # the actors start
        gc.collect()
        await call()
        await runtime.drain()
        await asyncio.sleep(0)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        gc.set_debug(0)
        ours = [each for each in gc.garbage if isinstance(each, FunctionResult | Branch)]
        gc.garbage.clear()
        assert ours == []


async def test_an_experiment_dies_with_its_function_and_takes_its_supervisor_along() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

    def make() -> tuple[Any, weakref.ref[Any]]:
        held = Large()

        @runtime.experiment
        async def play(config: Config) -> str:
            await asyncio.sleep(0)
            return type(held).__name__

        return play, weakref.ref(held)

    async with runtime:
        play, held = make()
        assert await play() == "Large"
        await runtime.drain()
        del play
        gc.collect()
        assert held() is None
        assert runtime.statistics().experiments == ()


async def test_a_shadow_outlives_its_experiment_and_the_collector() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
    ended: list[int] = []

    async def call() -> None:
        @runtime.experiment
        async def play(config: Config) -> None:
            if config.n:
                await asyncio.sleep(0.01)
                ended.append(1)

        await play()

    async with runtime:
        await call()
        gc.collect()
    assert ended == [1]
