"""Runs the benchmarks of recorded runs, and writes docs/runs-performance.md."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks._command import options
from benchmarks._page import rewrite
from benchmarks._performance import DOCS, measured, read_json

BEGIN: Final = "<!-- measured: from here on written by `python -m benchmarks.runs` -->"
PAGE: Final = "runs-performance.md"
BEGIN_OF_PEERS: Final = (
    "<!-- measured: from here on written by `python -m benchmarks.runs --peers` -->"
)
MODULES: Final = (
    *("bench_recording", "bench_reading", "bench_finding", "bench_beginning", "bench_sending"),
)
PEERS: Final = ("bench_trackers",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 if every benchmark ran to its end."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.runs", description=__doc__, parents=[options()]
    )
    parser.add_argument(
        "--peers",
        action="store_true",
        help="measure the other trackers, as far as they are installed, and write their part",
    )
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        file = given.json or Path(folder) / "measured.json"
        words = ["--rounds", str(given.rounds), "--json", str(file)]
        words += ["--quick"] if given.quick else []
        for module in PEERS if given.peers else MODULES:
            command = [sys.executable, "-m", f"benchmarks.runs.{module}", *words]
            if subprocess.run(command, check=False).returncode:
                return 1
        if not given.quick:
            begin = BEGIN_OF_PEERS if given.peers else BEGIN
            rewrite(DOCS / PAGE, begin, measured(read_json(file)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
