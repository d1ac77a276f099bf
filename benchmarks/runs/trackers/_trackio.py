"""trackio: one sqlite database for each project, written by a thread."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks._peers import load

from ._tracker import TEN, Tracker


class Trackio(Tracker):
    """Runs of one project."""

    def _load(self, folder: Path) -> Any:
        os.environ["TRACKIO_DIR"] = str(folder / "trackio")  # it is read when it is imported
        os.environ["TRACKIO_DISABLE_LOGS_CACHE"] = "1"
        return load("trackio")

    def begin(self, folder: Path, name: str) -> None:
        self._trackio = self._load(folder)
        self._run = self._trackio.init(project="project", name=name, auto_log_gpu=False)

    def end(self) -> None:
        self._trackio.finish()

    def point(self, step: int) -> None:
        self._trackio.log({"loss": 0.1 * step}, step=step)

    def point_of_ten(self, step: int) -> None:
        self._trackio.log(dict(TEN), step=step)

    def file(self, path: Path) -> None:
        self._trackio.save(str(path))

    def read(self, folder: Path, name: str) -> int:
        self._load(folder)
        storage: Any = load("trackio.sqlite_storage").SQLiteStorage
        return len(storage.get_logs("project", name))

    def stored(self, folder: Path) -> int:
        with closing(sqlite3.connect(folder / "trackio" / "project.db")) as opened:
            (count,) = opened.execute("select count(*) from metrics").fetchone()
        return int(count)
