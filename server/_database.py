"""Connections to a database, each used by one thread at a time, and what a database has to be."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from threading import Lock
from typing import Any, ClassVar, Protocol, TypeVar

from anyio import CapacityLimiter, fail_after, to_thread

from ._errors import AwayError

CONNECTIONS = 8
"""How many there are at most, and how many threads use them."""
PATIENCE = 20.0
"""How many seconds something waits for a connection that others use."""

ANSWER = 60.0
"""How many seconds the database has for all of a transaction."""

_AT_ONCE = 500  # how many names stand in one statement

T = TypeVar("T")
Row = tuple[Any, ...]


class Cursor(Protocol):
    """What came of a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        ...

    def fetchall(self) -> list[Row]:
        """Return what it found."""
        ...


class Connection(Protocol):
    """What the connections of all databases can do."""

    def execute(self, statement: Any, arguments: Sequence[Any] = (), /) -> Cursor:
        """Have a statement done."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Session:
    """A transaction that goes on: statements have `?` for values; `LOCKED` holds what they find."""

    def __init__(self, connection: Connection, database: "Database") -> None:
        self._connection = connection
        self._database = database

    def all(self, statement: str, *arguments: Any) -> list[Row]:
        """Return the rows that a statement finds."""
        return self._execute(statement, arguments).fetchall()

    def one(self, statement: str, *arguments: Any) -> Row | None:
        """Return the row that a statement finds, or None."""
        return next(iter(self.all(statement, *arguments)), None)

    def among(self, statement: str, names: Collection[str], *arguments: Any) -> list[Row]:
        """Return the rows that a statement finds whose last column is among some names."""
        asked = [*dict.fromkeys(names)]
        found: list[Row] = []
        for start in range(0, len(asked), _AT_ONCE):
            some = asked[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            found.extend(self.all(f"{statement} IN ({marks})", *arguments, *some))
        return found

    def do(self, statement: str, *arguments: Any) -> int:
        """Return how many rows a statement changed."""
        return self._execute(statement, arguments).rowcount

    def _execute(self, statement: str, arguments: Sequence[Any]) -> Cursor:
        return self._connection.execute(self._database.spelled(statement), arguments)


class Database(ABC):
    """A database that is used from threads.

    Attributes:
        words: what it says for `number`, the type of a key that counts by itself, `bytes`, `read`
            and `write`, the beginnings of transactions; one that reads sees all as it is now.
    """

    words: ClassVar[dict[str, str]]

    def __init__(self) -> None:
        self._idle: list[Connection] = []
        self._lock = Lock()
        self._limiter = CapacityLimiter(CONNECTIONS)

    @abstractmethod
    def connect(self) -> Connection:
        """Return a new connection."""

    @abstractmethod
    def interrupt(self, connection: Connection) -> None:
        """End what a connection does in another thread, which then raises."""

    @abstractmethod
    def is_broken(self, connection: Connection) -> bool:
        """Tell whether a connection has ended by itself."""

    def turn(self, is_writing: bool) -> AbstractContextManager[Any]:
        """Return what a transaction goes on in: some databases want those that write in turn."""
        del is_writing
        return nullcontext()

    @abstractmethod
    def spelled(self, statement: str) -> str:
        """Return a statement as this database wants it."""

    @abstractmethod
    def ours(self, error: Exception) -> Exception:
        """Return what we raise for an error of the database; another one as it is."""

    @abstractmethod
    def prepare(self, session: Session) -> None:
        """Hold off others that make the tables now; raise if this is no database for us."""

    async def run(self, work: Callable[[Session], T], *, is_writing: bool = False) -> T:
        """Return what comes of some work in a transaction, done in a thread.

        What uses a connection that had ended in the meantime is done again on a new one.
        """
        turn = _Turn(self)
        try:
            with fail_after(PATIENCE):
                await self._limiter.acquire_on_behalf_of(turn)
        except TimeoutError:
            raise AwayError(
                f"the database is busy: no connection was free for {PATIENCE:.0f} s"
            ) from None
        late = asyncio.get_running_loop().call_later(ANSWER, turn.interrupt)
        try:
            own = CapacityLimiter(1)  # the threads of all others have nothing to do with it
            return await to_thread.run_sync(self._work, turn, work, is_writing, limiter=own)
        finally:
            late.cancel()
            self._limiter.release_on_behalf_of(turn)

    async def close(self) -> None:
        """End the connections."""
        await to_thread.run_sync(self._end_idle)

    def _work(self, turn: "_Turn", work: Callable[[Session], T], is_writing: bool) -> T:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is not None:
            try:
                return self._work_on(turn.take(connection), work, is_writing)
            except AwayError:
                if turn.is_late:
                    raise AwayError(
                        f"the database does not answer: {ANSWER:.0f} s are over"
                    ) from None
                if not self.is_broken(connection):
                    raise
                self._end_idle()  # the others are no better
        try:
            fresh = self.connect()
        except Exception as error:
            raise self.ours(error) from error
        return self._work_on(turn.take(fresh), work, is_writing)

    def _work_on(self, connection: Connection, work: Callable[[Session], T], is_writing: bool) -> T:
        try:
            with self.turn(is_writing), self._transaction(connection, is_writing):
                found = work(Session(connection, self))
        except Exception as error:
            known = self.ours(error)
            if isinstance(known, AwayError):
                _close(connection)
            else:
                self._give_back(connection)
            if known is error:
                raise
            raise known from error
        except BaseException:
            _close(connection)
            raise
        self._give_back(connection)
        return found

    @contextmanager
    def _transaction(self, connection: Connection, is_writing: bool) -> Generator[None]:
        connection.execute(self.words["write" if is_writing else "read"])
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            self._idle.append(connection)

    def _end_idle(self) -> None:
        with self._lock:
            ended, self._idle = self._idle, []
        for connection in ended:
            _close(connection)


def _close(connection: Connection) -> None:
    with suppress(Exception):  # it may be broken, which is why
        connection.close()


class _Turn:
    """What goes on in a thread, which may take too long.

    Attributes:
        is_late: whether it did.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self.is_late = False

    def take(self, connection: Connection) -> Connection:
        """Return a connection that is used from now on."""
        self._connection = connection
        return connection

    def interrupt(self) -> None:
        """End it."""
        self.is_late = True
        if self._connection is not None:
            with suppress(Exception):  # it has just ended by itself
                self._database.interrupt(self._connection)
