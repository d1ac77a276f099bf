"""On a real server: slow clients cost nothing, and no stream keeps the service from stopping."""

import json
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
import tracemalloc
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.dashboard.sample import Demo, lines
from tests.dashboard.serving import served


def read_stream(address: str, last_id: str = "") -> Generator[tuple[str, str, Any]]:
    """Yield the messages of the stream, until its consumer has enough."""
    headers = {"last-event-id": last_id} if last_id else {}
    with (
        httpx2.Client(timeout=20) as client,
        client.stream("GET", f"{address}api/stream", headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        event = number = ""
        for line in answer.iter_lines():
            key, _, value = line.partition(": ")
            if key == "event":
                event = value
            elif key == "id":
                number = value
            elif key == "data":
                yield event, number, json.loads(value)


def log(start: float, end: float) -> list[bytes]:
    return [*lines(Demo(start).until(end))]


def test_what_a_client_has_put_together_is_what_the_board_has() -> None:
    demo = Demo(1000.0)
    with served(lines(demo.until(1002.0))) as it:
        stream = read_stream(it.address)
        _, _, document = next(stream)
        tail = dict(document["tail"]["lines"])
        seconds = {row[0]: row for row in document["seconds"]["rows"]}
        for until in range(2, 30):
            it.take(lines(demo.until(1000.0 + until / 4)))
        expected = json.loads(json.dumps(it.document()))
        while document["overview"] != expected["overview"]:
            event, _, patch = next(stream)
            assert event == "patch"
            tail |= dict(patch.pop("tail", {"lines": []})["lines"])
            seconds |= {row[0]: row for row in patch.pop("seconds", {"rows": []})["rows"]}
            document |= patch
        stream.close()
    for key in expected.keys() - {"tail", "seconds"}:
        assert document[key] == expected[key], key
    assert [*seconds.values()] == expected["seconds"]["rows"]
    newest = dict(expected["tail"]["lines"][-100:])
    assert {number: tail[number] for number in newest} == newest


def test_who_comes_back_is_told_only_what_it_missed() -> None:
    demo = Demo(1000.0)
    with served(lines(demo.until(1001.0))) as it:
        stream = read_stream(it.address)
        event, last, document = next(stream)
        stream.close()
        assert event == "snapshot"
        it.take(lines(demo.until(1001.2)))
        back = read_stream(it.address, last)
        event, number, patch = next(back)
        while patch["overview"]["events"] != it.document()["overview"]["events"]:
            event, number, more = next(back)
            patch["tail"]["lines"] += more["tail"]["lines"]
            patch |= {key: value for key, value in more.items() if key != "tail"}
        back.close()
    assert event == "patch"
    assert number != last
    missed = {n for n, _ in patch["tail"]["lines"]} - {n for n, _ in document["tail"]["lines"]}
    assert len(missed) == patch["overview"]["events"] - document["overview"]["events"]


def test_an_id_of_a_server_that_is_gone_begins_anew() -> None:
    told = log(1000.0, 1001.0)
    with served(told) as it:
        stream = read_stream(it.address)
        _, last, _ = next(stream)
        stream.close()
    with served(told) as it:
        stream = read_stream(it.address, last)
        event, _, _ = next(stream)
        stream.close()
    assert event == "snapshot"


def test_fifty_clients_that_never_read_cost_little_and_slow_nobody() -> None:
    demo = Demo(1000.0)
    with served(lines(demo.until(1010.0))) as it:
        for _ in range(50):
            it.connect()
        stream = read_stream(it.address)
        next(stream)
        steps = [[*lines(demo.until(1011.0 + step))] for step in range(12)]
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            slowest = 0.0
            for step in steps:
                it.take(step)
                ts = it.document()["overview"]["ts"]
                began = time.perf_counter()
                while next(stream)[2]["overview"]["ts"] < ts:
                    pass
                slowest = max(slowest, time.perf_counter() - began)
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        stream.close()
        assert it.page.hub.clients >= 50
    assert slowest < 5.0, "one that reads waits for those that do not"
    # One ring of patches for all of them (8 MB at most), and not one for each.
    assert after - before < 16_000_000


def test_a_server_stops_within_a_second_whoever_looks_on() -> None:
    """Some of those never read, so that not even the snapshot has left."""
    with served(log(1000.0, 1012.0)) as it:
        for _ in range(20):
            it.connect()
        stream = read_stream(it.address)
        next(stream)
        began = time.perf_counter()
        it.stop()
        took = time.perf_counter() - began
        stream.close()
    assert took < 3.0  # alone it is 0.5 s; other tests run beside it


SERVICE = """
    import asyncio
    from contextlib import asynccontextmanager
    from fastapi import FastAPI
    from tests.dashboard.sample import Demo, lines
    from understudy.dashboard import Board, app

    board = Board()
    for line in lines(Demo(1000.0).until(1012.0)):
        board.take(line)

    @asynccontextmanager
    async def lifespan(service):
        yield
        print("drained", flush=True)

    service = FastAPI(lifespan=lifespan)

    @service.middleware("http")
    async def nothing(request, call_next):
        return await call_next(request)

    service.mount("/_exp", app(board))
"""


@contextmanager
def process(*command: str) -> Generator["subprocess.Popen[str]"]:
    running = subprocess.Popen(
        [sys.executable, *command],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield running
    finally:
        running.kill()
        running.wait(20)
        assert running.stdout is not None
        running.stdout.close()


def until(running: "subprocess.Popen[str]", pattern: str) -> "re.Match[str]":
    assert running.stdout is not None
    told: list[str] = []
    for line in running.stdout:
        told.append(line)
        if found := re.search(pattern, line):
            return found
    raise AssertionError(f"it never said {pattern!r}:\n" + "".join(told))


def stream_of(port: int, path: str, *, reads: bool) -> socket.socket:
    """Look on; return when the first of it is there."""
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    text = client.recv(100)
    while reads and b"event: snapshot" not in text:
        text += client.recv(4096)
    return client


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_it_is_mounted_in_drains(stop: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text(textwrap.dedent(SERVICE))
    command = ["-m", "uvicorn", "service:service", "--app-dir", str(tmp_path), "--port", "0"]
    with process(*command) as running:
        port = int(until(running, r"running on http://127.0.0.1:(\d+)")[1])
        clients = [stream_of(port, "/_exp/api/stream", reads=n % 2 == 0) for n in range(6)]
        began = time.perf_counter()
        running.send_signal(stop)
        until(running, "drained")
        took = time.perf_counter() - began
        until(running, "Finished server process")
        for client in clients:
            client.close()
    assert took < 5.0  # alone it is 0.6 s


def test_the_command_serves_a_log_that_is_still_to_come(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with process("-m", "understudy", "dashboard", str(path), "--port", "0") as it:
        port = int(until(it, r"http://127.0.0.1:(\d+)/ \(Ctrl-C ends it\)")[1])
        until(it, f"waiting for {path}, which is not there yet")
        with closing(read_stream(f"http://127.0.0.1:{port}/")) as stream:
            _, _, nothing = next(stream)
            assert nothing["overview"]["events"] == 0
            told = log(1000.0, 1001.0)
            path.write_bytes(b"".join(told))
            assert any(each["overview"]["events"] == len(told) for _, _, each in stream)
            assert httpx2.get(f"http://127.0.0.1:{port}/").status_code == 200
            other = httpx2.get(f"http://127.0.0.1:{port}/", headers={"host": "evil.example"})
            assert other.status_code == 421
            it.send_signal(signal.SIGINT)
            assert it.wait(20) == 130
        assert it.stdout is not None
        assert it.stdout.read() == ""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--port", "x", "events.jsonl"], 2, "a port is a number up to 65535, not 'x'"),
        (["--port", "70000", "events.jsonl"], 2, "a port is a number up to 65535, not '70000'"),
        ([], 2, "the following arguments are required: FILE"),
        (["--port", "TAKEN", "events.jsonl"], 1, "; --port chooses another"),
        (["."], 1, r". cannot be read: Is a directory"),
        (["--host", "no such host", "events.jsonl"], 1, "; --host chooses another"),
    ],
)
def test_the_command_says_in_a_line_what_is_wrong(
    arguments: list[str], code: int, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    from understudy.cli import main

    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        try:
            ended = main(["dashboard", *(port if a == "TAKEN" else a for a in arguments)])
        except SystemExit as left:
            ended = int(left.code or 0)
    assert ended == code
    assert said in capfd.readouterr().err.splitlines()[-1]
