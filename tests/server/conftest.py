"""What the tests of the server keep things in: each database, each place for files."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.server.databases import emptied
from tests.server.postgres import Postgres, postgres
from tests.server.rooms import Blobs, DiskBlobs, PostgresStorage, S3Blobs, SqliteStorage, Storage
from tests.server.s3 import S3Server, s3_server


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """Run a PostgreSQL that nobody ends."""
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Postgres) -> str:
    """Return a database for tests that leave it empty."""
    return postgres_server.create("shared")


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Run something that speaks S3 and that nobody ends."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def closed(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Return a storage with nothing in it that was not opened yet."""
    if request.param == "sqlite":
        return SqliteStorage(tmp_path / "runs.sqlite")
    return PostgresStorage(emptied(request.getfixturevalue("postgres_url")))


@pytest.fixture
async def storage(closed: Storage) -> AsyncIterator[Storage]:
    """Return a storage with nothing in it."""
    await closed.open()
    yield closed
    await closed.close()


@pytest.fixture(params=["disk", "s3"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Blobs]:
    """Return a place for files with nothing in it."""
    made: Blobs
    if request.param == "disk":
        made = DiskBlobs(tmp_path / "files")
    else:
        made = S3Blobs(f"s3://bucket/{tmp_path.name}", **request.getfixturevalue("s3").options)
    await made.open()
    yield made
    await made.close()
