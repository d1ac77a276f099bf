"""What it costs to read a metric back: all of it, what it comes to, and a curve of it.

The floor is msgspec on the bytes of the file. The second look at a summary, or at a curve, reads
what was kept beside the file, and its last megabyte.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from benchmarks._command import main
from benchmarks._harness import Case, Goal, Table
from understudy.runs import Points, Run

from ._floors import write_points


def _reading(points: Points, count: int) -> Table:
    path = points.path / "data.jsonl"
    decoder = msgspec.json.Decoder()
    floor = "the floor: msgspec on the bytes"

    def first_look() -> object:
        (points.path / "overview.msgpack").unlink(missing_ok=True)
        return points.summary()

    return Table(
        f"{count:,} points, all of them",
        [
            Case(floor, lambda: decoder.decode_lines(path.read_bytes())),
            Case("metric.read()", points.read, 1, floor, Goal(ratio=1.5)),
            Case("metric.stream()", lambda: sum(1 for _ in points.stream()), 1, floor),
            Case("metric.read(limit=-10)", lambda: points.read(limit=-10), 1, floor),
            Case("metric.summary(), the first look", first_look, 1, floor),
            Case("metric.summary(), the second", points.summary, 1, floor),
            Case("metric.read(max_points=500)", lambda: points.read(max_points=500), 1, floor),
            Case("metric.last_step", lambda: points.last_step, 1, floor),
        ],
    )


def tables(count: int = 100_000, many: int = 1_000_000) -> Iterator[Table]:
    """Yield the tables of this benchmark."""
    with TemporaryDirectory() as folder, Run(prefix="run", root=folder, capture=False) as run:
        for number in (count, many):
            points = run.metrics(str(number))
            write_points(Path(points.path) / "data.jsonl", number)
            yield _reading(points, number)


QUICK = {"count": 100, "many": 1_000}

if __name__ == "__main__":
    main(tables, quick=QUICK)
