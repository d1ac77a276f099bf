"""The open loop: requests arrive on a schedule, whatever became of those before them.

A request's latency is counted from the time it was to arrive at, not from the time somebody found
the time to take it: what holds up the loop, or the threads, is in it (no coordinated omission). A
request that has no right answer by the end has the latency infinity.
"""

import asyncio
import math
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from queue import SimpleQueue
from typing import Any, Final, final

from ._shadows import answer_to

PATIENCE: Final = 1.0
"""How many seconds after the last arrival an answer still counts."""
POOL: Final = 16
"""How many threads call sync functions: 16 times what the lead alone keeps busy."""
_HEAD_START = 0.05


def schedule(rate: float, seconds: float, seed: int) -> list[float]:
    """Return when requests arrive: as many as that, at random (a Poisson process)."""
    chance = random.Random(seed)
    count = max(1, round(rate * seconds))
    return sorted(chance.uniform(0, seconds) for _ in range(count))


def quantile(values: Sequence[float], part: float) -> float:
    """Return the value that so large a part of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


@final
class Load:
    """What became of the requests."""

    def __init__(self, arrivals: Sequence[float]) -> None:
        self.arrivals = arrivals
        self.latencies = [math.inf] * len(arrivals)
        self.lags: list[float] = []
        """How late requests were taken from the schedule."""
        self.failures = Counter[str]()
        self.threads = 0
        """How many threads there were at most when a request was taken."""
        self.asked = 0
        """How many came as far as the library."""
        self._lock = threading.Lock()
        self._open = len(arrivals)
        self.when_done: Callable[[], object] = _nothing

    def taken(self, late: float) -> None:
        """Be told that a request was taken from the schedule."""
        self.lags.append(late)
        self.threads = max(self.threads, threading.active_count())

    def asks(self) -> None:
        """Be told that the library is asked now."""
        with self._lock:
            self.asked += 1

    def answered(self, number: int, answer: object, latency: float) -> None:
        """Be told of an answer, right or wrong."""
        if answer == answer_to(number):
            self.latencies[number] = latency
            self._close()
        else:
            self.failed("a wrong answer")

    def failed(self, problem: str) -> None:
        """Be told that there is no answer."""
        with self._lock:
            self.failures[problem] += 1
        self._close()

    def _close(self) -> None:
        with self._lock:
            self._open -= 1
            is_done = self._open == 0
        if is_done:
            self.when_done()

    @property
    def lost(self) -> int:
        """How many have no right answer."""
        return sum(map(math.isinf, self.latencies))


async def offer_async(ask: Callable[[int], Coroutine[Any, Any, object]], load: Load) -> None:
    """Have requests arrive on this loop, and wait for the answers."""
    loop = asyncio.get_running_loop()
    begin = loop.time() + _HEAD_START
    done = asyncio.Event()
    load.when_done = done.set
    tasks: set[asyncio.Task[None]] = set()

    async def request(number: int, at: float) -> None:
        load.asks()
        try:
            answer = await ask(number)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  # SystemExit too is a lost request
            load.failed(f"raised {type(error).__name__}")
        else:
            load.answered(number, answer, loop.time() - at)

    def arrive(number: int, at: float) -> None:
        load.taken(loop.time() - at)
        tasks.add(loop.create_task(request(number, at)))

    for number, offset in enumerate(load.arrivals):
        loop.call_at(begin + offset, arrive, number, begin + offset)
    try:
        async with asyncio.timeout_at(begin + load.arrivals[-1] + PATIENCE):
            await done.wait()
    except TimeoutError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=PATIENCE)


def offer_sync(ask: Callable[[int], object], load: Load) -> list[threading.Thread]:
    """Have requests arrive at a pool of threads, wait for the answers; return the threads."""
    arrived: SimpleQueue[tuple[int, float] | None] = SimpleQueue()
    done, is_over = threading.Event(), threading.Event()
    load.when_done = done.set

    def work() -> None:
        while (request := arrived.get()) is not None:
            if is_over.is_set():
                continue
            number, at = request
            load.asks()
            try:
                answer = ask(number)
            except BaseException as error:  # noqa: BLE001  # SystemExit too is a lost request
                load.failed(f"raised {type(error).__name__}")
            else:
                latency = time.perf_counter() - at
                if not is_over.is_set():
                    load.answered(number, answer, latency)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(POOL)]
    for thread in threads:
        thread.start()
    begin = time.perf_counter() + _HEAD_START
    for number, offset in enumerate(load.arrivals):
        at = begin + offset
        time.sleep(max(0.0, at - time.perf_counter()))
        load.taken(time.perf_counter() - at)
        arrived.put((number, at))
    done.wait(max(0.0, begin + load.arrivals[-1] + PATIENCE - time.perf_counter()))
    is_over.set()
    for _ in threads:
        arrived.put(None)
    return threads


def _nothing() -> None: ...
