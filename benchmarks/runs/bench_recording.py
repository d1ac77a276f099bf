"""What it costs to record: a point, ten keys, the millionth point, a message, a parameter, a file.

The baseline of a point is what people write by hand, `json.dumps`, `write` and `flush`; the floor
is one encoding and one write, which is what it takes to survive `kill -9`. Nothing is deferred: all
threads of the process are counted.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks._command import main
from benchmarks._harness import Case, Goal, Table
from understudy.runs import Metric, Run

from ._floors import TEN, by_hand, by_logging, by_one_write, by_replacing, write_points

_BY_HAND = "by hand: json.dumps, write, flush"
_FLOOR = "the floor: msgspec, one write"
_ONE = "metric.log(step=, loss=)"
_COUNT = 1_000


def _logged(metric: Metric, count: int, more: Mapping[str, Any]) -> Callable[[], None]:
    def run() -> None:
        for step in range(count):
            metric.log(step=step, loss=0.1 * step, **more)

    def run_plain() -> None:
        for step in range(count):
            metric.log(step=step, loss=0.1 * step)

    return run if more else run_plain


def _named(run: Run, count: int) -> Callable[[], None]:
    def log() -> None:
        for step in range(count):
            run.metrics("named").log(step=step, loss=0.1 * step)

    return log


def _messages(run: Run, count: int) -> Callable[[], None]:
    def log() -> None:
        for step in range(count):
            run.log("epoch done", step=step)

    return log


def _parameters(run: Run) -> Callable[[], None]:
    """Set one in a run of its own: what there is by then does not count."""

    def set_one() -> None:
        with_history = run.path / "parameters.jsonl"
        with_history.unlink(missing_ok=True)
        run.params.close()
        run.params.set(lr=0.1)

    return set_one


def _copied_with_sum(source: Path, target: Path) -> None:
    checksum = sha256()
    with source.open("rb") as reader, target.open("wb") as writer:
        while data := reader.read(1 << 20):
            checksum.update(data)
            writer.write(data)


def _points(opened: ExitStack, folder: Path, run: Run, again: Run, count: int) -> Table:
    point = Goal(ratio=0.4)
    nan = float("nan")

    def log_nan() -> None:
        for step in range(count):
            run.metrics("nan").log(step=step, loss=nan)

    return Table(
        "one metric point",
        [
            Case(_BY_HAND, by_hand(opened, folder / "by_hand", count, {}), count),
            Case(_FLOOR, by_one_write(opened, folder / "floor", count), count, _BY_HAND),
            Case(_ONE, _logged(run.metrics("one"), count, {}), count, _BY_HAND, point),
            Case("run.metrics(name).log(...)", _named(run, count), count, _BY_HAND, point),
            Case(
                "in a second attempt",
                _logged(again.metrics("two"), count, {}),
                count,
                _BY_HAND,
                point,
            ),
            Case("whose loss is NaN", log_nan, count, _BY_HAND),
        ],
    )


def _keys(opened: ExitStack, folder: Path, run: Run, count: int) -> Table:
    return Table(
        "a point of ten keys more",
        [
            Case(_ONE, _logged(run.metrics("few"), count, {}), count),
            Case(
                "ten keys more", _logged(run.metrics("ten"), count, TEN), count, _ONE, Goal(ratio=2)
            ),
            Case(
                "by hand, ten keys more", by_hand(opened, folder / "ten", count, TEN), count, _ONE
            ),
        ],
    )


def _millionth(run: Run, count: int, many: int) -> Table:
    long = run.metrics("long")
    write_points(long.path / "data.jsonl", many)
    first = "point number 1"
    return Table(
        "a point, by how many there are",
        [
            Case(first, _logged(run.metrics("short"), count, {}), count),
            Case(
                f"point number {many:,}", _logged(long, count, {}), count, first, Goal(ratio=1.05)
            ),
        ],
    )


def _other(opened: ExitStack, folder: Path, run: Run, count: int, size: int) -> Iterator[Table]:
    with_handler, replacing = "logging.FileHandler", "json.dumps, write, replace"
    yield Table(
        "a message",
        [
            Case(with_handler, by_logging(opened, folder / "log", count), count),
            Case("run.log(message, step=)", _messages(run, count), count, with_handler, Goal(1)),
        ],
    )
    yield Table(
        "a parameter",
        [
            Case(replacing, by_replacing(folder / "parameters.json", 10), 10),
            Case("run.params.set(lr=)", _parameters(run), 1, replacing),
        ],
        note="The history gets a line, which is what counts, and parameters.json is replaced.",
    )
    source, target = folder / "source", folder / "target"
    source.write_bytes(bytes(size))
    files = run.files("models")
    copied, summed = "shutil.copyfile", "copied and summed in one pass"

    def save() -> None:
        saved = files.save(source)
        assert saved is not None
        shutil.rmtree(saved.path.parent)

    yield Table(
        f"a file of {size:,} bytes",
        [
            Case(copied, lambda: shutil.copyfile(source, target)),
            Case(summed, lambda: _copied_with_sum(source, target), 1, copied),
            Case("run.files(prefix).save(path)", save, 1, summed, Goal(ratio=1.5)),
        ],
    )


def tables(count: int = _COUNT, many: int = 1_000_000, size: int = 10_000_000) -> Iterator[Table]:
    """Yield the tables of this benchmark."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        with (
            ExitStack() as opened,
            Run(prefix="run", root=folder, capture=False) as run,
            Run(prefix="run", root=folder, capture=False) as again,
        ):
            yield _points(opened, folder, run, again, count)
            yield _keys(opened, folder, run, count)
            yield _millionth(run, count, many)
            yield from _other(opened, folder, run, count, size)


QUICK = {"count": 10, "many": 1_000, "size": 10_000}

if __name__ == "__main__":
    main(tables, quick=QUICK)
