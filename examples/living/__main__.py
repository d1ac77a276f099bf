"""A service that lives, and the dashboard that is mounted in it.

Run it: `make demo DASH=1`, or `python -m examples.living` where the extra `dash` is installed.
"""

import argparse
import asyncio
import random
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from examples.shadow.__main__ import answer, reply, runtime, vote

CLIENTS = 8
chance = random.Random(7)


async def live(number: int) -> None:
    """Be a client: ask, think, ask again."""
    while True:
        with suppress(ConnectionError, TimeoutError):
            asked = chance.choice([answer, answer, answer, reply])
            # somebody may pin `hanging` on the page, and is to see that go by
            await asked.options(timeout=2)(f"question {number}")
        if chance.random() < 0.02:
            await runtime.collect(vote, "which one?")
        await asyncio.sleep(chance.expovariate(2.0))


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncGenerator[None]:
    """Have clients for as long as the service runs."""
    async with runtime:
        clients = [asyncio.create_task(live(number)) for number in range(CLIENTS)]
        try:
            yield
        finally:
            for client in clients:
                client.cancel()
            await asyncio.wait(clients)


async def show_the_way(_: Request) -> PlainTextResponse:
    """Say where the dashboard is."""
    return PlainTextResponse("the dashboard: /experiments/\n")


def main() -> None:
    """Serve the dashboard under `/experiments/`, for this machine."""
    parser = argparse.ArgumentParser(prog="python -m examples.living", description=__doc__)
    parser.add_argument("--port", type=int, default=8765, help="%(default)s; 0 takes a free one")
    port = parser.parse_args().port
    token = secrets.token_urlsafe(16)
    page = runtime.dashboard(token=token, hosts=["127.0.0.1", "localhost"])
    service = Starlette(
        routes=[
            Route("/", show_the_way),
            Mount("/experiments", page),
        ],
        lifespan=lifespan,
    )
    config = uvicorn.Config(service, port=port, log_level="warning", timeout_graceful_shutdown=2)
    listening = config.bind_socket()
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/experiments/"
    print(f"A service lives, and shows what it does: {address}", flush=True)
    print(f"The token, to disable an experiment or pin a config there: {token}", flush=True)
    print("Ctrl-C ends it.", flush=True)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
