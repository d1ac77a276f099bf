"""A server of a test's own: a real one, in a thread, with a clock that the test turns."""

import asyncio
import socket
import threading
from base64 import b64encode
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from understudy.runs import RunFolder
from understudy.server import Limits, ServerSettings, app
from understudy.server._making import storage_of  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.server._paths import is_document  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.server._serve import server_of  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.server._tokens import new_token  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

ROOT = "/api/v1"


class Clock:
    """The time, as the test says."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Served:
    """A server that is served.

    Attributes:
        data: its folder.
        clock: its time.
        token: its first token, which may do everything.
        address: where it is.
    """

    def __init__(self, data: Path, limits: Limits, **places: Any) -> None:
        self.data = data
        self.clock = Clock()
        self.settings = ServerSettings(data=data, limits=limits, **places)
        self.token = ""
        is_there = threading.Event()

        def started(token: str | None) -> None:
            self.token = token or ""
            is_there.set()

        self.app: Any = app(self.settings, started=started, clock=self.clock)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.server = server_of(self.app, limits)
        self._thread = threading.Thread(target=self.server.run, args=([self.listening],))
        self._thread.start()
        assert is_there.wait(30)

    def stop(self) -> None:
        """Stop it in order."""
        self.server.should_exit = True
        self._thread.join(30)
        self.listening.close()
        assert not self._thread.is_alive()

    def make_token(self, project: str, scope: Any = "write") -> str:
        """Make a token, as the command does: beside the server."""
        text, kept = new_token(f"{project} {scope}", project, scope, 0.0)

        async def add() -> None:
            storage = storage_of(self.settings)
            await storage.open()
            await storage.add_token(kept)
            await storage.close()

        asyncio.run(add())
        return str(text)

    def client(self, token: str | None = None) -> httpx2.Client:
        """Return a client with a token; the first, if none is given."""
        given = self.token if token is None else token
        headers = {"Authorization": f"Bearer {given}"} if given else {}
        return httpx2.Client(base_url=self.address + ROOT, headers=headers, timeout=30)


@contextmanager
def served(data: Path, places: Mapping[str, str] | None = None, **limits: Any) -> Generator[Served]:
    """Serve, for as long as the block lasts.

    Args:
        data: the folder of the server.
        places: `database` and `files`, if they are elsewhere.
        limits: the limits.
    """
    it = Served(data, Limits(**limits), **(places or {}))
    try:
        yield it
    finally:
        it.stop()


def batch_of(run: RunFolder, since: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Return what a sender would tell of a run, as JSON has it.

    Args:
        run: the run.
        since: how much of each file of lines was sent before.
    """
    documents: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for path in sorted(run.path.rglob("*")):
        name = path.relative_to(run.path).as_posix()
        if name.endswith(".jsonl"):
            start = (since or {}).get(name, 0)
            if data := path.read_bytes()[start:]:
                lines.append({"path": name, "start": start, "data": base64(data)})
        elif path.is_file() and is_document(name):
            version = path.stat().st_mtime_ns
            documents.append({"path": name, "version": version, "data": base64(path.read_bytes())})
    return {"prefix": run.prefix, "documents": documents, "lines": lines}


def base64(data: bytes) -> str:
    """Return bytes as JSON has them."""
    return b64encode(data).decode()


def points(count: int, start: int = 0) -> bytes:
    """Return lines of a metric."""
    return b"".join(
        b'{"step":%d,"loss":%d.5,"ts":1.0}\n' % (n, n) for n in range(start, start + count)
    )


def lines_of(path: str, data: bytes, start: int = 0) -> dict[str, Any]:
    """Return a batch of some lines."""
    return {"prefix": "exp", "lines": [{"path": path, "start": start, "data": base64(data)}]}
