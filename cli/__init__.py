"""The command `understudy`: gathers the commands that the packages offer.

Layout:

    _main  `main`: the command, its errors, and how it ends
"""

from ._main import main as main

__all__ = ["main"]
