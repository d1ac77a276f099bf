"""Bad requests, some hundreds of them: each by the bytes that are sent."""

import gzip
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

ROOT = "/api/v1"
MINE = f"{ROOT}/projects/mine/runs/r1"
SECRET = "PLANTED-7f3a91"
"""What stands in another project, and in a file outside: it may be in no answer."""

_BAD = tuple(range(400, 500))


class Bad(NamedTuple):
    """A bad request.

    Attributes:
        told: what is bad about it.
        method: its method.
        path: its path, as it is sent.
        body: its body.
        headers: its headers, besides those that it needs.
        token: which token it has: `mine`, or what is given.
        statuses: by which statuses it may be answered.
    """

    told: str
    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})
    token: str = "mine"
    statuses: tuple[int, ...] = _BAD

    def sent(self, tokens: dict[str, str]) -> bytes:
        """Return the bytes that are sent."""
        token = tokens.get(self.token, self.token)
        headers = {"Host": "server", "Connection": "close"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if self.method in ("POST", "PUT", "PATCH") or self.body:
            headers["Content-Length"] = str(len(self.body))
            headers["Content-Type"] = "application/json"
        headers.update(self.headers)
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items() if value != "NONE"]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


TRAVERSALS = [
    "..", "../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e%2fsecret",
    "..%5c..%5csecret", "%252e%252e%252fsecret", "....//....//secret", "/etc/passwd", "%2fetc%2fpasswd",
    "..%c0%af..%c0%afsecret", "%00", "run.json%00.txt", "~root", "C:%5cwindows", "file:%2f%2f%2fetc%2fpasswd",
    "%f0%9f%98%80", ".name", "%ed%a0%80", "x" * 3000, "%0d%0aX-Injected:%201", "secret%2f..%2f..%2fsecret",
]  # fmt: skip
PLACES = [
    ("GET", "/projects/{}/runs"), ("GET", "/projects/{}/runs/r1"), ("GET", "/projects/mine/runs/{}"),
    ("GET", "/projects/mine/runs/r1/documents/{}"), ("GET", "/projects/mine/runs/r1/files/{}"),
    ("GET", "/projects/mine/runs/r1/metrics/{}"), ("PUT", "/projects/mine/runs/r1/files/{}/parts/0"),
    ("PUT", "/projects/mine/runs/r1/files/f9/parts/{}"), ("POST", "/projects/mine/runs/{}/batch"),
    ("DELETE", "/projects/mine/runs/{}"), ("GET", "/../{}"),
]  # fmt: skip
SQL = [
    "'; DROP TABLE runs; --", "' OR '1'='1", '" OR ""="', "1) UNION SELECT sha256, 1 FROM tokens --",
    "\\'; DELETE FROM tokens; --", "%' AND 1=CAST((SELECT 1) AS int) --", "$1; COPY runs TO '/tmp/x'",
]  # fmt: skip
SQL_PLACES = [
    *PLACES[:-1],
    *(("GET", f"/projects/mine/runs?{name}={{}}") for name in ("filter", "sort", "limit", "offset")),
    *(("GET", f"/projects/mine/runs/r1/log?{name}={{}}") for name in ("after", "limit")),
    *(("GET", f"/projects/mine/runs/r1/metrics/train?{name}={{}}") for name in ("start", "max_points")),
]  # fmt: skip
PATHS = [
    "../run.json", "/etc/passwd", "attempts/../run.json", "attempts/0.json", "attempts/-1.json", "files/x/y/model.pth",
    "metrics/../data.jsonl", "metrics/.hidden/data.jsonl", "metrics/a/b/data.jsonl", "metrics//data.jsonl", "run.json\n",
    "metrics/a\x00/data.jsonl", "C:\\run.json", "metrics/" + "x" * 300 + "/data.jsonl", "", ".", "heartbeat", "sync.json",
    "'; DROP TABLE runs; --", "metrics/é/data.jsonl", "logs/logs.jsonl/", "run.json/../../x", "RUN.JSON",
]  # fmt: skip
NUMBERS: list[Any] = [-1, -(2**63), 2**63, 2**64, 10**30, 1.5, "0", None, True, [], {}]
NAMES: list[Any] = ["", "a\x00b", "x" * 1001, "\u0007", "a\nb", 7, None, [], {"a": 1}]
TOKENS = [
    "", "us_", "us_wrong", "wrong", "x" * 8000, "us_" + "A" * 43, "' OR '1'='1", "*", "null", "Bearer", "%00", "\xff\xfe",
    "us_\x01", "{mine}", "us_wrong us_wrong",
]  # fmt: skip


def all_bad() -> list[Bad]:
    """Return all bad requests."""
    return [*_of_addresses(), *_of_batches(), *_of_bodies(), *_of_files(), *_of_tokens()]


def _of_addresses() -> Iterator[Bad]:
    for text in TRAVERSALS:
        for method, path in PLACES:
            yield Bad(f"traversal {text[:40]} in {method} {path}", method, ROOT + path.format(text))
        yield Bad(f"traversal {text[:40]} beside", "GET", f"/static/{text}")
    for text in SQL:
        for method, path in SQL_PLACES:
            address = ROOT + path.format(quote(text, safe=""))
            also = (200,) if "filter" in path else ()  # to our language it is a text
            yield Bad(f"SQL {text} in {method} {path}", method, address, statuses=(*_BAD, *also))
    for query in (
        "limit=0", "limit=-1", "limit=1001", "limit=1.5", "limit=" + "9" * 400, "offset=-1", "limit=1&limit=2", "sort=lr",
        "sort=-", "unknown=1", "filter=__import__('os')", "filter=" + "(" * 3000, "filter=params.a.__class__()", "filter=%00",
        "filter=%ff", "filter=%ed%a0%80", "filter=" + "a" * 4001, "filter=9**9**9", "&".join(f"a{n}=1" for n in range(50)),
        "filter=" + quote("[x for x in tags]"), "filter=" + quote("open('/etc/passwd')"), "filter=" + "not%20" * 600 + "1",
    ):  # fmt: skip
        yield Bad(f"query {query[:40]}", "GET", f"{ROOT}/projects/mine/runs?{query}")
    for query in (
        "max_points=1", "max_points=-5", "max_points=999999999", "max_points=x", "start=x", "stop=[]", "by=", "by=" + "x" * 1001,
    ):  # fmt: skip
        yield Bad(f"query {query[:40]}", "GET", f"{MINE}/metrics/train?{query}")
    for query in (
        "after=-1",
        "after=" + "9" * 30,
        "limit=99999",
        "limit=-99999",
        "limit=nan",
        "after=1.5",
    ):
        yield Bad(f"query {query[:40]}", "GET", f"{MINE}/log?{query}")
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "FOO", "POST"):
        yield Bad(f"method {method}", method, f"{ROOT}/whoami")
        yield Bad(f"method {method} of the page", method, "/")
    for path in (
        ROOT,
        f"{ROOT}/",
        f"{ROOT}//whoami",
        f"{ROOT}/nothing",
        f"{ROOT}/projects/mine",
        "/api",
        "/etc/passwd",
        "//",
    ):
        yield Bad(f"no such address {path}", "GET", path)


def _of_batches() -> Iterator[Bad]:
    for path in PATHS:
        yield _lines(f"path {path[:30]!r}", path=path)
        yield _document(f"path {path[:30]!r}", path=path)
    for number in NUMBERS:
        yield _lines(f"start {number!r}", start=number)
        if number != 2**63 - 1:
            yield _document(f"version {number!r}", version=number)
    for name in NAMES:
        yield _batch(f"prefix {str(name)[:20]!r}", {"prefix": name})
    for data in ("%%%", "YQ", 7, None, ["YQ=="], "Y" * 101):
        yield _lines(f"data {data!r:.30}", data=data)
    for line in (
        b"no end",
        b"",
        b"\n" * 2 + b"x",
        b"[" * 200 + b"]" * 200 + b"\n",
        b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"\n",
    ):
        yield _lines(f"lines {line[:20]!r}", data=_64(line))
    yield _lines("a long line", data=_64(b"x" * (1 << 20) + b"\n"))
    for text in (
        b"",
        b"[]",
        b"7",
        b"{",
        b"\xff",
        b'{"a":"\\ud800"}',
        b"{} {}",
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b'{"a":1e999}',
    ):
        yield _document(f"document {text[:20]!r}", data=_64(text))
    yield _batch(
        "a gap",
        {
            "prefix": "exp",
            "lines": [{"path": "logs/logs.jsonl", "start": 999999, "data": _64(b"{}\n")}],
        },
    )
    yield _batch(
        "other bytes",
        {"prefix": "exp", "lines": [{"path": "logs/logs.jsonl", "start": 0, "data": _64(b"[]\n")}]},
    )
    many = [
        {"path": f"metrics/m{n}/data.jsonl", "start": 0, "data": "e30K"} for n in range(100_000)
    ]
    yield _batch("100,000 metrics", {"prefix": "exp", "lines": many})
    odd: list[Any] = [7, "x", None, {"a": 1}, [7], [None], [[]], [{}]]
    for field in ("lines", "documents", "is_ended"):
        for value in odd:
            yield _batch(f"{field} {value!r}", {"prefix": "exp", field: value})


def _of_bodies() -> Iterator[Bad]:
    good = json.dumps({"prefix": "exp"}).encode()
    packed = gzip.compress(good)
    bomb = gzip.compress(bytes(65 << 20))
    for told, body, headers in (
        ("nothing", b"", {}), ("no JSON", b"prefix=exp", {}), ("truncated", good[:-3], {}), ("a list", b"[]", {}),
        ("null", b"null", {}), ("twice", good + good, {}), ("a surrogate", b'{"prefix":"\\ud800"}', {}),
        ("bad UTF-8", b'{"prefix":"\xff"}', {}), ("UTF-16", good.decode().encode("utf-16"), {}), ("NUL", b"\x00" * 100, {}),
        ("deep", b'{"prefix":"exp","lines":' + b"[" * 100_000 + b"]" * 100_000 + b"}", {}),
        ("a deep stranger", b'{"prefix":"exp","x":' + b"[" * 100_000, {}),
        ("truncated gzip", packed[:-5], {"Content-Encoding": "gzip"}), ("no gzip", good, {"Content-Encoding": "gzip"}),
        ("gzip and more", packed + b"more", {"Content-Encoding": "gzip"}), ("two gzips", packed * 2, {"Content-Encoding": "gzip"}),
        ("a bomb", bomb, {"Content-Encoding": "gzip"}), ("a bomb in a bomb", gzip.compress(bomb), {"Content-Encoding": "gzip"}),
        ("half a bomb", bomb[:30_000], {"Content-Encoding": "gzip"}),
        ("two encodings", packed, {"Content-Encoding": "gzip, gzip"}), ("brotli", good, {"Content-Encoding": "br"}),
        ("a form", good, {"Content-Type": "application/x-www-form-urlencoded"}), ("text", good, {"Content-Type": "text/plain"}),
        ("pickle", b"\x80\x04K\x07.", {"Content-Type": "application/python-pickle"}),
        ("JSON for msgpack", good, {"Content-Type": "application/msgpack"}),
        ("truncated msgpack", msgspec.msgpack.encode({"prefix": "exp"})[:-1], {"Content-Type": "application/msgpack"}),
        ("deep msgpack", b"\x91" * 100_000, {"Content-Type": "application/msgpack"}),
        ("a long msgpack that is short", b"\xdd\xff\xff\xff\xff", {"Content-Type": "application/msgpack"}),
        ("msgpack of bad UTF-8", b"\x81\xa6prefix\xa1\xff", {"Content-Type": "application/msgpack"}),
        ("16 MB and a byte", b" " * ((16 << 20) + 1), {}),
    ):  # fmt: skip
        yield Bad(f"body: {told}", "POST", f"{MINE}/batch", body, headers)


def _of_files() -> Iterator[Bad]:
    about = {"prefix": "models", "name": "m", "size": 1, "sha256": "0" * 64, "parts": 1}
    wrong: dict[str, list[Any]] = {
        "size": NUMBERS, "parts": [*NUMBERS, 2_000_000], "sha256": ["", "0", "0" * 63, "G" * 64, 7, None, "0" * 64 + "\n"],
        "name": ["", 7, None], "prefix": [7, None], "about": [7, "x", []],
    }  # fmt: skip
    for field, values in wrong.items():
        for value in values:
            body = json.dumps({**about, field: value}).encode()
            yield Bad(f"file: {field} {value!r:.30}", "POST", f"{MINE}/files/f9", body)
    deep = json.dumps(about)[:-1].encode() + b',"about":{"a":' + b"[" * 150 + b"]" * 150 + b"}}"
    yield Bad("file: about is deep", "POST", f"{MINE}/files/f9", deep)
    yield Bad("file: no parts", "POST", f"{MINE}/files/f9", json.dumps(about).encode())
    yield Bad(
        "file: too big",
        "POST",
        f"{MINE}/files/f9",
        json.dumps({**about, "size": 2**50, "parts": 0}).encode(),
    )
    for checksum in ("NONE", "", "0", "0" * 64, "G" * 64, "'; DROP TABLE runs; --", "0" * 65):
        headers = {"X-Part-SHA256": checksum}
        yield Bad(
            f"part: checksum {checksum[:20]}", "PUT", f"{MINE}/files/f9/parts/0", b"data", headers
        )
    for number in ("-1", "1000000", "9" * 30, "1.5", "x", "", "0x1", "٣"):
        yield Bad(f"part {number}", "PUT", f"{MINE}/files/f9/parts/{quote(number)}", b"data")
    yield Bad(
        "part: too big",
        "PUT",
        f"{MINE}/files/f9/parts/0",
        bytes((8 << 20) + 1),
        {"X-Part-SHA256": "0" * 64},
    )
    yield Bad(
        "part of no run",
        "PUT",
        f"{ROOT}/projects/mine/runs/none/files/f/parts/0",
        b"x",
        {"X-Part-SHA256": "0" * 64},
    )


def _of_tokens() -> Iterator[Bad]:
    addresses = [
        ("GET", f"{ROOT}/whoami"), ("GET", f"{ROOT}/projects/secret/runs"), ("POST", f"{ROOT}/projects/secret/runs/s1/batch"),
    ]  # fmt: skip
    for token in TOKENS:
        for method, path in addresses:
            yield Bad(f"token {token[:20]!r} for {method} {path}", method, path, b"", {}, token)
    secret = f"{ROOT}/projects/secret/runs/s1"
    for method, path in (
        ("GET", f"{ROOT}/projects/secret/runs"), ("GET", secret), ("GET", f"{secret}/lengths"), ("GET", f"{secret}/log"),
        ("GET", f"{secret}/metrics/train"), ("GET", f"{secret}/documents/run.json"), ("GET", f"{secret}/files"),
        ("GET", f"{secret}/files/f1"), ("GET", f"{secret}/files/f1/parts"), ("DELETE", secret), ("POST", f"{secret}/batch"),
        ("PUT", f"{secret}/files/f1/parts/0"), ("POST", f"{secret}/files/f1"), ("HEAD", secret), ("HEAD", f"{secret}/files/f1"),
        ("GET", f"{ROOT}/projects/mine/runs/s1"), ("GET", f"{ROOT}/projects/mine/runs/s1/files/f1"),
        ("GET", f"{ROOT}/projects/mine%2F..%2Fsecret/runs"), ("GET", f"{ROOT}/projects/SECRET/runs"),
        ("GET", f"{ROOT}/projects/secret%00/runs"), ("GET", f"{ROOT}/projects/*/runs"), ("GET", f"{ROOT}/projects/%2A/runs"),
    ):  # fmt: skip
        for token in ("mine", "reader"):
            yield Bad(f"another project: {method} {path} by {token}", method, path, b"", {}, token)
    for method, path in (
        ("POST", f"{MINE}/batch"),
        ("DELETE", MINE),
        ("PUT", f"{MINE}/files/f9/parts/0"),
        ("POST", f"{MINE}/files/f9"),
    ):
        yield Bad(
            f"a token that may only read: {method} {path}",
            method,
            path,
            b'{"prefix":"x"}',
            {},
            "reader",
        )


def _batch(told: str, body: Any) -> Bad:
    return Bad(f"batch: {told}", "POST", f"{MINE}/batch", json.dumps(body).encode())


def _lines(told: str, **given: Any) -> Bad:
    lines = {"path": "metrics/new/data.jsonl", "start": 0, "data": _64(b"{}\n"), **given}
    return _batch(f"lines: {told}", {"prefix": "exp", "lines": [lines]})


def _document(told: str, **given: Any) -> Bad:
    document = {"path": "run.json", "version": 2**62, "data": _64(b"{}"), **given}
    return _batch(f"document: {told}", {"prefix": "exp", "documents": [document]})


def _64(data: bytes) -> str:
    return b64encode(data).decode()
