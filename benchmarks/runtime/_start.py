"""One look at a fresh process: prints what was asked for as JSON.

python -m benchmarks.runtime._start first_call LOOP        its first calls, in seconds
python -m benchmarks.runtime._start idle HOW SECONDS       what it does when nothing is to do
"""

import asyncio
import json
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final


def _first_call(loop_name: str) -> dict[str, float]:
    from understudy import Config, Runtime

    from ._stand import LOOPS

    async def bare(x: int) -> int:
        return x

    async def play(x: int, config: Config) -> int:
        return x

    loop = LOOPS[loop_name]()
    told: dict[str, float] = {}

    async def timed() -> None:
        clock = time.perf_counter
        await loop.create_task(bare(0))
        begin = clock()
        await loop.create_task(bare(0))
        told["task"] = clock() - begin
        begin = clock()
        runtime = Runtime(configs=[{"model": "large"}])
        answer = runtime.experiment(play)
        told["declare"] = clock() - begin
        for name in ("first", "second"):
            begin = clock()
            await runtime.call(answer, 1)
            told[name] = clock() - begin
        await runtime.aclose()

    loop.run_until_complete(timed())
    loop.close()
    return told


def _idle(how: str, seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_IDLE[how](seconds, folder))


async def _bare(seconds: float, folder: str) -> dict[str, float]:
    return await _looked_at(seconds)


async def _entered(seconds: float, folder: str) -> dict[str, float]:
    from understudy import Runtime

    async with Runtime(configs=[{"model": "large"}]):
        return await _looked_at(seconds)


async def _after_a_call(seconds: float, folder: str, events: Any = None) -> dict[str, float]:
    from understudy import Config, Runtime, ShadowStrategy

    runtime = Runtime(
        configs=[{"model": "large"}, {"model": "small"}], strategy=ShadowStrategy(), events=events
    )

    @runtime.experiment
    async def answer(x: int, config: Config) -> int:
        return x

    @runtime.experiment
    def answer_sync(x: int, config: Config) -> int:
        return x

    async with runtime:
        await runtime.call(answer, 1)
        await runtime.call(answer_sync, 1)
        await runtime.drain()
        return await _looked_at(seconds)


async def _with_events(seconds: float, folder: str) -> dict[str, float]:
    return await _after_a_call(seconds, folder, events=os.path.join(folder, "events.jsonl"))


_IDLE: Final[Mapping[str, Callable[[float, str], Any]]] = {
    "bare": _bare,
    "entered": _entered,
    "called": _after_a_call,
    "events": _with_events,
}


_REST: Final = 3.5
"""So many times as long as is looked: of ten seconds, it is more than any thread lingers."""


async def _looked_at(seconds: float) -> dict[str, float]:
    """Return what this process does meanwhile: the timer that ends it is one wake-up.

    Threads that have played or written end after a rest, which is a wake-up for each, once.
    """
    await asyncio.sleep(_REST * seconds)  # what was begun comes to rest
    used, before = time.process_time(), _wake_ups()
    await asyncio.sleep(seconds)
    after, used = _wake_ups(), time.process_time() - used
    return {
        "cpu": used,
        "wake_ups": after - before,
        "threads": threading.active_count(),
    }


def _wake_ups() -> int:
    """Return how often any thread has waited until now, those that have ended included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw


if __name__ == "__main__":
    if sys.argv[1] == "idle":
        print(json.dumps(_idle(sys.argv[2], float(sys.argv[3]))))
    else:
        print(json.dumps(_first_call(sys.argv[2])))
