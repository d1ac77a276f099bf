"""Runs the benchmarks of the dashboard; with --docs it writes docs/dashboard-performance.md."""

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

BEGIN: Final = "<!-- measured: from here on written by `python -m benchmarks.dashboard --docs` -->"
PAGE: Final = "dashboard-performance.md"
MODULES: Final = ("bench_fold", "bench_telling", "bench_onlookers")


def main(arguments: Sequence[str] | None = None, docs: Path = DOCS) -> int:
    """Return the exit code: 0 if every benchmark ran to its end."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dashboard", description=__doc__, parents=[options()]
    )
    parser.add_argument("--docs", action="store_true", help=f"write docs/{PAGE}")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        file = given.json or Path(folder) / "measured.json"
        words = ["--rounds", str(given.rounds), "--json", str(file)]
        words += ["--quick"] if given.quick else []
        for module in MODULES:
            command = [sys.executable, "-m", f"benchmarks.dashboard.{module}", *words]
            if subprocess.run(command, check=False).returncode:
                return 1
        if given.docs:
            rewrite(docs / PAGE, BEGIN, measured(read_json(file)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
