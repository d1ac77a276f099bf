"""The storage in a file, by SQLite: nothing to set up."""

import sqlite3
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, cast

from ._database import Connection, Database, Session
from ._errors import AwayError
from ._tables import Tables

_BUSY = 10.0  # how many seconds a writer waits for one of another process


class SqliteStorage(Tables):
    """Keeps runs and tokens in a file.

    Args:
        path: the file; its folder is made.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(_Sqlite(Path(path)))


class _Sqlite(Database):
    words: ClassVar[dict[str, str]] = {
        "number": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "bytes": "BLOB",
        "read": "BEGIN",
        "write": "BEGIN IMMEDIATE",
    }

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._writing = Lock()  # in turn, without polling, as SQLite does

    def connect(self) -> Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._path, timeout=_BUSY, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # what was acknowledged stays
        except BaseException:
            connection.close()
            raise
        return connection

    def interrupt(self, connection: Connection) -> None:
        cast("sqlite3.Connection", connection).interrupt()

    def is_broken(self, connection: Connection) -> bool:
        return False

    def turn(self, is_writing: bool) -> AbstractContextManager[Any]:
        return self._writing if is_writing else nullcontext()

    def spelled(self, statement: str) -> str:
        return statement.removesuffix("LOCKED")  # who writes holds everything

    def ours(self, error: Exception) -> Exception:
        if isinstance(error, (sqlite3.Error, OSError)):
            return AwayError(f"{self._path} cannot be used now: {error}")
        return error

    def prepare(self, session: Session) -> None:
        pass  # who writes is alone
