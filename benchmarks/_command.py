"""The command line of a benchmark: measures its tables, one after the other, and prints them."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ._harness import LEAST_ROUNDS, Table, measure
from ._report import Setting, append_json, heading, render


def options() -> argparse.ArgumentParser:
    """Return the options that every benchmark takes."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--rounds", type=_rounds, default=LEAST_ROUNDS, help="how often each case is measured"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="append each table as JSON")
    return parser


def _rounds(text: str) -> int:
    rounds = int(text)
    if rounds < LEAST_ROUNDS:
        raise argparse.ArgumentTypeError(f"at least {LEAST_ROUNDS}")
    return rounds


def main(tables: Callable[[], Iterator[Table]], *, peers: Iterable[str] = ()) -> None:
    """Measure and print the tables of one benchmark, as the command line says.

    Args:
        tables: yields each table when the one before it is done.
        peers: the distributions that have rows in them.
    """
    module = sys.modules["__main__"]
    summary = (module.__doc__ or "").partition("\n")[0]
    given = argparse.ArgumentParser(description=summary, parents=[options()]).parse_args()
    setting = Setting.of_this_run(given.rounds, peers)
    print(heading(summary, setting), end="\n\n", flush=True)
    for table in tables():
        results = measure(table, given.rounds)
        print(render(table, results), end="\n\n", flush=True)
        if given.json is not None:
            append_json(given.json, table, setting, results)
