"""Runs every benchmark, or those of one folder, each in a process of its own."""

import argparse
import subprocess
import sys
from pathlib import Path

from ._command import options

_HERE = Path(__file__).parent


def _modules(folder: str) -> list[str]:
    """Return the names of the modules in a folder and below it."""
    files = sorted((_HERE / folder).rglob("bench_*.py"))
    return [".".join(file.relative_to(_HERE.parent).with_suffix("").parts) for file in files]


def main() -> int:
    """Return the exit code: 0 if every benchmark ran to its end."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, parents=[options()]
    )
    parser.add_argument("folder", nargs="?", default="", help="a folder of benchmarks: configs")
    given = parser.parse_args()
    modules = _modules(given.folder)
    if not modules:
        parser.error(f"there are no benchmarks in {given.folder!r}")
    passed_on = ["--rounds", str(given.rounds)]
    if given.json is not None:
        passed_on += ["--json", str(given.json)]
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
