"""The Desk: where threads hand in what a loop is to be told, one for each loop."""

import asyncio
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, final

Done = Callable[[Any, BaseException | None], None]
"""Is told, on the loop, what a function returned, or raised."""


@final
class Desk:
    """Where threads hand in what a loop is to be told: one wake-up for all that waits."""

    __slots__ = ("_has_called", "_results", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop: weakref.ref[asyncio.AbstractEventLoop] = weakref.ref(loop)
        self._results: deque[tuple[Done, Any, BaseException | None]] = deque()
        self._has_called = False

    def hand_in(self, done: Done, value: Any, error: BaseException | None) -> None:
        """Have the loop told, soon; it may be closed already."""
        self._results.append((done, value, error))
        if self._has_called:
            return
        self._has_called = True
        loop = self.loop()
        with suppress(RuntimeError):  # closed: nobody waits any more
            if loop is not None:
                loop.call_soon_threadsafe(self._tell_all)

    def _tell_all(self) -> None:
        self._has_called = False
        results = self._results
        while results:
            done, value, error = results.popleft()
            done(value, error)


@final
class Desks:
    """The desks of all loops; most often it is the same loop's as the last time."""

    __slots__ = ("_desks", "_last")

    def __init__(self) -> None:
        self._desks = weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Desk]()
        self._last: Desk | None = None

    def of(self, loop: asyncio.AbstractEventLoop) -> Desk:
        """Return the desk of a loop, on which this is called."""
        desk = self._last
        if desk is None or desk.loop() is not loop:
            desk = self._desks.get(loop)
            if desk is None:
                self._let_go_of_closed_loops()
                desk = self._desks[loop] = Desk(loop)
            self._last = desk
        return desk

    def _let_go_of_closed_loops(self) -> None:
        """Drop what was handed in too late: it leads back to its loop, and keeps that alive."""
        for reference in self._desks.keyrefs():  # a list of its own: others may add some
            loop = reference()
            if loop is not None and loop.is_closed():
                self._desks.pop(loop, None)
