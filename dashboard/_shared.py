"""A board that one thread fills while others read it."""

import threading
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, Final, final

from understudy.events import Event

from ._board import Board
from ._lines import Line

_MOMENT: Final = 50e-6


def let_others_go_on() -> None:
    """Let go of the interpreter, for as long as another thread needs to take it.

    A thread that computes is asked to only after 5 ms, for which the loop of a live service, which
    serves its primaries, would stand still.
    """
    time.sleep(_MOMENT)


@final
class SharedBoard:
    """A board behind a lock: one at a time takes from it, or gives to it.

    Args:
        board: the board; nobody else touches it from now on.
        at_once: after so many lines other threads have their turn.

    Example:
        >>> from understudy.dashboard import Board, SharedBoard
        >>> shared = SharedBoard(Board())
        >>> shared.take([b'{"v":1,"ts":5.0,"event":"call.planned","level":"info","seq":1,"pid":1}'])
        >>> shared.document()["overview"]["calls"]
        1
    """

    def __init__(self, board: Board, *, at_once: int = 500) -> None:
        self._board = board
        self._at_once = at_once
        self._lock = threading.Lock()
        self._waiting = 0

    def take(self, lines: Iterable[bytes | Line | Event]) -> None:
        """Take lines of a log, or events."""
        several: list[Any] = []
        for line in lines:
            several.append(line)
            if len(several) == self._at_once:
                self._take(several)
                several.clear()
        self._take(several)

    def _take(self, several: list[Any]) -> None:
        with self._lock:
            self._board.take_all(several)
        if self._waiting:  # a lock goes to whoever is quick, which would be us again
            time.sleep(0.001)
        elif len(several) == self._at_once:  # there may be more
            let_others_go_on()

    def document(self) -> dict[str, Any]:
        """Return all there is to see."""
        with self._reading():
            return self._board.document(let_others_go_on)

    def patch(self) -> dict[str, Any]:
        """Return what has changed since the last patch."""
        with self._reading():
            return self._board.patch(let_others_go_on)

    def experiment(self, name: str) -> dict[str, Any] | None:
        """Return one experiment; None if there is none of that name."""
        with self._reading():
            return self._board.experiment(name)

    def call(self, call_id: str) -> dict[str, Any] | None:
        """Return one call; None if it is not kept."""
        with self._reading():
            return self._board.call(call_id)

    def found_calls(self, asked: str) -> list[dict[str, Any]]:
        """Return the calls that are kept in which all words are."""
        with self._reading():
            return self._board.found_calls(asked)

    @contextmanager
    def _reading(self) -> Generator[None]:
        self._waiting += 1  # a guess is enough: it is a hint to be polite
        try:
            with self._lock:
                yield
        finally:
            self._waiting -= 1
