"""Reload: atomic, the last good configs kept, a bad file an event and nothing else."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from understudy import Config, ConfigError, ExtraNotInstalledError
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


async def follow(watcher: Watcher, wanted: list[Any]) -> None:
    """Take what comes until the configs are the wanted ones: how often they come is open."""
    while True:
        configs, error = await watcher.next()
        if configs == wanted and error is None:
            return


async def test_a_folder_that_is_replaced_by_another(folder: Path) -> None:
    async with aclosing(watch_configs(folder, debounce_ms=20)) as reloads:
        watcher = Watcher(reloads)
        await watcher.next()
        other = folder.parent / "other"
        other.mkdir()
        (other / "a.yaml").write_text("model: other")
        folder.rename(folder.parent / "old")
        other.rename(folder)
        await follow(watcher, [{"model": "other"}])
        replace(folder / "a.yaml", "model: later")
        await follow(watcher, [{"model": "later"}])


async def test_a_folder_that_is_removed_and_made_again(folder: Path) -> None:
    async with aclosing(watch_configs(folder, debounce_ms=20)) as reloads:
        watcher = Watcher(reloads)
        await watcher.next()
        shutil.rmtree(folder)
        configs, error = await watcher.next()
        assert (configs, error is None) == ([{"model": "large"}], False)
        for model in ("again", "later"):
            folder.mkdir(exist_ok=True)
            replace(folder / "a.yaml", f"model: {model}")
            await follow(watcher, [{"model": model}])


async def test_a_link_that_is_swapped(folder: Path) -> None:
    other = folder.parent / "other"
    other.mkdir()
    (other / "a.yaml").write_text("model: other")
    current = folder.parent / "current"
    current.symlink_to(folder)
    async with aclosing(watch_configs(current, debounce_ms=20)) as reloads:
        watcher = Watcher(reloads)
        await watcher.next()
        (folder.parent / "new").symlink_to(other)
        os.replace(folder.parent / "new", current)
        await follow(watcher, [{"model": "other"}])
        replace(other / "a.yaml", "model: later")
        await follow(watcher, [{"model": "later"}])


async def test_the_folder_of_a_single_file_is_replaced(folder: Path) -> None:
    async with aclosing(watch_configs(folder / "a.yaml", debounce_ms=20)) as reloads:
        watcher = Watcher(reloads)
        await watcher.next()
        folder.rename(folder.parent / "old")
        folder.mkdir()
        (folder / "a.yaml").write_text("model: again")
        await follow(watcher, [{"model": "again"}])


async def test_a_linked_folder_below_is_followed(folder: Path) -> None:
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.yaml").write_text("model: b")
    (folder / "linked").symlink_to(elsewhere)
    async with aclosing(watch_configs(folder, debounce_ms=20)) as reloads:
        watcher = Watcher(reloads)
        await watcher.next()
        replace(elsewhere / "b.yaml", "model: c")
        await follow(watcher, [{"model": "large"}, {"model": "c"}])


async def test_an_import_from_a_folder_that_is_not_there_yet(folder: Path) -> None:
    async with aclosing(watch_configs(folder, debounce_ms=20)) as reloads:
        watcher = Watcher(reloads)
        await watcher.next()
        replace(folder / "a.yaml", "imports: ../shared/deep/base.yaml\nmodel: x")
        assert "does not exist" in str((await watcher.next())[1])
        (folder.parent / "shared/deep").mkdir(parents=True)
        (folder.parent / "shared/deep/base.yaml").write_text("size: 1")
        await follow(watcher, [{"size": 1, "model": "x"}])


async def test_two_watchers_and_one_that_is_cancelled(folder: Path) -> None:
    async def wait(watcher: Watcher) -> None:
        await watcher.next()
        pytest.fail("nothing changed")

    async with aclosing(watch_configs(folder, debounce_ms=20)) as one:
        async with aclosing(watch_configs([folder], debounce_ms=20)) as two:
            first, second = Watcher(one), Watcher(two)
            assert await first.next() == await second.next()
            async with anyio.create_task_group() as group:
                group.start_soon(wait, second)
                await anyio.lowlevel.checkpoint()
                group.cancel_scope.cancel()
        replace(folder / "a.yaml", "model: small")
        await follow(first, [{"model": "small"}])


async def test_sources_that_are_no_files(folder: Path) -> None:
    for source in ({"model": "fixed"}, Config(model="fixed")):
        async with aclosing(watch_configs(source, debounce_ms=20)) as reloads:
            assert await Watcher(reloads).next() == ([{"model": "fixed"}], None)


async def test_without_watchfiles_it_says_so_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.configs._watch.find_spec", lambda name: None)
    with pytest.raises(ExtraNotInstalledError, match="pip install watchfiles"):
        await anext(watch_configs(folder))


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
