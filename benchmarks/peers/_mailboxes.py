"""Actors by hand: a task that reads a queue, or a memory stream of anyio, and answers Futures."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any, Final, Protocol

import anyio

from ._contender import Contender, Open, Ways
from ._kinds import ITEMS
from ._ways import (
    awaited,
    fn,
    fn_items,
    fn_suspending,
    gathered,
    in_futures,
    in_tasks,
    in_turn,
    read,
)

_ROOM: Final = 16
"""How many items a stream is ahead of its reader at most."""


class Box(Protocol):
    """Where an actor's messages wait."""

    @property
    def put(self) -> Callable[[Any], Awaitable[None] | None]:
        """Puts a message in; what it returns is awaited, if it returns something."""
        ...

    @property
    def get(self) -> Callable[[], Awaitable[Any]]:
        """Takes the next message."""
        ...

    def close(self) -> None:
        """Close it, when nobody puts or takes any more."""
        ...


class QueueBox:
    """An asyncio.Queue; with a bound, `put` waits until there is room."""

    def __init__(self, room: int = 0) -> None:
        queue = asyncio.Queue[Any](room)
        self.get = queue.get
        self.put: Callable[[Any], Awaitable[None] | None] = queue.put if room else queue.put_nowait

    def close(self) -> None:
        """Do nothing: a queue has no end."""


class StreamBox:
    """A memory stream of anyio: `send` waits until there is room."""

    def __init__(self, room: float = 0) -> None:
        self._sender, self._receiver = anyio.create_memory_object_stream[Any](room)
        self.put: Callable[[Any], Awaitable[None] | None] = self._sender.send
        self.get = self._receiver.receive

    def close(self) -> None:
        """Close both ends."""
        self._sender.close()
        self._receiver.close()


class BufferedStreamBox(StreamBox):
    """The same with a buffer without a bound, and `send_nowait`."""

    def __init__(self) -> None:
        super().__init__(math.inf)
        self.put = self._sender.send_nowait


class Actor:
    """An actor that plays one message at a time."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, box: Box, play: Callable[[Any], Any]
    ) -> None:
        self._box = box
        self._play = play
        self._loop = loop
        self.task = loop.create_task(self._work())

    async def _work(self) -> None:
        try:
            while True:
                x, future = await self._box.get()
                answer = await self._play(x)
                if future is not None:
                    future.set_result(answer)
        finally:
            self._box.close()

    def ask_now(self, x: int) -> asyncio.Future[Any]:
        """Send a message, and return the future of its answer; for boxes that never wait."""
        future = self._loop.create_future()
        self._box.put((x, future))
        return future

    async def ask(self, x: int) -> Any:
        """Send a message, wait until there is room for it, and for its answer."""
        future = self._loop.create_future()
        await _put(self._box, (x, future))
        return await future

    async def tell(self, x: Any) -> None:
        """Send a message that nobody waits for."""
        await _put(self._box, (x, None))


def _opened(new_box: Callable[[], Box], new_reply: Callable[[int], Box], waits: bool) -> Open:
    @contextmanager
    def opened(loop: asyncio.AbstractEventLoop) -> Generator[Ways]:
        actors: list[Actor] = []

        def actor(play: Callable[[Any], Any]) -> Actor:
            made = Actor(loop, new_box(), play)
            actors.append(made)
            return made

        def ask_of(made: Actor) -> Callable[[int], Awaitable[Any]]:
            return made.ask if waits else made.ask_now

        four = [actor(fn) for _ in range(4)]
        inner = ask_of(actor(fn))
        asks = [ask_of(each) for each in four]
        suspending = ask_of(actor(fn_suspending))

        async def outer(x: int) -> Any:
            return await inner(x)

        def shadowed(shadows: int) -> Callable[[int], Any]:
            beside = four[1 : shadows + 1]

            async def way(calls: int) -> Any:
                answer: Any = None
                for x in range(calls):
                    for each in beside:
                        await each.tell(x)
                    answer = await asks[0](x)
                for each in beside:
                    await each.ask(0)  # it is the last in the queue: all before it have played
                return answer

            return way

        flight = (in_tasks if waits else in_futures)(suspending)
        try:
            yield {
                "single": awaited(asks[0]),
                "shadow_1": shadowed(1),
                "shadow_3": shadowed(3),
                "multi_4": gathered(asks),
                "robin_4": in_turn(asks),
                "nested_2": awaited(ask_of(actor(outer))),
                "stream_100": read(_items(actor, new_reply)),
                "flight_1000": flight,
                "flight_10000": flight,
            }
        finally:
            for each in actors:
                each.task.cancel()
            gathering = asyncio.gather(*[each.task for each in actors], return_exceptions=True)
            loop.run_until_complete(gathering)

    return opened


def _items(
    actor: Callable[[Callable[[Any], Any]], Actor], new_reply: Callable[[int], Box]
) -> Callable[[int], AsyncIterator[Any]]:
    """Return a stream: the message brings the box for the items, which has a bound."""

    async def produce(reply: Box) -> None:
        async for item in fn_items(0):
            await _put(reply, item)

    producer = actor(produce)

    async def items(x: int) -> AsyncIterator[Any]:
        reply = new_reply(_ROOM)
        await producer.tell(reply)
        for _ in range(ITEMS):
            yield await reply.get()
        reply.close()

    return items


async def _put(box: Box, message: Any) -> None:
    waiting = box.put(message)
    if waiting is not None:
        await waiting


_NO_CALL: Final = "it is asked on a loop: there is nothing to call without one"
_NO_THREADS: Final = "it has no threads of its own"
_CANNOT: Final = {
    "sync_direct": _NO_CALL,
    "sync_shadow": _NO_CALL,
    "bridge": _NO_THREADS,
    "bridge_1000": _NO_THREADS,
}
_HOW: Final = "a task for each actor, an asyncio.Future for each answer"

CONTENDERS: Final = (
    Contender(
        key="queue",
        title="asyncio.Queue + Future",
        how=f"{_HOW}; put_nowait",
        open=_opened(QueueBox, QueueBox, waits=False),
        cannot=_CANNOT,
    ),
    Contender(
        key="stream",
        title="anyio memory stream, send",
        how=f"{_HOW}; a stream without a buffer",
        open=_opened(StreamBox, StreamBox, waits=True),
        cannot=_CANNOT,
    ),
    Contender(
        key="stream_nowait",
        title="anyio memory stream, send_nowait",
        how=f"{_HOW}; a buffer without a bound",
        open=_opened(BufferedStreamBox, StreamBox, waits=False),
        cannot=_CANNOT,
    ),
)
