"""What it costs to begin: the import, a run of one point, and many processes at once.

The import hook of an editable install imports modules that the package would import: measure a
package that is installed as its users install it.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks._command import main
from benchmarks._harness import Case, Goal, Table
from benchmarks.configs.bench_import import spent_by_children
from understudy.runs import RunFolder

_BARE = "the bare interpreter"
_RECORD: Final = """
import sys
from understudy.runs import Run
with Run(prefix="run", root=sys.argv[1], capture=False) as run:
    for step in range(int(sys.argv[2])):
        run.metrics("train").log(step=step, loss=0.5)
"""


def _in_new_process(code: str, *words: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-c", code, *words], check=True)


def _imports(folder: str) -> Table:
    return Table(
        "one process",
        [
            Case(_BARE, _in_new_process("pass")),
            Case("import msgspec", _in_new_process("import msgspec"), 1, _BARE),
            Case(
                "from understudy.runs import Run",
                _in_new_process("from understudy.runs import Run"),
                1,
                _BARE,
                Goal(extra=30e-3),
            ),
            Case(
                "the same, and a run of one point", _in_new_process(_RECORD, folder, "1"), 1, _BARE
            ),
        ],
        clock=spent_by_children,
        note="msgspec is imported when the first run begins.",
    )


def _at_once(folder: Path, times: int, points: int) -> Table:
    """Start four processes at once on a store that does not exist, and count what went wrong."""
    wrong = 0
    stores = iter(range(10**6))

    def start() -> None:
        nonlocal wrong
        for _ in range(times):
            root = folder / str(next(stores))
            command = [sys.executable, "-c", _RECORD, str(root), str(points)]
            processes = [subprocess.Popen(command) for _ in range(4)]
            wrong += sum(process.wait() != 0 for process in processes)
            run = RunFolder(root / "project" / "run")
            wrong += 4 * points - len(run.metrics("train"))
            wrong += (len(run.attempts) != 4) + (run.status != "COMPLETED")

    return Table(
        f"four processes that begin one run at once, {times} times: what failed or is lost",
        [Case("understudy", start, goal=Goal(total=0))],
        clock=lambda: wrong,
        unit="n",
        is_once=True,
        patience=1.0,
    )


def tables(times: int = 20, points: int = 200) -> Iterator[Table]:
    """Yield the tables of this benchmark."""
    with TemporaryDirectory() as folder:
        yield _imports(folder)
        yield _at_once(Path(folder), times, points)


QUICK = {"times": 1, "points": 5}

if __name__ == "__main__":
    main(tables, quick=QUICK)
