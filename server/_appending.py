"""What a batch changes, in one transaction."""

import msgspec

from ._chunks import Stream, append_lines, find_streams
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
    is_made, number, before = _held_row(session, project, run, batch.prefix, now)
    versions: dict[str, int] = dict(
        session.among(
            "SELECT path, version FROM documents WHERE run = ? AND path",
            [document.path for document in batch.documents],
            number,
        )
    )
    streams = find_streams(session, number, [lines.path for lines in batch.lines])
    taken = Taken(
        _take_documents(session, number, batch.documents, versions),
        _take_lines(session, number, batch.lines, streams),
    )
    row = msgspec.structs.replace(before, prefix=batch.prefix, seen=now, is_ended=batch.is_ended)
    is_new = is_made or msgspec.structs.replace(row, seen=before.seen) != before
    if is_new or taken.documents or taken.lines:
        row = msgspec.structs.replace(row, version=before.version + 1)
        _write_row(session, number, row, fold(row, taken))
    else:
        session.do("UPDATE runs SET seen = ? WHERE number = ?", now, number)
    lengths = {lines.path: streams[lines.path].length for lines in batch.lines}
    return Lengths(lengths, versions, [])


def _held_row(
    session: Session, project: str, run: str, prefix: str, now: float
) -> tuple[bool, int, RunRow]:
    """Return whether a run was made, its number, and its row, which nobody else changes now."""
    is_made = False
    while True:
        found = find_run(session, project, run, is_held=True)
        if found is not None:
            return is_made, *found
        # Somebody else may make it now, or have made it, and somebody may remove it again.
        is_made = (
            session.do(
                """INSERT INTO runs (project, id, prefix, seen, is_ended, version, state)
            VALUES (?, ?, ?, ?, 0, 0, ?) ON CONFLICT (project, id) DO NOTHING""",
                *(project, run, prefix, now, b""),
            )
            > 0
        )


def _take_documents(
    session: Session, run: int, documents: list[Document], versions: dict[str, int]
) -> list[Document]:
    taken: dict[str, Document] = {}
    is_more = False
    for document in documents:
        kept = versions.get(document.path)
        if kept is None:
            is_more = True
            session.do(
                "INSERT INTO documents VALUES (?, ?, ?, ?)",
                *(run, document.path, document.version, document.data),
            )
        elif kept > document.version or _is_kept(session, run, document, kept):
            continue
        else:
            session.do(
                "UPDATE documents SET version = ?, data = ? WHERE run = ? AND path = ?",
                *(document.version, document.data, run, document.path),
            )
        versions[document.path] = document.version
        taken[document.path] = document
    if is_more:
        _check_count(session, run, "documents")
    return [*taken.values()]


def _is_kept(session: Session, run: int, document: Document, version: int) -> bool:
    if version != document.version:
        return False
    found = session.one("SELECT data FROM documents WHERE run = ? AND path = ?", run, document.path)
    return found is not None and found[0] == document.data


def _take_lines(
    session: Session, run: int, sent: list[Lines], streams: dict[str, Stream]
) -> list[Lines]:
    taken: list[Lines] = []
    gaps: dict[str, int] = {}
    is_more = False
    for lines in sent:
        stream = streams.setdefault(lines.path, Stream())
        start = stream.length
        if lines.start > start:
            gaps[lines.path] = start
        elif not gaps:  # otherwise nothing is taken anyway
            new = append_lines(session, run, lines, stream)
            if new:
                is_more = is_more or not start
                taken.append(Lines(lines.path, start, new))
    if gaps:
        raise GapError(gaps)
    if is_more:
        _check_count(session, run, "streams")
    return taken


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
