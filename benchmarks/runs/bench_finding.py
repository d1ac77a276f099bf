"""What it costs to find runs: all of a root, the same after some changed, and what filters find.

The floor is one query of sqlite for the same rows. The first look reads the files of all runs.
"""

import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from itertools import count as numbers
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks._command import main
from benchmarks._harness import Case, Goal, Table
from understudy import runs
from understudy.runs import Run, Runs

_LIST = "runs.list()"
_SETTLED = 11.0
"""After how many seconds a run that has ended is no longer looked at each time."""


def make_runs(root: Path, count: int) -> None:
    """Make runs that differ in their parameters and points, as recording them one by one would."""
    with Run(prefix="run", root=root, project="bench", capture=False, tags=["bench"]) as run:
        run.params.set(
            {"lr": 0.1, "model": {"size": 256, "depth": 12}, "seed": 0, "name": "resnet"}
        )
        for step in range(10):
            run.metrics("train").log(step=step, loss=1 / (1 + step), accuracy=step / 10)
            run.metrics("val").log(step=step, loss=1 / (1 + step))
    said = json.loads((run.path / "run.json").read_text())
    for number in range(1, count):
        path = run.path.with_name(f"run-{number}")
        shutil.copytree(run.path, path)
        told = {**said, "id": f"{number:024}", "prefix": path.name, "created": number}
        (path / "run.json").write_text(json.dumps(told))
        line = {"ts": 0, "set": {"seed": number, "lr": 1 / number}}
        with (path / "parameters.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")


def _listing(root: Path, count: int, changed: int) -> Table:
    spent = 0
    turns = numbers()

    def query() -> object:
        base = sqlite3.connect(root / ".understudy/index.sqlite")
        found = base.execute("SELECT key, info FROM runs ORDER BY created DESC").fetchall()
        base.close()
        return found

    def list_after_changes() -> Runs:
        nonlocal spent
        turn = next(turns)
        for number in range(1, changed + 1):
            with Run(
                prefix=f"run-{turn * changed % (count - changed) + number}",
                root=root,
                project="bench",
                capture=False,
            ):
                pass
        before = time.process_time_ns()
        found = runs.list(root)
        spent += time.process_time_ns() - before
        return found

    floor = "the floor: sqlite, the same rows"
    within = Goal(total=50e-3)
    find: Callable[[], object] = lambda: runs.find("params.seed < 100", root)
    return Table(
        f"{count:,} runs",
        [
            Case(floor, query),
            Case(_LIST, lambda: runs.list(root), 1, floor, within),
            Case("runs.list(limit=20), printed", lambda: str(runs.list(root, limit=20)), 1, floor),
            Case("runs.list(), each looked at", lambda: [*runs.list(root)], 1, floor),
            Case("runs.find('params.seed < 100')", find, 1, floor),
            Case(
                f"runs.list() after {changed} of them changed",
                list_after_changes,
                1,
                floor,
                within,
                clock=lambda: spent,
            ),
        ],
    )


def _first_look(root: Path, count: int) -> Table:
    return Table(
        f"{count:,} runs, the first look",
        [Case("runs.list(rebuild=True), each", lambda: runs.list(root, rebuild=True), count)],
        is_once=True,
        patience=1.0,
    )


def tables(count: int = 10_000, changed: int = 10) -> Iterator[Table]:
    """Yield the tables of this benchmark."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        make_runs(root, count)
        if count > 1_000:
            time.sleep(_SETTLED)
        yield _first_look(root, count)
        yield _listing(root, count, changed)


QUICK = {"count": 30, "changed": 3}

if __name__ == "__main__":
    main(tables, quick=QUICK)
