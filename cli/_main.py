"""The command `understudy`."""

import argparse
from collections.abc import Sequence

from understudy.dashboard import add_commands


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command `understudy`, and return what it exits with.

    Example:
        >>> from understudy.cli import main
        >>> main(["report", "nowhere.jsonl"])
        1
    """
    parser = argparse.ArgumentParser(prog="understudy", description=__doc__)
    add_commands(parser.add_subparsers(title="commands", metavar="COMMAND", required=True))
    asked = parser.parse_args(arguments)
    return int(asked.run(asked))
