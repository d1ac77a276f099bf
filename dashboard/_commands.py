"""The commands that this package offers to `understudy`."""

from typing import Any


def add_commands(commands: Any) -> None:
    """Add them to what argparse gathers.

    Example:
        >>> import argparse
        >>> from understudy.dashboard import add_commands
        >>> parser = argparse.ArgumentParser()
        >>> add_commands(parser.add_subparsers())
    """
