"""Starts trackers in processes of their own, asks them, and leaves nothing running."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any, Final

import msgspec

from benchmarks.peers._measure import MARK, end_all, marked

from ._worker import Task

_ROOT: Final = Path(__file__).parents[3]
_PATIENCE: Final = 600.0
_LINGERING: Final = 5.0
_NOWHERE: Final = "http://127.0.0.1:9"
ALONE: Final = {
    "DO_NOT_TRACK": "1",
    "GIT_PYTHON_REFRESH": "quiet",
    "HTTPS_PROXY": _NOWHERE,
    "HTTP_PROXY": _NOWHERE,
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ML_DASH_NO_VERSION_CHECK": "1",
    "NO_PROXY": "127.0.0.1,localhost",
    "PYTHONWARNINGS": "ignore",
    "WANDB_ERROR_REPORTING": "false",
}
"""Nobody asks the network, or tells it anything."""


class TrackerError(Exception):
    """A tracker did not do what it was to do; the message is its last words."""


class Place:
    """A folder with a store and a home, and the processes that use it."""

    def __init__(self, folder: Path, mark: str) -> None:
        self._folder = folder
        self._mark = mark
        home, aside = folder / "home", folder / "tmp"  # one peer deletes what is saved from there
        for path in (home, aside):
            path.mkdir()
        self._environment = {
            **os.environ,
            **ALONE,
            MARK: mark,
            "HOME": str(home),
            "TMPDIR": str(aside),
            "PYTHONPATH": str(_ROOT),
        }

    def start(self, task: Task) -> subprocess.Popen[bytes]:
        """Start a process that does the task."""
        command = [sys.executable, "-m", f"{__package__}._worker"]
        with (self._folder / f"{task.name}.err").open("wb") as complaints:
            return subprocess.Popen(
                [*command, msgspec.json.encode(task).decode()],
                cwd=self._folder,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=complaints,
            )

    def last_words(self, task: Task) -> str:
        """Return the last line a process complained with."""
        lines = (self._folder / f"{task.name}.err").read_text(errors="replace").split("\n")
        words = [line.strip() for line in lines if line.strip()]
        return (words or ["it ended without a word"])[-1][:200]

    def ask(self, task: Task, expected: Any) -> Any:
        """Do a task to its end, and return what it told.

        Raises:
            TrackerError: it failed, or took too long.
        """
        with self.start(task) as process:
            try:
                told, _ = process.communicate(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                raise TrackerError(f"not done within {_PATIENCE:.0f} s") from None
        if process.returncode:
            raise TrackerError(self.last_words(task))
        return msgspec.json.decode(told, type=expected) if expected else None

    def settle(self) -> None:
        """Give what a killed process left running some time to write what it holds."""
        over = monotonic() + _LINGERING
        while marked(self._mark) and monotonic() < over:
            sleep(0.05)
        end_all(self._mark)


@contextmanager
def place() -> Generator[Place]:
    """Have a place; what runs in it at the end is ended hard."""
    mark = token_hex(8)
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            yield Place(Path(folder), mark)
        finally:
            end_all(mark)
