"""A service that lives: it has a runtime, the page of it, and clients that count what they get."""

import asyncio
import itertools
import socket
import threading
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from understudy import CircuitBreaker, Config, Runtime, ShadowStrategy
from understudy.actors import MailboxFull

TOKEN = "open sesame"
WORKERS = 16
CALLED = ("answer", "reply", "moody", "narrow", "talk")
_RIGHT = {"answer": "trusted", "reply": "trusted few", "talk": "abc"}


class Living:
    """A service, in a thread of its own.

    Attributes:
        runtime: what it plays with.
        address: where it is.
    """

    def __init__(self, events: Any = None) -> None:
        self.runtime = Runtime(
            configs=[{"model": name} for name in ("trusted", "other", "failing", "slow")],
            strategy=ShadowStrategy(timeout=0.05),
            concurrency=3,
            mailbox=3,
            circuit=CircuitBreaker(failures=40, cooldown=3600.0),
            events=events,
        )
        self._functions = _declared(self.runtime)
        page = self.runtime.dashboard(token=TOKEN)
        routes = [
            Route("/call/{name}/{number:int}", self._call),
            Mount("/experiments", page),
        ]
        service = Starlette(routes=routes, lifespan=self._lifespan)
        config = uvicorn.Config(service, log_level="error", ws="none", timeout_graceful_shutdown=5)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}/experiments/"
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._listening],))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread.start()

    def _lifespan(self, _: Starlette) -> AbstractAsyncContextManager[None]:
        @asynccontextmanager
        async def live() -> AsyncGenerator[None]:
            self._loop = asyncio.get_running_loop()
            async with self.runtime:
                yield

        return live()

    async def _call(self, request: Request) -> Response:
        name, number = request.path_params["name"], request.path_params["number"]
        found: Any = self._functions[name](number)
        try:
            if name == "talk":
                return StreamingResponse(found)
            return PlainTextResponse(str(await found))
        except MailboxFull:
            return PlainTextResponse("too much", 503)
        except ValueError:
            return PlainTextResponse("moody", 502)

    def rest(self) -> None:
        """Wait until nothing is under way."""
        self._run(self.runtime.drain())

    def cut(self) -> int:
        """Cut all connections on which something is streamed; return how many."""

        async def cut() -> int:
            streams = [
                each
                for each in self._server.server_state.connections
                if "api/stream" in str((getattr(each, "scope", None) or {}).get("path"))
            ]
            for each in streams:
                each.transport.abort()
            return len(streams)

        return int(self._run(cut()))

    def _run(self, what: Coroutine[Any, Any, Any]) -> Any:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(20)

    def stop(self) -> None:
        """Stop it in order."""
        self._server.should_exit = True
        self._thread.join(20)
        self._listening.close()
        assert not self._thread.is_alive()

    def get(self, name: str, number: int = 1) -> tuple[int, str]:
        """Call one of its experiments; return the status and what it says."""
        answer = httpx2.get(f"http://127.0.0.1:{self.port}/call/{name}/{number}", timeout=20)
        return answer.status_code, answer.text


class Clients:
    """Clients that call all there is, one after the other, until they are told to stop.

    Attributes:
        counted: how often each experiment answered with each status.
        wrong: what was no right answer.
    """

    def __init__(self, port: int) -> None:
        self.counted: Counter[tuple[str, int]] = Counter()
        self.wrong: list[str] = []
        self._port = port
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._play()))
        self._thread.start()

    def calls(self, name: str) -> int:
        """Return how often an experiment was called."""
        return sum(count for (called, _), count in [*self.counted.items()] if called == name)

    def stop(self) -> None:
        """Let them have their answers, and go."""
        self._is_over.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    async def _play(self) -> None:
        asked = itertools.count()
        address = f"http://127.0.0.1:{self._port}/call"
        async with httpx2.AsyncClient(timeout=20) as client:

            async def work() -> None:
                while not self._is_over.is_set():
                    number = next(asked)
                    name = CALLED[number % len(CALLED)]
                    answer = await client.get(f"{address}/{name}/{number}")
                    self.counted[name, answer.status_code] += 1
                    if answer.status_code == 200 and answer.text != _RIGHT.get(name, str(number)):
                        self.wrong.append(f"{name} {number}: {answer.text}")

            await asyncio.gather(*(work() for _ in range(WORKERS)))


def _declared(runtime: Runtime) -> dict[str, Callable[[int], Any]]:
    """Declare what the service plays."""

    @runtime.experiment(name="answer", concurrency=64, mailbox=64)
    async def answer(number: int, config: Config) -> str:
        if config.model == "failing":
            raise ConnectionError("out of order")
        await asyncio.sleep(60.0 if config.model == "slow" else 0.002)
        return str(config.model)

    words = [{"words": "few"}, {"words": "many"}]

    @runtime.experiment(name="rewrite", configs=words, concurrency=64)
    async def rewrite(number: int, config: Config) -> str:
        await asyncio.sleep(0.001)
        return str(config.words)

    models = [{"model": "trusted"}, {"model": "other"}]

    @runtime.experiment(name="reply", configs=models, uses=[rewrite], concurrency=64)
    async def reply(number: int, config: Config) -> str:
        return f"{config.model} {await rewrite(number)}"

    @runtime.experiment(name="moody", configs=models, concurrency=64)
    async def moody(number: int, config: Config) -> int:
        await asyncio.sleep(0.001)
        if config.model == "trusted" and number % 4 == 0:
            raise ValueError("not today")
        return number

    @runtime.experiment(name="narrow", configs=models, concurrency=1, mailbox=1, overflow="reject")
    async def narrow(number: int, config: Config) -> int:
        await asyncio.sleep(0.02)
        return number

    @runtime.experiment(name="talk", configs=models, concurrency=64)
    async def talk(number: int, config: Config) -> AsyncIterator[str]:
        for letter in "abc":
            await asyncio.sleep(0.001)
            if config.model == "other" and letter == "c" and number % 2:
                raise ConnectionError("lost for words")
            yield letter

    return {"answer": answer, "reply": reply, "moody": moody, "narrow": narrow, "talk": talk}


@contextmanager
def living(events: Any = None) -> Generator[Living]:
    """Have a service, for as long as the block lasts."""
    service = Living(events)
    try:
        yield service
    finally:
        service.stop()


@contextmanager
def called_by_clients(service: Living) -> Generator[Clients]:
    """Have clients, for as long as the block lasts; after it, nothing is under way."""
    clients = Clients(service.port)
    try:
        yield clients
    finally:
        clients.stop()
    service.rest()
