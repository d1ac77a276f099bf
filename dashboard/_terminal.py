"""What a command says while it waits."""

import os
import sys
from collections.abc import Sequence


def tell_what_is_awaited(command: str, files: Sequence[str]) -> None:
    """Say of which files nothing is there yet: a name may be misspelt."""
    for file in awaited(files):
        print(f"{command}: waiting for {file}, which is not there yet", file=sys.stderr)


def awaited(files: Sequence[str]) -> list[str]:
    """Return those that are not there yet."""
    return [file for file in files if not os.path.lexists(file)]
