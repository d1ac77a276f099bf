"""Who looks on is told everything, once, however slowly it reads and however often it is cut off."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing
from importlib import import_module
from typing import Any

import msgspec
import pytest

_hub: Any = import_module("understudy.dashboard._hub")
Hub: Any = _hub.Hub


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Counter:
    """A source that counts up when it is told to."""

    def __init__(self, size: int = 1) -> None:
        self.value = 0
        self.shown = 0
        self.asked = 0
        self.size = size
        self.problem: Exception | None = None

    def document(self) -> dict[str, Any]:
        return {"value": self.value, "filling": "x" * self.size}

    def patch(self) -> dict[str, Any]:
        self.asked += 1
        if self.problem is not None:
            problem, self.problem = self.problem, None
            raise problem
        if self.shown == self.value:
            return {}
        self.shown = self.value
        return self.document()


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name == "understudy-dashboard":
            thread.join(5)
            assert not thread.is_alive()


def read(text: bytes) -> tuple[str, str, Any]:
    """Return the event, the id and the data of a message."""
    lines = dict(line.split(": ", 1) for line in text.decode().splitlines() if ": " in line)
    return lines["event"], lines["id"], json.loads(lines["data"])


async def message(stream: AsyncIterator[bytes]) -> bytes:
    """Return the next whole message that is no comment."""
    whole = b""
    while True:
        whole += await asyncio.wait_for(anext(stream), 10)
        if whole.endswith(b"\n\n"):
            if not whole.startswith((b":", b"retry")):
                return whole
            whole = b""


async def count_to(source: Counter, value: int, stream: AsyncIterator[bytes]) -> str:
    """Count up, and read until that is told; return the id of the message that tells it."""
    source.value = value
    while True:
        _, number, data = read(await message(stream))
        if data["value"] == value:
            return number


async def test_first_comes_all_there_is_and_then_what_changes() -> None:
    source = Counter()
    hub = Hub(source, every=0.001)
    async with aclosing(hub.stream()) as stream:
        assert await anext(stream) == b"retry: 1000\n\n"
        event, _, data = read(await message(stream))
        assert (event, data["value"]) == ("snapshot", 0)
        source.value = 1
        event, _, data = read(await message(stream))
        assert (event, data["value"]) == ("patch", 1)


async def test_who_comes_back_gets_what_it_missed_and_nothing_else() -> None:
    source = Counter()
    hub = Hub(source, every=0.001)
    async with aclosing(hub.stream()) as staying:
        async with aclosing(hub.stream()) as leaving:
            last = await count_to(source, 1, leaving)
        missed = []
        for value in (2, 3, 4):
            missed.append(await count_to(source, value, staying))
        async with aclosing(hub.stream(last)) as back:
            told = [read(await message(back)) for _ in missed]
    assert [(event, number) for event, number, _ in told] == [("patch", each) for each in missed]
    assert [data["value"] for _, _, data in told] == [2, 3, 4]


async def test_who_was_away_while_nobody_looked_on_misses_nothing() -> None:
    source = Counter()
    hub = Hub(source, every=0.001)
    async with aclosing(hub.stream()) as stream:
        last = await count_to(source, 1, stream)
    source.value = 7
    async with aclosing(hub.stream(last)) as stream:
        event, _, data = read(await message(stream))
    assert (event, data["value"]) == ("patch", 7)


@pytest.mark.parametrize(
    "last", ["", "7", "0123abcd-1", "-", "x-y", "0123abcd-9" * 100, "é-\u0661"]
)
async def test_an_id_that_is_not_ours_begins_anew(last: str) -> None:
    async with aclosing(Hub(Counter(), every=0.001).stream(last)) as stream:
        event, _, _ = read(await message(stream))
    assert event == "snapshot"


async def test_an_id_that_is_yet_to_come_begins_anew() -> None:
    source = Counter()
    hub = Hub(source, every=0.001)
    async with aclosing(hub.stream()) as stream:
        epoch = (await count_to(source, 1, stream)).partition("-")[0]
    async with aclosing(hub.stream(f"{epoch}-1000")) as stream:
        event, _, data = read(await message(stream))
    assert (event, data["value"]) == ("snapshot", 1)


async def test_who_was_away_for_too_long_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_hub, "PATCHES", 3)
    source = Counter()
    hub = Hub(source, every=0.001)
    async with aclosing(hub.stream()) as staying:
        last = await count_to(source, 1, staying)
        for value in range(2, 7):
            await count_to(source, value, staying)
        async with aclosing(hub.stream(last)) as back:
            event, _, data = read(await message(back))
    assert (event, data["value"]) == ("snapshot", 6)


async def test_what_is_kept_for_who_comes_back_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_hub, "PATCH_BYTES", 10_000)
    source = Counter(size=1_000)
    hub = Hub(source, every=0.001)
    async with aclosing(hub.stream()) as stream:
        for value in range(1, 30):
            await count_to(source, value, stream)
            assert sum(len(patch.text) for patch in hub._ring) <= 10_000
        assert 5 < len(hub._ring) < 10


async def test_one_that_does_not_read_is_given_all_there_is_when_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_hub, "PATCHES", 3)
    source = Counter()
    hub = Hub(source, every=0.001)
    async with aclosing(hub.stream()) as quick, aclosing(hub.stream()) as slow:
        await message(slow)
        for value in range(1, 20):
            await count_to(source, value, quick)
        event, _, data = read(await message(slow))
        assert (event, data["value"]) == ("snapshot", 19)
        await count_to(source, 20, slow)


async def test_a_patch_is_encoded_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Counter()
    hub = Hub(source, every=0.001)
    async with aclosing(hub.stream()) as one, aclosing(hub.stream()) as other:
        await message(one)
        await message(other)
        encode, encoded = msgspec.json.encode, list[Any]()

        def count(data: Any) -> bytes:
            encoded.append(data)
            return encode(data)

        monkeypatch.setattr(msgspec.json, "encode", count)
        source.value = 1
        assert await message(one) == await message(other)
    assert len(encoded) == 1


async def test_what_is_long_leaves_in_pieces() -> None:
    hub = Hub(Counter(size=300_000), every=0.001)
    async with aclosing(hub.stream()) as stream:
        await anext(stream)
        pieces = [await anext(stream)]
        while not pieces[-1].endswith(b"\n\n"):
            pieces.append(await anext(stream))
    assert max(map(len, pieces)) == _hub.PIECE
    assert len(read(b"".join(pieces))[2]["filling"]) == 300_000


async def test_a_comment_keeps_the_connection_when_nothing_happens() -> None:
    async with aclosing(Hub(Counter()).stream(heartbeat=0.01)) as stream:
        told = [await anext(stream) for _ in range(5)]
    assert b": still here\n\n" in told


async def test_a_stream_ends_after_its_time() -> None:
    told = [text async for text in Hub(Counter()).stream(life=0.3, heartbeat=0.1)]
    assert told[0] == b"retry: 1000\n\n"
    assert any(text.startswith(b"event: snapshot") for text in told)


async def test_closing_ends_all_streams_at_once() -> None:
    hub = Hub(Counter(), every=3600.0)
    told = asyncio.Event()

    async def look() -> int:
        several = 0
        async for _ in hub.stream():
            several += 1
            if several == 2:
                told.set()
        return several

    looking = [asyncio.create_task(look()) for _ in range(20)]
    await asyncio.wait_for(told.wait(), 10)
    hub.close()
    await asyncio.wait_for(asyncio.gather(*looking), 5)
    assert hub.clients == 0
    assert [text async for text in hub.stream()] == [b"retry: 1000\n\n"]


async def test_all_streams_end_when_the_server_is_to_stop() -> None:
    stops = threading.Event()
    hub = Hub(Counter(), every=0.001, should_stop=stops.is_set)
    async with aclosing(hub.stream()) as stream:
        await message(stream)
        stops.set()
        assert [text async for text in stream] == []
    assert hub.is_closed


async def test_a_source_is_asked_only_while_somebody_looks_on() -> None:
    source = Counter()
    hub = Hub(source, every=0.001)
    assert source.asked == 0
    async with aclosing(hub.stream()) as stream:
        await count_to(source, 1, stream)
    thread = hub._thread
    if thread is not None:
        thread.join(5)
    asked = source.asked
    assert asked > 0
    assert hub._thread is None


async def test_a_source_that_takes_long_is_asked_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    pauses: list[float] = []

    class Slow(Counter):
        takes = 0.1

        def patch(self) -> dict[str, Any]:
            now[0] += self.takes
            self.value += 1
            return super().patch()

    class Change(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            if timeout is not None:
                pauses.append(round(timeout, 6))
                now[0] += timeout
            return True

    monkeypatch.setattr(_hub, "monotonic", lambda: now[0])
    slow = Slow()
    hub = Hub(slow, every=0.2)
    hub._change = Change()
    async with aclosing(hub.stream(life=1e9, heartbeat=60.0)) as stream:
        await count_to_more(stream, 3)
        assert {*pauses} == {1.0}
        slow.takes = 60.0
        pauses.clear()
        while 2.0 not in pauses:  # nothing holds the hub here: what it told before is read first
            await count_to_more(stream, 1)
        assert max(pauses) == 2.0


async def count_to_more(stream: AsyncIterator[bytes], several: int) -> None:
    for _ in range(several):
        await message(stream)


async def test_a_source_that_fails_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    source = Counter()
    hub = Hub(source, every=0.001)
    async with aclosing(hub.stream()) as stream:
        await message(stream)
        source.problem = RuntimeError("not now")
        await count_to(source, 1, stream)
    assert "the dashboard's state could not be read" in caplog.text


async def test_many_are_told_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once they would hold the loop of the service for as long as it takes to tell all."""
    pauses: list[float] = []
    monkeypatch.setattr(_hub, "sleep", pauses.append)
    source = Counter()
    hub = Hub(source, every=0.001)
    async with AsyncExitStack() as stack:
        several = [await stack.enter_async_context(aclosing(hub.stream())) for _ in range(20)]
        await asyncio.gather(*(message(stream) for stream in several))
        reading = [asyncio.create_task(message(stream)) for stream in several]
        while len(hub._waiting) < len(several):  # noqa: ASYNC110  # it is no event of anybody
            await asyncio.sleep(0.001)
        pauses.clear()
        source.value = 1
        await asyncio.gather(*reading)
    assert set(pauses) == {_hub.SPREAD / 20}


async def test_who_has_not_read_what_it_was_given_is_not_woken() -> None:
    """Waking costs the loop of the service something; fifty that never read would add up."""
    source = Counter()
    hub = Hub(source, every=0.001)
    async with aclosing(hub.stream()) as reading, aclosing(hub.stream()) as stuck:
        await message(stuck)
        held = next(each for each in hub._looking if each not in hub._waiting)
        held.clear()
        for value in range(1, 5):
            await count_to(source, value, reading)
        assert not held.is_set()
        await count_to(source, 5, stuck)
