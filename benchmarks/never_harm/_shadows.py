"""What is played: a lead that waits for something, and shadows that misbehave beside it."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any, Final, NoReturn, final

WORK: Final = 0.005
"""How many seconds a lead takes: it waits, as for a database."""
_SLOW = 100 * WORK
_LARGE = 10_000_000
_PIECE = 250_000
_PAUSE = 0.1
_BURN = 0.02


def answer_to(number: int) -> int:
    """Return the right answer to a request: no shadow gives it."""
    return 2 * number + 1


async def lead_async(number: int) -> int:
    """Play the lead."""
    await asyncio.sleep(WORK)
    return answer_to(number)


def lead_sync(number: int) -> int:
    """Play the lead."""
    time.sleep(WORK)
    return answer_to(number)


@final
class Shadow:
    """A shadow that misbehaves until it is told that the phase is over.

    Args:
        case: how it misbehaves: one of `CASES`.
    """

    def __init__(self, case: str) -> None:
        self.play_async: Callable[[], Coroutine[Any, Any, object]] = getattr(self, f"_{case}_async")
        self.play_sync: Callable[[], object] = getattr(self, f"_{case}", self._unknown)
        self.over = threading.Event()
        self.played = 0
        """How often it began to play."""
        self.most = 0
        """How often it played at once, at most."""
        self._now = 0
        self._lock = threading.Lock()

    async def run_async(self) -> object:
        """Misbehave on a loop."""
        with self._counted():
            return await self.play_async()

    def run_sync(self) -> object:
        """Misbehave in the thread this is called in."""
        with self._counted():
            return self.play_sync()

    @contextmanager
    def _counted(self) -> Generator[None]:
        with self._lock:
            self.played += 1
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1

    def _unknown(self) -> object:
        raise NotImplementedError

    def _raises(self) -> NoReturn:
        raise ValueError("a shadow that fails")

    async def _raises_async(self) -> object:
        self._raises()

    def _hangs(self) -> bool:
        return self.over.wait()

    async def _hangs_async(self) -> object:
        return await asyncio.get_running_loop().create_future()

    def _slow(self) -> object:
        return self.over.wait(_SLOW)

    async def _slow_async(self) -> object:
        await asyncio.sleep(_SLOW)
        return None

    def _large(self) -> object:
        return _read(_LARGE)

    async def _large_async(self) -> object:
        return await asyncio.to_thread(_read, _LARGE)

    def _exits(self) -> object:
        sys.exit(1)

    async def _exits_async(self) -> object:
        sys.exit(1)

    def _allocates(self) -> object:
        held: list[bytes] = []
        while not self.over.wait(_PAUSE):
            held.append(_read(_PIECE))
        return len(held)

    async def _allocates_async(self) -> object:
        held: list[bytes] = []
        while not self.over.is_set():
            held.append(_read(_PIECE))
            await asyncio.sleep(_PAUSE)
        return len(held)

    def _burns(self) -> object:
        until = time.thread_time() + _BURN
        while time.thread_time() < until and not self.over.is_set():
            pass
        return None

    async def _burns_async(self) -> object:
        return await asyncio.to_thread(self._burns)

    async def _blocks_async(self) -> object:
        time.sleep(_BURN)  # noqa: ASYNC251  # this is the misdeed
        return None


def _read(size: int) -> bytes:
    """Return memory that is really taken up; it is filled without holding the interpreter."""
    file = os.open("/dev/zero", os.O_RDONLY)
    try:
        return os.read(file, size)
    finally:
        os.close(file)
