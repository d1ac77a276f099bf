"""An event loop whose time stands still while anything can run, and whose order a seed decides."""

import asyncio
import heapq
import random
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(RuntimeError):
    """Nothing is ready, nothing is scheduled, and yet somebody waits."""


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Callbacks run one at a time; time moves only when none is ready.

    Args:
        seed: decides the order of those that are ready; None for the usual one.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(selectors.SelectSelector())
        self._chooser = None if seed is None else random.Random(seed)
        self._now = 1000.0
        self.steps = 0

    def time(self) -> float:
        return self._now

    def clock(self) -> int:
        """Return the time in nanoseconds, as a runtime wants it."""
        return int(self._now * 1e9)

    def _run_once(self) -> None:
        # Takes the place of the base class's method of this name: it is what a loop is.
        inner: Any = self
        scheduled, ready = inner._scheduled, inner._ready
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
        if not ready and scheduled:
            self._now = max(self._now, scheduled[0]._when)
        while scheduled and scheduled[0]._when <= self._now:
            handle = heapq.heappop(scheduled)
            handle._scheduled = False
            ready.append(handle)
        if not ready:
            if inner._stopping:
                return
            raise Stuck("nothing is ready, and nothing is scheduled")
        place = 0 if self._chooser is None else self._chooser.randrange(len(ready))
        ready.rotate(-place)
        handle = ready.popleft()
        ready.rotate(place)
        self.steps += 1
        if not handle._cancelled:
            handle._run()


def run_virtual(main: Coroutine[Any, Any, T], *, seed: int | None = None) -> T:
    """Run a coroutine in virtual time, as `asyncio.run` would."""
    with asyncio.Runner(loop_factory=lambda: SimulatedLoop(seed)) as runner:
        return runner.run(main)
