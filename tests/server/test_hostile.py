"""Bad requests: none is answered by a 5xx, changes anything, or reads another project's data."""

import json
import re
import select
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.server.hostile import MINE, ROOT, SECRET, all_bad
from tests.server.serving import Served, base64, lines_of, points, served
from understudy.runs import folder_name

SECRET_LINE = json.dumps({"ts": 1, "message": SECRET, "level": "info"}).encode() + b"\n"


class Target:
    """A server with two projects: one's own, and one with a secret.

    Attributes:
        it: the server.
        tokens: tokens for the own project.
    """

    def __init__(self, it: Served) -> None:
        self.it = it
        self.tokens = {"mine": it.make_token("mine"), "reader": it.make_token("mine", "read")}
        for project, run, text in (("mine", "r1", "nothing"), ("secret", "s1", SECRET)):
            self._fill(f"/projects/{project}/runs/{run}", text)
        self._database = sqlite3.connect(it.data / "server.sqlite")
        self.before = self.state()

    def _fill(self, at: str, text: str) -> None:
        run = json.dumps({"description": text, "tags": [text]}).encode()
        batch = lines_of("metrics/train/data.jsonl", points(3))
        line = SECRET_LINE.replace(SECRET.encode(), text.encode())
        batch["lines"].append({"path": "logs/logs.jsonl", "start": 0, "data": base64(line)})
        batch["documents"] = [{"path": "run.json", "version": 1, "data": base64(run)}]
        told: dict[str, Any] = {
            "size": len(text),
            "sha256": sha256(text.encode()).hexdigest(),
            "parts": 1,
        }
        with self.it.client() as client:
            assert client.post(f"{at}/batch", json=batch).status_code == 200
            checksum = {"X-Part-SHA256": told["sha256"]}
            assert client.put(f"{at}/files/f1/parts/0", content=text, headers=checksum).is_success
            about = {"prefix": text, "name": text, **told}
            assert client.post(f"{at}/files/f1", json=about).is_success

    def state(self) -> Any:
        """Return what is another if anything was written: into the database, or into a file."""
        files = self.it.data / "files"
        kept = [path.lstat() for path in files.rglob("*") if path.is_file()]
        (version,) = self._database.execute("PRAGMA data_version").fetchone()
        return version, sorted((each.st_ino, each.st_size, each.st_mtime_ns) for each in kept)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def ask(self, sent: bytes, *, is_whole: bool = True) -> bytes:
        """Send bytes, and return what is answered until the connection ends."""
        with socket.create_connection(("127.0.0.1", self.it.port), timeout=30) as client:
            try:
                client.sendall(sent)
                if is_whole:
                    client.shutdown(socket.SHUT_WR)
            except OSError:  # refused before all of it was sent
                pass
            found = b""
            try:
                while data := client.recv(1 << 16):
                    found += data
            except ConnectionResetError:
                pass
            return found


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    many: dict[str, Any] = {"rate": 1e6, "burst": 10**6, "failures": 1e6, "failures_burst": 10**6}
    with served(tmp_path_factory.mktemp("hostile"), **many) as it, closing(Target(it)) as found:
        yield found


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def test_whatever_is_written_is_noticed_here(target: Target) -> None:
    with target.it.client() as client:
        client.post("/projects/noticed/runs/r/batch", json={"prefix": "r"})
        after = target.state()
        assert after != target.before
        assert client.get("/projects/noticed/runs").status_code == 200
        assert target.state() == after
        client.put(
            "/projects/noticed/runs/r/files/f/parts/0",
            content=b"",
            headers={"X-Part-SHA256": sha256().hexdigest()},
        )
        assert target.state() != after
        client.delete("/projects/noticed/runs/r")
    target.before = target.state()


def test_bad_requests_are_refused_and_change_and_tell_nothing(target: Target) -> None:
    bad = all_bad()
    assert len({each.sent(target.tokens) for each in bad}) > 600
    wrong: list[str] = []
    for each in bad:
        answer = target.ask(each.sent(target.tokens), is_whole=False)
        if status_of(answer) not in each.statuses:
            wrong.append(f"{each.told}: {answer[:300]!r}")
        if SECRET.encode() in answer or b"root:" in answer or b"\nX-Injected:" in answer:
            wrong.append(f"{each.told}: told {answer!r:.300}")
        if target.state() != target.before:
            target.before = target.state()
            wrong.append(f"{each.told}: changed something")
    assert not wrong, "\n".join(wrong)


def _request(head: str, body: bytes = b"") -> bytes:
    return head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body


WHO = f"GET {ROOT}/whoami HTTP/1.1\nHost: x"
BATCH = f"POST {MINE}/batch HTTP/1.1\nHost: x\nAuthorization: Bearer {{token}}\nContent-Type: application/json"
SMUGGLED = f"GET {ROOT}/projects/secret/runs HTTP/1.1\r\nHost: x\r\n\r\n".encode()
WIRE: list[bytes] = [
    _request(f"{BATCH}\nContent-Length: 5\nTransfer-Encoding: chunked", b"0\r\n\r\n" + SMUGGLED),
    _request(f"{BATCH}\nTransfer-Encoding: chunked\nContent-Length: 5", b"5\r\nhello\r\n0\r\n\r\n"),
    _request(f"{BATCH}\nContent-Length: 5\nContent-Length: 6", b"hello" + SMUGGLED),
    _request(f"{BATCH}\nContent-Length: 5, 6", b"hello" + SMUGGLED),
    _request(f"{BATCH}\nContent-Length: -5", b"hello"),
    _request(f"{BATCH}\nContent-Length: +5", b"hello"),
    _request(f"{BATCH}\nContent-Length: 0x5", b"hello"),
    _request(f"{BATCH}\nContent-Length: five", b"hello"),
    _request(f"{BATCH}\nContent-Length: {'9' * 400}", b"hello"),
    _request(f"{BATCH}\nContent-Length: {1 << 62}", b"hello"),
    _request(f"{BATCH}\nContent-Length: 100", b"hello"),
    _request(f"{BATCH}\nContent-Length: 5", b"hello" + SMUGGLED),
    _request(f"{BATCH}\nTransfer-Encoding: xchunked", b"5\r\nhello\r\n0\r\n\r\n"),
    _request(f"{BATCH}\nTransfer-Encoding: chunked, identity", b"5\r\nhello\r\n0\r\n\r\n"),
    _request(f"{BATCH}\nTransfer-Encoding : chunked", b"5\r\nhello\r\n0\r\n\r\n"),
    _request(f"{BATCH}\nTransfer-Encoding:\x0bchunked", b"5\r\nhello\r\n0\r\n\r\n"),
    _request(f"{BATCH}\nTransfer-Encoding: chunked", b"-5\r\nhello\r\n0\r\n\r\n"),
    _request(f"{BATCH}\nTransfer-Encoding: chunked", b"FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"),
    _request(f"{BATCH}\nTransfer-Encoding: chunked", b"5;" + b"x" * 100_000 + b"\r\nhello\r\n0\r\n\r\n"),
    _request(f"{BATCH}\nTransfer-Encoding: chunked", b"5\r\nhello\r\n0\r\nX: y\r\n\r\n" + SMUGGLED),
    _request(f"{BATCH}\nTransfer-Encoding: chunked", b"5\r\nhel"),
    _request(f"{BATCH}\nExpect: 100-continue\nContent-Length: 5"),
    _request(f"{BATCH}\nX: {'y' * 100_000}\nContent-Length: 2", b"{}"),
    _request(f"{BATCH}\n" + "\n".join(f"X{n}: y" for n in range(20_000)) + "\nContent-Length: 2", b"{}"),
    _request(f"{WHO}\n continued: yes"),
    _request(f"{WHO}\nX: a\x00b"),
    _request(f"{WHO}\nX: a\rb"),
    _request(f"{WHO}\nno colon"),
    _request(f"{WHO}\n: no name"),
    _request(f"{WHO}\nHost: y"),
    _request(f"GET {ROOT}/whoami HTTP/1.1"),
    _request(f"GET {ROOT}/whoami HTTP/9.9\nHost: x"),
    _request(f"GET {ROOT}/whoami"),
    _request(f"GET  {ROOT}/whoami HTTP/1.1\nHost: x"),
    _request(f"GET {ROOT}/who ami HTTP/1.1\nHost: x"),
    _request(f"GET {ROOT}/who\xe4mi HTTP/1.1\nHost: x"),
    _request(f"GET http://evil.example{ROOT}/projects/secret/runs HTTP/1.1\nHost: x"),
    _request("GET * HTTP/1.1\nHost: x"),
    _request("OPTIONS * HTTP/1.1\nHost: x"),
    _request("CONNECT evil.example:443 HTTP/1.1\nHost: evil.example:443"),
    _request("PRI * HTTP/2.0", b"SM\r\n\r\n"),
    _request(f"{WHO}\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: eA=="),
    _request(f"{WHO}\nUpgrade: h2c\nConnection: Upgrade, HTTP2-Settings\nHTTP2-Settings: AAMAAABkAAQAAP__"),
    _request(f"{WHO}\nAuthorization: Bearer a\nAuthorization: Bearer {{token}}"),
    SMUGGLED.replace(b"\r\n", b"\n"),
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    b"\x00" * 1000,
    b"\r\n" * 1000,
    b"GET",
    b"",
]  # fmt: skip


def test_what_is_hardly_http_is_refused_and_changes_and_tells_nothing(target: Target) -> None:
    wrong: list[str] = []
    for sent in WIRE:
        answer = target.ask(sent.replace(b"{token}", target.tokens["mine"].encode()))
        statuses = [int(found) for found in re.findall(rb"HTTP/1\.1 (\d+)", answer)]
        if not all(400 <= status < 500 for status in statuses) or SECRET.encode() in answer:
            wrong.append(f"{sent[:200]!r}: {answer!r:.300}")
        if target.state() != target.before:
            target.before = target.state()
            wrong.append(f"{sent[:200]!r}: changed something")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /api",
        _request(WHO)[:-2],
        _request(f"{BATCH}\nContent-Length: 100", b'{"prefix"'),
        _request(f"{BATCH}\nTransfer-Encoding: chunked", b'5\r\n{"pre'),
    ],
)
def test_who_dawdles_is_let_go(tmp_path: Path, sent: bytes) -> None:
    with (
        served(tmp_path, stall=0.2) as it,
        socket.create_connection(("127.0.0.1", it.port)) as client,
    ):
        client.settimeout(30)
        client.sendall(sent.replace(b"{token}", it.token.encode()))
        answer = b""
        while data := client.recv(1 << 16):
            answer += data
    assert status_of(answer) == (408 if b"POST" in sent else 0)


def test_a_body_that_trickles_is_ended_too(tmp_path: Path) -> None:
    with served(tmp_path, stall=30, body_seconds=0.3) as it:
        head = _request(f"{BATCH}\nContent-Length: 100000").replace(b"{token}", it.token.encode())
        with socket.create_connection(("127.0.0.1", it.port), timeout=30) as client:
            client.sendall(head)
            while not select.select([client], [], [], 0.02)[0]:
                client.sendall(b" ")
            assert status_of(client.recv(1000)) == 408


def test_who_goes_on_after_the_answer_is_let_go(tmp_path: Path) -> None:
    sent = _request(f"{BATCH}\nContent-Length: 100000").replace(b"{token}", b"us_x")
    with (
        served(tmp_path, stall=0.2) as it,
        socket.create_connection(("127.0.0.1", it.port), timeout=30) as client,
    ):
        client.sendall(sent)
        assert status_of(client.recv(10_000)) == 401
        with suppress(ConnectionError):  # the last byte may cross the end
            while not select.select([client], [], [], 0.02)[0]:
                client.sendall(b" ")
            assert client.recv(1000) == b""


def test_a_run_has_so_many_metrics_and_no_more(tmp_path: Path) -> None:
    with served(tmp_path, metrics=20, fields=30) as it, it.client() as client:
        at = "/projects/p/runs/r"

        def send(first: int, count: int) -> int:
            names = [f"metrics/m{n}/data.jsonl" for n in range(first, first + count)]
            lines = [lines_of(name, points(2))["lines"][0] for name in names]
            return client.post(f"{at}/batch", json={"prefix": "r", "lines": lines}).status_code

        assert [send(0, 15), send(15, 6), send(15, 5), send(20, 1), send(0, 20)] == [
            200,
            413,
            200,
            413,
            200,
        ]
        info = client.get(at).json()["info"]
        assert len(info["metrics"]) == 20
        assert sum(map(len, info["metrics"].values())) == 30
        assert len(client.get(f"{at}/metrics/m19").json()["points"]) == 2


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE runs; --", '" OR 1=1 --', "%_\\", "{project}", "${x}", "<script>"]
)
def test_odd_texts_are_kept_as_they_are(target: Target, text: str) -> None:
    with target.it.client() as client:
        at = f"/projects/{quote('odd ' + text, safe='')}/runs/r1"
        metric = f"metrics/{folder_name(text)}/data.jsonl"
        batch = lines_of(metric, points(1))
        said = {"description": text, "tags": [text], "bindrs": [text], "folder": text}
        params = {text: text}
        batch["documents"] = [
            {"path": path, "version": 1, "data": base64(json.dumps(what).encode())}
            for path, what in {"run.json": said, "parameters.json": params}.items()
        ]
        batch["prefix"] = text
        assert client.post(f"{at}/batch", json=batch).status_code == 200
        info = client.get(at).json()["info"]
        assert (info["project"], info["prefix"], info["params"]) == (f"odd {text}", text, params)
        assert (info["description"], info["tags"], info["folder"]) == (text, [text], text)
        assert len(client.get(f"{at}/metrics/{quote(text, safe='')}").json()["points"]) == 1
        found = client.get(at.rpartition("/")[0], params={"filter": f"{text!r} in tags"})
        assert found.json()["total"] == 1
        assert client.delete(at).status_code == 200
    target.before = target.state()


ODD = [
    b'{"step":1' + b"0" * 400 + b'}\n', b'{"loss":{"$null":"x"}}\n', b'{"loss":{"$null":"nan"},"step":{"$null":"inf"}}\n',
    b"[1,2]\n7\nnull\n\"x\"\n", b"\xff\xfe{\n", b'{"a":\n', b"\x00" * 100 + b"\n", b'{"ts":"x","level":[],"message":{}}\n',
    b'{"sizes":{"train":1},"step":0}\n', b'{"sizes":{"train":-5,"train2":18446744073709551615},"step":{"$null":"nan"}}\n',
    b'{"sizes":{"train":9223372036854775807},"step":-1}\n', b'{"sizes":[],"step":[]}\n{"sizes":{"train":3},"step":1e300}\n',
    b'{"set":7}\n{"set":{"a":{"b":1}}}\n', b"\n\n\n", b'{"' * 50 + b"\n", b'{"' + b"k" * 5000 + b'":[' + b"1," * 5000 + b"1]}\n",
]  # fmt: skip
ODD_DOCUMENTS = [
    {"status": 7, "tags": "x", "bindrs": {}, "created": "now", "attempts": [7, {"n": "1"}, {"n": -1}], "id": "s1", "project": "secret"},
    {"attempts": [{"n": 10**30, "status": "LOST"}], "created": 10**400, "description": ["x"], "folder": 0},
    {"n": 1, "status": "RUNNING", "started": 1, "beside": [1, 1, 10**30], "process": {"pid": 1, "host": "h"}},
    {"n": 1, "status": "FAILED", "started": -1e300, "ended": 1e300, "error": {"type": "x" * 9999, "message": "\x00"}, "process": {"pid": 1, "host": "h"}},
    {"lr": {"$null": "nan"}, "big": 10**30, "$null": 1, "": {"": {}}, "a.b": 1, "a": {"b": 2}, "nul": "\x00"}, {},
]  # fmt: skip


def test_whatever_is_kept_can_be_read(target: Target) -> None:
    with target.it.client() as client:
        at = "/projects/odd/runs/r1"
        paths = [
            "metrics/train/data.jsonl",
            "logs/logs.jsonl",
            "rewinds.jsonl",
            "parameters.jsonl",
            "system/data.jsonl",
        ]
        start = 0
        for number, data in enumerate(ODD):
            lines = [lines_of(path, data, start)["lines"][0] for path in paths]
            start += len(data)
            document = json.dumps(ODD_DOCUMENTS[number % len(ODD_DOCUMENTS)]).encode()
            documents = [
                {"path": name, "version": number, "data": base64(document)}
                for name in (
                    "run.json",
                    "attempts/1.json",
                    "parameters.json",
                    "git.json",
                    "environment.json",
                )
            ]
            batch = {"prefix": "r", "lines": lines, "documents": documents}
            assert client.post(f"{at}/batch", json=batch).status_code == 200
            accept = ("application/json", "application/msgpack")[number // len(ODD_DOCUMENTS) % 2]
            for asked in (
                "", "/log", "/log?limit=-5", "/log?after=3", "/metrics/train", "/metrics/train?max_points=2",
                "/metrics/train?start=0&stop=5", "/metrics/train?by=loss&start=-1", "/lengths", "/documents/run.json",
            ):  # fmt: skip
                found = client.get(at + asked, headers={"Accept": accept})
                assert (found.status_code, asked) == (200, asked)
            query = "filter=metrics.train.loss > 1 or params.big > 1&sort=duration"
            listed = client.get(f"/projects/odd/runs?{query}", headers={"Accept": accept})
            assert listed.status_code == 200
        info = client.get(at).json()["info"]
        assert (info["id"], info["project"]) == ("r1", "odd")
        assert client.delete(at).status_code == 200
    target.before = target.state()


def test_a_link_in_the_folder_of_the_server_is_not_followed(target: Target, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text(SECRET)
    with target.it.client() as client:
        at = "/projects/linked/runs/r1"
        data = b"x" * len(SECRET)
        told: dict[str, Any] = {"size": len(data), "sha256": sha256(data).hexdigest(), "parts": 1}
        client.post(f"{at}/batch", json={"prefix": "r"})
        before = {*(target.it.data / "files").rglob("*")}
        client.put(
            f"{at}/files/f1/parts/0", content=data, headers={"X-Part-SHA256": told["sha256"]}
        )
        assert client.post(f"{at}/files/f1", json={"prefix": "p", "name": "n", **told}).is_success
        (whole,) = [
            each for each in {*(target.it.data / "files").rglob("*")} - before if each.is_file()
        ]
        whole.unlink()
        whole.symlink_to(outside)
        answer = client.get(f"{at}/files/f1")
        assert SECRET not in answer.text
        assert answer.status_code >= 400
        assert client.delete(at).status_code == 200
        assert outside.read_text() == SECRET
    target.before = target.state()
