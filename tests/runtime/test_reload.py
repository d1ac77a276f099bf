"""With `watch=True` experiments follow the files their configs are read from."""

from pathlib import Path
from typing import Annotated

import anyio
import msgspec
import pytest

from understudy import Bind, Config, ConfigError, Event, Runtime


class Model(msgspec.Struct):
    model: str


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "a.yaml").write_text("model: large")
    return tmp_path


class Listener:
    """A sink that lets a test wait until an event was told."""

    dropped = 0

    def __init__(self, event: str) -> None:
        self._awaited = event
        self.source: str | None = None
        self._told = anyio.Event()

    def put(self, event: Event, /) -> None:
        if event.event == self._awaited:
            self.source = event.source
            self._told.set()

    def flush(self, timeout: float) -> bool:
        return True

    def close(self, timeout: float) -> bool:
        return True

    async def told(self) -> None:
        with anyio.fail_after(20):
            await self._told.wait()


async def test_a_change_is_taken_over_from_the_next_call_on(directory: Path) -> None:
    sink = Listener("config.activated")
    runtime = Runtime(configs=directory, watch=True, events=sink)

    @runtime.experiment
    async def answer(config: Config) -> str:
        return str(config.model)

    @runtime.experiment(configs=[{"model": "own"}])
    async def other(config: Config) -> str:
        return str(config.model)

    async with runtime:
        assert await answer() == "large"
        (directory / "a.yaml").write_text("model: small")
        await sink.told()
        assert sink.source == str(directory)
        assert await answer() == "small"
        assert await answer.options(timeout=1)() == "small"
        assert await other() == "own"


async def test_a_broken_file_is_an_event_and_nothing_else(directory: Path) -> None:
    sink = Listener("config.rejected")
    runtime = Runtime(configs=directory, watch=True, events=sink)

    @runtime.experiment
    async def answer(config: Config) -> str:
        return str(config.model)

    async with runtime:
        assert await answer() == "large"
        (directory / "a.yaml").write_text("model: [")
        await sink.told()
        assert await answer() == "large"


async def test_configs_that_do_not_fit_an_experiment_are_not_taken_over(directory: Path) -> None:
    sink = Listener("config.rejected")
    runtime = Runtime(configs=directory, watch=True, events=sink)

    @runtime.experiment
    async def answer(config: Config) -> str:
        return str(config.model)

    @runtime.experiment
    async def typed(config: Annotated[Model, Bind()]) -> str:
        return config.model

    async with runtime:
        (directory / "a.yaml").write_text("other: 1")
        await sink.told()
        assert await answer() == await typed() == "large"


async def test_files_that_are_just_being_written_when_it_is_entered_are_followed_all_the_same(
    directory: Path,
) -> None:
    sink = Listener("config.rejected")
    runtime = Runtime(configs=directory, watch=True, events=sink)

    @runtime.experiment
    async def answer(config: Config) -> str:
        return str(config.model)

    (directory / "a.yaml").write_text("model: [")
    async with runtime:
        await sink.told()
        assert await answer() == "large"
        (directory / "a.yaml").write_text("model: small")
        with anyio.fail_after(20):
            while await answer() != "small":  # noqa: ASYNC110  # the file system tells nobody
                await anyio.sleep(0.01)


def test_configs_that_cannot_be_read_at_the_start_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="empty"):
        Runtime(configs=tmp_path / "empty", watch=True)
