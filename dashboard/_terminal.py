"""What a command writes to: a terminal, a file, or a pipe that somebody may close."""

import os
import select
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

DULL: Final = ("", "dumb")


def wants_colour(asked: str) -> bool:
    """Whether output is coloured: `always`, `never`, or `auto`, which looks at where it goes."""
    if asked != "auto":
        return asked == "always"
    is_wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in DULL
    return is_wanted and sys.stdout.isatty()


def wait_for_more(seconds: float) -> None:
    """Wait a little, unless nobody reads what is written any more.

    Raises:
        BrokenPipeError: nobody does.
    """
    if not hasattr(select, "poll"):
        time.sleep(seconds)
        return
    poll = select.poll()
    with suppress(OSError, ValueError):
        poll.register(sys.stdout.fileno(), 0)
    for _, happened in poll.poll(seconds * 1e3):
        if happened & (select.POLLERR | select.POLLHUP):
            raise BrokenPipeError
        time.sleep(seconds)


def write(text: str) -> None:
    """Write a text, however long, in pieces: that nobody reads on is known soon."""
    for start in range(0, len(text), _PIECE):
        sys.stdout.write(text[start : start + _PIECE])
        sys.stdout.flush()


_PIECE: Final = 32_768


def tell_what_is_awaited(command: str, files: Sequence[str]) -> None:
    """Say of which files nothing is there yet: a name may be misspelt."""
    for file in awaited(files):
        print(f"{command}: waiting for {file}, which is not there yet", file=sys.stderr)


def awaited(files: Sequence[str]) -> list[str]:
    """Return those that are not there yet."""
    return [file for file in files if not os.path.lexists(file)]
