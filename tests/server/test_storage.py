"""What every database does alike: the contract of the storage."""

import asyncio
import sqlite3
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.server.databases import NOW, batch, content, counted, unfolded
from tests.server.rooms import (
    Batch,
    DiffersError,
    Document,
    FileRow,
    GapError,
    Lengths,
    RunRow,
    SqliteStorage,
    Stamp,
    Storage,
    Taken,
    Token,
    TooBigError,
    UnfitError,
)
from understudy.runs import RunInfo, Summary
from understudy.server import ServerError

FILE = FileRow(
    id="f1", prefix="models", name="a.pth", size=3, sha256="00", ts=NOW, about={"n": float("inf")}
)


async def test_nothing_is_there_at_first(storage: Storage) -> None:
    assert await storage.row("p", "r") is None
    assert await storage.lengths("p", "r") is None
    assert await storage.document("p", "r", "run.json") is None
    assert await storage.file("p", "r", "f") is None
    assert await storage.find_token("00") is None
    assert await storage.rows("p") == []
    assert await storage.projects() == []
    assert await storage.files("p", "r") == []
    assert await storage.stamps("p") == {}
    assert await storage.documents("p", "r") == {}
    assert await content(storage) == b""
    assert not await storage.remove("p", "r")
    assert not await storage.revoke_token("t")


async def test_lines_are_appended_where_they_go_on(storage: Storage) -> None:
    first = await storage.append("p", "r", batch(("m", 0, b"1\n2\n")), unfolded, NOW)
    second = await storage.append(
        "p", "r", batch(("m", 4, b"3\n"), ("n", 0, b"x\n")), unfolded, NOW
    )
    assert (first.lengths, second.lengths) == ({"m": 4}, {"m": 6, "n": 2})
    assert await content(storage) == b"1\n2\n3\n"
    assert await storage.lengths("p", "r") == Lengths({"m": 6, "n": 2}, {}, [])


async def test_lines_that_come_again_are_there_once(storage: Storage) -> None:
    for sent in (b"1\n2\n", b"1\n", b"1\n2\n3\n", b"1\n2\n3\n"):
        await storage.append("p", "r", batch(("m", 0, sent)), counted, NOW)
    await storage.append("p", "r", batch(("m", 2, b"2\n3\n4\n")), counted, NOW)
    row = await storage.row("p", "r")
    assert await content(storage) == b"1\n2\n3\n4\n"
    assert row is not None
    assert row.state == b"8"


async def test_the_same_lines_twice_in_one_batch_are_there_once(storage: Storage) -> None:
    sent = batch(("m", 0, b"1\n"), ("m", 0, b"1\n2\n"), ("m", 4, b"3\n"))
    assert (await storage.append("p", "r", sent, unfolded, NOW)).lengths == {"m": 6}
    assert await content(storage) == b"1\n2\n3\n"


async def test_a_gap_is_refused_and_says_where_to_go_on(storage: Storage) -> None:
    await storage.append("p", "r", batch(("m", 0, b"1\n")), unfolded, NOW)
    with pytest.raises(GapError) as caught:
        await storage.append(
            "p", "r", batch(("ok", 0, b"1\n"), ("m", 4, b"3\n"), ("n", 9, b"x\n")), unfolded, NOW
        )
    assert caught.value.lengths == {"m": 2, "n": 0}
    assert await storage.lengths("p", "r") == Lengths({"m": 2}, {}, [])


@pytest.mark.parametrize(
    ("start", "sent", "place"),
    [(0, b"1\nX\n", 2), (2, b"X\n3\n4\n", 2), (4, b"33\n", 5), (1, b"\n2\nX\n", 4)],
)
async def test_lines_that_differ_are_refused(
    storage: Storage, start: int, sent: bytes, place: int
) -> None:
    await storage.append("p", "r", batch(("m", 0, b"1\n2\n3\n")), unfolded, NOW)
    with pytest.raises(DiffersError) as caught:
        await storage.append("p", "r", batch(("m", start, sent)), unfolded, NOW)
    assert (caught.value.path, caught.value.place) == ("m", place)
    assert await content(storage) == b"1\n2\n3\n"


@pytest.mark.parametrize("bad", [("m", 9, b"x\n"), ("m", 0, b"X\n"), ("m", 2, b"half")])
async def test_of_a_batch_that_is_refused_nothing_is_taken(
    storage: Storage, bad: tuple[str, int, bytes]
) -> None:
    await storage.append("p", "r", batch(("m", 0, b"1\n")), counted, NOW)
    before = await storage.row("p", "r"), await storage.stamps("p")
    sent = Batch(
        prefix="other",
        documents=[Document("run.json", b"{}", 1)],
        lines=batch(("n", 0, b"x\n"), bad, ("o", 0, b"x\n")).lines,
        is_ended=True,
    )
    with pytest.raises((GapError, DiffersError, UnfitError)):
        await storage.append("p", "r", sent, counted, NOW + 1)
    assert (await storage.row("p", "r"), await storage.stamps("p")) == before
    assert await storage.lengths("p", "r") == Lengths({"m": 2}, {}, [])


async def test_a_run_whose_first_batch_is_refused_is_not_there(storage: Storage) -> None:
    with pytest.raises(GapError):
        await storage.append("p", "r", batch(("m", 2, b"x\n")), unfolded, NOW)
    assert await storage.projects() == []


async def test_what_the_fold_raises_is_raised_and_nothing_is_taken(storage: Storage) -> None:
    def broken(row: RunRow, taken: Taken) -> RunRow:
        raise UnfitError(f"{row.id} {len(taken.lines)}")

    with pytest.raises(UnfitError, match="^r 1$"):
        await storage.append("p", "r", batch(("m", 0, b"x\n")), broken, NOW)
    assert await storage.rows("p") == []
    await storage.append("p", "r", batch(("m", 0, b"x\n")), unfolded, NOW)
    assert await content(storage) == b"x\n"


async def test_a_document_is_replaced_by_a_newer_one_alone(storage: Storage) -> None:
    taken: list[tuple[bytes, int]] = []

    def fold(row: RunRow, new: Taken) -> RunRow:
        taken.extend((document.data, document.version) for document in new.documents)
        return row

    for data, version in ((b"b", 5), (b"a", 4), (b"b", 5), (b"c", 5), (b"d", 2**63 - 1)):
        sent = Batch(prefix="x", documents=[Document("run.json", data, version)])
        told = await storage.append("p", "r", sent, fold, NOW)
        kept = await storage.lengths("p", "r")
        assert kept is not None
        assert told.documents == kept.documents
    assert taken == [(b"b", 5), (b"c", 5), (b"d", 2**63 - 1)]
    assert await storage.documents("p", "r") == {"run.json": b"d"}
    assert await storage.document("p", "r", "run.json") == b"d"


async def test_a_batch_without_anything_is_a_sign_of_life(storage: Storage) -> None:
    folded: list[RunRow] = []

    def fold(row: RunRow, taken: Taken) -> RunRow:
        folded.append(row)
        return row

    await storage.append("p", "r", batch(), fold, NOW)
    row = await storage.row("p", "r")
    assert row is not None
    assert await storage.stamps("p") == {"r": Stamp(row.number, 1, NOW)}
    await storage.append("p", "r", batch(), fold, NOW + 1)
    assert await storage.stamps("p") == {"r": Stamp(row.number, 1, NOW + 1)}
    await storage.append("p", "r", batch(is_ended=True), fold, NOW + 2)
    await storage.append("p", "r", batch(prefix="other", is_ended=True), fold, NOW + 3)
    assert await storage.stamps("p") == {"r": Stamp(row.number, 3, NOW + 3)}
    assert [(row.prefix, row.is_ended, row.version) for row in folded] == [
        ("first", False, 1),
        ("first", True, 2),
        ("other", True, 3),
    ]


async def test_a_row_is_kept_as_the_fold_made_it(storage: Storage) -> None:
    info = RunInfo(
        id="r",
        project="p",
        prefix="first",
        params={"a": float("nan"), "big": 2**63, "deep.er": [1, None, "ü"]},
        metrics={"m": {"loss": Summary(count=2, last=float("inf"), mean=0.1)}},
    )

    def fold(row: RunRow, taken: Taken) -> RunRow:
        assert (row.project, row.id, row.info, row.state) == ("p", "r", None, b"")
        return msgspec.structs.replace(row, info=info, state=b"\0\xff", project="x", version=99)

    await storage.append("p", "r", batch(("m", 0, b"x\n")), fold, NOW)
    row = await storage.row("p", "r")
    assert row is not None
    assert (row.project, row.id, row.version, row.seen, row.state) == ("p", "r", 1, NOW, b"\0\xff")
    assert repr(row.info) == repr(info)  # NaN is not equal to itself
    assert [repr(each) for each in await storage.rows("p")] == [repr(row)]


async def test_what_cannot_be_kept_of_a_row_is_said(storage: Storage) -> None:
    def fold(row: RunRow, taken: Taken) -> RunRow:
        info = RunInfo(id="r", project="p", prefix="first", params={"seed": 2**200})
        return msgspec.structs.replace(row, info=info)

    with pytest.raises(UnfitError, match="cannot be kept"):
        await storage.append("p", "r", batch(), fold, NOW)


async def test_runs_of_the_same_id_in_two_projects_are_two(storage: Storage) -> None:
    for project in ("p", "q", "p/q", "P", "'; DROP TABLE runs; --", "ü %s ?"):
        await storage.append(project, "r", batch(("m", 0, project.encode() + b"\n")), unfolded, NOW)
    projects = await storage.projects()
    assert [row.project for row in projects] == sorted(row.project for row in projects)
    assert {(row.runs, row.last_seen) for row in projects} == {(1, NOW)}
    assert len(projects) == 6
    for row in projects:
        assert await content(storage, project=row.project) == row.project.encode() + b"\n"
    assert await storage.remove("p", "r")
    assert await storage.row("p", "r") is None
    assert await content(storage, project="q") == b"q\n"


async def test_rows_can_be_asked_for_by_id(storage: Storage) -> None:
    for run in ("a", "b", "c"):
        await storage.append("p", run, batch(), unfolded, NOW)
    asked = await storage.rows("p", ["a", "c", "c", "gone", *map(str, range(1000))])
    assert sorted(row.id for row in asked) == ["a", "c"]
    assert await storage.rows("p", []) == []


async def test_a_run_that_was_removed_may_come_again(storage: Storage) -> None:
    sent = Batch(prefix="x", documents=[Document("run.json", b"{}", 7)])
    await storage.append("p", "r", batch(("m", 0, b"old\n")), unfolded, NOW)
    await storage.append("p", "r", sent, unfolded, NOW)
    await storage.add_file("p", "r", FILE)
    assert await storage.remove("p", "r")
    assert await storage.lengths("p", "r") is None
    await storage.append("p", "r", batch(("m", 0, b"new\n")), unfolded, NOW)
    assert await storage.lengths("p", "r") == Lengths({"m": 4}, {}, [])
    assert await content(storage) == b"new\n"


async def test_nothing_of_a_run_that_was_removed_takes_room(tmp_path: Path) -> None:
    storage = SqliteStorage(tmp_path / "runs.sqlite")
    await storage.open()
    sent = Batch(
        prefix="x", documents=[Document("run.json", b"{}", 7)], lines=batch(("m", 0, b"x\n")).lines
    )
    await storage.append("p", "r", sent, unfolded, NOW)
    await storage.add_file("p", "r", FILE)
    tables = ("runs", "documents", "streams", "chunks", "files")
    count = " + ".join(f"(SELECT COUNT(*) FROM {table})" for table in tables)
    with closing(sqlite3.connect(tmp_path / "runs.sqlite")) as looking:
        assert looking.execute(f"SELECT {count}").fetchone() == (len(tables),)
        await storage.remove("p", "r")
        assert looking.execute(f"SELECT {count}").fetchone() == (0,)
    await storage.close()


async def test_who_reads_a_run_that_is_removed_reads_no_other(storage: Storage) -> None:
    old = b"old\n" * 1_000_000
    await storage.append("p", "r", batch(("m", 0, old)), unfolded, NOW)
    reading = storage.lines("p", "r", "m")
    read = await anext(aiter(reading))
    await storage.remove("p", "r")
    await storage.append("p", "r", batch(("m", 0, b"new\n" * 1_000_000)), unfolded, NOW)
    read += b"".join([piece async for piece in reading])
    assert old.startswith(read)


async def test_lines_are_read_from_any_to_any(storage: Storage) -> None:
    lines = [b"%d\n" % number for number in range(2000)]
    place = 0
    for start in range(0, 2000, 30):
        data = b"".join(lines[start : start + 30])
        await storage.append("p", "r", batch(("m", place, data)), unfolded, NOW)
        place += len(data)
    whole = b"".join(lines)
    assert await content(storage) == whole
    for start, stop in ((0, 2), (10, 10), (50, 4000), (4000, None), (place, None), (0, place + 9)):
        pieces = [piece async for piece in storage.lines("p", "r", "m", start, stop)]
        assert b"".join(pieces) == whole[start:stop]
    assert [piece async for piece in storage.lines("p", "r", "m", 2**70)] == []


async def test_every_piece_that_is_read_is_whole_lines(storage: Storage) -> None:
    long = b"x" * 600_000 + b"\n"
    data = b"short\n" * 100_000 + long + b"short\n"
    await storage.append("p", "r", batch(("m", 0, data)), unfolded, NOW)
    pieces = [piece async for piece in storage.lines("p", "r", "m")]
    assert b"".join(pieces) == data
    assert all(piece.endswith(b"\n") for piece in pieces)
    assert max(map(len, pieces)) == len(long)


async def test_a_million_points_are_read_in_little_memory(storage: Storage) -> None:
    piece = b"".join(b'{"step":%d,"loss":0.25}\n' % (100_000 + step) for step in range(100_000))
    for number in range(10):
        sent = batch(("m", number * len(piece), piece))
        await storage.append("p", "r", sent, unfolded, NOW)
    tracemalloc.start()
    lines = 0
    async for some in storage.lines("p", "r", "m"):
        lines += some.count(b"\n")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines == 1_000_000
    assert most < 16_000_000 < 10 * len(piece)


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 70_000, "ü" * 33_000])
async def test_names_that_no_database_takes_are_refused(storage: Storage, name: str) -> None:
    file, document = FILE, Document(name, b"", 1)
    asked: list[Callable[[], Any]] = [
        lambda: storage.append(name, "r", batch(), unfolded, NOW),
        lambda: storage.append("p", name, batch(), unfolded, NOW),
        lambda: storage.append("p", "r", batch(prefix=name), unfolded, NOW),
        lambda: storage.append("p", "r", batch((name, 0, b"x\n")), unfolded, NOW),
        lambda: storage.append("p", "r", Batch(prefix="", documents=[document]), unfolded, NOW),
        lambda: storage.add_file("p", "r", msgspec.structs.replace(file, name=name)),
        lambda: storage.row(name, "r"),
        lambda: storage.document("p", "r", name),
        lambda: storage.rows(name),
        lambda: storage.rows("p", [name]),
        lambda: storage.remove("p", name),
        lambda: storage.find_token(name),
        lambda: anext(aiter(storage.lines("p", "r", name))),
    ]
    for ask in asked:
        with pytest.raises(UnfitError):
            await ask()
    assert await storage.projects() == []


@pytest.mark.parametrize("name", ["x" * 1301, "ü" * 651])
async def test_what_is_looked_up_may_not_be_long(storage: Storage, name: str) -> None:
    with pytest.raises(UnfitError, match="1,300"):
        await storage.append(name, "r", batch(), unfolded, NOW)
    with pytest.raises(UnfitError, match="1,300"):
        await storage.append("p", "r", batch((name, 0, b"x\n")), unfolded, NOW)
    await storage.append("p", "r", batch(prefix=name), unfolded, NOW)
    assert await storage.add_file("p", "r", msgspec.structs.replace(FILE, name=name))


async def test_the_longest_names_are_kept(storage: Storage) -> None:
    long = "".join(chr(0x4E00 + number) for number in range(433)) + "x"
    await storage.append(long, long, batch((long, 0, b"x\n"), prefix=long), unfolded, NOW)
    assert await content(storage, long, long, long) == b"x\n"
    assert await storage.add_file(long, long, msgspec.structs.replace(FILE, id=long, name=long))
    assert [file.name for file in await storage.files(long, long)] == [long]


@pytest.mark.parametrize(
    "sent",
    [
        batch(("m", -1, b"x\n")),
        batch(("m", 0, b"x")),
        batch(("m", 0, b"x\ny")),
        Batch(prefix="", documents=[Document("run.json", b"", 2**63)]),
        Batch(prefix="", documents=[Document("run.json", b"", -(2**70))]),
    ],
)
async def test_what_cannot_be_is_refused(storage: Storage, sent: Batch) -> None:
    with pytest.raises(UnfitError):
        await storage.append("p", "r", sent, unfolded, NOW)
    assert await storage.projects() == []


async def test_a_place_beyond_all_numbers_is_a_gap(storage: Storage) -> None:
    with pytest.raises(GapError):
        await storage.append("p", "r", batch(("m", 2**100, b"x\n")), unfolded, NOW)


async def test_a_run_has_no_more_files_of_lines_than_it_may(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.server._appending.MOST_PATHS", 20)
    many = [(f"metrics/{number}/data.jsonl", 0, b"1\n") for number in range(20)]
    await storage.append("p", "r", batch(*many), unfolded, NOW)
    with pytest.raises(TooBigError, match="files of lines"):
        await storage.append("p", "r", batch(("one more", 0, b"1\n")), unfolded, NOW)
    again = await storage.append("p", "r", batch((many[0][0], 2, b"2\n")), unfolded, NOW)
    assert again.lengths == {many[0][0]: 4}
    kept = await storage.lengths("p", "r")
    assert kept is not None
    assert len(kept.lengths) == 20


async def test_files_are_kept_once_by_their_id(storage: Storage) -> None:
    assert not await storage.add_file("p", "r", FILE)
    await storage.append("p", "r", batch(), unfolded, NOW)
    assert await storage.add_file("p", "r", FILE)
    assert await storage.add_file("p", "r", msgspec.structs.replace(FILE, name="other"))
    second = msgspec.structs.replace(FILE, id="f0", about={"deep": {"er": [1]}})
    assert await storage.add_file("p", "r", second)
    assert await storage.files("p", "r") == [second, FILE]
    assert await storage.file("p", "r", "f1") == FILE
    kept = await storage.lengths("p", "r")
    assert kept is not None
    assert kept.files == ["f0", "f1"]


@pytest.mark.parametrize("changed", [{"size": -1}, {"size": 2**63}, {"ts": float("nan")}])
async def test_a_file_that_cannot_be_is_refused(storage: Storage, changed: dict[str, Any]) -> None:
    await storage.append("p", "r", batch(), unfolded, NOW)
    with pytest.raises(UnfitError):
        await storage.add_file("p", "r", msgspec.structs.replace(FILE, **changed))
    assert await storage.files("p", "r") == []


async def test_tokens_are_found_by_their_checksum_until_they_are_revoked(storage: Storage) -> None:
    first = Token(id="b", name="ci", project="*", scope="write", sha256="01", created=NOW)
    second = Token(id="a", name="ci", project="p", scope="read", sha256="02", created=NOW + 1)
    for token in (second, first, first):
        await storage.add_token(token)
    assert await storage.list_tokens() == [first, second]
    assert await storage.find_token("02") == second
    assert await storage.revoke_token("a")
    assert not await storage.revoke_token("a")
    assert await storage.find_token("02") is None
    assert await storage.list_tokens() == [first]


async def test_it_can_be_opened_and_closed_again(storage: Storage) -> None:
    await storage.append("p", "r", batch(("m", 0, b"x\n")), unfolded, NOW)
    await asyncio.gather(storage.open(), storage.open())
    await storage.close()
    await storage.close()
    assert await content(storage) == b"x\n"


async def test_tables_of_another_version_are_refused(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.server._tables.VERSION", 2)
    with pytest.raises(ServerError, match="version 1, and this understudy knows version 2"):
        await storage.open()


async def test_eight_senders_of_one_run_lose_nothing_and_double_nothing(storage: Storage) -> None:
    lines = [b'{"step":%d}\n' % step for step in range(240)]
    places = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]

    async def send(sender: int) -> None:
        done = 0
        while done < len(lines):
            sent = b"".join(lines[done : done + 10 + sender])
            try:
                kept = await storage.append(
                    "p", "r", batch(("m", places[done], sent)), counted, NOW
                )
            except GapError as gap:
                done = places.index(gap.lengths["m"])
            else:
                assert kept.lengths["m"] >= places[done] + len(sent)
                done = max(done + 10 + sender - 5, 0) if sender % 2 else done + 10 + sender
                if kept.lengths["m"] == places[-1]:
                    return

    await asyncio.gather(*map(send, range(8)))
    row = await storage.row("p", "r")
    assert await content(storage) == b"".join(lines)
    assert row is not None
    assert int(row.state) == places[-1]


async def test_runs_are_appended_to_while_others_are_removed(storage: Storage) -> None:
    async def send(run: str) -> None:
        for number in range(10):
            try:
                await storage.append("p", run, batch(("m", number * 2, b"x\n")), unfolded, NOW)
            except GapError:
                return  # removed in between

    await asyncio.gather(
        *(send(f"r{number}") for number in range(6)),
        *(storage.remove("p", f"r{number % 6}") for number in range(24)),
    )
    for number in range(6):
        kept = await storage.lengths("p", f"r{number}")
        if kept is not None:
            assert len(await content(storage, f"r{number}")) == kept.lengths["m"]
        await storage.remove("p", f"r{number}")
    assert await storage.projects() == []


async def test_a_database_from_before_is_gone_on_with(tmp_path: Path) -> None:
    for expected in (b"x\n", b"x\nx\n"):
        storage = SqliteStorage(tmp_path / "a folder" / "runs.sqlite")
        await storage.open()
        await storage.append("p", "r", batch(("m", len(expected) - 2, b"x\n")), unfolded, NOW)
        assert await content(storage) == expected
        await storage.close()
