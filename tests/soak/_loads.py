"""The loads: what is called, and how. Another kind of experiment is one more class."""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from typing import Any, Protocol

from understudy import (
    Config,
    MultiBranchStrategy,
    RoundRobinStrategy,
    Runtime,
    ShadowStrategy,
    SingleConfigStrategy,
)
from understudy.actors import current_branch

from ._ledger import Ledger


class Load(Protocol):
    """One kind of load: experiments of its own, and the ways to call them.

    What a body begins and returns is told the ledger, under the name of its experiment.
    """

    def __init__(self, runtime: Runtime, ledger: Ledger, rng: random.Random) -> None:
        """Declare the experiments."""
        ...

    def on_loop(self, rng: random.Random) -> Coroutine[Any, Any, Any]:
        """Return a call to be awaited."""
        ...

    def in_thread(self, rng: random.Random) -> Any:
        """Make a call from a thread without a loop."""
        ...


class Moody:
    """A strategy that sometimes raises, or answers nonsense."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def plan(self, call: Any, configs: Any) -> Any:
        mood = self._rng.random()
        if mood < 0.01:
            raise RuntimeError("in a mood")
        if mood < 0.02:
            return None
        return ShadowStrategy().plan(call, self._rng.sample([*configs], len(configs)))

    def observe(self, result: Any) -> None:
        if self._rng.random() < 0.001:
            raise RuntimeError("does not like it")


def strategies(rng: random.Random) -> dict[str, Any]:
    return {
        "single": SingleConfigStrategy(),
        "round-robin": RoundRobinStrategy(),
        "multi-branch": MultiBranchStrategy(),
        "shadow": ShadowStrategy(sample=0.5, limit=3, timeout=0.01),
        "after": ShadowStrategy(after_primary=True),
        "together": ShadowStrategy(cancel_with_primary=True),
        "moody": Moody(rng),
    }


LIMITS: dict[str, dict[str, Any]] = {
    "single": {"concurrency": 2, "mailbox": 4, "overflow": "reject"},
    "shadow": {"concurrency": 4, "mailbox": 2},
}


def misbehave(rng: random.Random, x: int) -> None:
    """Fail as users' functions do, and worse in a shadow."""
    branch = current_branch()
    dice = rng.random()
    if dice < 0.03:
        raise ValueError(x)
    if dice < 0.04 and branch is not None and branch.part.role == "shadow":
        raise SystemExit(x)


class Async:
    """Async experiments under every strategy."""

    def __init__(self, runtime: Runtime, ledger: Ledger, rng: random.Random) -> None:
        self._runtime = runtime
        self._ledger = ledger
        self._rng = rng
        self.experiments = [
            runtime.experiment(name=f"async {name}", strategy=strategy, **LIMITS.get(name, {}))(
                self._body(f"async {name}")
            )
            for name, strategy in strategies(rng).items()
        ]

    def _body(self, name: str) -> Callable[..., Any]:
        async def body(x: int, config: Config) -> int:
            self._ledger.began(name)
            dice = self._rng.random()
            await asyncio.sleep(0 if dice < 0.7 else 0.004 if dice < 0.99 else 60)
            misbehave(self._rng, x)
            self._ledger.returned(name)
            return x + int(config.n)

        return body

    async def on_loop(self, rng: random.Random) -> Any:
        function, x, way = rng.choice(self.experiments), rng.randrange(1000), rng.random()
        if way < 0.5:
            return await function(x)
        if way < 0.6:
            return await self._runtime.collect(function, x)
        if way < 0.7:
            return await function.options(timeout=rng.choice([0.001, 0.1]))(x)
        if way < 0.75:
            return await function.options(configs=[{"n": 7}], concurrency=3)(x)
        if way < 0.8:
            with self._runtime.force(function, rng.randrange(2)):
                return await self._runtime.call(function, x)
        if way < 0.85:
            async with self._runtime.arun(function, rng.random() < 0.5) as runner:
                return await runner(x)
        return await self._runtime.call(function, x)

    def in_thread(self, rng: random.Random) -> Any:
        function, x, way = rng.choice(self.experiments), rng.randrange(1000), rng.random()
        if way < 0.8:
            return self._runtime.call_blocking(function, x)
        if way < 0.98:
            with self._runtime.run(function, rng.random() < 0.5) as runner:
                return runner(x)
        return asyncio.run(function(x))  # a loop that lives for one call


class Sync:
    """Sync experiments under every strategy."""

    def __init__(self, runtime: Runtime, ledger: Ledger, rng: random.Random) -> None:
        self._runtime = runtime
        self._ledger = ledger
        self._rng = rng
        self.experiments = [
            runtime.experiment(name=f"sync {name}", strategy=strategy, **LIMITS.get(name, {}))(
                self._body(f"sync {name}")
            )
            for name, strategy in strategies(rng).items()
        ]

    def _body(self, name: str) -> Callable[..., Any]:
        def body(x: int, config: Config, pause: float = 0.0) -> int:
            self._ledger.began(name)
            if pause:
                time.sleep(pause)
            misbehave(self._rng, x)
            self._ledger.returned(name)
            return x + int(config.n)

        return body

    async def on_loop(self, rng: random.Random) -> Any:
        function, x, way = rng.choice(self.experiments), rng.randrange(1000), rng.random()
        if way < 0.1 and not isinstance(
            function.experiment.settings.strategy, MultiBranchStrategy
        ):  # directly, on the loop's own thread
            return function(x)
        if way < 0.3:
            return await self._runtime.collect(function, x, pause=0.001)
        if way < 0.4:
            return await self._runtime.call(function.options(timeout=0.002), x, pause=0.003)
        return await self._runtime.call(function, x, pause=rng.choice([0.0, 0.001, 0.005]))

    def in_thread(self, rng: random.Random) -> Any:
        function, x, way = rng.choice(self.experiments), rng.randrange(1000), rng.random()
        pause = rng.choice([0.0, 0.0, 0.001, 0.005])
        pin = self._runtime.force(function, 1) if rng.random() < 0.05 else nullcontext()
        with pin:
            if way < 0.6:
                return function(x, pause=pause)
            if way < 0.8:
                with self._runtime.run(function, rng.random() < 0.5) as runner:
                    return runner(x, pause=pause)
            if way < 0.9:
                return function.options(timeout=0.002)(x, pause=pause)
            return self._runtime.call_blocking(function, x, pause)


class Nested:
    """Experiments that call others, of either colour, and themselves."""

    def __init__(self, runtime: Runtime, ledger: Ledger, rng: random.Random) -> None:
        """Declare the experiments: the inner ones, and those that call them."""

        @runtime.experiment(name="inner", configs=[{"m": 0}, {"m": 1}], strategy=ShadowStrategy())
        async def inner(x: int, config: Config) -> int:
            ledger.began("inner")
            await asyncio.sleep(0)
            misbehave(rng, x)
            ledger.returned("inner")
            return x

        @runtime.experiment(name="inner sync", configs=[{"m": 0}, {"m": 1}])
        def inner_sync(x: int, config: Config) -> int:
            ledger.began("inner sync")
            misbehave(rng, x)
            ledger.returned("inner sync")
            return x

        @runtime.experiment(name="outer", strategy=ShadowStrategy(timeout=0.05), uses=[inner])
        async def outer(x: int, config: Config) -> int:
            ledger.began("outer")
            calls = [inner(x), runtime.call(inner_sync, x)]
            if x > 990:
                calls.append(outer(x - 5))
            await asyncio.gather(*calls, return_exceptions=x % 2 == 0)
            ledger.returned("outer")
            return x

        @runtime.experiment(name="outer sync", strategy=ShadowStrategy())
        def outer_sync(x: int, config: Config) -> int:
            ledger.began("outer sync")
            inner_sync(x)
            if x % 3 == 0:
                runtime.call_blocking(inner, x)
            ledger.returned("outer sync")
            return x

        self._runtime, self._outer, self._outer_sync = runtime, outer, outer_sync

    async def on_loop(self, rng: random.Random) -> Any:
        function = self._outer if rng.random() < 0.7 else self._outer_sync
        return await self._runtime.call(function, rng.randrange(1000))

    def in_thread(self, rng: random.Random) -> Any:
        x = rng.randrange(1000)
        if rng.random() < 0.7:
            return self._outer_sync(x)
        return self._runtime.call_blocking(self._outer, x)


class Passing:
    """Functions that are none, and experiments that are made for a call and dropped."""

    def __init__(self, runtime: Runtime, ledger: Ledger, rng: random.Random) -> None:
        self._runtime = runtime
        self._ledger = ledger

    async def on_loop(self, rng: random.Random) -> Any:
        if rng.random() < 0.5:
            return await self._runtime.call(asyncio.sleep, 0)

        @self._runtime.experiment(strategy=ShadowStrategy(), name="passing")
        async def passing(config: Config) -> int:
            await asyncio.sleep(0)
            return int(config.n)

        return await passing()

    def in_thread(self, rng: random.Random) -> Any:
        if rng.random() < 0.5:
            return self._runtime.call_blocking(threading.get_ident)
        return self._runtime.experiment(name="passing")(_number)()


def _number(config: Config) -> Any:
    return config.n
