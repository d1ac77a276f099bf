"""What the command `understudy runs` offers."""

import argparse
from typing import Any

from ._import_command import add_import


def add_runs_command(commands: Any) -> None:
    """Add `runs` to the commands of `understudy`.

    Args:
        commands: what `add_subparsers` returned.

    Example:
        >>> import argparse
        >>> from understudy.runs import add_runs_command
        >>> parser = argparse.ArgumentParser()
        >>> add_runs_command(parser.add_subparsers())
        >>> parser.parse_args(["runs", "import", "mlruns"]).source
        'mlruns'
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        "runs", help="bring runs here", description="Work with recorded runs."
    )
    add_import(parser.add_subparsers(title="commands", metavar="COMMAND", required=True))
