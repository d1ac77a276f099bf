"""Waiting for what happens elsewhere, with a deadline."""

import socket
import time
from collections.abc import Callable


def wait_until(is_so: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Ask again and again, and fail if it is not so in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.01)


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
