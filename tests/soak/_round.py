"""One round: a runtime is entered, loaded, troubled, left, and looked at."""

import asyncio
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, final

import msgspec
import uvloop

from tests.loops import KINDS
from understudy import CircuitBreaker, Event, FileSink, Runtime, ShadowStrategy

from ._ledger import Ledger
from ._loads import Async, Load, Nested, Passing, Sync
from ._readings import Reading, Told, accounts, growth
from ._streams import Streams
from ._trouble import Trouble, write_configs

_CLIENTS: Final = 12
_THREADS: Final = 4
_PATIENCE: Final = 60.0
"""How many seconds a round may take to end."""
_LATEST: Final = 5
"""What grows for good has grown in each of so many looks; a busy round leaves more than a quiet one."""
_decode = msgspec.json.Decoder(Event).decode
LOOPS: Final[tuple[Callable[[], Any], ...]] = (
    asyncio.new_event_loop,
    uvloop.new_event_loop,
    KINDS.get("eager tasks", {}).get("loop_factory", asyncio.new_event_loop),
)

LOADS: Final[tuple[type[Load], ...]] = (Async, Sync, Nested, Passing, Streams)


@final
class Soak:
    """A runtime that lives through all rounds, and what was seen of it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.seed = seed
        self.ledger = Ledger()
        self.trouble: Counter[str] = Counter()
        self.events = 0
        self.dropped = 0
        self._configs = folder / "configs"
        self._configs.mkdir()
        self._log = folder / "events.jsonl"
        self._last_seq = 0
        self._first: Reading | None = None
        self._latest: deque[Reading] = deque(maxlen=_LATEST)
        write_configs(self._configs, random.Random(seed))
        self.runtime = Runtime(
            configs=self._configs,
            watch=True,
            strategy=ShadowStrategy(),
            events=FileSink(self._log, capacity=1_000_000),
            timeout=0.5,
            drain_timeout=0.2,
            circuit=CircuitBreaker(failures=5, cooldown=0.05),
        )
        rng = random.Random(seed)
        self.loads: list[Load] = [load(self.runtime, self.ledger, rng) for load in LOADS]
        self._subscription = self.runtime.subscribe(self.ledger.tell, buffer=1_000_000)

    def play(self, number: int, seconds: float) -> Iterator[str]:
        """Play a round; yield what is wrong after it."""
        rng = random.Random(f"{self.seed}/{number}")
        with asyncio.Runner(loop_factory=LOOPS[number % len(LOOPS)]) as runner:
            left = runner.run(self._on_loop(rng, time.monotonic() + seconds))
        self.runtime.close()
        yield from left
        yield from self._look()

    async def _on_loop(self, rng: random.Random, until: float) -> list[str]:
        over = threading.Event()
        threads = [
            threading.Thread(target=self._in_thread, args=(random.Random(rng.random()), over))
            for _ in range(_THREADS)
        ]
        async with self.runtime:
            for thread in threads:
                thread.start()
            clients = [
                asyncio.create_task(self._client(random.Random(rng.random()), until))
                for _ in range(_CLIENTS)
            ]
            functions = [
                each for load in self.loads if isinstance(load, Async | Sync)
                for each in load.experiments
            ]  # fmt: skip
            trouble = Trouble(self.runtime, functions, self._configs)
            while time.monotonic() < until:
                await asyncio.sleep(rng.choice([0.01, 0.05, 0.1]))
                await trouble.make(rng)
            over.set()
            self.trouble += trouble.done
            _, late = await asyncio.wait(clients, timeout=_PATIENCE)
            problems = [f"a caller waits for ever: {task}" for task in late]
            await asyncio.to_thread(_join, threads)
            problems += [f"a thread waits for ever: {each}" for each in threads if each.is_alive()]
        await asyncio.get_running_loop().shutdown_default_executor()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        return problems + [f"a task is left: {task}" for task in others]

    async def _client(self, rng: random.Random, until: float) -> None:
        """Call, now and then with little patience, until the time is over."""
        while time.monotonic() < until:
            load = rng.choice(self.loads)
            task = asyncio.create_task(load.on_loop(rng))
            if rng.random() < 0.05:
                await asyncio.sleep(rng.choice([0, 0.001]))
                task.cancel()
            await asyncio.wait([task])
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            self.ledger.called(type(load).__name__, error)
            del task, error
            await asyncio.sleep(0)

    def _in_thread(self, rng: random.Random, over: threading.Event) -> None:
        while not over.wait(0.001):
            load = rng.choice(self.loads)
            try:
                load.in_thread(rng)
            except BaseException as error:  # noqa: BLE001  # whatever it is
                self.ledger.called(type(load).__name__, error)
            else:
                self.ledger.called(type(load).__name__, None)

    def _look(self) -> Iterator[str]:
        self.dropped = self._subscription.dropped
        yield from accounts(self.runtime, self.ledger, self.dropped)
        told = self._read_events()
        yield from told.problems()
        self._last_seq = told.last_seq
        self.events += told.count
        self.reading = Reading.take()
        self._latest.append(self.reading)
        if self._first is not None:
            yield from growth(self._first, Reading.least(self._latest, _LATEST))

    def warm(self) -> None:
        """Take what there is now as what there may be."""
        self._first = self.reading
        self._latest.clear()

    def _read_events(self) -> Told:
        """Take the events of this round away; the next begins another file."""
        told = Told(self._last_seq)
        if self._log.exists():
            taken = self._log.rename(self._log.with_suffix(".taken"))
            with taken.open("rb") as lines:
                for line in lines:
                    told.add(_decode(line))
            taken.unlink()
        return told


def _join(threads: list[threading.Thread]) -> None:
    until = time.monotonic() + _PATIENCE
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
