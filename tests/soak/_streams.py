"""The load of streams: read to the end, left early, dropped, paused, collected."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from typing import Any

from understudy import Config, Runtime, StreamLimits

from ._ledger import Ledger
from ._loads import LIMITS, misbehave, strategies


class Streams:
    """Generators of both colours, under every strategy that answers with one."""

    def __init__(self, runtime: Runtime, ledger: Ledger, rng: random.Random) -> None:
        self._runtime = runtime
        self._ledger = ledger
        self._rng = rng
        ruled = {name: each for name, each in strategies(rng).items() if name != "multi-branch"}
        self._async = [self._declared(f"stream {name}", name, each) for name, each in ruled.items()]
        self._sync = [
            self._declared(f"generator {name}", name, each, is_async=False)
            for name, each in ruled.items()
        ]

    def _declared(self, name: str, limits: str, strategy: Any, is_async: bool = True) -> Any:
        body: Callable[..., Any] = self._stream(name) if is_async else self._generator(name)
        declare: Any = self._runtime.experiment(
            name=name,
            strategy=strategy,
            stream=StreamLimits(items=20, seconds=1),
            **LIMITS.get(limits, {}),
        )
        return declare(body)

    def _stream(self, name: str) -> Callable[..., AsyncIterator[int]]:
        async def body(x: int, config: Config) -> AsyncIterator[int]:
            self._ledger.began(name)
            for number in range(self._rng.choice([0, 1, 5, 30])):
                if self._rng.random() < 0.3:
                    await asyncio.sleep(self._rng.choice([0, 0, 0.002]))
                yield x + number
            misbehave(self._rng, x)
            self._ledger.returned(name)

        return body

    def _generator(self, name: str) -> Callable[..., Iterator[int]]:
        def body(x: int, config: Config) -> Iterator[int]:
            self._ledger.began(name)
            for number in range(self._rng.choice([0, 1, 5, 30])):
                yield x + number
            misbehave(self._rng, x)
            self._ledger.returned(name)

        return body

    async def on_loop(self, rng: random.Random) -> Any:
        function, x, way = rng.choice(self._async + self._sync), rng.randrange(1000), rng.random()
        if way < 0.2:
            return await self._runtime.collect(function, x)
        if way < 0.3:
            return await self._runtime.call(function.options(timeout=0.003), x)
        if way < 0.4 and function in self._async:
            async for _ in function(x):  # dropped: the loop closes it
                break
            return None
        async with aclosing(self._runtime.stream(function, x)) as stream:
            left = rng.choice([1, 3, 100])
            async for _ in stream:
                left -= 1
                if not left:
                    return None
                if way > 0.9:
                    await asyncio.sleep(0.001)
        return None

    def in_thread(self, rng: random.Random) -> Any:
        function, x, way = rng.choice(self._sync), rng.randrange(1000), rng.random()
        if way < 0.2:
            return self._runtime.call_blocking(rng.choice(self._async), x)
        if way < 0.4:
            with self._runtime.run(function, rng.random() < 0.5) as runner:
                return runner(x)
        left = rng.choice([1, 3, 100])
        with closing(function(x)) as stream:
            for _ in stream:
                left -= 1
                if not left:
                    break
        return None
