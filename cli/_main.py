"""The command `understudy`: what was asked for, and how it ends."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, NoReturn

from understudy.configs import UnderstudyError
from understudy.dashboard import add_commands
from understudy.runs import add_runs_command, add_sync_command
from understudy.server import add_commands as add_server_commands

_INTERRUPTED: Final = 130
_NOBODY_READS: Final = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command `understudy`, and return what the process is to exit with.

    Exits with 2 at once if it was asked for something that it does not know.

    Args:
        arguments: what was asked for; what stands on the command line if left out.

    Example:
        >>> from pathlib import Path
        >>> from understudy.cli import main
        >>> Path("events.jsonl").touch()
        >>> main(["report", "events.jsonl"])
        No events.
        0
    """
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.run(asked))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        _write_nowhere()
        return _NOBODY_READS
    except OSError as problem:
        return _fail(_told(problem))
    except UnderstudyError as problem:
        return _fail(str(problem))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="understudy", description="See what runtimes do, or did, and what runs recorded."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_commands(commands)
    add_runs_command(commands)
    add_sync_command(commands)
    add_server_commands(commands)
    return parser


class _Parser(argparse.ArgumentParser):
    """Says what there is to ask for if nothing was asked; so do its commands, made of it."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and exit with 2."""
        if message.endswith(": COMMAND"):  # it is required, and was left out
            self.print_help(sys.stderr)
            self.exit(2)
        super().error(message)


class _Version(argparse.Action):
    """Says which version this is; only who asks pays for looking it up."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Say it, and exit."""
        from importlib.metadata import version

        print(f"understudy {version('understudy')}")
        parser.exit()


def _told(problem: OSError) -> str:
    why = problem.strerror or str(problem)
    return why if problem.filename is None else f"{problem.filename}: {why}"


def _fail(why: str) -> int:
    with suppress(OSError):
        sys.stderr.write(f"understudy: {why}\n")
    return 1


def _write_nowhere() -> None:
    """Have nothing be written at the end either: nobody reads it."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
