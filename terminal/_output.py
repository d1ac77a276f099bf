"""What a command writes to: a terminal, a file, or a pipe that somebody may close."""

import os
import select
import sys
import time
from contextlib import suppress
from shutil import get_terminal_size
from typing import Final

DULL: Final = ("", "dumb")
_NARROWEST: Final = 20
_PIECE: Final = 32_768
_CODES: Final = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}


def wants_colour(asked: str) -> bool:
    """Whether output is coloured: `always`, `never`, or `auto`, which looks at where it goes.

    Example:
        >>> from understudy.terminal import wants_colour
        >>> wants_colour("always"), wants_colour("never")
        (True, False)
    """
    if asked != "auto":
        return asked == "always"
    is_wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in DULL
    return is_wanted and sys.stdout.isatty()


def coloured(text: str, colour: str) -> str:
    r"""Return a text in a colour, as terminals know it.

    Example:
        >>> from understudy.terminal import coloured
        >>> coloured("FAILED", "red")
        '\x1b[31mFAILED\x1b[0m'
    """
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if colour and text else text


def plain(text: str, colour: str) -> str:
    """Return a text as it is, without colours.

    Example:
        >>> from understudy.terminal import plain
        >>> plain("FAILED", "red")
        'FAILED'
    """
    return text


def width_of_output(otherwise: int) -> int:
    """Return how many columns there are to write to; `otherwise`, if it is no terminal.

    Example:
        >>> from understudy.terminal import width_of_output
        >>> width_of_output(80) >= 20
        True
    """
    if not sys.stdout.isatty():
        return otherwise
    return max(_NARROWEST, get_terminal_size((80, 24)).columns)


def wait_for_more(seconds: float) -> None:
    """Wait a little, unless nobody reads what is written any more.

    Raises:
        BrokenPipeError: nobody does.

    Example:
        >>> from understudy.terminal import wait_for_more
        >>> wait_for_more(0.01)
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
    r"""Write a text, however long, in pieces: that nobody reads on is known soon.

    What the output has no sign for is a question mark.

    Example:
        >>> from understudy.terminal import write
        >>> write("all is well\n")
        all is well
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    text = text.encode(encoding, "replace").decode(encoding)
    for start in range(0, len(text), _PIECE):
        sys.stdout.write(text[start : start + _PIECE])
        sys.stdout.flush()
