"""Runs every benchmark, or those of one folder, each in a process of its own."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ._command import options
from ._performance import read_json, write_page

_HERE = Path(__file__).parent
_APART = ("dashboard", "never_harm", "runs")
"""What has a page of its own in docs/: it is run when it is named."""


def modules_of(folder: str) -> list[str]:
    """Return the names of the modules in a folder and below it."""
    files = sorted((_HERE / folder).rglob("bench_*.py"))
    names = [".".join(file.relative_to(_HERE.parent).with_suffix("").parts) for file in files]
    return [name for name in names if folder in _APART or name.split(".")[1] not in _APART]


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 if every benchmark ran to its end."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, parents=[options()]
    )
    parser.add_argument("folder", nargs="?", default="", help="a folder of benchmarks: configs")
    parser.add_argument(
        "--docs", action="store_true", help="write docs/performance.md and its plots"
    )
    parser.add_argument(
        "--from", dest="told", type=Path, metavar="FILE", help="measure nothing, read FILE instead"
    )
    given = parser.parse_args(arguments)
    if given.docs and given.folder:
        parser.error("the page tells of all benchmarks: leave out the folder, or --docs")
    with tempfile.TemporaryDirectory() as folder:
        file = given.told or given.json or Path(folder) / "measured.json"
        code = 0 if given.told else _run(parser, given, file)
        if given.docs:
            write_page(read_json(file))
    return code


def _run(parser: argparse.ArgumentParser, given: argparse.Namespace, file: Path) -> int:
    modules = modules_of(given.folder)
    if not modules:
        parser.error(f"there are no benchmarks in {given.folder!r}")
    passed_on = ["--rounds", str(given.rounds), "--json", str(file)]
    if given.quick:
        passed_on.append("--quick")
    failed = [
        module
        for module in modules
        if subprocess.run([sys.executable, "-m", module, *passed_on], check=False).returncode
    ]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
