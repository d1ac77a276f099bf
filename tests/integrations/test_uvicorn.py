"""A real server: requests over sockets, clients that hang up, and SIGTERM."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

APP = """
import asyncio, json, threading
from contextlib import asynccontextmanager

import anyio
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from understudy import Config, Runtime, ShadowStrategy

runtime = Runtime(configs=[{"n": 0}, {"n": 1}], strategy=ShadowStrategy(), drain_timeout=DRAIN)
leaving, working = asyncio.Event(), threading.Event()


@asynccontextmanager
async def lifespan(app):
    async with runtime:
        yield
        print("leaving", [case["in_flight"] for case in told()], flush=True)
        leaving.set()
        working.set()
    print("cases", json.dumps(told()), flush=True)
    left = [each for each in threading.enumerate() if each.name.startswith("understudy")]
    for thread in left:
        thread.join(10)
    print("left", [thread.name for thread in left if thread.is_alive()], flush=True)


def told():
    return [case for each in runtime.statistics().to_dict()["experiments"] for case in each["cases"]]


app = FastAPI(lifespan=lifespan)


@app.get("/answer")
@runtime.experiment
async def answer(x: int, config: Config) -> int:
    if config.n:
        await leaving.wait()
    return x + config.n


@app.get("/sync")
@runtime.experiment
def sync(x: int, config: Config) -> int:
    if config.n:
        working.wait()
    return x + config.n


@app.get("/hang")
@runtime.experiment
async def hang(config: Config) -> int:
    print("hangs", config.n, flush=True)
    try:
        await leaving.wait()
    except asyncio.CancelledError:
        print("cancelled", config.n, flush=True)
        raise
    return config.n


@app.get("/forever")
@runtime.experiment
async def forever(config: Config) -> int:
    if config.n:
        await asyncio.Event().wait()
    return config.n


@app.get("/stream")
async def stream():
    async def body():
        yield "first\\n"
        yield str(await hang())
    return StreamingResponse(body())
"""


BAD = ("never awaited", "was destroyed", "never retrieved", "ResourceWarning")
"""What asyncio says of those who are careless; the servers run in its debug mode."""


class Server:
    """A server in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.told: list[str] = []
        self.port = 0

    def until(self, pattern: str) -> "re.Match[str]":
        """Read what it says, until it says that."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told.append(line.rstrip())
            found = re.search(pattern, line)
            if found:
                return found
        raise AssertionError(f"it never said {pattern!r}:\n" + "\n".join(self.told))

    def get(self, path: str) -> Any:
        return httpx2.get(f"http://127.0.0.1:{self.port}{path}", timeout=30).json()

    def connect(self, path: str) -> socket.socket:
        """Ask for something, and keep the socket, to hang up whenever wanted."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return connection

    def end(self) -> list[dict[str, Any]]:
        """Tell it to end, wait until it has, and return what its cases came to."""
        self.process.send_signal(signal.SIGTERM)
        cases: list[dict[str, Any]] = json.loads(self.until(r"cases (.*)")[1])
        self.until(r"left \[\]")
        self.until(r"Finished server process")
        assert self.process.wait(30) in (0, -signal.SIGTERM)
        return cases


@contextmanager
def serving(folder: Path, *flags: str, drain: float = 10) -> Generator[Server]:
    (folder / "app.py").write_text(APP.replace("DRAIN", str(drain)))
    command = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-m", "uvicorn"]
    process = subprocess.Popen(
        [*command, "app:app", "--port", "0", *flags],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        server = Server(process)
        server.port = int(server.until(r"running on http://127.0.0.1:(\d+)")[1])
        yield server
        assert not [line for line in server.told if any(word in line for word in BAD)]
    finally:
        process.kill()
        process.communicate()


def outcomes(cases: list[dict[str, Any]]) -> dict[tuple[int, int, int], int]:
    """Return how many cases have ended so: (planned, ok, cancelled)."""
    found: dict[tuple[int, int, int], int] = {}
    for case in cases:
        key = (case["planned"], case["ok"], case["cancelled"])
        found[key] = found.get(key, 0) + 1
        assert case["in_flight"] == 0
    return found


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_server_that_is_told_to_end_drains_its_shadows(tmp_path: Path, loop: str) -> None:
    with serving(tmp_path, "--loop", loop) as server:
        assert [server.get(f"/answer?x={x}&config=1") for x in range(3)] == [0, 1, 2]
        assert [server.get(f"/sync?x={x}&config=1") for x in range(3)] == [0, 1, 2]
        cases = server.end()
        assert any("leaving [0, 3, 0, 3" in line for line in server.told), server.told
    assert outcomes(cases) == {(3, 3, 0): 4, (0, 0, 0): 4}


def test_shadows_that_take_too_long_are_cancelled_and_named(tmp_path: Path) -> None:
    with serving(tmp_path, drain=0.01) as server:
        assert [server.get("/forever") for _ in range(2)] == [0, 0]
        cases = server.end()
        assert "the drain was over, and cancelled what ran: app.forever[1] x 2" in server.told
    assert outcomes(cases) == {(0, 0, 0): 6, (2, 2, 0): 1, (2, 0, 2): 1}


def test_requests_in_flight_when_the_server_gives_up_are_cancelled_and_their_shadows_drained(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, "--timeout-graceful-shutdown", "0") as server:
        connection = server.connect("/hang")
        for _ in range(2):
            server.until(r"hangs \d")
        cases = server.end()
        connection.close()
        assert "cancelled 0" in server.told
        assert "cancelled 1" not in server.told
    assert outcomes(cases) == {(0, 0, 0): 6, (1, 0, 1): 1, (1, 1, 0): 1}


def test_a_client_that_hangs_up_cancels_the_lead_of_its_stream_and_nothing_else(
    tmp_path: Path,
) -> None:
    with serving(tmp_path) as server:
        connection = server.connect("/stream")
        for _ in range(2):
            server.until(r"hangs \d")
        connection.close()
        server.until("cancelled 0")
        assert server.get("/answer?x=1") == 1
        cases = server.end()
        assert "cancelled 1" not in server.told
    assert outcomes(cases) == {(0, 0, 0): 4, (1, 0, 1): 1, (1, 1, 0): 3}
