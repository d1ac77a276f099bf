"""Logging the points of a metric: one line, one write, and it is on disk."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from time import time

from ._append import Appender
from ._errors import RunError
from ._names import make_folder
from ._points import Points
from ._problems import Problems
from ._values import U, encode, quick


class Metric(Points):
    """One metric of a run that is recorded: what is logged can be read at once.

    Example:
        >>> from understudy.runs import Run
        >>> with Run(prefix="my-experiment") as run:
        ...     train = run.metrics("train")
        ...     train.log(loss=0.5, epoch=1)
        ...     train.log(loss=float("nan"), epoch=2)
        ...     [(point["epoch"], point["loss"]) for point in train.read()]
        [(1, 0.5), (2, nan)]
    """

    __module__ = "understudy.runs"
    __slots__ = ("_attempt", "_file", "_problems")

    def __init__(
        self, run: Path, name: str, attempt: int, problems: Problems, is_synced: bool
    ) -> None:
        super().__init__(run, name)
        self._attempt = attempt if attempt > 1 else 0
        self._problems = problems
        folder = self._folder
        self._file = Appender(folder / "data.jsonl", lambda: make_folder(folder, name), is_synced)

    def log(self, values: Mapping[str, object] | None = None, /, **fields: object) -> None:
        """Log a point. When this returns, `kill -9` of the process cannot lose it.

        Args:
            values: fields as a mapping, whatever they are called.
            fields: further ones; numbers, mostly. `step` is what `read` and resuming go by. `ts`,
                in seconds since 1970, is now if it is not given; the number of the attempt is
                added from the second on.

        Example:
            >>> from understudy.runs import Run
            >>> with Run(prefix="my-experiment") as run:
            ...     run.metrics("train").log(step=1, loss=0.5, accuracy=0.9)
            ...     run.metrics("train").log({"loss/val": 0.6, "accuracy": 0.8}, step=2)
        """
        if values is not None:
            fields = {**values, **fields}
        if "ts" not in fields:
            fields["ts"] = time()
        if self._attempt:
            fields.setdefault("attempt", self._attempt)
        try:
            line = quick(fields) + b"\n"
            # JSON that has no `u` has no `null`, which could be a NaN
            if U in line and b"null" in line:
                line = encode(fields, self._report) + b"\n"
            if self._file.write(line) != len(line):
                self._file.mend(line)
        except RunError:  # asked for by strict=True
            raise
        except Exception:
            self._log_carefully(fields)

    def log_many(self, points: Iterable[Mapping[str, object]]) -> int:
        """Log several points, by one write; return how many of them are on disk, the first ones.

        Args:
            points: the fields of each, as `log` takes them.

        Example:
            >>> from understudy.runs import Run
            >>> with Run(prefix="my-experiment") as run:
            ...     run.metrics("train").log_many({"step": n, "loss": 1 / n} for n in (1, 2, 4))
            ...     [point["loss"] for point in run.metrics("train").read()]
            3
            [1.0, 0.5, 0.25]
        """
        lines = [self._line(dict(point)) for point in points]
        kept, error = 0, None
        try:
            kept = self._file.append_all(lines) if lines else 0
        except Exception as problem:
            error = problem
        for _ in lines[kept:]:
            self._problems.tell("write", f"a point of the metric {self.name!r} is lost", error)
        return kept

    def close(self) -> None:
        """Let go of the file; a point that is logged nevertheless is kept."""
        self._file.close()

    def _line(self, fields: dict[str, object]) -> bytes:
        fields.setdefault("ts", time())
        if self._attempt:
            fields.setdefault("attempt", self._attempt)
        return encode(fields, self._report) + b"\n"

    def _log_carefully(self, fields: dict[str, object]) -> None:
        """Log a point that the short way did not: it has a value of a rare kind, or no room."""
        try:
            self._file.append(encode(fields, self._report) + b"\n")
        except RunError:
            raise
        except Exception as error:
            self._problems.tell("write", f"a point of the metric {self.name!r} is lost", error)

    def _report(self, text: str) -> None:
        self._problems.tell("value", f"metric {self.name!r}: {text}")
