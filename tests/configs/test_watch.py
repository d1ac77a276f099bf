"""Reload: atomic, the last good configs kept, a bad file an event and nothing else."""

import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from understudy import ConfigError
from understudy.configs import Reload, watch_configs


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/a.yaml").write_text("model: large")
    return tmp_path / "configs"


def replace(file: Path, text: str) -> None:
    """Write as careful editors do: whole, beside it, and then over it."""
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(text)
    os.replace(beside, file)


class Watcher:
    """The reloads of some sources, each waited for by name."""

    def __init__(self, reloads: AsyncIterator[Reload]) -> None:
        self._reloads = reloads

    async def next(self) -> tuple[list[Any], str | None]:
        with anyio.fail_after(20):
            configs, error = await anext(self._reloads)
        return [config.to_dict() for config in configs], None if error is None else str(error)


async def test_changes_are_taken_over_and_bad_ones_rejected(folder: Path) -> None:
    async with aclosing(watch_configs(folder, debounce_ms=20)) as reloads:
        watcher = Watcher(reloads)
        assert await watcher.next() == ([{"model": "large"}], None)
        replace(folder / "a.yaml", "model: small")
        assert await watcher.next() == ([{"model": "small"}], None)
        replace(folder / "a.yaml", "model: [")
        configs, error = await watcher.next()
        assert configs == [{"model": "small"}]
        assert str(error).startswith(f"{folder}/a.yaml:1: not YAML")
        replace(folder / "a.yaml", "- a list")
        assert "expected a mapping" in str((await watcher.next())[1])
        replace(folder / "a.yaml", "model: small")
        assert await watcher.next() == ([{"model": "small"}], None)


async def test_new_files_new_folders_and_deleted_ones(folder: Path) -> None:
    async with aclosing(watch_configs(folder, debounce_ms=20)) as reloads:
        watcher = Watcher(reloads)
        await watcher.next()
        (folder / "below").mkdir()
        replace(folder / "below/b.json", '{"model": "b"}')
        assert await watcher.next() == ([{"model": "large"}, {"model": "b"}], None)
        replace(folder / "below/b.json", '{"model": "c"}')
        assert await watcher.next() == ([{"model": "large"}, {"model": "c"}], None)
        (folder / "below/b.json").unlink()
        assert await watcher.next() == ([{"model": "large"}], None)
        (folder / "a.yaml").unlink()
        configs, error = await watcher.next()
        assert configs == [{"model": "large"}]
        assert "an empty directory" in str(error)


async def test_imported_files_are_followed_wherever_they_are(folder: Path) -> None:
    shared = folder.parent / "shared"
    shared.mkdir()
    (shared / "base.yaml").write_text("size: 1")
    replace(folder / "a.yaml", "imports: ../shared/base.yaml\nmodel: large")
    async with aclosing(watch_configs(str(folder / "a.yaml"), debounce_ms=20)) as reloads:
        watcher = Watcher(reloads)
        assert await watcher.next() == ([{"size": 1, "model": "large"}], None)
        replace(shared / "base.yaml", "size: 2")
        assert await watcher.next() == ([{"size": 2, "model": "large"}], None)
        (shared / "base.yaml").unlink()
        configs, error = await watcher.next()
        assert configs == [{"size": 2, "model": "large"}]
        assert "does not exist" in str(error)
        replace(shared / "base.yaml", "size: 3")
        assert await watcher.next() == ([{"size": 3, "model": "large"}], None)


async def test_a_change_that_changes_no_config_is_not_told(folder: Path) -> None:
    async with aclosing(watch_configs([folder, {"model": "fixed"}], debounce_ms=20)) as reloads:
        watcher = Watcher(reloads)
        await watcher.next()
        replace(folder / "a.yaml", "# the same\nmodel: large")
        (folder / "notes.txt").write_text("nothing")
        await anyio.sleep(0.2)
        replace(folder / "a.yaml", "model: 1")
        assert await watcher.next() == ([{"model": 1}, {"model": "fixed"}], None)
        replace(folder / "a.yaml", "model: 1.0")
        configs, _ = await watcher.next()
        assert repr(configs) == "[{'model': 1.0}, {'model': 'fixed'}]"


async def test_a_mount_that_is_swapped_whole(folder: Path) -> None:
    """As Kubernetes updates a mounted directory: a link to another directory, in one step."""
    mount = folder.parent / "mount"
    for version, size in (("..1", 1), ("..2", 2)):
        (mount / version).mkdir(parents=True)
        (mount / version / "a.yaml").write_text(f"size: {size}")
    (mount / "..data").symlink_to("..1")
    (mount / "a.yaml").symlink_to("..data/a.yaml")
    async with aclosing(watch_configs(mount, debounce_ms=20)) as reloads:
        watcher = Watcher(reloads)
        assert await watcher.next() == ([{"size": 1}], None)
        (mount / "..new").symlink_to("..2")
        os.replace(mount / "..new", mount / "..data")
        assert await watcher.next() == ([{"size": 2}], None)


async def test_sources_that_are_broken_at_the_start_raise(folder: Path) -> None:
    replace(folder / "a.yaml", "- 1")
    with pytest.raises(ConfigError, match="expected a mapping"):
        async for _ in watch_configs(folder):
            pytest.fail("nothing to yield")


async def test_the_loop_is_never_held(folder: Path) -> None:
    """Reading is done in a thread: the loop turns while a large file is read."""
    (folder / "a.yaml").write_text("items: [" + "1, " * 200_000 + "1]")
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    async with anyio.create_task_group() as group:
        group.start_soon(count)
        async with aclosing(watch_configs(folder, debounce_ms=20)) as reloads:
            await Watcher(reloads).next()
        assert turns > 10
        group.cancel_scope.cancel()
