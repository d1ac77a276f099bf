"""The page and what it reads, as an ASGI application to mount anywhere: `app` makes it."""

import asyncio
import re
import shlex
from collections.abc import Collection, Iterable
from contextlib import aclosing
from html import escape
from typing import Any, final

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from understudy.events import Event
from understudy.pages import HEADERS, Parts

from ._control import ControlDesk
from ._host import Host
from ._hub import Hub
from ._lines import Line
from ._shared import SharedBoard

_STREAM = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}
_HOST = re.compile(r"([^\[\]:@]+|\[[0-9a-f:.]+\])(:[0-9]+)?")
_LONGEST = 1_000
"""Of what is asked for, so many characters are."""
_LAST_WORDS = 0.25
"""Seconds that a stream has to end by itself once the server stops."""


@final
class Page:
    """The ASGI application; `app` makes it.

    Attributes:
        hub: those who look on.
    """

    def __init__(
        self,
        board: SharedBoard,
        desk: ControlDesk,
        hosts: Collection[str] | None = None,
        files: Iterable[str] = (),
    ) -> None:
        self._board, self._desk = board, desk
        self._hosts = None if hosts is None else {host.lower() for host in hosts}
        self._host = Host()
        self.hub: Hub = Hub(board, should_stop=self._host.is_stopping)
        texts = {
            "control": "token" if desk.is_open else "none",
            "files": escape(" ".join(map(shlex.quote, files))),
        }
        self._parts = Parts("understudy.dashboard", texts)

    def __repr__(self) -> str:
        what = "under control" if self._desk.is_open else "read-only"
        return f"<Page, {what}>"

    def take(self, lines: Iterable[bytes | Line | Event]) -> None:
        """Take lines of a log, or events, from any thread: they are shown."""
        self._board.take(lines)

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        self.hub.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        else:
            await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if not self._is_for_us(request):
            response = _text(421, "this server does not go by that name")
        elif path == "/api/control":
            response = await self._order(request)
        elif request.method not in ("GET", "HEAD"):
            response = _text(405, "there is only GET here")
        elif path == "":  # the page's parts are relative to the slash
            last = scope["path"].rpartition("/")[2]
            response = Response(status_code=307, headers={"Location": f"{last}/", **HEADERS})
        elif path == "/api/stream" and request.method == "GET":
            await _Stream(self.hub, self._host)(scope, receive, send)
            return
        elif path.startswith("/api/"):
            response = await asyncio.to_thread(
                self._read, path.removeprefix("/api/"), request.query_params.get("q", "")
            )
        else:
            response = self._part(request, path)
        await response(scope, receive, send)

    def _is_for_us(self, request: Request) -> bool:
        named = _HOST.fullmatch(request.headers.get("host", "").lower())
        return self._hosts is None or (named is not None and named[1].strip("[]") in self._hosts)

    async def _order(self, request: Request) -> Response:
        try:
            status, text = await self._desk.take(request)
        except ClientDisconnect:
            status, text = 400, "gone"
        return _json({"message": text}, status)

    def _read(self, what: str, asked: str) -> Response:
        kind, _, name = what.partition("/")
        if what == "state":
            return _json(self._board.document())
        if what == "calls":
            return _json(self._board.found_calls(asked[:_LONGEST]))
        found = None
        if kind == "call":
            found = self._board.call(name)
        elif kind == "experiment":
            found = self._board.experiment(name)
        if found is None:
            return _json({"message": f"there is no {kind} {name!r} here (any more)"}, 404)
        return _json(found)

    def _part(self, request: Request, path: str) -> Response:
        found = self._parts.answer(path, request.headers.get("if-none-match"))
        if found is None:
            return _text(404, "there is nothing here")
        status, headers, body = found
        return Response(body, status, headers)


def _text(status: int, text: str) -> Response:
    headers = {**HEADERS, "Content-Type": "text/plain; charset=utf-8"}
    return Response(f"{text}\n", status, headers)


def _json(data: Any, status: int = 200) -> Response:
    kind = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(msgspec.json.encode(data), status, {**HEADERS, **kind})


@final
class _Stream:
    """One client of the hub: until it goes, its time is over, or the server stops."""

    def __init__(self, hub: Hub, host: Host) -> None:
        self._hub, self._host = hub, host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._host.find()
        last_id = Request(scope).headers.get("last-event-id")
        writing = asyncio.ensure_future(self._write(last_id, send))
        leaving = asyncio.ensure_future(_until_gone(receive))
        try:
            ended = {writing, leaving}
            while not writing.done() and not leaving.done():
                # A client that never reads holds its writer for good: it must not hold the server.
                await asyncio.wait(ended, timeout=_LAST_WORDS, return_when="FIRST_COMPLETED")
                if self._hub.is_closed and not writing.done():
                    await asyncio.wait(ended, timeout=_LAST_WORDS, return_when="FIRST_COMPLETED")
                    if not writing.done() and not leaving.done():
                        self._host.cut(scope.get("client"))
                        break
        finally:
            writing.cancel()
            leaving.cancel()
            await asyncio.wait({writing, leaving})
            if not writing.cancelled():
                writing.exception()

    async def _write(self, last_id: str | None, send: Send) -> None:
        headers = {**HEADERS, **_STREAM}
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        start: Message = {"type": "http.response.start", "status": 200, "headers": encoded}
        await send(start)
        async with aclosing(self._hub.stream(last_id)) as stream:
            async for text in stream:
                await send({"type": "http.response.body", "body": text, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
