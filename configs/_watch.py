"""Reload: configs that follow their files, the last good ones kept."""

import os
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from ._config import Config
from ._errors import ConfigError, ExtraNotInstalledError
from ._limits import DEFAULT_LIMITS, Limits
from ._sources import Source, is_one, parse_into


class Reload(NamedTuple):
    """What became of a change to the sources of some configs."""

    configs: tuple[Config, ...]
    """The configs in force: the new ones, or the last good ones."""
    error: ConfigError | None
    """Why the change was rejected; None when it was taken over."""


async def watch_configs(
    sources: Source | Sequence[Source], *, limits: Limits = DEFAULT_LIMITS, debounce_ms: int = 200
) -> AsyncGenerator[Reload]:
    """Yield the configs of some sources, and again after each change to their files.

    All sources are read anew, off the event loop, and taken over whole or not at all: a broken
    file, an empty directory or a missing import is yielded as an `error` beside the last good
    configs. Changes that leave every config as it was are not yielded. Files that were imported
    are followed too, wherever they are.

    Args:
        sources: as for `parse_configs`.
        limits: as for `parse_configs`.
        debounce_ms: how long the files must rest before they are read.

    Raises:
        ConfigError: the sources cannot be read at the start.
        ExtraNotInstalledError: watchfiles is not installed, which the extra `watch` brings.

    Example:
        >>> import asyncio, pathlib
        >>> from understudy.configs import watch_configs
        >>> async def first_two(directory: pathlib.Path) -> None:
        ...     async for configs, error in watch_configs(directory, debounce_ms=50):
        ...         print([config.model for config in configs], error)
        ...         if configs[0].model == "small":
        ...             return
        ...         (directory / "a.yaml").write_text("model: small")
        >>> directory = pathlib.Path("watched")
        >>> directory.mkdir()
        >>> _ = (directory / "a.yaml").write_text("model: large")
        >>> asyncio.run(first_two(directory))
        ['large'] None
        ['small'] None
    """
    import anyio

    if find_spec("watchfiles") is None:
        raise ExtraNotInstalledError("watch_configs", "watchfiles")
    reader = _Reader(sources, limits)
    one_at_a_time = anyio.CapacityLimiter(1)
    last = await anyio.to_thread.run_sync(reader.read, limiter=one_at_a_time)
    if last.error is not None:
        raise last.error
    yield last
    while True:
        directories = reader.directories
        async with aclosing(_changes(directories, debounce_ms)) as changes:
            async for _ in changes:
                found = await anyio.to_thread.run_sync(reader.read, limiter=one_at_a_time)
                if _as_seen(found) != _as_seen(last):
                    last = found
                    yield found
                if reader.directories != directories:
                    break


class _Reader:
    """Reads the sources whole, and remembers the last good configs and what to watch."""

    def __init__(self, sources: Any, limits: Limits) -> None:
        self._sources: list[Any] = [sources] if is_one(sources) else [*sources]
        self._limits = limits
        self._good: tuple[Config, ...] = ()
        self.directories: frozenset[Path] = frozenset()

    def read(self) -> Reload:
        """Return the configs as they are now, or the last good ones and what is wrong now."""
        files: dict[Path, None] = {}
        error: ConfigError | None = None
        try:
            self._good = tuple(parse_into(files, self._sources, self._limits))
        except ConfigError as problem:
            error = problem
        found = frozenset(_watched(files))
        self.directories = found if error is None else found | self.directories
        return Reload(self._good, error)


def _watched(files: Iterable[Path]) -> Iterator[Path]:
    """Yield the directories in which a change may matter."""
    for file in files:
        if not file.is_dir():
            yield file.resolve().parent
            yield file.absolute().parent
            continue
        for directory, below, _ in os.walk(file, followlinks=False):
            yield Path(directory).absolute()
            below[:] = [name for name in below if not name.startswith(".")]


async def _changes(directories: Iterable[Path], debounce_ms: int) -> AsyncGenerator[None]:
    """Yield once the directories are watched, to catch up, and then after each change in them."""
    from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType]  of a trio type

    is_watching = False
    watcher = awatch(
        *(directory for directory in directories if directory.is_dir()),
        watch_filter=None,
        debounce=debounce_ms,
        step=max(debounce_ms // 4, 1),
        rust_timeout=max(debounce_ms, 50),
        yield_on_timeout=True,
        recursive=False,
    )
    async with aclosing(watcher) as rounds:
        async for changes in rounds:
            if changes or not is_watching:
                is_watching = True
                yield


def _as_seen(reload: Reload) -> tuple[list[str], str]:
    return [repr(config) for config in reload.configs], str(reload.error)
