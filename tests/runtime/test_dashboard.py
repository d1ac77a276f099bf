"""The dashboard of a live runtime: mounted in a service, it shows what the runtime itself counts."""

import asyncio
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from understudy import (
    Config,
    ExperimentError,
    FileSink,
    MemorySink,
    Runtime,
    ShadowStrategy,
)

MODELS = [{"model": "large"}, {"model": "small"}]


def client_of(page: Any) -> httpx2.AsyncClient:
    service = FastAPI()
    service.mount("/_experiments", page)
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=service), base_url="http://here/_experiments/"
    )


async def shown(client: httpx2.AsyncClient, name: str, calls: int) -> dict[str, Any]:
    """Return what the page knows of an experiment, as soon as it knows of so many calls."""
    found: dict[str, Any] = {}
    for _ in range(500):
        state = (await client.get("api/state")).json()
        found = state.get(f"experiment:{name}", {})
        ends = ("ok", "error", "timeout", "cancelled", "shed", "skipped")
        ended = sum(found.get(end, 0) for end in ends)  # a shadow may not have begun yet
        if found.get("calls") == calls and ended == found.get("planned"):
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"the page does not show {calls} calls: {found}")


@pytest.mark.parametrize("others", [None, [MemorySink()], [lambda event: None]])
async def test_the_page_shows_what_the_runtime_counts(others: Any) -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy(), events=others)

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> str:
        if config.model == "small":
            raise ValueError("small")
        return str(config.model)

    page_of_all = runtime.dashboard()
    async with runtime, client_of(page_of_all) as client:
        for _ in range(20):
            await answer()
        await runtime.drain()
        found = await shown(client, "answer", 20)
        assert "ShadowStrategy" in str(found["strategy"])
        counted = runtime.statistics()["answer"]
        for case in found["cases"]:
            theirs = counted[case["config_id"]]
            assert sum(role["ok"] for role in case["roles"].values()) == theirs.ok
            assert sum(role["error"] for role in case["roles"].values()) == theirs.error
        page = await client.get("")
        assert page.status_code == 200
        assert "<title>" in page.text


async def test_the_page_names_the_service() -> None:
    runtime = Runtime(configs=MODELS, service="shop")

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> str:
        return str(config.model)

    async with client_of(runtime.dashboard()) as client, runtime:
        await answer()
        await shown(client, "answer", 1)
        [process] = (await client.get("api/state")).json()["overview"]["processes"]
    assert (process["service"], process["runtime"]) == ("shop", runtime.id)


async def test_one_board_is_behind_all_pages() -> None:
    runtime = Runtime(configs=MODELS)

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> str:
        return str(config.model)

    first = runtime.dashboard()
    async with runtime:
        await answer()
        second = runtime.dashboard()
        for page in (first, second):
            async with client_of(page) as client:
                assert (await shown(client, "answer", 1))["ok"] == 1


async def test_whoever_has_the_token_chooses_and_that_is_told() -> None:
    events = MemorySink()
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy(), events=events)

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> str:
        return str(config.model)

    small = answer.experiment.settings.configs[1].id

    async with runtime, client_of(runtime.dashboard(token="let me")) as client:

        async def order(**fields: str) -> int:
            headers = {"Authorization": "Bearer let me"}
            return (await client.post("api/control", json=fields, headers=headers)).status_code

        assert await order(action="pin", experiment="answer", config=small) == 200
        assert await answer() == "small"
        assert await order(action="disable", experiment="answer") == 200
        assert await answer() == "large"
        assert len(await runtime.collect(answer)) == 1
        assert await order(action="enable", experiment="answer") == 200
        assert await answer() == "small"
        assert await order(action="unpin", experiment="answer") == 200
        assert len(await runtime.collect(answer)) == 2
        assert await order(action="pin", experiment="answer", config="none") == 404
        assert await order(action="disable", experiment="none") == 404
    told = [(each.event, each.reason) for each in events.events if each.reason == "dashboard"]
    assert [name for name, _ in told] == [
        "experiment.pinned",
        "experiment.disabled",
        "experiment.enabled",
        "experiment.unpinned",
    ]


async def test_without_a_token_nobody_chooses() -> None:
    runtime = Runtime(configs=MODELS)
    async with client_of(runtime.dashboard()) as client:
        answer = await client.post("api/control", json={"action": "disable", "experiment": "x"})
    assert answer.status_code == 404


async def test_a_runtime_that_told_nobody_says_so(tmp_path: Any) -> None:
    def declared(events: Any) -> tuple[Runtime, Any]:
        runtime = Runtime(configs=MODELS, events=events)

        @runtime.experiment(name="answer")
        async def answer(config: Config) -> str:
            return str(config.model)

        return runtime, answer

    # The tests of this folder have every runtime told of; this one is made as users make it.
    told, answer = declared(FileSink(tmp_path / "events.jsonl"))
    async with told:
        await answer()
        async with client_of(told.dashboard()) as client:
            await answer()
            assert (await shown(client, "answer", 1))["ok"] == 1
    silent = declared(None)[0]
    silent._telling.emit = None
    async with silent:
        await silent.call(len, "abc")
        with pytest.raises(ExperimentError, match="before the first call"):
            silent.dashboard()
