"""The log of a run: messages, each a line of JSON."""

from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import Any

from ._append import Appender
from ._errors import RunError
from ._lines import Line, last_lines, read_lines
from ._problems import Problems
from ._values import encode, told


class Messages:
    """The messages of a run, as they are on disk.

    Example:
        >>> from understudy.runs import Run, RunFolder
        >>> with Run(prefix="my-experiment") as run:
        ...     run.log("Training started", lr=0.1)
        >>> [line["message"] for line in RunFolder(run.path).log.read()]
        ['Training started']
    """

    __module__ = "understudy.runs"
    __slots__ = ("_path",)

    def __init__(self, run: Path) -> None:
        self._path = run / "logs" / "logs.jsonl"

    def stream(self, *, level: str | None = None) -> Iterator[Line]:
        """Yield the messages, one by one, each with `ts`, `level`, `message` and its fields.

        Args:
            level: only those of this level.
        """
        for lines in read_lines(self._path):
            for line in lines:
                if level is None or line.get("level") == level:
                    yield line

    def read(self, *, level: str | None = None, limit: int | None = None) -> list[Line]:
        """Return the messages.

        Args:
            level: only those of this level.
            limit: so many at most; `-20` gives the last twenty.

        Example:
            >>> from understudy.runs import Run
            >>> with Run(prefix="my-experiment") as run:
            ...     run.log("slow", level="warning")
            ...     [line["message"] for line in run.log.read(level="warning")]
            ['slow']
        """
        if limit is not None and limit < 0 and level is None:
            last = last_lines(self._path)
            if len(last) >= -limit:
                return last[limit:]
        lines = [*self.stream(level=level)]
        if limit is None:
            return lines
        return lines[:limit] if limit >= 0 else lines[limit:]

    def __repr__(self) -> str:
        return f"<the log {self._path}>"


class Log(Messages):
    """Called, it logs a message: `run.log("Training started")`.

    Example:
        >>> from understudy.runs import Run
        >>> with Run(prefix="my-experiment") as run:
        ...     run.log("Training started", lr=0.1)
        ...     run.log("It diverges", level="warning", loss=float("inf"))
        ...     [(line["level"], line["message"]) for line in run.log.read()]
        [('info', 'Training started'), ('warning', 'It diverges')]
    """

    __module__ = "understudy.runs"
    __slots__ = ("_attempt", "_file", "_problems")

    def __init__(self, run: Path, attempt: int, problems: Problems, is_synced: bool) -> None:
        super().__init__(run)
        folder = self._path.parent
        self._attempt = attempt
        self._problems = problems
        self._file = Appender(
            self._path, lambda: folder.mkdir(parents=True, exist_ok=True), is_synced
        )

    def __call__(self, message: object, /, level: str = "info", **fields: object) -> None:
        """Log a message.

        Args:
            message: what happened.
            level: `debug`, `info`, `warning`, `error`, or what you like.
            fields: what belongs to it. One that is called `message` is written `$message`.
        """
        text = message if isinstance(message, str) else told(message)
        line: dict[str, Any] = {"ts": time(), "level": level, "message": text}
        if fields:
            if "message" in fields:
                fields["$message"] = fields.pop("message")
            line.update(fields)
        if self._attempt > 1:
            line.setdefault("attempt", self._attempt)
        try:
            self._file.append(encode(line, self._report) + b"\n")
        except RunError:
            raise
        except Exception as error:
            self._problems.tell("write", f"a line of the log is lost, {text[:80]!r}", error)

    def close(self) -> None:
        """Let go of the file; a message that is logged nevertheless is kept."""
        self._file.close()

    def _report(self, text: str) -> None:
        self._problems.tell("value", f"log: {text}")
