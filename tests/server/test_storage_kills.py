"""What was acknowledged is there, whoever is killed; what was not is there whole, or not at all."""

import asyncio
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server.appender import BATCH, LENGTH, line
from tests.server.databases import NOW, batch, content, counted, unfolded
from tests.server.postgres import Postgres
from tests.server.rooms import AwayError, PostgresStorage, SqliteStorage, Storage
from understudy.server import ServerError

ROOT = Path(__file__).parent.parent.parent


async def check_whole(storage: Storage, acknowledged: int, run: str = "r") -> int:
    """Check that a run has what was acknowledged, and whole batches; return how many lines."""
    found = await content(storage, run)
    assert len(found) >= acknowledged * LENGTH
    assert len(found) % (BATCH * LENGTH) == 0
    assert found == b"".join(map(line, range(len(found) // LENGTH)))
    assert await content(storage, run, "n") == found
    row = await storage.row("p", run)
    assert row is not None
    assert int(row.state) == 2 * len(found)
    return len(found) // LENGTH


def start_appender(path: Path) -> subprocess.Popen[bytes]:
    """Start a process that appends to a database until it is ended."""
    command = [sys.executable, "-m", "tests.server.appender", str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)


async def test_who_appends_to_sqlite_is_killed_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    lines = 0
    for _ in range(4):
        writer = start_appender(path)
        assert writer.stdout is not None
        for _ in range(random.randint(3, 40)):
            assert writer.stdout.readline()
        writer.kill()
        said = writer.stdout.read().split()  # between the last line read and the end
        writer.stdout.close()
        writer.wait()
        storage = SqliteStorage(path)
        await storage.open()
        lines = await check_whole(storage, max([lines, *map(int, said)]))
        await storage.close()
        checked = sqlite3.connect(path)
        assert checked.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        checked.close()
    assert lines >= 4 * 3 * BATCH


async def test_postgresql_is_killed_under_load_and_comes_back(postgres_server: Postgres) -> None:
    storage = PostgresStorage(postgres_server.create("killed"))
    await storage.open()
    acknowledged: dict[str, int] = {"a": 0, "b": 0, "c": 0}
    is_loaded, is_back = asyncio.Event(), asyncio.Event()
    failed: list[str] = []

    async def send(run: str) -> None:
        number = 0
        while number < 30 * BATCH:
            lines = b"".join(map(line, range(number, number + BATCH)))
            sent = batch(("m", number * LENGTH, lines), ("n", number * LENGTH, lines))
            try:
                await storage.append("p", run, sent, counted, NOW)
            except AwayError:
                failed.append(run)
                await is_back.wait()
                continue  # the same again: whether it was taken is not known
            number += BATCH
            acknowledged[run] = number
            if number == 10 * BATCH:
                is_loaded.set()

    senders = [asyncio.create_task(send(run)) for run in acknowledged]
    await is_loaded.wait()
    await asyncio.to_thread(postgres_server.kill)
    before = dict(acknowledged)
    await check_all_away(storage)
    await asyncio.to_thread(postgres_server.start)
    reading = PostgresStorage(postgres_server.url("killed"))
    for run, lines in before.items():
        await check_whole(reading, lines, run)
    is_back.set()
    await asyncio.gather(*senders)
    assert {*failed} == {*acknowledged}
    for run, lines in acknowledged.items():
        assert await check_whole(reading, lines, run) == lines == 30 * BATCH
    await reading.close()
    await storage.close()


async def check_all_away(storage: Storage) -> None:
    """Check that whatever is asked for raises the one error."""
    asked: list[Callable[[], Any]] = [
        storage.open,
        storage.projects,
        storage.list_tokens,
        lambda: storage.append("p", "x", batch(("m", 0, b"x\n")), unfolded, NOW),
        lambda: storage.row("p", "x"),
        lambda: anext(aiter(storage.lines("p", "x", "m"))),
        lambda: storage.remove("p", "x"),
    ]
    for ask in asked:
        with pytest.raises(AwayError, match="cannot be used now"):
            await ask()


async def test_a_database_that_has_gone_in_between_is_not_noticed(
    postgres_server: Postgres,
) -> None:
    storage = PostgresStorage(postgres_server.create("ended"))
    await storage.open()
    await asyncio.gather(*(storage.projects() for _ in range(5)))
    import psycopg

    with psycopg.connect(postgres_server.url(), autocommit=True) as other:
        ended = other.execute(
            "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity WHERE datname = 'ended'"
        ).fetchall()
    assert len(ended) > 1
    await storage.append("p", "r", batch(("m", 0, b"x\n")), unfolded, NOW)
    assert await content(storage) == b"x\n"
    await storage.close()


async def test_a_database_that_stops_answering_is_away(
    postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = PostgresStorage(postgres_server.create("frozen"))
    await storage.open()
    monkeypatch.setattr("understudy.server._database.ANSWER", 0.2)
    with postgres_server.frozen(), pytest.raises(AwayError, match="does not answer"):
        await storage.projects()
    monkeypatch.undo()
    assert await storage.projects() == []
    await storage.close()


async def test_a_file_that_is_no_database_is_away(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(AwayError, match=r"runs\.sqlite cannot be used now"):
        await SqliteStorage(path).open()
    with pytest.raises(AwayError):
        await SqliteStorage(path / "in a file").open()


async def test_a_file_that_another_process_holds_is_away_until_it_lets_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.server._sqlite._BUSY", 0.01)
    storage = SqliteStorage(tmp_path / "runs.sqlite")
    await storage.open()
    other = sqlite3.connect(tmp_path / "runs.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(AwayError, match="locked"):
        await storage.append("p", "r", batch(("m", 0, b"x\n")), unfolded, NOW)
    assert await storage.projects() == []  # reading waits for nobody
    other.close()
    await storage.append("p", "r", batch(("m", 0, b"x\n")), unfolded, NOW)
    assert await content(storage) == b"x\n"
    await storage.close()


async def test_a_database_without_room_for_every_name_is_refused(
    postgres_server: Postgres,
) -> None:
    url = postgres_server.create("latin", encoding="LATIN1")
    storage = PostgresStorage(url)
    with pytest.raises(ServerError, match="LATIN1.*CREATE DATABASE"):
        await storage.open()
    await storage.close()
