"""Makes very many actors, in a process of its own: prints how long, and how much memory, each.

    python -m benchmarks.runtime._spawn WHAT COUNT

Memory is what the process has more of afterwards (the resident set): counting each allocation
would take minutes, and fewer would not tell what very many take.
"""

import asyncio
import gc
import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time_ns
from typing import Any, Final

from understudy import Config, Runtime

_CONFIGS: Final = 1_000
_WARM_UP: Final = 100


async def play(x: int, config: Config) -> int:
    return x


def _resident() -> int:
    """Return how many bytes of memory the process has."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")


def _call_each(loop: asyncio.AbstractEventLoop, runtime: Runtime, made: list[Any]) -> None:
    async def each() -> None:
        for one in made:
            await runtime.call(one, 1)

    loop.run_until_complete(each())


def _spawned(what: str, count: int) -> dict[str, float]:
    loop = asyncio.new_event_loop()
    if what == "case actors":
        numbers = [{"number": number} for number in range(min(count, _CONFIGS))]
        runtime, experiments = Runtime(configs=numbers), max(1, count // _CONFIGS)
    else:
        runtime, experiments = Runtime(configs=[{"number": 0}]), count
    made: list[Any] = []

    def declare() -> None:
        made.extend(runtime.experiment(play) for _ in range(experiments))

    def first_calls() -> None:
        _call_each(loop, runtime, made)

    warm = Runtime(configs=[{"number": 0}])
    _call_each(loop, warm, [warm.experiment(play) for _ in range(_WARM_UP)])
    if what == "experiments":
        return _told(declare, count)
    declare()
    return _told(first_calls, count)


def _told(work: Callable[[], None], count: int) -> dict[str, float]:
    gc.collect()
    gc.disable()
    memory, began = _resident(), process_time_ns()
    work()
    spent = process_time_ns() - began
    gc.collect()
    return {"ns": spent / count, "bytes": (_resident() - memory) / count}


if __name__ == "__main__":
    print(json.dumps(_spawned(sys.argv[1], int(sys.argv[2]))), flush=True)
    os._exit(0)  # to stop so many actors, one after the other, is not what is measured
