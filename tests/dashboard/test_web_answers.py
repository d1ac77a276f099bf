"""What the application answers, and what it refuses."""

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from fastapi import FastAPI

from tests.dashboard.sample import Demo, lines
from understudy.cli import main
from understudy.configs import ExtraNotInstalledError
from understudy.dashboard import Board, app

HEADERS: dict[str, str] = import_module("understudy.dashboard._web").HEADERS
ODD = "a/b?c#d \"e\" 'f'\n<script>alert(1)</script> %2F ü"
TOKEN = "a-long-random-token"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Desk:
    """A control that writes down what is asked of it."""

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []

    def disable(self, experiment: str) -> None:
        self._known(experiment)
        self.done.append(("disable", experiment))

    def enable(self, experiment: str) -> None:
        self._known(experiment)
        self.done.append(("enable", experiment))

    def pin(self, experiment: str, config: str) -> None:
        self._known(experiment)
        if config != "c1":
            raise ValueError(f"answer has no config {config!r}: c1")
        self.done.append(("pin", experiment, config))

    def unpin(self, experiment: str) -> None:
        self._known(experiment)
        self.done.append(("unpin", experiment))

    @staticmethod
    def _known(experiment: str) -> None:
        if experiment != "answer":
            raise LookupError(f"there is no experiment {experiment!r}: answer")


def board() -> Board:
    board = Board()
    for line in lines(Demo(1000.0).until(1001.0)):
        board.take(line)
    odd = {"v": 1, "ts": 1004.0, "event": "call.planned", "level": "info", "seq": 1, "pid": 1}
    board.take(json.dumps({**odd, "experiment": ODD, "call_id": ODD}).encode())
    return board


def client_of(asgi: Any, path: str = "") -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=asgi)
    return httpx2.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:8765{path}")


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app(board())) as client:
        yield client


@pytest.fixture
async def desk() -> AsyncIterator[tuple[Desk, httpx2.AsyncClient]]:
    desk = Desk()
    async with client_of(app(board(), token=TOKEN, control=desk)) as client:
        yield desk, client


async def test_the_page_and_its_parts_are_given(client: httpx2.AsyncClient) -> None:
    page = await client.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for path in ("main.js", "page.css", "icon.svg", "vendor/uPlot.iife.min.js"):
        part = await client.get(f"/static/{path}")
        assert (part.status_code, len(part.content) > 100) == (200, True), path
    kinds = {
        name: (await client.get(f"/static/{name}")).headers["content-type"]
        for name in ("main.js", "page.css", "icon.svg")
    }
    assert kinds == {
        "main.js": "text/javascript; charset=utf-8",
        "page.css": "text/css; charset=utf-8",
        "icon.svg": "image/svg+xml; charset=utf-8",
    }


async def test_everything_that_the_page_names_is_there(client: httpx2.AsyncClient) -> None:
    page = (await client.get("/")).text
    asked = set(re.findall(r'(?:src|href)="(static/[^"]+)"', page))
    seen: set[str] = set()
    while asked - seen:
        path = min(asked - seen)
        seen.add(path)
        answer = await client.get(f"/{path}")
        assert answer.status_code == 200, path
        if path.endswith("main.js") or "vendor" not in path:
            asked |= {f"static/{name}" for name in re.findall(r"from '\./([^']+)'", answer.text)}
    assert len(seen) > 15


@pytest.mark.parametrize(
    "path",
    ["/", "/static/main.js", "/static/none", "/api/state", "/api/call/x", "/api/control", "/x"],
)
async def test_every_answer_says_that_nothing_is_from_elsewhere(
    client: httpx2.AsyncClient, path: str
) -> None:
    for method in ("GET", "POST", "HEAD", "DELETE", "OPTIONS"):
        answer = await client.request(method, path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/../_web.py",
        "/static/%2e%2e/_web.py",
        "/static//etc/passwd",
        "/static/vendor",
        "/static/vendor/",
        "/static/index.html",
        "/static/",
        "/static",
        "/etc/passwd",
        "/index.html",
        "/api",
    ],
)
async def test_no_other_file_is_given(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.text) == (404, "there is nothing here\n")


async def test_what_has_not_changed_is_not_sent_again(client: httpx2.AsyncClient) -> None:
    first = await client.get("/static/main.js")
    assert first.headers["cache-control"] == "no-cache"
    tag = {"if-none-match": first.headers["etag"]}
    again = await client.get("/static/main.js", headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    other = await client.get("/static/page.css", headers=tag)
    assert other.status_code == 200


async def test_there_is_only_reading(client: httpx2.AsyncClient) -> None:
    for path in ("/", "/static/main.js", "/api/state", "/api/stream", "/api/call/x"):
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            answer = await client.request(method, path)
            assert answer.status_code == 405, (method, path)


async def test_the_state_is_the_document_of_the_board() -> None:
    expected = board().document()
    async with client_of(app(board())) as client:
        answer = await client.get("/api/state")
    assert answer.json() == json.loads(json.dumps(expected))
    assert answer.headers["cache-control"] == "no-store"


async def test_an_experiment_and_a_call_are_found_by_any_name(client: httpx2.AsyncClient) -> None:
    for name in ("answer", "search/rank", ODD):
        answer = await client.get(f"/api/experiment/{quote(name, safe='')}")
        assert (answer.status_code, answer.json()["name"]) == (200, name)
    called = await client.get(f"/api/call/{quote(ODD, safe='')}")
    assert (called.status_code, called.json()["experiment"]) == (200, ODD)
    for path in ("call/none", "experiment/none", "call/", "none", "", "state/x"):
        assert (await client.get(f"/api/{path}")).status_code == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8765", 200),
        ("localhost", 200),
        ("LocalHost:1", 200),
        ("[::1]:8765", 200),
        ("evil.example", 421),
        ("localhost.evil.example:8765", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost@evil.example", 421),
        ("", 421),
        ("[", 421),
        ("[localhost]", 421),
        ("evil@localhost", 421),
        ("localhost:x", 421),
    ],
)
async def test_a_name_that_is_not_ours_is_refused_on_every_path(host: str, status: int) -> None:
    page = app(board(), hosts=["127.0.0.1", "localhost", "::1"], token=TOKEN, control=Desk())
    async with client_of(page) as client:
        for path in ("/", "/api/state", "/static/main.js"):
            answer = await client.get(path, headers={"host": host})
            assert answer.status_code == status
        if status == 421:
            for path in ("/api/stream", "/api/control"):
                assert (await client.get(path, headers={"host": host})).status_code == 421


async def test_it_can_be_mounted_anywhere() -> None:
    service = FastAPI()
    service.mount("/inner/_exp", app(board()))
    async with client_of(service) as client:
        assert (await client.get("/inner/_exp/")).text.startswith("<!doctype html>")
        assert (await client.get("/inner/_exp/api/state")).json()["overview"]["calls"] > 0
        assert (await client.get("/inner/_exp/static/main.js")).status_code == 200
        moved = await client.get("/inner/_exp")
        assert moved.status_code == 307
        assert moved.headers["location"].endswith("/_exp/")


async def test_without_its_slash_it_says_where_the_slash_is() -> None:
    page = app(board())

    async def stripped(scope: Any, receive: Any, send: Any) -> None:
        await page({**scope, "root_path": "/a/_exp"}, receive, send)

    async with client_of(stripped) as client:
        moved = await client.get("/a/_exp")
    assert (moved.status_code, moved.headers["location"]) == (307, "_exp/")


async def test_without_a_token_there_is_no_control(client: httpx2.AsyncClient) -> None:
    order = {"action": "disable", "experiment": "answer"}
    for headers in ({}, {"authorization": "Bearer "}, {"authorization": f"Bearer {TOKEN}"}):
        assert (await client.post("/api/control", json=order, headers=headers)).status_code == 404
    assert (await client.get("/api/control")).status_code == 404
    assert 'name="understudy-control" content="none"' in (await client.get("/")).text


BEARER = {"authorization": f"Bearer {TOKEN}"}


async def test_who_has_the_token_gives_orders(desk: tuple[Desk, httpx2.AsyncClient]) -> None:
    taken, client = desk
    for action in ("disable", "enable", "unpin"):
        order = {"action": action, "experiment": "answer"}
        answer = await client.post("/api/control", json=order, headers=BEARER)
        assert (answer.status_code, answer.json()) == (200, {"message": "done"})
    pin = {"action": "pin", "experiment": "answer", "config": "c1"}
    origin = {"origin": "http://127.0.0.1:8765", "sec-fetch-site": "same-origin"}
    assert (await client.post("/api/control", json=pin, headers=BEARER | origin)).is_success
    assert taken.done == [
        ("disable", "answer"),
        ("enable", "answer"),
        ("unpin", "answer"),
        ("pin", "answer", "c1"),
    ]
    assert 'name="understudy-control" content="token"' in (await client.get("/")).text


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (401, {}),
        (401, {"authorization": "Bearer wrong"}),
        (401, {"authorization": TOKEN}),
        (401, {"authorization": f"Basic {TOKEN}"}),
        (401, {"authorization": "Bearer "}),
        (403, BEARER | {"origin": "https://evil.example"}),
        (403, BEARER | {"origin": "http://127.0.0.1:9999"}),
        (403, BEARER | {"origin": "null"}),
        (403, BEARER | {"sec-fetch-site": "cross-site"}),
        (403, BEARER | {"sec-fetch-site": "same-site"}),
        (403, BEARER | {"sec-fetch-site": "none"}),
        (403, {"origin": "https://evil.example"}),
        (415, BEARER | {"content-type": "text/plain"}),
        (415, BEARER | {"content-type": "application/x-www-form-urlencoded"}),
    ],
)
async def test_an_order_of_somebody_else_is_refused(
    desk: tuple[Desk, httpx2.AsyncClient], status: int, headers: dict[str, str]
) -> None:
    taken, client = desk
    order = {"action": "disable", "experiment": "answer"}
    content = json.dumps(order).encode()
    given = {"content-type": "application/json", **headers}
    answer = await client.post("/api/control", content=content, headers=given)
    assert answer.status_code == status
    assert TOKEN not in answer.text
    assert taken.done == []


async def test_an_order_is_not_given_by_reading(desk: tuple[Desk, httpx2.AsyncClient]) -> None:
    taken, client = desk
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        answer = await client.request(method, "/api/control", headers=BEARER)
        assert answer.status_code == 405
    assert taken.done == []


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (400, b"", "Input data was truncated"),
        (400, b"[]", "Expected `object`, got `array`"),
        (400, b'{"action": "explode", "experiment": "answer"}', "explode"),
        (400, b'{"action": "disable"}', "experiment"),
        (400, b'{"action": "disable", "experiment": "answer", "x": 1}', "unknown field"),
        (400, b'{"action": "pin", "experiment": "answer"}', "pin needs the id of a config"),
        (400, b'{"action": "pin", "experiment": "answer", "config": "c9"}', "no config 'c9'"),
        (404, b'{"action": "disable", "experiment": "other"}', "no experiment 'other'"),
        (413, b" " * 5000, "4096 bytes"),
    ],
)
async def test_an_order_that_cannot_be_carried_out_says_why(
    desk: tuple[Desk, httpx2.AsyncClient], status: int, content: bytes, said: str
) -> None:
    taken, client = desk
    headers = BEARER | {"content-type": "application/json"}
    answer = await client.post("/api/control", content=content, headers=headers)
    assert (answer.status_code, said in answer.json()["message"]) == (status, True), answer.text
    assert taken.done == []


def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in ("_app", "_serve"):
        monkeypatch.setattr(f"understudy.dashboard.{module}.find_spec", lambda name: None)
    with pytest.raises(ExtraNotInstalledError, match="needs starlette, which is not installed"):
        app(Board())
    assert main(["dashboard", "events.jsonl"]) == 1
    advice = "starlette and uvicorn, which are not installed: pip install starlette uvicorn\n"
    assert capsys.readouterr().err.endswith(advice)


def test_who_only_reads_logs_needs_no_server() -> None:
    script = "import sys, understudy.cli; print({'starlette', 'uvicorn'} & {*sys.modules})"
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert told.stdout == "set()\n"


def test_a_token_needs_a_control_and_must_not_be_empty() -> None:
    with pytest.raises(ValueError, match="control="):
        app(Board(), token=TOKEN)
    with pytest.raises(ValueError, match="empty"):
        app(Board(), token="", control=Desk())


async def test_it_ends_its_streams_with_the_server() -> None:
    page = app(board())
    said = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(said)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await page({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert page.hub.is_closed


async def test_a_web_socket_is_refused() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    page = app(board())
    await page({"type": "websocket", "path": "/", "headers": []}, receive, send)
    assert sent == ["websocket.close"]
