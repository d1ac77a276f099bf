"""The commands that this package offers to `understudy`: tail, report, top; and dashboard."""

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from understudy.terminal import (
    coloured,
    plain,
    printable,
    wait_for_more,
    wants_colour,
    width_of_output,
    write,
)

from . import _top
from ._board import Board
from ._fold import fold_lines
from ._follow import Follower, read_logs, rotated
from ._lines import read_line
from ._report import report
from ._serve import add_dashboard
from ._state import State
from ._strangers import no_log, refuse_strangers
from ._tail import ENDS, Filter, shown
from ._terminal import tell_what_is_awaited

_INTERVAL: Final = 0.2
_SHOWN: Final = 100
_LEVELS: Final = ("debug", "info", "warning", "error")


def add_commands(commands: Any) -> None:
    """Add the commands that see in to what argparse gathers.

    Each has a `run`, which takes what was asked for and returns what the process exits with.

    Example:
        >>> import argparse
        >>> from pathlib import Path
        >>> from understudy.dashboard import add_commands
        >>> parser = argparse.ArgumentParser()
        >>> add_commands(parser.add_subparsers())
        >>> Path("events.jsonl").touch()
        >>> asked = parser.parse_args(["report", "events.jsonl"])
        >>> asked.run(asked)
        No events.
        0
    """
    _add_tail(commands)
    _add_report(commands)
    _add_top(commands)
    add_dashboard(commands)


def _command(commands: Any, name: str, run: Any, told: str) -> ArgumentParser:
    parser: ArgumentParser = commands.add_parser(name, help=told, description=told)
    parser.set_defaults(run=run)
    parser.add_argument("files", nargs="+", metavar="FILE", help="a log: one event a line")
    parser.add_argument(
        "--rotated", action="store_true", help="read FILE.2 and FILE.1 before FILE too"
    )
    return parser


def _number(least: float) -> Any:
    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= 1e9:
            raise ArgumentTypeError(f"a number from {least:g} on, not {text!r}")
        return value

    return number


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"a whole number from 0 on, not {text!r}")
    return int(text)


# tail


def _add_tail(commands: Any) -> None:
    parser = _command(commands, "tail", _run_tail, "Show events as they happen, one a line.")
    parser.add_argument("--experiment", metavar="NAME", help="of this experiment only")
    parser.add_argument(
        "--event", metavar="NAME", help="of this name only: branch.shed, branch, '*.failed'"
    )
    parser.add_argument("--level", choices=_LEVELS, help="as serious as this, or more")
    parser.add_argument("--config", metavar="LABEL", help="of this config only: its label or id")
    parser.add_argument("--role", metavar="ROLE", help="of this role only: primary, shadow, branch")
    parser.add_argument("--call", metavar="ID", help="of this call only")
    parser.add_argument(
        "--status",
        metavar="STATUS",
        choices=ENDS,
        help=f"of branches that ended so only: {', '.join(ENDS)}",
    )
    parser.add_argument(
        "-n", "--lines", metavar="LINES", type=_whole, default=10, help="begin with so many (10)"
    )
    parser.add_argument(
        "--no-follow", dest="follow", action="store_false", help="do not wait for more"
    )
    parser.add_argument("--json", action="store_true", help="the lines as they are")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")


def _run_tail(asked: Namespace) -> int:
    refuse_strangers(asked.files)
    wanted = Filter(
        *(asked.experiment, asked.event, asked.level, asked.config, asked.role, asked.call),
        asked.status,
    )
    teller = _Teller(wanted, asked.json, wants_colour(asked.color), len(asked.files) > 1)
    last: deque[bytes] = deque(maxlen=asked.lines)
    if not asked.follow:
        for lines in read_logs(asked.files, siblings=asked.rotated):
            last.extend(teller.chosen(lines))
        teller.write(teller.ordered(last))
        teller.complain()
        return 0
    tell_what_is_awaited("understudy tail", asked.files)
    with Follower(asked.files, siblings=asked.rotated) as follower:
        while lines := follower.read():
            last.extend(teller.chosen(lines))
        teller.write(teller.ordered(last))
        teller.complain()
        while True:
            if lines := follower.read():
                teller.write(teller.chosen(lines))
            else:
                wait_for_more(_INTERVAL)


class _Teller:
    """Makes of the lines of a log those that are shown."""

    def __init__(self, wanted: Filter, is_json: bool, is_coloured: bool, is_of_many: bool) -> None:
        self._wanted = wanted
        self._is_json = is_json
        self._paint = coloured if is_coloured else plain
        self._is_of_many = is_of_many
        self._read = self._chosen = 0

    def chosen(self, lines: list[bytes]) -> list[bytes]:
        """Return those that are wanted; of several files in the order of their times."""
        lines = self.ordered(lines)
        self._read += len(lines)
        if not self._wanted.takes_all:
            takes = self._wanted.takes
            lines = [raw for raw in lines if (line := read_line(raw)) and takes(line.event)]
        self._chosen += len(lines)
        return lines

    def complain(self) -> None:
        """Say so if there is something, and none of it was asked for: a name may be misspelt."""
        if self._read and not self._chosen:
            print(f"understudy tail: none of {self._read} events is so", file=sys.stderr)

    def ordered(self, lines: Iterable[bytes]) -> list[bytes]:
        """Return lines in the order of their times, if they come from several files."""
        return sorted(lines, key=_time_of) if self._is_of_many else [*lines]

    def write(self, lines: Iterable[bytes]) -> None:
        """Write some, for people or as they are."""
        for raw in lines:
            told = raw.decode(errors="replace") if self._is_json else self._told(raw)
            sys.stdout.write(f"{told}\n")
        sys.stdout.flush()

    def _told(self, raw: bytes) -> str:
        line = read_line(raw)
        if line is not None:
            return shown(line, self._paint)
        told = printable(raw[:_SHOWN].decode(errors="replace"))
        return self._paint(f"unreadable: {told}", "dim")


def _time_of(raw: bytes) -> float:
    line = read_line(raw)
    return 0.0 if line is None else line.event.ts


# report


def _add_report(commands: Any) -> None:
    parser = _command(commands, "report", _run_report, "Show what a log came to, in tables.")
    parser.add_argument("--json", action="store_true", help="everything there is, as JSON")


def _run_report(asked: Namespace) -> int:
    refuse_strangers(asked.files)
    document = _folded(asked).document()
    if asked.json:
        write(f"{msgspec.json.encode(document).decode()}\n")
    else:
        beside = [] if asked.rotated else [each for file in asked.files for each in rotated(file)]
        write(f"{report(document, max(40, width_of_output(80)), beside)}\n")
    return 0


def _folded(asked: Namespace) -> Board:
    """Return what some logs come to, as they are now."""
    state = State()
    for lines in read_logs(asked.files, siblings=asked.rotated):
        state = fold_lines(state, lines)
    if state.unreadable and not state.events:  # of pipes, which could not be looked at before
        raise no_log(", ".join(asked.files), state.unreadable)
    return Board(state, clock=time.time)


# top


def _add_top(commands: Any) -> None:
    parser = _command(commands, "top", _run_top, "Watch what happens, as tables that refresh.")
    parser.epilog = f"Keys: {', '.join(_top.KEYS.split('   '))}."
    parser.add_argument(
        "--interval", metavar="SECONDS", type=_number(0.05), default=1.0, help="between two looks"
    )


def _run_top(asked: Namespace) -> int:
    refuse_strangers(asked.files)
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        write("\n".join(_top.screen(_folded(asked), 80, None)) + "\n")
        return 0
    with Follower(asked.files, siblings=asked.rotated) as follower:
        return _top.watch(Board(clock=time.time), follower, asked.interval, asked.files)
