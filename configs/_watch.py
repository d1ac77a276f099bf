"""Reload: configs that follow their files, the last good ones kept."""

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing, suppress
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
        places = reader.places
        async with aclosing(_changes(places, debounce_ms)) as changes:
            async for _ in changes:
                found = await anyio.to_thread.run_sync(reader.read, limiter=one_at_a_time)
                if _as_seen(found) != _as_seen(last):
                    last = found
                    yield found
                if reader.places != places:
                    break


class _Places(NamedTuple):
    """Where a change may matter."""

    inside: frozenset[Path]
    """Directories in which every entry counts."""
    above: frozenset[Path]
    """Directories that hold those: in them, an entry counts that leads there."""
    identities: frozenset[tuple[Path, int, int]]
    """Which directories they are: another under the same name has to be watched anew."""

    def matter(self, _change: object, path: str) -> bool:
        """Tell whether a change to a path counts."""
        changed = Path(path)
        return changed.parent in self.inside or any(
            changed == place or changed in place.parents for place in self.inside
        )


class _Reader:
    """Reads the sources whole, and remembers the last good configs and what to watch."""

    def __init__(self, sources: Any, limits: Limits) -> None:
        self._sources: list[Any] = [sources] if is_one(sources) else [*sources]
        self._limits = limits
        self._good: tuple[Config, ...] = ()
        self._files: set[Path] = set()
        self.places = _places(())

    def read(self) -> Reload:
        """Return the configs as they are now, or the last good ones and what is wrong now."""
        files: dict[Path, None] = {}
        error: ConfigError | None = None
        try:
            self._good = tuple(parse_into(files, self._sources, self._limits))
        except ConfigError as problem:
            error = problem
        except (OSError, ValueError, RuntimeError) as problem:  # files change under our hands
            error = ConfigError(f"cannot be read: {problem}")
        self._files = set(files) if error is None else self._files | set(files)
        self.places = _places(self._files)
        return Reload(self._good, error)


def _places(files: Iterable[Path]) -> _Places:
    inside: set[Path] = set()
    for file in files:
        for path in (file.absolute(), _resolved(file)):
            inside.update(_directories(path, set()) if path.is_dir() else [path.parent])
    above = {_nearest(ancestor) for place in inside for ancestor in (place, place.parent)}
    watched = [(place, place.stat()) for place in above | inside if place.is_dir()]
    identities = frozenset((place, found.st_dev, found.st_ino) for place, found in watched)
    return _Places(frozenset(inside), frozenset(above), identities)


def _directories(directory: Path, seen: set[Path]) -> Iterator[Path]:
    """Yield a directory and those below it, as they are read: links followed, no dot-names."""
    real = _resolved(directory)
    if real in seen:
        return
    yield directory
    yield real
    with suppress(OSError):
        for entry in directory.iterdir():
            if entry.is_dir() and not entry.name.startswith("."):
                yield from _directories(entry, seen | {real})


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # links in a circle
        return path.absolute()


def _nearest(path: Path) -> Path:
    """Return the nearest directory above a path that is there."""
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path


async def _changes(places: _Places, debounce_ms: int) -> AsyncGenerator[None]:
    """Yield once the places are watched, to catch up, and then after each change in them."""
    from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType]  of a trio type

    is_watching = False
    watcher = awatch(
        *(place for place, _, _ in places.identities if place.is_dir()),
        watch_filter=places.matter,
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
