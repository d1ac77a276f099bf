"""Processes: decorated functions are pickled by reference, forked, spawned, and called there."""

import copy
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from understudy import Config, Runtime, ShadowStrategy

from .scripts import START, run

RUNTIME = Runtime(configs=[{"n": 0}, {"n": 1}], strategy=ShadowStrategy())


@RUNTIME.experiment
def add(x: int, config: Config) -> int:
    return x + int(config.n)


@RUNTIME.experiment
async def add_later(x: int, config: Config) -> int:
    return x + int(config.n)


class Shelf:
    def __init__(self, size: int) -> None:
        self.size = size

    @RUNTIME.experiment
    def add(self, x: int, config: Config) -> int:
        return self.size + x + int(config.n)


def test_a_decorated_function_is_pickled_and_copied_as_what_it_is_a_reference() -> None:
    for function in (add, add_later, Shelf.add):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(function, protocol)) is function
        assert copy.copy(function) is copy.deepcopy(function) is function
    with RUNTIME:
        assert pickle.loads(pickle.dumps(partial(add, 2)))() == 2
        assert pickle.loads(pickle.dumps(Shelf(3).add))(4) == 7


PROGRAM = """
import asyncio, sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from understudy import Config, Runtime, RoundRobinStrategy, ShadowStrategy

runtime = Runtime(configs=[{"n": 0}, {"n": 1}], strategy=ShadowStrategy())


@runtime.experiment
def add(x: int, config: Config) -> int:
    return x + config.n


@runtime.experiment
async def add_later(x: int, config: Config) -> int:
    await asyncio.sleep(0)
    return x + config.n


def later(x):
    return asyncio.run(add_later(x))


def blocking(x):
    return runtime.call_blocking(add_later, x)


def told(name):
    runtime.close()
    return [(case.planned, case.ok) for case in runtime.statistics()[name].cases]


async def on_a_loop(context):
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        loop = asyncio.get_running_loop()
        return await asyncio.gather(*(loop.run_in_executor(pool, add, x) for x in range(4)))


if __name__ == "__main__":
    context = get_context(sys.argv[1])
    if sys.argv[2] == "used before":
        assert (add(1), later(2), blocking(3)) == (1, 2, 3)
    for function in (add, later, blocking, partial(add)):
        with context.Pool(2) as pool:
            assert pool.map(function, range(20)) == [*range(20)], function
    before = runtime.statistics()["add"][0].planned
    inherited = before if sys.argv[1] == "fork" else 0
    with context.Pool(1) as pool:
        assert pool.map(add, range(20)) == [*range(20)]
        counts = pool.apply(told, ["add"])
        assert counts[0] == counts[1] == (20 + inherited, 20 + inherited), counts
    assert asyncio.run(on_a_loop(context)) == [0, 1, 2, 3]
    process = context.Process(target=add, args=[1])
    process.start()
    process.join()
    assert process.exitcode == 0
    assert (add(5), later(6), blocking(7)) == (5, 6, 7)  # the parent notices nothing
    print(told("add")[0][0] - before, flush=True)
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("when", ["used before", "fresh"])
def test_pools_call_decorated_functions(tmp_path: Path, method: str, when: str) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "program.py", method, when]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("1\n", "", 0)


@pytest.mark.parametrize("strategy", ["ShadowStrategy", "MultiBranchStrategy"])
def test_a_fork_while_the_parent_plays_begins_afresh(strategy: str) -> None:
    told = run(
        START,
        f"""
        import os, threading
        from understudy import {strategy}

        runtime = Runtime(configs=[{{"n": 0}}, {{"n": 1}}], strategy={strategy}())
        heard, gate, inside = [], threading.Event(), threading.Event()
        runtime.subscribe(lambda result: heard.append(result.status))

        @runtime.experiment(name="play")
        def play(hangs, config: Config):
            if hangs and config.n:
                inside.set()
                gate.wait(10)
            return config.n

        caller = threading.Thread(target=play, args=[True])
        caller.start()
        inside.wait(10)
        child = os.fork()
        if not child:
            for _ in range(3):
                play(False)
            runtime.close()
            cases = runtime.statistics()["play"].cases
            ended = [(case.in_flight, case.planned - case.ok) for case in cases]
            os._exit(0 if ended == [(0, 0)] * 2 and len(heard) in (6, 7) else 1)
        assert os.waitpid(child, 0)[1] == 0
        gate.set()
        caller.join()
        play(False)
        runtime.close()
        print([case.ok for case in runtime.statistics()["play"].cases])
        """,
        flags=("-W", "ignore:This process"),  # that forks are a risk with threads
    )
    assert told == ("[2, 2]\n", "", 0)
