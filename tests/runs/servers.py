"""A server of runs in memory, that does as it should or lies in every way.

What it keeps can be put back to what it was, as after a crash and a backup.
"""

import base64
import contextlib
import copy
import gzip
import json
import socket
import ssl
import threading
from collections import deque
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import unquote, urlsplit

import msgspec

TOKEN = "us_" + "0" * 43

Mood = Literal[
    "well",
    "503",
    "429",
    "500",
    "401",
    "403",
    "gap",
    "differs",
    "hang",
    "close",
    "midway",
    "rubbish",
    "forget",
    "trickle",
    "html",
    "413",
    "lies",
    "redirect",
]


@dataclass
class Kept:
    """What is kept of a run."""

    prefix: str = ""
    lines: dict[str, bytes] = field(default_factory=dict)
    documents: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    files: dict[str, tuple[dict[str, Any], bytes]] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    is_ended: bool = False

    def lengths(self) -> dict[str, int]:
        return {path: len(data) for path, data in self.lines.items()}


class Refusal(Exception):
    def __init__(self, status: int, error: str, **details: Any) -> None:
        self.status = status
        self.told = {"error": error, "message": f"it is {error}", **details}


class Store:
    """What a server keeps, and what becomes of requests."""

    def __init__(self) -> None:
        self.runs: dict[tuple[str, str], Kept] = {}
        self.longest_line = 1 << 20
        self._lock = threading.Lock()

    @property
    def kept(self) -> Kept:
        """What is kept of the only run."""
        [kept] = self.runs.values()
        return kept

    def backup(self) -> Any:
        with self._lock:
            return copy.deepcopy(self.runs)

    def restore(self, runs: Any) -> None:
        with self._lock:
            self.runs = copy.deepcopy(runs)

    def take(self, method: str, path: str, headers: Any, body: bytes, mood: Mood) -> dict[str, Any]:
        """Return the answer to a request."""
        place = urlsplit(path).path.partition("/api/v1/projects/")[2]
        project, _, run, *rest = [unquote(each) for each in place.split("/")]
        with self._lock:
            runs = copy.deepcopy(self.runs) if mood == "forget" else self.runs
            kept = runs.get((project, run))
            if rest == ["batch"]:
                return self._take_batch(runs.setdefault((project, run), Kept()), headers, body)
            if kept is None:
                raise Refusal(404, "not_found")
            if rest == ["lengths"]:
                versions = {path: version for path, (version, _) in kept.documents.items()}
                return {"lengths": kept.lengths(), "documents": versions, "files": [*kept.files]}
            parts = kept.parts.setdefault(rest[1], {})
            if rest[2:] == ["parts"]:
                return {"parts": sorted(parts)}
            if method == "PUT":
                if sha256(body).hexdigest() != headers["X-Part-SHA256"]:
                    raise Refusal(422, "checksum")
                parts[int(rest[3])] = body
                return {"parts": sorted(parts)}
            return self._commit(kept, rest[1], json.loads(body))

    def _take_batch(self, kept: Kept, headers: Any, body: bytes) -> dict[str, Any]:
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if headers["Content-Type"] == "application/msgpack":
            batch = msgspec.msgpack.decode(body)
        else:
            batch = json.loads(body)
            for each in (*batch["documents"], *batch["lines"]):
                each["data"] = base64.b64decode(each["data"])
        lines = dict(kept.lines)
        for each in batch["lines"]:
            before, start, data = lines.get(each["path"], b""), each["start"], each["data"]
            if not data.endswith(b"\n"):
                raise Refusal(422, "not_whole", path=each["path"])
            if any(len(line) > self.longest_line for line in data.split(b"\n")):
                raise Refusal(413, "too_big", path=each["path"])
            if start > len(before):
                raise Refusal(409, "gap", lengths={each["path"]: len(before)})
            if before[start : start + len(data)] != data[: len(before) - start]:
                raise Refusal(409, "differs", path=each["path"])
            lines[each["path"]] = before + data[len(before) - start :]
        kept.lines = lines
        kept.prefix = batch["prefix"]
        kept.is_ended = batch["is_ended"]
        for each in batch["documents"]:
            if each["version"] >= kept.documents.get(each["path"], (-1, b""))[0]:
                kept.documents[each["path"]] = (each["version"], each["data"])
        return {"lengths": kept.lengths()}

    def _commit(self, kept: Kept, name: str, said: dict[str, Any]) -> dict[str, Any]:
        parts = kept.parts[name]
        whole = b"".join(parts.get(number, b"") for number in range(said["parts"]))
        if sha256(whole).hexdigest() != said["sha256"] or len(whole) != said["size"]:
            raise Refusal(422, "checksum")
        kept.files[name] = (said["about"], whole)
        return {"id": name}


class Server(Store):
    """The server; `moods` are how it is towards the next requests, `mood` towards all others."""

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__()
        self.mood: Mood = "well"
        self.moods: deque[Mood] = deque()
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.longest_body = 16 << 20
        self.retry_after = "0.05"
        self.has_been_asked = threading.Event()
        self.is_over = threading.Event()
        self._connections: set[socket.socket] = set()
        owner = self

        class Handler(_Handler):
            server_of_runs = owner

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        port = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{port}"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.address = f"https://localhost:{port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.01])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.is_over.set()
        self._server.shutdown()
        self._thread.join()
        for connection in [*self._connections]:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_of_runs: Server

    def setup(self) -> None:
        super().setup()
        self.server_of_runs._connections.add(self.connection)

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        self.server_of_runs._connections.discard(self.connection)

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()

    def log_message(self, format: str, *args: Any) -> None: ...

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def _serve(self) -> None:
        ours = self.server_of_runs
        mood: Mood = ours.moods.popleft() if ours.moods else ours.mood
        ours.asked.append(f"{self.command} {self.path.rpartition('/')[2]}")
        ours.headers.append(dict(self.headers))
        ours.has_been_asked.set()
        length = int(self.headers.get("Content-Length", 0))
        if mood == "hang":
            ours.is_over.wait()
            return self._close()
        if mood == "413" or length > ours.longest_body:
            return self._say(413, b"<html>too large</html>")
        if mood == "midway":
            self.rfile.read(length // 2)
            return self._close()
        body = self.rfile.read(length)
        if len(body) < length or mood == "close":
            return self._close()
        return self._answer(mood, body)

    def _answer(self, mood: Mood, body: bytes) -> None:
        ours = self.server_of_runs
        plain: dict[str, tuple[int, dict[str, Any]]] = {
            "503": (503, {"error": "away"}),
            "429": (429, {"error": "too_many"}),
            "500": (500, {"error": "broken"}),
            "401": (401, {"error": "token"}),
            "403": (403, {"error": "scope"}),
            "gap": (409, {"error": "gap", "lengths": {}}),
            "differs": (409, {"error": "differs"}),
        }
        if mood in plain and not (mood == "gap" and self.command == "GET"):
            status, told = plain[mood]
            return self._say(status, json.dumps({"message": mood, **told}).encode())
        if mood == "rubbish":
            return self._say(200, b"\x00\xff{{{")
        if mood == "lies":
            return self._say(200, b'{"lengths": [3], "documents": 7, "files": {}}')
        if mood == "html":
            return self._say(404, b"<html>log in here</html>")
        if mood == "redirect":
            return self._say(302, b"", Location="http://127.0.0.1:9/")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._say(401, b'{"error": "token", "message": "no such token"}')
        try:
            told = ours.take(self.command, self.path, self.headers, body, mood)
        except Refusal as refusal:
            return self._say(refusal.status, json.dumps(refusal.told).encode())
        data = json.dumps(told).encode()
        if mood == "trickle":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not ours.is_over.wait(0.05):
                self.wfile.write(b" ")
            return self._close()
        return self._say(200, data)

    def _say(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        if status in (429, 503):
            self.send_header("Retry-After", self.server_of_runs.retry_after)
        if status == 413:
            self.close_connection = True
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _close(self) -> None:
        self.close_connection = True


def compare(run: Path, kept: Kept) -> None:
    """Compare what a server keeps with the folder, byte by byte, both ways; half a line is not sent."""
    here = {
        str(path.relative_to(run)): path.read_bytes()
        for path in run.rglob("*")
        if path.is_file()
        and path.name not in ("heartbeat", "sync.json")
        and not path.name.endswith(".new")  # of a process that was killed just then
        and path.parent.name[0] != "."
    }
    there = {**kept.lines, **{path: data for path, (_, data) in kept.documents.items()}}
    files = {path: data for path, data in here.items() if path.startswith("files/")}
    found = {
        path: data[: data.rfind(b"\n") + 1] if path.endswith(".jsonl") else data
        for path, data in here.items()
        if path not in files
    }
    wrong = {path for path in {*found, *there} if found.get(path) != there.get(path)}
    assert not wrong, {
        path: [data and (len(data), data[-99:]) for data in (found.get(path), there.get(path))]
        for path in wrong
    }
    for about, data in kept.files.values():
        prefix = f"files/{about['prefix']}/{about['id']}"
        assert files.pop(f"{prefix}/{about['name']}") == data
        assert json.loads(files.pop(f"{prefix}/file.json")) == about
    assert files == {}
