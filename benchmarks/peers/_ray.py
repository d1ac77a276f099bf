"""The calls in the hands of Ray: a process for each actor."""

import asyncio
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from typing import Any, Final

from benchmarks._peers import load

from ._contender import Contender, Way, Ways
from ._kinds import KINDS
from ._ways import awaited, fn_items, fn_suspending, gathered, in_futures, in_turn, read

_STORE: Final = 80 * 2**20
_SETTINGS: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def _started(folder: str) -> Any:
    os.environ.update(_SETTINGS)
    ray = load("ray")
    ray.init(
        num_cpus=1,
        include_dashboard=False,
        log_to_driver=False,
        configure_logging=True,
        logging_level=logging.ERROR,
        object_store_memory=_STORE,
        _temp_dir=folder,
    )
    return ray


@contextmanager
def _ray(loop: asyncio.AbstractEventLoop) -> Generator[Ways]:
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        ray = _started(folder)
        try:
            yield _ways(ray, loop)
        finally:
            ray.shutdown()


def _ways(ray: Any, loop: asyncio.AbstractEventLoop) -> Ways:
    class Echo:
        async def play(self, x: int) -> int:
            return x

        async def play_suspending(self, x: int) -> int:
            return await fn_suspending(x)

        async def play_items(self, x: int) -> Any:
            async for item in fn_items(x):  # an actor's stream is a function of its own
                yield item

    class Outer:
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        async def play(self, x: int) -> Any:
            return await self._inner.play.remote(x)

    class Sync:
        def play(self, x: int) -> int:
            return x

    remote = ray.remote(num_cpus=0)
    four = [remote(Echo).remote() for _ in range(4)]
    outer, sync = remote(Outer).remote(four[1]), remote(Sync).remote()
    ray.get([each.play.remote(0) for each in (*four, outer, sync)])
    asks = [each.play.remote for each in four]

    def shadowed(shadows: int) -> Way:
        beside = asks[1 : shadows + 1]

        async def way(calls: int) -> Any:
            answer: Any = None
            for x in range(calls):
                for tell in beside:
                    tell(x)
                answer = await asks[0](x)
            for ask in beside:
                await ask(0)  # an actor takes what one caller sends in its order
            return answer

        return way

    async def items(x: int) -> AsyncIterator[Any]:
        stream = four[0].play_items.options(num_returns="streaming").remote(x)
        async for reference in stream:
            yield await reference

    flight = in_futures(four[0].play_suspending.remote)
    return {
        "single": awaited(asks[0]),
        "shadow_1": shadowed(1),
        "shadow_3": shadowed(3),
        "multi_4": gathered(asks),
        "robin_4": in_turn(asks),
        "nested_2": awaited(outer.play.remote),
        "stream_100": read(items),
        "bridge": awaited(sync.play.remote),
        "bridge_1000": in_futures(sync.play.remote),
        "flight_1000": flight,
        "flight_10000": flight,
    }


_NO_CALL: Final = "its functions play in the processes of actors, see single"

CONTENDER = Contender(
    key="ray",
    title="Ray",
    how="async actors, awaited; it has all CPUs, as each actor is a process",
    open=_ray,
    cannot={"sync_direct": _NO_CALL, "sync_shadow": _NO_CALL},
    distribution="ray",
    wall=tuple(KINDS),
    is_pinned=False,
    calls=50,
)
