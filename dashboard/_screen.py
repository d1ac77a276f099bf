"""Screen: a terminal that is taken for a while, and given back as it was."""

import os
import re
import select
import signal
import sys
from collections import deque
from contextlib import suppress
from shutil import get_terminal_size
from types import FrameType
from typing import Any, Final, final

_ENTER: Final = "\x1b[?1049h\x1b[?25l\x1b[2J"
_LEAVE: Final = "\x1b[?25h\x1b[?1049l"
_KEYS: Final = {"\x1b[A": "up", "\x1b[B": "down", "\x1bOA": "up", "\x1bOB": "down"}


@final
class Screen:
    """The alternate screen of the terminal, with keys that come as they are pressed.

    Whatever ends it (Ctrl-C, a signal, an error), the terminal is as it was before. A signal that
    is to end the process ends it as an exception does, so that everything is put away.
    """

    def __init__(self) -> None:
        self._input = sys.stdin.fileno()
        self._modes: list[Any] | None = None
        self._handlers: dict[int, Any] = {}
        self._pressed: deque[str] = deque()
        self._bell = os.pipe()

    def __enter__(self) -> "Screen":
        for name in ("SIGTERM", "SIGHUP"):
            self._handle(name, _end)
        self._handle("SIGWINCH", self._resize)
        self._handle("SIGTSTP", self._suspend)
        self._take()
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        for file in self._bell:
            os.close(file)

    def size(self) -> tuple[int, int]:
        """Return how many columns and lines there are."""
        found = get_terminal_size((80, 24))
        with suppress(OSError):  # what COLUMNS says may be of another terminal
            found = os.get_terminal_size(sys.stdout.fileno())
        return max(20, found.columns), max(5, found.lines)

    def draw(self, lines: list[str]) -> None:
        """Show some lines; each takes the place of the one that was there."""
        told = "\r\n".join(f"{line}\x1b[K" for line in lines)
        sys.stdout.write(f"\x1b[H{told}\x1b[J")
        sys.stdout.flush()

    def key(self, seconds: float) -> str | None:
        """Return the next key, or `resize`; None if nothing happens in that time."""
        if self._pressed:
            return self._pressed.popleft()
        ready, _, _ = select.select([self._input, self._bell[0]], [], [], max(0.0, seconds))
        if self._bell[0] in ready:
            os.read(self._bell[0], 64)
            return "resize"
        if not ready:
            return None
        pressed = os.read(self._input, 64)
        if not pressed:  # the terminal is gone
            return "q"
        self._pressed.extend(_keys_in(pressed))
        return self._pressed.popleft()

    def _take(self) -> None:
        import termios
        import tty

        self._modes = termios.tcgetattr(self._input)
        sys.stdout.write(_ENTER)
        sys.stdout.flush()
        tty.setcbreak(self._input)

    def _give_back(self) -> None:
        import termios

        modes, self._modes = self._modes, None
        if modes is not None:
            with suppress(OSError, ValueError):
                sys.stdout.write(_LEAVE)
                sys.stdout.flush()
            with suppress(termios.error, OSError):
                termios.tcsetattr(self._input, termios.TCSADRAIN, modes)

    def _handle(self, name: str, handler: Any) -> None:
        number = getattr(signal, name, None)
        if number is not None:
            self._handlers[number] = signal.signal(number, handler)

    def _resize(self, number: int, frame: FrameType | None) -> None:
        with suppress(OSError):
            os.write(self._bell[1], b".")

    def _suspend(self, number: int, frame: FrameType | None) -> None:
        """Give the terminal back for as long as the process is stopped."""
        self._give_back()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._suspend)
        self._take()
        self._resize(number, frame)


def _keys_in(pressed: bytes) -> list[str]:
    """Return the keys that were pressed; many at once come from one that is held."""
    text = pressed.decode("utf-8", "replace")
    keys: list[str] = re.findall("\x1b[[O].|.", text, re.DOTALL)
    return [_KEYS.get(key, key) for key in keys]


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
