"""The command line of a benchmark: measures its tables, one after the other, and tells them."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from ._harness import LEAST_NS, LEAST_ROUNDS, Table, measure
from ._report import Setting, heading, render, told_of

QUICK_NS: Final = -(10**12)
"""With this one run is long enough, whatever the clock says."""


def options() -> argparse.ArgumentParser:
    """Return the options that every benchmark takes."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--rounds", type=_rounds, default=LEAST_ROUNDS, help="how often each case is measured"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="append each table as JSON")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="few operations, once: to see that it works; the numbers mean nothing",
    )
    return parser


def _rounds(text: str) -> int:
    rounds = int(text)
    if rounds < LEAST_ROUNDS:
        raise argparse.ArgumentTypeError(f"at least {LEAST_ROUNDS}")
    return rounds


class Teller:
    """Prints what is measured, and appends it to a file if asked.

    Args:
        about: the docstring of the benchmark.
        given: the options.
        peers: the distributions that have rows in its tables.
    """

    def __init__(self, about: str, given: argparse.Namespace, peers: Iterable[str] = ()) -> None:
        spec = sys.modules["__main__"].__spec__
        self.rounds: int = 1 if given.quick else given.rounds
        self.least_ns = QUICK_NS if given.quick else LEAST_NS
        self.setting = Setting.of_this_run(
            "" if spec is None else spec.name, about, self.rounds, given.quick, peers
        )
        self._file: Path | None = given.json
        print(heading(self.setting), end="\n\n", flush=True)

    def tell(self, told: msgspec.Struct, text: str) -> None:
        """Tell one table, or what else there is.

        Args:
            told: what is appended, with the setting, as a line of JSON; times are in seconds.
            text: what is printed.
        """
        print(text, end="\n\n", flush=True)
        if self._file is not None:
            record = {"setting": self.setting, "told": told}
            with self._file.open("a", encoding="utf-8") as opened:
                opened.write(json.dumps(msgspec.to_builtins(record)) + "\n")


def main(
    tables: Callable[..., Iterator[Table]],
    *,
    peers: Iterable[str] = (),
    quick: Mapping[str, Any] | None = None,
    arguments: Sequence[str] | None = None,
) -> None:
    """Measure and print the tables of one benchmark, as the command line says.

    Args:
        tables: yields each table when the one before it is done.
        peers: the distributions that have rows in them.
        quick: what `tables` is called with if it is to be quick.
        arguments: the command line, if not that of the process.
    """
    about = sys.modules[tables.__module__].__doc__ or ""
    parser = argparse.ArgumentParser(description=about.partition("\n")[0], parents=[options()])
    given = parser.parse_args(arguments)
    teller = Teller(about, given, peers)
    for table in tables(**(quick or {})) if given.quick else tables():
        told = told_of(table, measure(table, teller.rounds, teller.least_ns))
        teller.tell(told, render(told))
