"""What every place for files does alike: the contract of the blobs."""

import asyncio
import os
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.rooms import (
    AwayError,
    Blob,
    Blobs,
    DiskBlobs,
    MissingError,
    S3Blobs,
    UnfitError,
    file_key,
    part_key,
    part_of,
    parts_prefix,
    run_prefix,
)
from tests.server.s3 import S3Server
from tests.server.waiting import free_port
from understudy.server import ServerError

KEY = file_key("p", "r", "f")
MEGABYTE = 1024 * 1024


async def parts(*data: bytes) -> AsyncIterator[bytes]:
    for part in data:
        yield part


async def many(count: int, size: int = 2 * MEGABYTE) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * size


def resident() -> int:
    """Return how much memory this process has, that of Rust too."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def content(blobs: Blobs, key: str = KEY, start: int = 0, stop: int | None = None) -> bytes:
    return b"".join([piece async for piece in blobs.get(key, start, stop)])


@pytest.mark.parametrize("data", [(), (b"",), (b"abc",), (b"a", b"", b"bc"), (b"\0\xff" * 70_000,)])
async def test_what_was_put_is_there(blobs: Blobs, data: tuple[bytes, ...]) -> None:
    await blobs.put(KEY, parts(*data))
    assert await content(blobs) == b"".join(data)
    assert await blobs.list(run_prefix("p", "r")) == [Blob(KEY, len(b"".join(data)))]


async def test_what_is_put_again_is_replaced(blobs: Blobs) -> None:
    await blobs.put(KEY, parts(b"first, longer"))
    await blobs.put(KEY, parts(b"second"))
    assert await content(blobs) == b"second"


async def test_any_bytes_of_it_can_be_read(blobs: Blobs) -> None:
    whole = os.urandom(9 * MEGABYTE)  # more than one request of S3
    await blobs.put(KEY, parts(whole[:100], whole[100:]))
    for start, stop in ((0, 5), (1, 5), (5, 5), (0, None), (len(whole) - 3, None), (7, 2**40)):
        assert await content(blobs, KEY, start, stop) == whole[start:stop]
    assert await content(blobs, KEY, MEGABYTE - 1, 9 * MEGABYTE - 1) == whole[MEGABYTE - 1 : -1]
    assert await content(blobs, KEY, len(whole)) == await content(blobs, KEY, 2**40) == b""


@pytest.mark.parametrize(("start", "stop"), [(-1, None), (5, 4), (2**63, None)])
async def test_bytes_that_cannot_be_are_refused(blobs: Blobs, start: int, stop: int | None) -> None:
    await blobs.put(KEY, parts(b"abc"))
    with pytest.raises(UnfitError):
        await content(blobs, KEY, start, stop)


async def test_what_is_not_there_is_missing(blobs: Blobs) -> None:
    with pytest.raises(MissingError):
        await content(blobs)
    assert await blobs.list(run_prefix("p", "r")) == []
    await blobs.remove(KEY)
    await blobs.remove(run_prefix("p", "r"))


async def test_only_what_is_named_is_removed(blobs: Blobs) -> None:
    others = [file_key("p", "other", "f"), file_key("q", "r", "f")]
    keys = [KEY, part_key("p", "r", "f", 0), part_key("p", "r", "f", 1), *others]
    for key in keys:
        await blobs.put(key, parts(key.encode()))
    await blobs.remove(parts_prefix("p", "r", "f"))
    assert [blob.key for blob in await blobs.list(run_prefix("p", "r"))] == [KEY]
    await blobs.remove(KEY)
    with pytest.raises(MissingError):
        await content(blobs)
    await blobs.remove(run_prefix("p", "r"))
    for key in others:
        assert await content(blobs, key) == key.encode()


async def test_parts_are_listed_in_their_order(blobs: Blobs) -> None:
    for part in (10, 9, 0, 123):
        await blobs.put(part_key("p", "r", "f", part), parts(b"x" * part))
    found = await blobs.list(parts_prefix("p", "r", "f"))
    assert [(part_of(blob.key), blob.size) for blob in found] == [
        (0, 0),
        (9, 9),
        (10, 10),
        (123, 123),
    ]


@pytest.mark.parametrize("size", [10, 12 * MEGABYTE])
async def test_a_put_that_breaks_off_leaves_nothing(
    blobs: Blobs, size: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * size
        yield b"x" * size
        raise LookupError("the sender went away")

    for old in (None, b"old"):
        with pytest.raises(LookupError, match="went away"):
            await blobs.put(KEY, broken())
        if old is None:
            assert await blobs.list(run_prefix("p", "r")) == []
            await blobs.put(KEY, parts(b"old"))
    assert await content(blobs) == b"old"
    if isinstance(blobs, DiskBlobs):
        kept = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    else:  # nor does the server hold on to what is on its way
        server: S3Server = request.getfixturevalue("s3")
        kept = [path for path in map(Path, server.kept()) if tmp_path.name in str(path)]
    assert [path.name for path in kept] == ["whole"]


async def test_a_put_that_is_cancelled_leaves_nothing(blobs: Blobs) -> None:
    is_under_way = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x" * MEGABYTE
        is_under_way.set()
        await asyncio.Event().wait()

    putting = asyncio.create_task(blobs.put(KEY, endless()))
    await is_under_way.wait()
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert await blobs.list(run_prefix("p", "r")) == []


async def test_two_hundred_megabytes_pass_in_little_memory(blobs: Blobs) -> None:
    expected, found = sha256(), sha256()
    before = most = resident()

    async def measured() -> AsyncIterator[bytes]:
        nonlocal most
        async for part in many(100):
            expected.update(part)
            most = max(most, resident())
            yield part

    await blobs.put(KEY, measured())
    async for piece in blobs.get(KEY):
        found.update(piece)
        most = max(most, resident())
    assert found.digest() == expected.digest()
    assert most - before < 120 * MEGABYTE
    await blobs.remove(run_prefix("p", "r"))


async def test_some_are_put_and_read_at_once(blobs: Blobs) -> None:
    async def pass_through(number: int) -> None:
        key = file_key("p", "r", str(number))
        await blobs.put(key, many(3, MEGABYTE + number))
        assert len(await content(blobs, key)) == 3 * (MEGABYTE + number)

    await asyncio.gather(*map(pass_through, range(8)))
    assert len(await blobs.list(run_prefix("p", "r"))) == 8


@pytest.mark.parametrize(
    "key", ["", "/", "..", "../x", "a//b", "/etc/passwd", "a/../b", "A/b", "a/b\0", ".new/x", "a\n"]
)
async def test_keys_of_others_are_refused(blobs: Blobs, key: str) -> None:
    with pytest.raises(UnfitError):
        await blobs.put(key, parts(b"x"))
    with pytest.raises(UnfitError):
        await content(blobs, key)
    with pytest.raises(UnfitError):
        await blobs.remove(key)
    with pytest.raises(UnfitError):
        await blobs.list(key)


@settings(max_examples=50)
@given(st.tuples(*[st.text()] * 3), st.tuples(*[st.text()] * 3))
def test_names_are_not_in_keys_and_no_two_share_one(
    one: tuple[str, str, str], two: tuple[str, str, str]
) -> None:
    first, second = file_key(*one), file_key(*two)
    assert {*first} <= {*"0123456789abcdef/whole"}
    assert [len(part) for part in first.split("/")] == [32, 32, 32, 5]
    assert (first == second) == (one == two)


async def test_a_link_that_somebody_planted_is_not_followed(tmp_path: Path) -> None:
    blobs = DiskBlobs(tmp_path / "files")
    await blobs.open()
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    place = tmp_path / "files" / KEY
    place.parent.mkdir(parents=True)
    place.symlink_to(secret)
    with pytest.raises(AwayError):
        await content(blobs)
    await blobs.put(KEY, parts(b"ours"))
    assert (await content(blobs), secret.read_bytes()) == (b"ours", b"secret")


async def test_what_a_killed_writer_left_is_cleared_away_a_day_later(tmp_path: Path) -> None:
    new = tmp_path / "files" / ".new"
    new.mkdir(parents=True)
    for name in ("old", "young"):
        (new / name).write_bytes(b"half")
    os.utime(new / "old", (0, 0))
    await DiskBlobs(tmp_path / "files").open()
    assert [path.name for path in new.iterdir()] == ["young"]


async def test_a_disk_that_is_away_is_said(tmp_path: Path) -> None:
    (tmp_path / "files").write_bytes(b"this is no folder")
    blobs = DiskBlobs(tmp_path / "files")
    with pytest.raises(AwayError, match="cannot be used now"):
        await blobs.open()
    with pytest.raises(AwayError):
        await blobs.put(KEY, parts(b"x"))
    with pytest.raises(AwayError):
        await content(blobs)


async def test_an_s3_that_is_away_is_said(s3: S3Server) -> None:
    away = {**s3.options, "endpoint": f"http://127.0.0.1:{free_port()}"}
    blobs = S3Blobs("s3://bucket", retry_config={"max_retries": 0}, **away)
    with pytest.raises(AwayError, match="s3://bucket cannot be used now"):
        await blobs.open()
    with pytest.raises(AwayError):
        await blobs.put(KEY, parts(b"x"))
    with pytest.raises(AwayError):
        await blobs.put(KEY, many(10))
    with pytest.raises(AwayError):
        await content(blobs)
    with pytest.raises(AwayError):
        await blobs.remove(KEY)


async def test_a_wrong_key_of_s3_is_said(s3: S3Server) -> None:
    blobs = S3Blobs("s3://bucket", **{**s3.options, "secret_access_key": "wrong"})
    with pytest.raises(AwayError, match="s3://bucket cannot be used now"):
        await blobs.open()


@pytest.mark.parametrize(
    "url", ["bucket", "s3://", "https://bucket", "s3:///x", "s3://bucket?secret=1"]
)
def test_an_address_that_is_none_of_s3_is_said(url: str) -> None:
    with pytest.raises(ServerError, match="s3"):
        S3Blobs(url)
