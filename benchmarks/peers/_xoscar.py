"""The calls in the hands of xoscar: actors in one pool, in the caller's process."""

import asyncio
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from typing import Any, Final

from benchmarks._peers import load

from ._contender import Contender, Way, Ways
from ._kinds import KINDS
from ._ways import awaited, fn_items, fn_suspending, gathered, in_tasks, in_turn, read


@contextmanager
def _xoscar(loop: asyncio.AbstractEventLoop) -> Generator[Ways]:
    asyncio.set_event_loop(loop)
    xoscar = load("xoscar")
    base: Any = xoscar.StatelessActor

    class Echo(base):  # type: ignore[misc]
        async def play(self, x: int) -> int:
            return x

        async def play_suspending(self, x: int) -> int:
            return await fn_suspending(x)

        @xoscar.generator  # type: ignore[untyped-decorator]
        async def play_items(self, x: int) -> Any:
            return fn_items(x)

    class Outer(base):  # type: ignore[misc]
        inner: Any = None

        async def use(self, inner: Any) -> None:
            self.inner = inner

        async def play(self, x: int) -> Any:
            return await self.inner.play(x)

    async def begin() -> Any:
        pool = await xoscar.create_actor_pool("127.0.0.1", n_process=0)
        at = pool.external_address
        four = [await xoscar.create_actor(Echo, address=at, uid=f"echo-{n}") for n in range(4)]
        outer = await xoscar.create_actor(Outer, address=at, uid="outer")
        await outer.use(four[1])
        return pool, four, outer

    pool, four, outer = loop.run_until_complete(begin())
    asks = [each.play for each in four]

    def shadowed(shadows: int) -> Way:
        beside = asks[1 : shadows + 1]

        async def way(calls: int) -> Any:
            answer: Any = None
            create_task = asyncio.get_running_loop().create_task
            tasks: list[asyncio.Task[Any]] = []
            for x in range(calls):
                tasks += [create_task(ask(x)) for ask in beside]
                answer = await asks[0](x)
            for task in tasks:
                await task
            return answer

        return way

    async def items(x: int) -> AsyncIterator[Any]:
        stream = await four[0].play_items(x)
        try:
            async for item in stream:
                yield item
        finally:
            # At its end the actor has let go of the generator; without this word each stream
            # would start a thread, with a loop of its own, to say so once more.
            stream._gc_destroy = False  # noqa: SLF001

    flight = in_tasks(four[0].play_suspending)
    try:
        yield {
            "single": awaited(asks[0]),
            "shadow_1": shadowed(1),
            "shadow_3": shadowed(3),
            "multi_4": gathered(asks),
            "robin_4": in_turn(asks),
            "nested_2": awaited(outer.play),
            "stream_100": read(items),
            "flight_1000": flight,
            "flight_10000": flight,
        }
    finally:
        loop.run_until_complete(pool.stop())


_NO_CALL: Final = "it is asked on a loop: there is nothing to call without one"
_BLOCKS: Final = "its sync methods play on the loop, and hold it up"

CONTENDER = Contender(
    key="xoscar",
    title="xoscar",
    how="StatelessActor, which has no lock; a pool without processes, where a call is fastest",
    open=_xoscar,
    cannot={
        "sync_direct": _NO_CALL,
        "sync_shadow": _NO_CALL,
        "bridge": _BLOCKS,
        "bridge_1000": _BLOCKS,
    },
    distribution="xoscar",
    wall=tuple(KINDS),
    calls=300,
)
