"""Starlette around decorated functions: routes, endpoints, streams, and clients that leave."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from understudy import Config, Runtime, ShadowStrategy

TWO = [{"n": 0}, {"n": 1}]


def shadowing(**settings: Any) -> Runtime:
    return Runtime(configs=TWO, strategy=ShadowStrategy(), **settings)


def app_of(runtime: Runtime, *routes: Any, **settings: Any) -> Starlette:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        async with runtime:
            yield

    return Starlette(routes=[*routes], lifespan=lifespan, **settings)


def counts(runtime: Runtime, name: str) -> list[tuple[int, int, int]]:
    """Return what each config of an experiment came to: planned, ok, cancelled."""
    return [(case.planned, case.ok, case.cancelled) for case in runtime.statistics()[name].cases]


def test_decorated_functions_are_routes_in_either_colour() -> None:
    runtime = shadowing()
    threads: list[tuple[str, int, str]] = []

    @runtime.experiment(name="async")
    async def on_the_loop(request: Request, config: Config) -> Response:
        threads.append(("async", config.n, threading.current_thread().name))
        return PlainTextResponse(f"{config.n} {request.query_params.get('config')}")

    @runtime.experiment(name="sync")
    def in_a_thread(request: Request, config: Config) -> Response:
        threads.append(("sync", config.n, threading.current_thread().name))
        return PlainTextResponse(f"{config.n} {request.query_params.get('config')}")

    app = app_of(runtime, Route("/async", on_the_loop), Route("/sync", in_a_thread))
    with TestClient(app) as client:
        assert client.get("/async?config=1").text == "0 1"
        assert client.get("/sync?config=1").text == "0 1"
    assert counts(runtime, "async") == counts(runtime, "sync") == [(1, 1, 0)] * 2
    where = {(colour, n): name for colour, n, name in threads}
    assert where["async", 0] == where["async", 1] != where["sync", 0]
    assert where["sync", 1].startswith("understudy shadow")


def test_endpoints_that_are_classes_may_have_decorated_methods() -> None:
    runtime = shadowing()

    class Page(HTTPEndpoint):
        @runtime.experiment(name="get")
        async def get(self, request: Request, config: Config) -> Response:
            return PlainTextResponse(f"got {request.path_params['name']} by {config.n}")

        @runtime.experiment(name="post")
        def post(self, request: Request, config: Config) -> Response:
            return PlainTextResponse(f"posted {request.path_params['name']} by {config.n}")

    class Echo(WebSocketEndpoint):
        encoding = "text"

        @runtime.experiment(name="receive", configs=TWO[:1])
        async def answer(self, websocket: WebSocket, data: Any, config: Config) -> None:
            await websocket.send_text(f"{config.n}: {data}")

        on_receive: Any = answer

    app = app_of(runtime, Route("/{name}", Page), WebSocketRoute("/echo/socket", Echo))
    with TestClient(app) as client:
        assert client.get("/tea").text == "got tea by 0"
        assert client.post("/tea").text == "posted tea by 0"
        with client.websocket_connect("/echo/socket") as socket:
            socket.send_text("hello")
            assert socket.receive_text() == "0: hello"
    for name in ("get", "post"):
        assert counts(runtime, name) == [(1, 1, 0)] * 2
    assert counts(runtime, "receive") == [(1, 1, 0)]


def test_a_background_task_may_be_an_experiment() -> None:
    runtime = shadowing()
    played: list[int] = []

    @runtime.experiment(name="after")
    def after(what: str, config: Config) -> None:
        played.append(config.n)

    async def route(request: Request) -> Response:
        return PlainTextResponse("fine", background=BackgroundTask(after, "it"))

    with TestClient(app_of(runtime, Route("/", route))) as client:
        assert client.get("/").text == "fine"
    assert sorted(played) == [0, 1]


def test_what_anyio_does_inside_a_branch_works_as_outside() -> None:
    """Its cancel scopes and task groups look at the task that runs, which a lead shares."""
    runtime = shadowing()
    ended: list[tuple[str, int]] = []

    @runtime.experiment(name="work")
    async def work(request: Request, config: Config) -> Response:
        with anyio.move_on_after(0.001) as scope:
            await anyio.sleep_forever()
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0)
            group.start_soon(anyio.to_thread.run_sync, lambda: ended.append(("thread", config.n)))
        with anyio.CancelScope(shield=True):
            await anyio.lowlevel.checkpoint()
        with pytest.raises(TimeoutError):
            with anyio.fail_after(0):
                await anyio.sleep_forever()
        ended.append(("all", config.n))
        return PlainTextResponse(str(scope.cancelled_caught))

    with TestClient(app_of(runtime, Route("/", work))) as client:
        assert client.get("/").text == "True"
    assert sorted(ended) == [("all", 0), ("all", 1), ("thread", 0), ("thread", 1)]


# Clients that leave


class Client:
    """One that speaks ASGI to an app by hand, so that it can leave at any moment."""

    def __init__(self, app: Any, path: str = "/") -> None:
        self.app = app
        self.sent: list[Any] = []
        self.has_left = asyncio.Event()
        self.has_asked = False
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "headers": [],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }

    async def get(self) -> None:
        await self.app(self.scope, self._receive, self._send)

    async def _receive(self) -> Any:
        if not self.has_asked:
            self.has_asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.has_left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.sent.append(message)


async def race(request: Request, work: Awaitable[Any]) -> Response:
    """Do some work, and give it up when the client leaves: the usual recipe."""

    async def leave(scope: anyio.CancelScope) -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(leave, group.cancel_scope)
        value = await work
        group.cancel_scope.cancel()
        return PlainTextResponse(str(value))
    return Response(status_code=499)


async def turns_until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until something holds; the limit of a test is its own."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0)


class Stand:
    """An experiment that waits, and says who began and who ended."""

    def __init__(self, **shadow: Any) -> None:
        self.runtime = Runtime(configs=TWO, strategy=ShadowStrategy(**shadow))
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.both = asyncio.Event()
        self.gate = asyncio.Event()

        @self.runtime.experiment(name="work")
        async def work(config: Config) -> int:
            self.begun.append(config.n)
            if len(self.begun) == 2:
                self.both.set()
            await self.gate.wait()
            self.ended.append(config.n)
            return int(config.n)

        self.work = work


async def raced(stand: Stand) -> Any:
    async def route(request: Request) -> Response:
        return await race(request, stand.work())

    return app_of(stand.runtime, Route("/", route))


async def streamed(stand: Stand) -> Any:
    async def body() -> AsyncIterator[str]:
        yield "first"
        yield str(await stand.work())

    async def route(request: Request) -> Response:
        return StreamingResponse(body())

    return app_of(stand.runtime, Route("/", route))


async def raced_behind_a_middleware(stand: Stand) -> Any:
    async def route(request: Request) -> Response:
        return await race(request, stand.work())

    async def pass_on(request: Request, call_next: Callable[..., Any]) -> Any:
        return await call_next(request)

    middleware = [Middleware(BaseHTTPMiddleware, dispatch=pass_on)]
    return app_of(stand.runtime, Route("/", route), middleware=middleware)


async def streamed_behind_a_middleware(stand: Stand) -> Any:
    async def body() -> AsyncIterator[str]:
        yield "first"
        yield str(await stand.work())

    async def route(request: Request) -> Response:
        return StreamingResponse(body())

    async def pass_on(request: Request, call_next: Callable[..., Any]) -> Any:
        return await call_next(request)

    middleware = [Middleware(BaseHTTPMiddleware, dispatch=pass_on)]
    return app_of(stand.runtime, Route("/", route), middleware=middleware)


APPS = [raced, streamed, raced_behind_a_middleware, streamed_behind_a_middleware]
each_app = pytest.mark.parametrize("make", APPS, ids=lambda make: make.__name__)


@each_app
async def test_a_client_that_leaves_cancels_the_lead_and_the_shadow_goes_on(
    make: Callable[[Stand], Awaitable[Any]],
) -> None:
    stand = Stand()
    app = await make(stand)
    async with stand.runtime:
        client = Client(app)
        request = asyncio.create_task(client.get())
        await stand.both.wait()
        client.has_left.set()
        await request
        lead, shadow = stand.runtime.statistics()["work"].cases
        assert (lead.cancelled, lead.in_flight, shadow.in_flight) == (1, 0, 1)
        stand.gate.set()
        await stand.runtime.drain()
        assert stand.ended == [1]
    assert counts(stand.runtime, "work") == [(1, 0, 1), (1, 1, 0)]


async def test_a_client_that_leaves_a_plain_route_cancels_nothing() -> None:
    stand = Stand()

    async def route(request: Request) -> Response:
        return PlainTextResponse(str(await stand.work()))

    async with stand.runtime:
        client = Client(app_of(stand.runtime, Route("/", route)))
        request = asyncio.create_task(client.get())
        await stand.both.wait()
        client.has_left.set()
        for _ in range(10):
            await asyncio.sleep(0)
        stand.gate.set()
        await request
    assert counts(stand.runtime, "work") == [(1, 1, 0)] * 2


async def test_a_client_that_leaves_a_decorated_stream_ends_the_lead_and_not_the_shadow() -> None:
    runtime = shadowing()
    begun, gate = asyncio.Semaphore(0), asyncio.Event()

    @runtime.experiment(name="words")
    async def words(config: Config) -> AsyncGenerator[str]:
        yield f"{config.n}: first"
        begun.release()
        await gate.wait()
        yield f"{config.n}: last"

    async def route(request: Request) -> Response:
        return StreamingResponse(words())

    async with runtime:
        client = Client(app_of(runtime, Route("/", route)))
        request = asyncio.create_task(client.get())
        for _ in TWO:
            await begun.acquire()
        client.has_left.set()
        await request
        assert [each.in_flight for each in runtime.statistics()["words"].cases] == [0, 1]
        gate.set()
    assert counts(runtime, "words") == [(1, 0, 1), (1, 1, 0)]


@each_app
async def test_its_shadow_leaves_too_if_that_is_wanted(
    make: Callable[[Stand], Awaitable[Any]],
) -> None:
    stand = Stand(cancel_with_primary=True)
    app = await make(stand)
    async with stand.runtime:
        client = Client(app)
        request = asyncio.create_task(client.get())
        await stand.both.wait()
        client.has_left.set()
        await request
    assert counts(stand.runtime, "work") == [(1, 0, 1)] * 2
    assert stand.ended == []


@each_app
async def test_a_client_that_stays_gets_its_answer(
    make: Callable[[Stand], Awaitable[Any]],
) -> None:
    stand = Stand()
    app = await make(stand)
    async with stand.runtime:
        client = Client(app)
        request = asyncio.create_task(client.get())
        await stand.both.wait()
        stand.gate.set()
        await request
    body = b"".join(message.get("body", b"") for message in client.sent)
    assert body in (b"0", b"first0")
    assert counts(stand.runtime, "work") == [(1, 1, 0)] * 2


async def test_a_hundred_clients_of_whom_every_second_leaves_are_accounted_for() -> None:
    stand = Stand()
    app = await raced(stand)
    async with stand.runtime:
        clients = [Client(app) for _ in range(100)]
        requests = [asyncio.create_task(client.get()) for client in clients]
        await turns_until(lambda: len(stand.begun) == 200)
        for client in clients[::2]:
            client.has_left.set()
        await asyncio.gather(*requests[::2])
        stand.gate.set()
        await asyncio.gather(*requests)
    assert counts(stand.runtime, "work") == [(100, 50, 50), (100, 100, 0)]


async def test_a_client_that_leaves_a_sync_lead_in_a_thread_leaves_at_once() -> None:
    runtime = shadowing()
    gate = threading.Event()
    begun = asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()

    @runtime.experiment(name="work")
    def work(config: Config) -> None:
        loop.call_soon_threadsafe(begun.release)
        gate.wait(10)

    async def route(request: Request) -> Response:
        return await race(request, runtime.call(work))

    async with runtime:
        client = Client(app_of(runtime, Route("/", route)))
        request = asyncio.create_task(client.get())
        for _ in TWO:
            await begun.acquire()
        client.has_left.set()
        await request
        assert [each.in_flight for each in runtime.statistics()["work"].cases] == [0, 1]
        gate.set()
    assert counts(runtime, "work") == [(1, 0, 1), (1, 1, 0)]
