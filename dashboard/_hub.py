"""Who looks on, and what they have not seen yet: one ring of encoded patches for all of them.

A client is no more than a position in the ring, so that one that is slow, or never reads, costs
nothing: when what it should read next has left the ring, it is given the whole state anew.
"""

import asyncio
import logging
import secrets
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from time import monotonic, sleep
from typing import Any, Final, Protocol, final

import msgspec

EVERY: Final = 0.2
"""Seconds between two patches, at the least."""
SPARED: Final = 10
"""The pause after a patch is so many times as long as it took, ..."""
LONGEST_PAUSE: Final = 2.0
"""... but not longer than this."""
FEW: Final = 4
"""So many clients are told at once; if there are more, ..."""
SPREAD: Final = 0.1
"""... they are told in the course of so many seconds."""
PATCHES: Final = 300
"""So many patches are kept for who comes back, ..."""
PATCH_BYTES: Final = 8_000_000
"""... as long as they are not more than this together."""
HEARTBEAT: Final = 15.0
"""After so many seconds without a patch there is a comment, so that nothing between gives up."""
LIFE: Final = 900.0
"""A stream ends after so many seconds; its client comes back for the next one."""
PIECE: Final = 64 * 1024
"""What is longer is sent in pieces, each when the one before has left."""


_log = logging.getLogger("understudy")


class Source(Protocol):
    """What is shown; asked from one thread at a time, which is not the one of the loop."""

    def document(self) -> Mapping[str, Any]:
        """Give all there is."""
        ...

    def patch(self) -> Mapping[str, Any]:
        """Give what changed since the last time."""
        ...


class _Patch(msgspec.Struct, frozen=True):
    number: int
    text: bytes


@final
class Hub:
    r"""Tells everybody who looks on what changed, encoded once for all.

    A thread asks the source, and only while somebody looks on; the loop never waits for it.

    Args:
        source: what is shown.
        every: seconds between two patches, at the least.
        should_stop: asked as often: whether all streams are to end, since the server stops.

    Example:
        >>> class Nothing:
        ...     def document(self): return {"overview": {"calls": 0}}
        ...     def patch(self): return {}
        >>> async def look():
        ...     async with aclosing(Hub(Nothing()).stream()) as stream:
        ...         return [await anext(stream), await anext(stream)]
        >>> import asyncio
        >>> from contextlib import aclosing
        >>> first, second = asyncio.run(look())
        >>> first
        b'retry: 1000\n\n'
        >>> second.splitlines()[0], second.splitlines()[2]
        (b'event: snapshot', b'data: {"overview":{"calls":0}}')
    """

    def __init__(
        self,
        source: Source,
        *,
        every: float = EVERY,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._source = source
        self._every = every
        self._should_stop = should_stop
        self._epoch = secrets.token_hex(4)  # numbers of a server that is gone mean nothing here
        self._number = 0
        self._ring: deque[_Patch] = deque()
        self._ring_bytes = 0
        self._took = 0.0
        self._snapshot = _Patch(-1, b"")
        self._snapshot_wanted = False
        self._looking: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._waiting: set[asyncio.Event] = set()
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self.is_closed: bool = False

    @property
    def clients(self) -> int:
        """How many look on."""
        return len(self._looking)

    def close(self) -> None:
        """End all streams, at once; there will be no other."""
        with self._change:
            self.is_closed = True
            self._change.notify_all()
            self._wake()

    async def stream(
        self, last_id: str | None = None, *, heartbeat: float = HEARTBEAT, life: float = LIFE
    ) -> AsyncGenerator[bytes]:
        """Yield the messages for one client, as they stand in `text/event-stream`.

        Args:
            last_id: the id of the last message that it has got, if it was here before.
            heartbeat: after so many seconds without one there is a comment.
            life: after so many seconds the stream ends.
        """
        awake = asyncio.Event()
        position = self._position(last_id)
        end = monotonic() + life
        self._enter(awake)
        try:
            yield b"retry: 1000\n\n"
            while not self.is_closed and monotonic() < end:
                awake.clear()
                patch = self._next(position, awake)
                if patch is not None:
                    position = patch.number
                    for start in range(0, len(patch.text), PIECE):
                        yield patch.text[start : start + PIECE]
                        await asyncio.sleep(0)  # what fits into the socket's buffer waits for none
                    continue
                with suppress(TimeoutError):
                    await asyncio.wait_for(awake.wait(), min(heartbeat, end - monotonic()))
                    continue
                yield b": still here\n\n"
        finally:
            self._leave(awake)

    def _position(self, last_id: str | None) -> int | None:
        epoch, _, number = (last_id or "").partition("-")
        if epoch != self._epoch or not (number.isascii() and number.isdigit()):
            return None
        return int(number)

    def _next(self, position: int | None, awake: asyncio.Event) -> _Patch | None:
        """Find what a client is to read next; None if there is nothing yet, and it must wait."""
        with self._change:
            self._waiting.discard(awake)
            if position is not None and position == self._number:
                self._waiting.add(awake)
                return None
            if position is not None and self._ring and position < self._number:
                index = position + 1 - self._ring[0].number
                if index >= 0:
                    return self._ring[index]
            if self._snapshot.number == self._number:
                return self._snapshot
            self._snapshot_wanted = True
            self._waiting.add(awake)
            self._change.notify_all()
            return None

    def _enter(self, awake: asyncio.Event) -> None:
        with self._change:
            self._looking[awake] = asyncio.get_running_loop()
            if self._thread is None:
                name = "understudy-dashboard"
                self._thread = threading.Thread(target=self._look, name=name, daemon=True)
                self._thread.start()

    def _leave(self, awake: asyncio.Event) -> None:
        with self._change:
            del self._looking[awake]
            self._waiting.discard(awake)
            self._change.notify_all()

    # In the thread.

    def _look(self) -> None:
        while True:
            with self._change:
                if self.is_closed or not self._looking:
                    self._thread = None
                    self._snapshot = _Patch(-1, b"")
                    return
            if self._should_stop():
                self.close()
                continue
            began = monotonic()
            self._ask(self._take_patch)
            pause = min(self._took * SPARED, LONGEST_PAUSE)
            due = max(began + self._every, monotonic() + pause)
            while True:
                with self._change:
                    left = due - monotonic()
                    if self.is_closed or not self._looking or left <= 0:
                        break
                    if not self._snapshot_wanted:
                        self._change.wait(left)
                        continue
                self._ask(self._take_snapshot)

    def _ask(self, take: Callable[[], None]) -> None:
        try:
            take()
        except Exception:  # it may come right again, and nobody else would tell
            _log.exception("the dashboard's state could not be read")
            with self._change:
                self._snapshot_wanted = False
                self._change.wait(self._every)

    def _take_patch(self) -> None:
        began = monotonic()
        changes = self._source.patch()
        number = self._number + 1
        patch = _Patch(number, self._encode("patch", number, changes)) if changes else None
        self._took = monotonic() - began
        if patch is None:
            return
        with self._change:
            self._number = number
            self._ring.append(patch)
            self._ring_bytes += len(patch.text)
            while len(self._ring) > PATCHES or self._ring_bytes > PATCH_BYTES:
                self._ring_bytes -= len(self._ring.popleft().text)
        self._wake_one_by_one()

    def _take_snapshot(self) -> None:
        # What changes until the document is made is in the next patch too: to apply it twice is
        # to apply it once, since a patch has whole values.
        number = self._number
        document = _Patch(number, self._encode("snapshot", number, self._source.document()))
        with self._change:
            self._snapshot = document
            self._snapshot_wanted = False
        self._wake_one_by_one()

    def _encode(self, event: str, number: int, data: Mapping[str, Any]) -> bytes:
        head = f"event: {event}\nid: {self._epoch}-{number}\ndata: ".encode()
        return head + msgspec.json.encode(data) + b"\n\n"

    def _wake_one_by_one(self) -> None:
        """Wake those who wait, but not all at once: what else their loop does goes on in between.

        Those who have not read what they were given yet have no need to be woken.
        """
        with self._change:
            looking = [(each, self._looking[each]) for each in self._waiting]
        pause = SPREAD / len(looking) if len(looking) > FEW else 0.0
        for awake, loop in looking:
            with suppress(RuntimeError):  # its loop is closed
                loop.call_soon_threadsafe(awake.set)
            if pause:
                sleep(pause)

    def _wake(self) -> None:
        for awake, loop in self._looking.items():
            with suppress(RuntimeError):  # its loop is closed
                loop.call_soon_threadsafe(awake.set)
