"""One phase: a service, its runtime under load, and those who look on."""

import asyncio
import gc
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final

import msgspec
import uvicorn
from starlette.applications import Starlette

from benchmarks.never_harm._load import Load, offer_async, quantile, schedule
from benchmarks.never_harm._shadows import lead_async
from understudy import Config, Runtime, ShadowStrategy

from ._onlookers import PATH
from ._told import Amount, Phase, Way

_ROOT: Final = Path(__file__).parents[2]
_CONFIGS: Final = [{"model": "trusted"}, {"model": "cheaper"}, {"model": "failing"}]
_PATIENCE: Final = 20.0


def play(way: Way, amount: Amount, number: int) -> Phase:
    """Play one phase; one of the same number has the same schedule."""
    gc.collect()
    load = Load(schedule(amount.rate, amount.seconds, number))
    return asyncio.run(_play(way, load, amount.before))


async def _play(way: Way, load: Load, before: int) -> Phase:
    runtime = Runtime(configs=_CONFIGS, strategy=ShadowStrategy(), circuit=None)

    @runtime.experiment(name="answer")
    async def answer(number: int, config: Config) -> int:
        told = await lead_async(number)
        if config.model == "failing":
            raise ConnectionError("out of order")
        return told

    page: Any = runtime.dashboard() if way.has_page else None
    async with runtime, _serving(page) as port:
        for begin in range(0, before, 50):
            await asyncio.gather(*(answer(each) for each in range(begin, min(begin + 50, before))))
        async with _looking_on(way, page, port) as told:
            await offer_async(answer, load)
        await runtime.drain()
        behind = 0 if page is None else await _behind(port, before + len(load.arrivals))
    return Phase(
        requests=len(load.arrivals),
        lost=load.lost,
        p50=quantile(load.latencies, 0.5),
        p99=quantile(load.latencies, 0.99),
        lag=quantile(load.lags, 0.99),
        patches=sum(told),
        behind=behind,
    )


@asynccontextmanager
async def _serving(page: Any) -> AsyncGenerator[int]:
    """Serve on the loop that the primaries are played on; yield the port."""
    service = Starlette()
    if page is not None:
        service.mount(PATH.rstrip("/"), page)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(service, log_level="error", ws="none"))
        task = asyncio.create_task(server.serve([listening]))
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await task


@asynccontextmanager
async def _looking_on(way: Way, page: Any, port: int) -> AsyncGenerator[list[int]]:
    """Have clients look on; yield where it is noted how many patches they read."""
    told: list[int] = []
    if not way.clients:
        yield told
        return
    how = [str(port), str(way.clients), "reads" if way.reads else "never"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.dashboard._onlookers",
        *how,
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            while page.hub.clients < way.clients:  # noqa: ASYNC110  # nobody would set an event
                await asyncio.sleep(0.01)
        yield told
        async with asyncio.timeout(_PATIENCE):
            written, _ = await process.communicate(b"")
        told.append(int(written))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _behind(port: int, calls: int) -> int:
    """Return how many calls the page does not come to know of."""
    missing = calls
    for _ in range(round(_PATIENCE / 0.1)):
        missing = calls - await _calls(port)
        if missing == 0:
            break
        await asyncio.sleep(0.1)
    return missing


async def _calls(port: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with closing(writer):
        writer.write(f"GET {PATH}api/state HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
        _, _, body = (await reader.read()).partition(b"\r\n\r\n")
    return int(msgspec.json.decode(body)["overview"]["calls"])
