"""What a batch changes, in one transaction."""

import msgspec

from ._chunks import append_lines
from ._database import Session
from ._errors import GapError, TooBigError
from ._rows import Batch, Document, Fold, Lengths, Lines, RunRow, Taken
from ._runs import find_run, pack_info

MOST_PATHS = 10_200
"""How many files of lines a run may have, and how many documents."""


def append(
    session: Session, project: str, run: str, batch: Batch, fold: Fold, now: float
) -> Lengths:
    """Take a batch, as `Storage.append` says; it was checked before."""
    made, number, before = _held_row(session, project, run, batch.prefix, now)
    taken = Taken(
        _take_documents(session, number, batch.documents), _take_lines(session, number, batch.lines)
    )
    row = msgspec.structs.replace(before, prefix=batch.prefix, seen=now, is_ended=batch.is_ended)
    is_new = made or msgspec.structs.replace(row, seen=before.seen) != before
    if is_new or taken.documents or taken.lines:
        row = msgspec.structs.replace(row, version=before.version + 1)
        _write_row(session, number, row, fold(row, taken))
    else:
        session.do("UPDATE runs SET seen = ? WHERE number = ?", now, number)
    return _lengths(session, number, batch)


def _held_row(
    session: Session, project: str, run: str, prefix: str, now: float
) -> tuple[bool, int, RunRow]:
    """Return whether a run was made, its number, and its row, which nobody else changes now."""
    while True:
        made = session.do(
            """INSERT INTO runs (project, id, prefix, seen, is_ended, version, state)
            VALUES (?, ?, ?, ?, 0, 0, ?) ON CONFLICT (project, id) DO NOTHING""",
            *(project, run, prefix, now, b""),
        )
        found = find_run(session, project, run, is_held=True)
        if found is not None:  # otherwise it was there, and somebody removed it in between
            return made > 0, *found


def _take_documents(session: Session, run: int, documents: list[Document]) -> list[Document]:
    taken: dict[str, Document] = {}
    for document in documents:
        kept = session.one(
            "SELECT version, data FROM documents WHERE run = ? AND path = ?", run, document.path
        )
        if kept is None:
            session.do(
                "INSERT INTO documents VALUES (?, ?, ?, ?)",
                *(run, document.path, document.version, document.data),
            )
        elif kept[0] > document.version or kept == (document.version, document.data):
            continue
        else:
            session.do(
                "UPDATE documents SET version = ?, data = ? WHERE run = ? AND path = ?",
                *(document.version, document.data, run, document.path),
            )
        taken[document.path] = document
    if taken:
        _check_count(session, run, "documents")
    return [*taken.values()]


def _take_lines(session: Session, run: int, sent: list[Lines]) -> list[Lines]:
    taken: list[Lines] = []
    gaps: dict[str, int] = {}
    is_more = False
    for lines in sent:
        length = _length(session, run, lines.path)
        if lines.start > length:
            gaps[lines.path] = length
        elif not gaps:  # otherwise nothing is taken anyway
            new = append_lines(session, run, lines, length)
            if new:
                is_more = is_more or not length
                taken.append(Lines(lines.path, length, new))
    if gaps:
        raise GapError(gaps)
    if is_more:
        _check_count(session, run, "streams")
    return taken


def _length(session: Session, run: int, path: str) -> int:
    found = session.one("SELECT length FROM streams WHERE run = ? AND path = ?", run, path)
    return found[0] if found else 0


def _check_count(session: Session, run: int, table: str) -> None:
    found = session.one(f"SELECT COUNT(*) FROM {table} WHERE run = ?", run)
    if found and found[0] > MOST_PATHS:
        raise TooBigError("files of lines" if table == "streams" else "documents", MOST_PATHS)


def _write_row(session: Session, number: int, row: RunRow, folded: RunRow) -> None:
    session.do(
        """UPDATE runs SET prefix = ?, seen = ?, is_ended = ?, version = ?, info = ?, state = ?
        WHERE number = ?""",
        *(row.prefix, row.seen, int(row.is_ended), row.version),
        *(pack_info(folded.info), folded.state, number),
    )


def _lengths(session: Session, run: int, batch: Batch) -> Lengths:
    versions: dict[str, int] = {}
    for path in dict.fromkeys(document.path for document in batch.documents):
        found = session.one("SELECT version FROM documents WHERE run = ? AND path = ?", run, path)
        versions[path] = found[0] if found else 0
    lengths = {lines.path: _length(session, run, lines.path) for lines in batch.lines}
    return Lengths(lengths, versions, [])
