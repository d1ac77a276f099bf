"""Trouble: what goes wrong while the load goes on, and who switches what."""

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any, final

from understudy import FunctionResult, Runtime

GOOD = ("n: 0", "n: 1", "n: 2\nextra: 1", "n: 3")
BAD = ("n: [", "n: ${nothing}: {", "- just\n- a list")


def write_configs(folder: Path, rng: random.Random, *, is_good: bool = True) -> None:
    """Write the files of two configs, each whole; or one of them broken."""
    first, second = rng.sample(GOOD, 2)
    texts = {"1.yaml": first, "2.yaml": second if is_good else rng.choice(BAD)}
    for name, text in texts.items():
        new = folder.parent / f"{name}.new"
        new.write_text(text + "\n")
        new.replace(folder / name)


@final
class Trouble:
    """Makes trouble for a runtime, on its loop.

    Attributes:
        done: how often each kind was made.
    """

    def __init__(self, runtime: Runtime, functions: list[Any], configs: Path) -> None:
        self.done: Counter[str] = Counter()
        self._runtime = runtime
        self._functions = functions
        self._configs = configs

    async def make(self, rng: random.Random) -> None:
        """Make some."""
        kinds = {
            self._reload: 3,
            self._break_configs: 1,
            self._switch: 3,
            self._drain: 2,
            self._restart: 2,
            self._subscribe: 2,
        }
        (kind,) = rng.choices([*kinds], [*kinds.values()])
        self.done[kind.__name__.strip("_").replace("_", " ")] += 1
        await kind(rng)

    async def _reload(self, rng: random.Random) -> None:
        write_configs(self._configs, rng)

    async def _break_configs(self, rng: random.Random) -> None:
        write_configs(self._configs, rng, is_good=False)

    async def _switch(self, rng: random.Random) -> None:
        function = rng.choice([None, *self._functions])
        self._runtime.disable(function)
        await asyncio.sleep(rng.choice([0, 0.005]))
        self._runtime.enable(function)

    async def _drain(self, rng: random.Random) -> None:
        await self._runtime.drain(rng.choice([0.001, 0.05]))

    async def _restart(self, rng: random.Random) -> None:
        await self._runtime.aclose()

    async def _subscribe(self, rng: random.Random) -> None:
        """Be told for a while, by functions that fail."""

        def plain(result: FunctionResult[Any]) -> None:
            if rng.random() < 0.2:
                raise SystemExit("does not like it")

        async def waits(result: FunctionResult[Any]) -> None:
            await asyncio.sleep(0)
            if rng.random() < 0.2:
                raise RuntimeError("does not like it")

        with self._runtime.subscribe(rng.choice([plain, waits]), buffer=16):
            await asyncio.sleep(0.02)
