"""The storage in PostgreSQL, by psycopg: for a team whose database is looked after already."""

import os
import socket
from typing import Any, ClassVar, cast

from ._database import Connection, Database, Session
from ._errors import AwayError, ServerError, UnfitError
from ._tables import Tables

_LOCK = 0x756E6465727374  # any number that others are unlikely to lock
_SETTINGS = (
    # What hangs ends: nobody waits for it longer than a client would.
    "SET statement_timeout = '60s'",
    "SET lock_timeout = '20s'",
    "SET idle_in_transaction_session_timeout = '120s'",
)
_WAYS: dict[str, Any] = {
    "autocommit": True,  # transactions are begun by hand
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "prepare_threshold": None,  # a pooler in between may give the next one to another server
    "client_encoding": "UTF8",
}


class PostgresStorage(Tables):
    """Keeps runs and tokens in a database of PostgreSQL.

    Args:
        url: which, as libpq understands it: `postgresql://user:password@host/name`.
    """

    def __init__(self, url: str) -> None:
        super().__init__(_Postgres(url))


class _Postgres(Database):
    words: ClassVar[dict[str, str]] = {
        "number": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "bytes": "BYTEA",
        "read": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "write": "BEGIN ISOLATION LEVEL READ COMMITTED",
    }

    def __init__(self, url: str) -> None:
        super().__init__()
        try:
            import psycopg
        except ImportError as error:
            raise ServerError(
                "PostgreSQL needs psycopg, which is not installed:"
                " pip install 'understudy[server-postgres]'"
            ) from error
        self._psycopg = psycopg
        self._url = url

    def connect(self) -> Connection:
        connection = self._psycopg.connect(self._url, **_WAYS)
        try:
            for setting in _SETTINGS:
                connection.execute(setting)
        except BaseException:
            connection.close()
            raise
        return cast("Connection", connection)

    def interrupt(self, connection: Connection) -> None:
        with socket.socket(fileno=os.dup(cast("Any", connection).fileno())) as copy:
            copy.shutdown(socket.SHUT_RDWR)  # whoever waits for an answer is told that it ended

    def is_broken(self, connection: Connection) -> bool:
        return bool(cast("Any", connection).closed)

    def spelled(self, statement: str) -> str:
        return statement.replace("?", "%s").replace("LOCKED", "FOR UPDATE")

    def ours(self, error: Exception) -> Exception:
        if isinstance(error, self._psycopg.DataError):
            return UnfitError(f"PostgreSQL cannot keep this: {error}")
        if isinstance(error, self._psycopg.Error):
            return AwayError(f"PostgreSQL cannot be used now: {error}")
        return error

    def prepare(self, session: Session) -> None:
        ((encoding,),) = session.all("SHOW server_encoding")
        if encoding != "UTF8":
            raise ServerError(
                f"the database keeps text as {encoding}, which has no room for every name: make"
                " one with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
            )
        session.all("SELECT pg_advisory_xact_lock(?)::text", _LOCK)
