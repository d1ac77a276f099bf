"""Where the runs of a server are kept: the interface of all databases.

A run is a folder that is replicated: documents, which are replaced whole, and files of lines, which
are only appended to. So the number of the byte where lines start says whether they were sent
before, and every change can be made twice without harm: `AwayError` always means "again, later".
"""

from collections.abc import AsyncIterator, Collection
from typing import Protocol

from ._rows import Batch, FileRow, Fold, Lengths, ProjectRow, RunRow, Stamp, Token


class Storage(Protocol):
    """Keeps runs and tokens; safe to be used by any number of tasks at once.

    Whatever returns has happened for good: it survives the end of this process and of the database.
    Every method raises `AwayError` while the database cannot be reached, and `UnfitError` for names
    that no database takes.
    """

    async def open(self) -> None:
        """Make what is not there yet; to be called before anything else."""
        ...

    async def close(self) -> None:
        """Let go of the database, once what goes on has ended; closing twice does nothing."""
        ...

    async def add_token(self, token: Token) -> None:
        """Keep a token."""
        ...

    async def find_token(self, sha256: str) -> Token | None:
        """Return the token with a checksum, or None."""
        ...

    async def list_tokens(self) -> list[Token]:
        """Return all tokens, those made first in front."""
        ...

    async def revoke_token(self, token: str) -> bool:
        """Remove a token by its id; False if there is none."""
        ...

    async def append(self, project: str, run: str, batch: Batch, fold: Fold, now: float) -> Lengths:
        """Take a batch, all of it or nothing; a run that is not there yet is made.

        Lines that are kept already must be the same byte by byte; what comes after them is
        appended. A document is kept unless a newer one is. Batches of one run are taken one after
        the other, others at the same time.

        Args:
            project: where the run belongs.
            run: its id.
            batch: what its sender tells.
            fold: makes the new row of the run; called in the transaction, in a thread, maybe twice,
                and only if something is new: the run, its prefix, that it has ended, or what is
                taken. It is given the row with all of that in it, and only `info` and `state` of
                what it returns are looked at.
            now: the server's time.

        Returns:
            How much is kept now of what the batch names; no files.

        Raises:
            GapError: lines start after the end of what is kept.
            DiffersError: lines that are kept already were sent again, otherwise.
            TooBigError: the run has more files of lines or documents than it may.
            UnfitError: lines are not whole, a name cannot be kept, or the fold said so.
        """
        ...

    async def row(self, project: str, run: str) -> RunRow | None:
        """Return a run, or None."""
        ...

    async def rows(self, project: str, runs: Collection[str] | None = None) -> list[RunRow]:
        """Return the runs of a project, or those among them that are asked for, in any order."""
        ...

    async def stamps(self, project: str) -> dict[str, Stamp]:
        """Return of each run of a project whether it has changed: cheap, to be asked for often."""
        ...

    async def projects(self) -> list[ProjectRow]:
        """Return the projects that have runs, by name."""
        ...

    async def lengths(self, project: str, run: str) -> Lengths | None:
        """Return how much is kept of a run, or None."""
        ...

    async def document(self, project: str, run: str, path: str) -> bytes | None:
        """Return a document, or None."""
        ...

    async def documents(self, project: str, run: str) -> dict[str, bytes]:
        """Return all documents of a run."""
        ...

    def lines(
        self, project: str, run: str, path: str, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[bytes]:
        """Yield lines of a file, some at a time, each whole; nothing if there are none.

        What is appended meanwhile may be among them. Ends early if the run is removed.

        Args:
            project: where the run belongs.
            run: its id.
            path: the file of lines.
            start: the byte to start at, where a line starts.
            stop: the byte before which to stop, where one ends.
        """
        ...

    async def remove(self, project: str, run: str) -> bool:
        """Remove a run and all that is kept of it; its files' contents are up to the caller."""
        ...

    async def add_file(self, project: str, run: str, file: FileRow) -> bool:
        """Keep what is known of a file; False if there is no such run. The first one stays."""
        ...

    async def files(self, project: str, run: str) -> list[FileRow]:
        """Return the files of a run, in the order of their ids."""
        ...

    async def file(self, project: str, run: str, file: str) -> FileRow | None:
        """Return a file of a run by its id, or None."""
        ...
