"""A run that comes from elsewhere, while it is put together.

It is made in a hidden folder that is then renamed: so it is there whole, or not
at all. What it is made of is told by the rooms that read the sources.
"""

import os
import shutil
import stat
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from ._attempts import Status
from ._errors import RunError
from ._files import Files
from ._ids import new_id
from ._metrics import Metric
from ._problems import Problems
from ._state import replace
from ._values import encode

MOST_WAITING: Final = 20_000
"""How many points are in memory at most, before they are written; a large one counts as several."""

_SIZE: Final = 256


class NothingToImportError(ValueError):
    """A run of another tool is not to be imported; it says why."""


class Arrival:
    """A run that is put together.

    Args:
        folder: the hidden folder, which is made.
        project: what it belongs to, if the source says nothing else.
        prefix: what it is called, if the source says nothing else.
    """

    def __init__(self, folder: Path, project: str, prefix: str) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.project = project
        self.prefix = prefix
        self.status: Status | None = None
        self.started: float | None = None
        self.ended: float | None = None
        self.said: dict[str, Any] = {}
        """What run.json says of it: description, tags, readme."""
        self.origin: dict[str, Any] = {}
        """What else the source says, kept under `imported`."""
        self.params: dict[str, Any] = {}
        self.git: dict[str, Any] = {}
        self.environment: dict[str, Any] = {}
        self.points = 0
        self._first: float | None = None
        self._last: float | None = None
        self._left_out: Counter[str] = Counter()
        self._problems = Problems()
        self._waiting: dict[str, list[dict[str, Any]]] = {}
        self._count = 0
        self._lines: dict[str, list[bytes]] = {}

    def point(self, metric: str, point: dict[str, Any], size: int = 0) -> None:
        """Add a point.

        Args:
            metric: the name of the metric.
            point: its fields; without a `ts` it is of the time of the one before.
            size: how many bytes it was made of, if these may be many.
        """
        self._see(point)
        self._waiting.setdefault(metric, []).append(point)
        self.points += 1
        self._weigh(size)

    def message(self, message: str, ts: float | None, level: str, fields: dict[str, Any]) -> None:
        """Add a message to the log."""
        line: dict[str, Any] = {"ts": ts, "level": level, "message": message}
        line.update({f"${name}" if name in line else name: fields[name] for name in fields})
        self._see(line)
        self._line("logs/logs.jsonl", line)

    def sample(self, line: dict[str, Any]) -> None:
        """Add a sample of the machine."""
        self._see(line)
        self._line("system/data.jsonl", line)

    def file(self, path: Path, prefix: str, name: str | None = None, **more: Any) -> None:
        """Copy a file; what is no plain file, a link too, is left out.

        Args:
            path: where it is.
            prefix: the group that it is put into.
            name: what it is called, if not as it is.
            more: what else is known about it.
        """
        try:
            found = path.lstat()
        except OSError:
            self.leave_out("a file that is gone")
            return
        if stat.S_ISLNK(found.st_mode):
            self.leave_out("a link to a file")
            return
        if not stat.S_ISREG(found.st_mode) or not os.access(path, os.R_OK):
            self.leave_out("a file that cannot be read")
            return
        saved = Files(self.folder, prefix, 1, self._problems, False).save(path, name)
        if saved is None:
            raise RunError(f"{path} cannot be copied into {self.folder.parent}")
        about = saved.path.parent / "file.json"
        said = {**msgspec.json.decode(about.read_bytes()), "ts": found.st_mtime, **more}
        about.write_bytes(encode(said, self._ignore) + b"\n")
        wanted: object = more.get("checksum")
        if isinstance(wanted, str) and wanted != saved.sha256:
            self.leave_out("(kept, but not what its checksum says) a file")

    def tree(self, folder: Path, prefix: str) -> None:
        """Copy a folder of files; each folder in it is a group of its own."""
        for where, folders, names in os.walk(folder):
            folders.sort()
            links = [name for name in folders if Path(where, name).is_symlink()]
            for _ in links:
                self.leave_out("a link to a folder")
            inner = Path(where).relative_to(folder).as_posix()
            group = prefix if inner == "." else f"{prefix}/{inner}"
            for name in sorted(names):
                self.file(Path(where, name), _clean(group), _clean(name))

    def leave_out(self, what: str) -> None:
        """Note something that does not come along."""
        self._left_out[what] += 1

    @contextmanager
    def reading(self, what: str) -> Generator[None]:
        """Read a part of the source: if it is broken, the rest of it is left out."""
        try:
            yield
        except (RunError, NothingToImportError):  # it cannot be written, or is not to be
            raise
        except Exception as error:  # whatever can be made of bytes of somebody else's
            self.leave_out(f"{what} ({type(error).__name__}: {str(error)[:200]})")

    @property
    def left_out(self) -> list[str]:
        """What did not come along, each with how often."""
        return [
            what if count == 1 else f"{count:,} times {what}"
            for what, count in self._left_out.items()
        ]

    def settle(self) -> None:
        """Write what is left, all but run.json."""
        self._write_points()
        self._write_lines()
        self.started = self.started if _is_time(self.started) else self._first
        self.ended = self.ended if _is_time(self.ended) else self._last
        if self.params:
            line = {"ts": self.started or 0.0, "set": self.params}
            self._write("parameters.jsonl", encode(line, self._ignore) + b"\n")
            shown = msgspec.json.format(encode(self.params, self._ignore), indent=2)
            self._write("parameters.json", shown + b"\n")
        for name, told in (("git.json", self.git), ("environment.json", self.environment)):
            if told:
                self._write(name, encode(told, self._ignore) + b"\n")

    def manifest(self, about: Mapping[str, Any]) -> None:
        """Write run.json.

        Args:
            about: what it has beside what the source said: the id, where it came from.
        """
        said = {
            "v": 1,
            "project": self.project,
            "prefix": self.prefix,
            "name": self.prefix,
            **self.said,
            "status": self.status,
            "created": self.started,
            "started": self.started,
            "ended": self.ended,
            **about,
        }
        replace(
            self.folder / "run.json",
            msgspec.json.format(encode(said, self._ignore), indent=2) + b"\n",
            is_synced=True,
        )

    def name(self) -> None:
        """Have names that a folder can be made of: those of a source may be anything."""
        self.project = _clean(self.project) or "project"
        self.prefix = _clean(self.prefix) or "run"

    def drop(self) -> None:
        """Take away what was put together, if it is still here."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _see(self, line: dict[str, Any]) -> None:
        """Note the first and the last time, and give one to a line that has none."""
        ts: object = line.get("ts")
        if isinstance(ts, float) and _is_time(ts):
            if self._first is None or ts < self._first:
                self._first = ts
            if self._last is None or ts > self._last:
                self._last = ts
        elif not isinstance(ts, (int, float)) or isinstance(ts, bool):
            line["ts"] = self._last or self.started or 0.0

    def _line(self, name: str, line: dict[str, Any]) -> None:
        written = encode(line, self._ignore) + b"\n"
        self._lines.setdefault(name, []).append(written)
        self._weigh(len(written))

    def _weigh(self, size: int) -> None:
        self._count += 1 + size // _SIZE
        if self._count >= MOST_WAITING:
            self._write_points()
            self._write_lines()

    def _write_points(self) -> None:
        waiting, self._waiting, self._count = self._waiting, {}, 0
        for name, points in waiting.items():
            metric = Metric(self.folder, name, 1, self._problems, False)
            kept = metric.log_many(points)
            metric.close()
            if kept < len(points):
                raise RunError(f"there is no room for the points of {name!r} in {self.folder}")

    def _write_lines(self) -> None:
        lines, self._lines = self._lines, {}
        for name, written in lines.items():
            self._write(name, b"".join(written))

    def _write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        try:
            path.parent.mkdir(exist_ok=True)
            with path.open("ab") as file:
                file.write(data)
        except OSError as error:
            raise RunError(f"{path} cannot be written: {error.strerror}") from error

    def _ignore(self, _: str) -> None:
        """Have the repr be kept of what has no form: a source of ours has no such thing."""


def hidden_in(root: Path) -> Path:
    """Return a hidden folder of a root, which nobody else has."""
    return root / f".import-{new_id()}"


def _is_time(ts: float | None) -> bool:
    """Tell whether a time is one, of the years 1970 to 5138."""
    return ts is not None and 0 <= ts < 1e11


def _clean(name: str) -> str:
    """Return a text that any file can hold."""
    return name.encode("utf-8", "backslashreplace").decode()
