"""Runs, their files and tokens, as rows of tables."""

from collections.abc import Collection
from typing import Any

import msgspec

from understudy.runs import RunInfo

from ._database import Row, Session
from ._errors import UnfitError
from ._rows import FileRow, Lengths, ProjectRow, RunRow, Stamp, Token
from ._schema import OF_A_RUN

_RUN = "number, project, id, prefix, seen, is_ended, version, info, state"
_FILE = "id, prefix, name, size, sha256, ts, about"
_TOKEN = "id, name, project, scope, sha256, created"

_info = msgspec.msgpack.Decoder(RunInfo)
_about = msgspec.msgpack.Decoder(dict[str, Any])


def pack(value: Any) -> bytes:
    """Return what is kept of a value; NaN and the infinities are themselves again on reading."""
    try:
        return msgspec.msgpack.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise UnfitError(f"what is told of a run or a file cannot be kept: {error}") from error


def pack_info(info: RunInfo | None) -> bytes | None:
    """Return what is kept of what is shown of a run."""
    return None if info is None else pack(info)


def find_number(session: Session, project: str, run: str, *, is_held: bool = False) -> int | None:
    """Return the number of a run, or None; held until the end of the transaction, if asked for."""
    held = "LOCKED" if is_held else ""
    found = session.one(
        f"SELECT number FROM runs WHERE project = ? AND id = ? {held}", project, run
    )
    return found[0] if found else None


def find_run(
    session: Session, project: str, run: str, *, is_held: bool = False
) -> tuple[int, RunRow] | None:
    """Return the number of a run and its row, or None."""
    held = "LOCKED" if is_held else ""
    found = session.one(
        f"SELECT {_RUN} FROM runs WHERE project = ? AND id = ? {held}", project, run
    )
    return (found[0], _run(found)) if found else None


def list_runs(session: Session, project: str, runs: Collection[str] | None) -> list[RunRow]:
    """Return the rows of a project's runs, or of those that are asked for."""
    if runs is None:
        return [*map(_run, session.all(f"SELECT {_RUN} FROM runs WHERE project = ?", project))]
    return [
        *map(
            _run, session.among(f"SELECT {_RUN} FROM runs WHERE project = ? AND id", runs, project)
        )
    ]


def list_stamps(session: Session, project: str) -> dict[str, Stamp]:
    """Return the stamps of a project's runs."""
    found = session.all("SELECT id, number, version, seen FROM runs WHERE project = ?", project)
    return {run: Stamp(*stamp) for run, *stamp in found}


def list_projects(session: Session) -> list[ProjectRow]:
    """Return the projects, by name."""
    found = session.all("SELECT project, COUNT(*), MAX(seen) FROM runs GROUP BY project")
    return sorted((ProjectRow(*each) for each in found), key=lambda row: row.project)


def all_lengths(session: Session, project: str, run: str) -> Lengths | None:
    """Return how much is kept of a run."""
    number = find_number(session, project, run)
    if number is None:
        return None
    lengths = session.all("SELECT path, length FROM streams WHERE run = ?", number)
    versions = session.all("SELECT path, version FROM documents WHERE run = ?", number)
    files = session.all("SELECT id FROM files WHERE run = ?", number)
    return Lengths(dict(lengths), dict(versions), sorted(file for (file,) in files))


def remove_run(session: Session, project: str, run: str) -> bool:
    """Remove a run with all that belongs to it."""
    number = find_number(session, project, run, is_held=True)
    if number is None:
        return False
    for table in OF_A_RUN:
        session.do(f"DELETE FROM {table} WHERE run = ?", number)
    return session.do("DELETE FROM runs WHERE number = ?", number) > 0


def add_file(session: Session, project: str, run: str, file: FileRow) -> bool:
    """Keep what is known of a file of a run."""
    number = find_number(session, project, run, is_held=True)
    if number is None:
        return False
    session.do(
        f"""INSERT INTO files (run, {_FILE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (run, id) DO NOTHING""",
        *(number, file.id, file.prefix, file.name, file.size, file.sha256, file.ts),
        pack(file.about),
    )
    return True


def list_files(session: Session, project: str, run: str) -> list[FileRow]:
    """Return the files of a run."""
    number = find_number(session, project, run)
    found = session.all(f"SELECT {_FILE} FROM files WHERE run = ?", number)
    return sorted(map(_file, found), key=lambda file: file.id)


def find_file(session: Session, project: str, run: str, file: str) -> FileRow | None:
    """Return a file of a run, or None."""
    number = find_number(session, project, run)
    found = session.one(f"SELECT {_FILE} FROM files WHERE run = ? AND id = ?", number, file)
    return _file(found) if found else None


def add_token(session: Session, token: Token) -> None:
    """Keep a token."""
    session.do(
        f"INSERT INTO tokens ({_TOKEN}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        *msgspec.structs.astuple(token),
    )


def find_token(session: Session, sha256: str) -> Token | None:
    """Return the token with a checksum, or None."""
    found = session.one(f"SELECT {_TOKEN} FROM tokens WHERE sha256 = ?", sha256)
    return _token(found) if found else None


def list_tokens(session: Session) -> list[Token]:
    """Return all tokens, those made first in front."""
    found = map(_token, session.all(f"SELECT {_TOKEN} FROM tokens"))
    return sorted(found, key=lambda token: (token.created, token.id))


def _run(row: Row) -> RunRow:
    number, project, run, prefix, seen, is_ended, version, info, state = row
    return RunRow(
        project=project,
        id=run,
        prefix=prefix,
        seen=seen,
        is_ended=bool(is_ended),
        version=version,
        number=number,
        info=None if info is None else _info.decode(info),
        state=state,
    )


def _file(row: Row) -> FileRow:
    *plain, about = row
    return FileRow(**dict(zip(_FILE.split(", "), plain, strict=False)), about=_about.decode(about))


def _token(row: Row) -> Token:
    return Token(**dict(zip(_TOKEN.split(", "), row, strict=True)))
