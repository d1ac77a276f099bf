"""The index: what was found in the folders of runs when one looked last, in one file of sqlite.

It is only a copy: who finds it broken, or of another version, throws it away; who cannot write it
goes on without. Nobody ever waits for it: a reader sees what was there before, and a writer who
finds another one at work keeps what it knows to itself.
"""

import sqlite3
import weakref
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

FILE: Final = "index.sqlite"
VERSION: Final = 2
"""To be raised with each change of what is kept: another RunInfo, other marks."""

_TABLES: Final = """
    CREATE TABLE runs (
        key TEXT NOT NULL UNIQUE, project TEXT NOT NULL, created REAL, status TEXT,
        home INTEGER NOT NULL, stamp TEXT NOT NULL, mark TEXT NOT NULL, is_open INTEGER NOT NULL,
        info BLOB);
    CREATE INDEX created ON runs (created);
    CREATE INDEX open ON runs (is_open) WHERE is_open;
    CREATE TABLE known (one INTEGER PRIMARY KEY CHECK (one = 1), said BLOB NOT NULL);
"""
_COLUMNS: Final = "key, project, created, status, home, stamp, mark, is_open, info"


Packed = tuple[str, bytes]
"""The key of a run, and its RunInfo as msgpack."""


class Row(NamedTuple):
    """What is kept of a run."""

    key: str
    """`project/prefix`, in the names of their folders."""
    project: str
    created: float | None
    status: str | None
    home: int
    """The number of its folder on the disk."""
    stamp: str
    mark: str
    is_open: bool
    """Whether it may change without anybody saying so."""
    info: bytes | None
    """A RunInfo as msgpack; None if there is no run in the folder, or it does not fit."""


class Known(msgspec.Struct):
    """What is known of the whole."""

    places: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    """How far the changes were read."""
    projects: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    """When the folder of each project changed last, in nanoseconds."""


class IndexBroken(Exception):
    """The file is no index, or not one of ours."""


class IndexBusy(Exception):
    """The file cannot be used right now, or not at all."""


class Index:
    """The file, opened; or one in memory.

    Args:
        path: where it is; None keeps it in memory.

    Raises:
        IndexBroken: it is to be thrown away.
        IndexBusy: it cannot be used.
    """

    def __init__(self, path: Path | None) -> None:
        with _told():
            self._base = sqlite3.connect(
                ":memory:" if path is None else path,
                timeout=0,
                isolation_level=None,
                check_same_thread=False,
            )
        weakref.finalize(self, self._base.close)  # of one in memory nobody knows who is the last
        try:
            with _told():
                self._base.execute("PRAGMA mmap_size = 1073741824")
                self._set_up()
        except BaseException:
            self.close()
            raise

    def _set_up(self) -> None:
        version = self._base.execute("PRAGMA user_version").fetchone()[0]
        if version == VERSION:
            return
        if version or self._base.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise IndexBroken(f"version {version}")
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("BEGIN IMMEDIATE")
        if not self._base.execute("PRAGMA user_version").fetchone()[0]:
            for statement in _TABLES.split(";"):
                self._base.execute(statement)
            self._base.execute(f"PRAGMA user_version = {VERSION}")
        self._base.execute("COMMIT")

    def known(self) -> Known:
        """Return what is known of the whole."""
        with _told():
            found = self._base.execute("SELECT said FROM known").fetchone()
        try:
            return Known() if found is None else msgspec.msgpack.decode(found[0], type=Known)
        except (msgspec.MsgspecError, TypeError) as error:
            raise IndexBroken(str(error)) from error

    def homes(self, project: str) -> dict[str, int]:
        """Return the runs of a project, and the numbers of their folders."""
        return dict(self._ask("SELECT key, home FROM runs WHERE project = ?", project))

    def projects(self) -> set[str]:
        """Return the projects that something is kept of."""
        return {name for (name,) in self._ask("SELECT DISTINCT project FROM runs")}

    def open_runs(self) -> list[str]:
        """Return the runs that may change without anybody saying so."""
        return [key for (key,) in self._ask("SELECT key FROM runs WHERE is_open")]

    def stamps(self, start: float, most: int) -> list[tuple[str, str]]:
        """Return runs and the stamps of their files: so many, beginning at a part of all."""
        ((count,),) = self._ask("SELECT count(*) FROM runs")
        first = int(count * start) if count > most else 0
        found = self._ask("SELECT key, stamp FROM runs LIMIT ? OFFSET ?", most, first)
        left = min(count, most) - len(found)
        return [*found, *self._ask("SELECT key, stamp FROM runs LIMIT ?", max(0, left))]

    def row(self, key: str) -> Row | None:
        """Return what is kept of a run."""
        found = self._ask(f"SELECT {_COLUMNS} FROM runs WHERE key = ?", key)
        return Row(*found[0]) if found else None

    def packed(self, project: str | None, status: str | None, limit: int | None) -> list[Packed]:
        """Return all runs, or those of a project, or of a status: the newest first."""
        return self._ask(
            "SELECT key, info FROM runs WHERE info IS NOT NULL"
            " AND (?1 IS NULL OR project = ?1) AND (?2 IS NULL OR status = ?2)"
            " ORDER BY created DESC LIMIT ?3",
            project,
            status,
            -1 if limit is None else limit,
        )

    def keep(self, rows: Mapping[str, Row | None], known: Known) -> None:
        """Keep what was found anew, all of it or nothing.

        Args:
            rows: the runs; None for one that is gone.
            known: what is known of the whole.
        """
        gone = [(key,) for key, row in rows.items() if row is None]
        found = [row for row in rows.values() if row is not None]
        with _told():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                self._base.executemany("DELETE FROM runs WHERE key = ?", gone)
                self._base.executemany(
                    f"INSERT INTO runs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT (key) DO UPDATE SET"
                    " created = excluded.created, status = excluded.status,"
                    " home = excluded.home, stamp = excluded.stamp, mark = excluded.mark,"
                    " is_open = excluded.is_open, info = excluded.info",
                    found,
                )
                said = msgspec.msgpack.encode(known)
                self._base.execute("INSERT OR REPLACE INTO known VALUES (1, ?)", (said,))
                self._base.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._base.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Let go of the file."""
        with suppress(sqlite3.Error):
            self._base.close()

    def _ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        with _told():
            return self._base.execute(question, values).fetchall()


def throw_away(path: Path) -> None:
    """Remove an index."""
    for end in ("", "-wal", "-shm", "-journal"):
        with suppress(OSError):
            path.with_name(path.name + end).unlink()


@contextmanager
def _told() -> Generator[None]:
    """Say in our words what sqlite raises."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "no such" in str(error) or "malformed" in str(error):
            raise IndexBroken(str(error)) from error
        raise IndexBusy(str(error)) from error  # locked, read-only, full
    except (sqlite3.Error, UnicodeError) as error:
        raise IndexBroken(str(error)) from error
