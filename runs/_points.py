"""Reading a metric: of a run that goes on, of one that ended, and of one that crashed."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ._errors import RunArgumentError
from ._lines import Line, last_lines
from ._names import folder_name
from ._numbers import OURS, Summary, summaries
from ._overview import look_over, seen_chunks, thinned
from ._rewinds import spans_of


class Points:
    """The points of one metric, as they are on disk.

    Attributes:
        name: the name of the metric.

    Example:
        >>> from understudy.runs import Run, RunFolder
        >>> with Run(prefix="my-experiment") as run:
        ...     for step in range(100):
        ...         run.metrics("train").log(step=step, loss=1 / (1 + step))
        >>> train = RunFolder(run.path).metrics("train")
        >>> len(train), train.last_step
        (100, 99)
        >>> [point["loss"] for point in train.read(start=1, stop=4)]
        [0.5, 0.3333333333333333, 0.25]
    """

    __module__ = "understudy.runs"
    __slots__ = ("_folder", "_run", "name")

    def __init__(self, run: Path, name: str) -> None:
        self.name: str = name
        self._run = run
        self._folder = run / "metrics" / folder_name(name)

    def stream(
        self,
        *,
        start: float | None = None,
        stop: float | None = None,
        by: str = "step",
        fields: Iterable[str] | None = None,
    ) -> Iterator[Line]:
        """Yield the points, one by one, in the order in which they were logged.

        Args:
            start: only those whose `by` is this or more,
            stop: and less than this.
            by: the field that `start` and `stop` are about; points without it are left out then.
            fields: only these fields, and `ts`, `step` and `attempt`.

        Example:
            >>> from understudy.runs import Run
            >>> with Run(prefix="my-experiment") as run:
            ...     run.metrics("train").log(loss=0.5, epoch=1)
            ...     [point["loss"] for point in run.metrics("train").stream(by="epoch", stop=2)]
            [0.5]
        """
        for lines in self._lots(start, stop, by, fields):
            yield from lines

    def read(
        self,
        *,
        start: float | None = None,
        stop: float | None = None,
        by: str = "step",
        fields: Iterable[str] | None = None,
        limit: int | None = None,
        max_points: int | None = None,
    ) -> list[Line]:
        """Return the points, in the order in which they were logged.

        Args:
            start: only those whose `by` is this or more,
            stop: and less than this.
            by: the field that `start` and `stop` are about; points without it are left out then.
            fields: only these fields, and `ts`, `step` and `attempt`.
            limit: so many at most; `-3` gives the last three.
            max_points: so many at most, chosen so that a curve through them looks the same: the
                least and the greatest of each stretch.

        Example:
            >>> from understudy.runs import Run
            >>> with Run(prefix="my-experiment") as run:
            ...     for step in range(1000):
            ...         run.metrics("train").log(step=step, loss=step % 10)
            >>> [point["step"] for point in run.metrics("train").read(limit=-2)]
            [998, 999]
            >>> len(run.metrics("train").read(max_points=50)) <= 50
            True
        """
        if max_points is not None and max_points < 2:
            raise RunArgumentError(f"max_points={max_points}: a curve has 2 points at least")
        wanted = None if fields is None else {*fields}
        points: list[Line] | None = None
        if max_points is not None and start is stop is limit is None:
            overview = look_over(self._run, self._folder)
            if len(overview.points) >= max_points:
                ends = [] if overview.last is None else [overview.last]
                points = _only([*overview.points, *ends], wanted)
        if points is None:
            points = self._some(start, stop, by, wanted, limit)
        return points if max_points is None else thinned(points, max_points)

    def summary(self) -> dict[str, Summary]:
        """Return what each field comes to: count, first, last, min, max, mean.

        Example:
            >>> from understudy.runs import Run
            >>> with Run(prefix="my-experiment") as run:
            ...     run.metrics("val").log(step=0, loss=2.0)
            ...     run.metrics("val").log(step=1, loss=1.0)
            ...     run.metrics("val").summary()["loss"].min
            1.0
        """
        return summaries(look_over(self._run, self._folder).sums)

    @property
    def path(self) -> Path:
        """The folder of the metric: `data.jsonl` is in it."""
        return self._folder

    @property
    def last_step(self) -> int | float | None:
        """The `step` of the last point that has one; None if none has."""
        if not self._has_hidden:
            for point in reversed(last_lines(self._folder / "data.jsonl")):
                step: object = point.get("step")
                if isinstance(step, (int, float)):
                    return step
        last = look_over(self._run, self._folder).sums.get("step")
        return last.last if last is not None and isinstance(last.last, (int, float)) else None

    @property
    def _has_hidden(self) -> bool:
        return len(spans_of(self._run, self._folder.name)) > 1

    def __len__(self) -> int:
        return look_over(self._run, self._folder).count

    def __iter__(self) -> Iterator[Line]:
        return self.stream()

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<the metric {self.name!r} in {self._run}>"

    def _some(
        self,
        start: float | None,
        stop: float | None,
        by: str,
        fields: set[str] | None,
        limit: int | None,
    ) -> list[Line]:
        points: list[Line] = []
        is_all = start is None and stop is None and fields is None
        if is_all and limit is not None and limit < 0 and not self._has_hidden:
            points = last_lines(self._folder / "data.jsonl")
            if len(points) >= -limit:
                return points[limit:]
            points = []
        for lines in self._lots(start, stop, by, fields):
            points += lines
            if limit is not None and limit >= 0 and len(points) >= limit:
                break
            if limit is not None and limit < 0:
                points = points[limit:]
        if limit is None:
            return points
        return points[:limit] if limit >= 0 else points[limit:]

    def _lots(
        self, start: float | None, stop: float | None, by: str, fields: Iterable[str] | None
    ) -> Iterator[list[Line]]:
        wanted = None if fields is None else {*fields}
        for lines, _ in seen_chunks(self._run, self._folder):
            if start is not None or stop is not None:
                low = float("-inf") if start is None else start
                high = float("inf") if stop is None else stop
                lines = [line for line in lines if _is_within(line.get(by), low, high)]
            yield _only(lines, wanted)


def _is_within(value: Any, low: float, high: float) -> bool:
    return isinstance(value, (int, float)) and low <= value < high


def _only(lines: list[Line], fields: set[str] | None) -> list[Line]:
    if fields is None:
        return lines
    kept = fields | OURS | {"step"}
    return [{name: line[name] for name in line if name in kept} for line in lines]
