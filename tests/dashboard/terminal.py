"""A command on a terminal of its own, as a person has it."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from typing import Any, Self

import pyte

RUN = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "understudy", *sys.argv[1:]])
"""


class Terminal:
    """Runs the command `understudy` on a terminal, and sees what is on its screen."""

    def __init__(
        self, *arguments: str, width: int = 100, height: int = 24, **environment: str
    ) -> None:
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._master, self._slave = pty.openpty()
        self.resize(width, height)
        self.before = termios.tcgetattr(self._slave)
        known = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, *arguments],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env={**known, "TERM": "xterm-256color", **environment},
            start_new_session=True,
        )

    def resize(self, width: int, height: int) -> None:
        """Have another size."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.screen.resize(height, width)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def modes(self) -> list[Any]:
        """Return how the terminal is set."""
        return termios.tcgetattr(self._slave)

    def type(self, keys: str) -> None:
        """Press some keys."""
        os.write(self._master, keys.encode())

    def wait(self, holds: Callable[[], object], seconds: float = 20.0) -> None:
        """Read what the command writes until something holds."""
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, f"never came: {self.text}"
            self._read(0.05)

    def shows(self, text: str) -> None:
        """Wait until a text is on the screen."""
        self.wait(lambda: text in self.text)

    def end(self, seconds: float = 20.0) -> int:
        """Wait until the command has ended, and return what it exited with."""
        self.wait(lambda: self.process.poll() is not None, seconds)
        while self._read(0.0):
            pass
        return self.process.returncode

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        read = os.read(self._master, 65_536)
        self.raw += read
        self._stream.feed(read)
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self._master)
        os.close(self._slave)
