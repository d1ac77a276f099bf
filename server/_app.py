"""The server as an ASGI application: every request goes through here."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.metadata import version
from typing import Any, Final, final
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from ._answers import Refused, busy, refusal
from ._blobs import Blobs
from ._bodies import body_of
from ._calls import Call, Desk
from ._catalog import Catalog
from ._curves import Curves
from ._digest import Digest
from ._errors import AwayError, DiffersError, GapError, ServerError, TooBigError, UnfitError
from ._limits import Limits
from ._openapi import description
from ._queries import read_query
from ._rates import Rates
from ._routes import ROOT, match
from ._storage import Storage
from ._tokens import Door, check_right, new_token

_AWAY: Final = 5.0
"""After how many seconds to ask again, if the database is away."""
_AT_ONCE: Final = 4
"""How many long bodies are unpacked and taken at a time."""
_log = logging.getLogger("understudy.server")

Started = Callable[[str | None], None]
"""Told that the server is there, with a token, if it is the first one that was made."""


@final
class Server:
    """The ASGI application; `app` makes it.

    Attributes:
        failure: why it could not start.
    """

    def __init__(
        self,
        storage: Storage,
        blobs: Blobs,
        limits: Limits,
        *,
        clock: Callable[[], float],
        started: Started,
        page: Callable[[Request, str], Response],
    ) -> None:
        self.failure: Exception | None = None
        curves = Curves(storage)
        self._desk = Desk(
            storage,
            blobs,
            limits,
            clock,
            Digest(limits),
            curves,
            Catalog(storage, curves, limits.silence),
            version("understudy"),
            cache(description),
        )
        self._started, self._page = started, page
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._door = Door(
            storage,
            Rates(limits.rate, limits.burst, time.monotonic),
            Rates(limits.failures, limits.failures_burst, time.monotonic),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        else:
            request = Request(scope, receive)
            sending = _Sending(send)
            try:
                response = await self._answered(request)
                await response(scope, receive, sending)
            except ClientDisconnect:
                return
            except AwayError:
                if sending.has_begun:  # what was promised cannot be sent: the client must see it
                    raise
                await _away(request)(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        storage, blobs = self._desk.storage, self._desk.blobs
        try:
            await storage.open()
            await blobs.open()
            token = None
            if not await storage.list_tokens():
                token, kept = new_token("first", "*", "write", self._desk.clock())
                await storage.add_token(kept)
        except (OSError, ServerError) as error:
            await storage.close()
            await blobs.close()
            self.failure = error
            await send({"type": "lifespan.startup.failed", "message": ""})
            return
        await send({"type": "lifespan.startup.complete"})
        self._started(token)
        await receive()
        await blobs.close()
        await storage.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answered(self, request: Request) -> Response:
        path = _raw_path(request.scope)
        if path != ROOT and not path.startswith(f"{ROOT}/"):
            return self._page(request, path)
        try:
            return await self._routed(request, path.removeprefix(ROOT))
        except Refused as found:
            refused = found
        except GapError as error:
            refused = Refused(409, "gap", str(error), lengths=error.lengths)
        except DiffersError as error:
            refused = Refused(409, "differs", str(error), path=error.path, place=error.place)
        except TooBigError as error:
            refused = Refused(413, "too_big", str(error), what=error.what, limit=error.limit)
        except UnfitError as error:
            refused = Refused(422, "unfit", str(error))
        except AwayError as error:
            _log.warning("the storage is away: %s", error)
            return _away(request)
        return refusal(request, refused)

    async def _routed(self, request: Request, path: str) -> Response:
        route, names = match(request.method, path)
        token = None
        if route.scope is not None:
            token = await self._door.admit(request)
            check_right(token, names.get("project"), route.scope)
        query = read_query(request.scope["query_string"], route.query)

        async def handled(body: Any) -> Response:
            call = Call(request, self._desk, names, token, query, body)
            return await route.handle(call)

        if route.body is None or route.body is bytes:
            return await handled(None)
        async with body_of(request, route.body, self._desk.limits, self._turns) as body:
            return await handled(body)


@final
class _Sending:
    """Knows whether an answer has begun."""

    def __init__(self, send: Callable[[Message], Awaitable[None]]) -> None:
        self._send = send
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        self.has_begun = True
        await self._send(message)


def _raw_path(scope: Scope) -> str:
    """Return the path as it was sent, behind what the application is mounted at."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    path = raw.partition(b"?")[0].decode("ascii", "replace")
    return path.removeprefix(quote(scope.get("root_path", "")))


def _away(request: Request) -> Response:
    return refusal(request, busy("the storage is away: ask again later", _AWAY, 503, "away"))
