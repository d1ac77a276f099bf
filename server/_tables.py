"""The storage, in the tables of a database: how each thing asked for is done in a transaction."""

from collections.abc import AsyncIterator, Collection
from functools import partial

from . import _runs
from ._appending import append
from ._chunks import read_chunks
from ._database import Database, Session
from ._errors import ServerError
from ._fitting import LARGEST, check_batch, check_file, check_names, check_token
from ._rows import Batch, FileRow, Fold, Lengths, ProjectRow, RunRow, Stamp, Token
from ._schema import TABLES, VERSION


class Tables:
    """Keeps runs and tokens in a database; its methods are told by `Storage`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self) -> None:
        """Make the tables that are not there yet."""
        await self._database.run(self._make, is_writing=True)

    async def close(self) -> None:
        """Let go of the database."""
        await self._database.close()

    async def add_token(self, token: Token) -> None:
        """Keep a token."""
        check_token(token)
        await self._database.run(lambda session: _runs.add_token(session, token), is_writing=True)

    async def find_token(self, sha256: str) -> Token | None:
        """Return the token with a checksum, or None."""
        check_names(sha256)
        return await self._database.run(lambda session: _runs.find_token(session, sha256))

    async def list_tokens(self) -> list[Token]:
        """Return all tokens, those made first in front."""
        return await self._database.run(_runs.list_tokens)

    async def revoke_token(self, token: str) -> bool:
        """Remove a token by its id."""
        check_names(token)
        removed = await self._database.run(
            lambda session: session.do("DELETE FROM tokens WHERE id = ?", token), is_writing=True
        )
        return removed > 0

    async def append(self, project: str, run: str, batch: Batch, fold: Fold, now: float) -> Lengths:
        """Take a batch, all of it or nothing."""
        check_names(project, run)
        check_batch(batch)
        return await self._database.run(
            lambda session: append(session, project, run, batch, fold, now), is_writing=True
        )

    async def row(self, project: str, run: str) -> RunRow | None:
        """Return a run, or None."""
        check_names(project, run)
        found = await self._database.run(lambda session: _runs.find_run(session, project, run))
        return found and found[1]

    async def rows(self, project: str, runs: Collection[str] | None = None) -> list[RunRow]:
        """Return the runs of a project, or those that are asked for."""
        check_names(project, *(runs or ()))
        return await self._database.run(lambda session: _runs.list_runs(session, project, runs))

    async def stamps(self, project: str) -> dict[str, Stamp]:
        """Return of each run of a project whether it has changed."""
        check_names(project)
        return await self._database.run(lambda session: _runs.list_stamps(session, project))

    async def projects(self) -> list[ProjectRow]:
        """Return the projects that have runs, by name."""
        return await self._database.run(_runs.list_projects)

    async def lengths(self, project: str, run: str) -> Lengths | None:
        """Return how much is kept of a run, or None."""
        check_names(project, run)
        return await self._database.run(lambda session: _runs.all_lengths(session, project, run))

    async def document(self, project: str, run: str, path: str) -> bytes | None:
        """Return a document, or None."""
        check_names(project, run, path)

        def find(session: Session) -> bytes | None:
            number = _runs.find_number(session, project, run)
            found = session.one(
                "SELECT data FROM documents WHERE run = ? AND path = ?", number, path
            )
            return found[0] if found else None

        return await self._database.run(find)

    async def documents(self, project: str, run: str) -> dict[str, bytes]:
        """Return all documents of a run."""
        check_names(project, run)

        def find(session: Session) -> dict[str, bytes]:
            number = _runs.find_number(session, project, run)
            return dict(session.all("SELECT path, data FROM documents WHERE run = ?", number))

        return await self._database.run(find)

    async def lines(
        self, project: str, run: str, path: str, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[bytes]:
        """Yield lines of a file, some at a time, each whole."""
        check_names(project, run, path)
        number = await self._database.run(lambda session: _runs.find_number(session, project, run))
        place = max(start, 0)
        end = LARGEST if stop is None else min(stop, LARGEST)
        while number is not None and place < end:
            read = partial(read_chunks, run=number, path=path, start=place, stop=end)
            pieces = await self._database.run(read)
            if not pieces:
                return
            for at, piece in pieces:
                yield piece
                place = at + len(piece)

    async def remove(self, project: str, run: str) -> bool:
        """Remove a run and all that is kept of it."""
        check_names(project, run)
        return await self._database.run(
            lambda session: _runs.remove_run(session, project, run), is_writing=True
        )

    async def add_file(self, project: str, run: str, file: FileRow) -> bool:
        """Keep what is known of a file."""
        check_names(project, run)
        check_file(file)
        return await self._database.run(
            lambda session: _runs.add_file(session, project, run, file), is_writing=True
        )

    async def files(self, project: str, run: str) -> list[FileRow]:
        """Return the files of a run."""
        check_names(project, run)
        return await self._database.run(lambda session: _runs.list_files(session, project, run))

    async def file(self, project: str, run: str, file: str) -> FileRow | None:
        """Return a file of a run by its id, or None."""
        check_names(project, run, file)
        return await self._database.run(
            lambda session: _runs.find_file(session, project, run, file)
        )

    def _make(self, session: Session) -> None:
        self._database.prepare(session)
        for table in TABLES:
            session.do(table.format(**self._database.words))
        session.do("INSERT INTO about VALUES ('version', ?) ON CONFLICT DO NOTHING", VERSION)
        ((version,),) = session.all("SELECT value FROM about WHERE name = 'version'")
        if version != VERSION:
            raise ServerError(
                f"the database has tables of version {version}, and this understudy knows version"
                f" {VERSION}: install the understudy that made them, or name another database"
            )
