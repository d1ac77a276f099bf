"""Reload: experiments follow the files their configs are read from, all at once or not at all."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import Any, Final, cast, final

from understudy.actors import Emit
from understudy.configs import Config, ConfigError, watch_configs

from ._experiment import Experiment

TakeOver = Callable[[tuple[Config, ...]], tuple[Config, ...]]
"""Makes configs those of the runtime, and returns them as they then are."""


_RETRY: Final = 0.5
"""After how many seconds files are read again that were broken from the start."""


@final
class Follower:
    """Has experiments follow the configs of their runtime.

    Args:
        sources: what the configs are read from.
        current: returns the configs of the runtime.
        followers: returns the experiments that have no configs of their own.
        emit: takes events; None while nobody listens.
    """

    def __init__(
        self,
        sources: Any,
        current: Callable[[], tuple[Config, ...]],
        followers: Callable[[], Iterable[Experiment]],
        emit: Emit | None,
    ) -> None:
        self._sources = sources
        self._current = current
        self._followers = followers
        self._emit = emit
        self._tasks: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}
        self._lock = threading.Lock()

    def start(self, take_over: TakeOver) -> None:
        """Follow the files, on the loop that runs, until stopped there.

        Each loop follows them by itself, so that any of them may leave first.
        """
        loop = asyncio.get_running_loop()
        if loop not in self._tasks:
            task = loop.create_task(self._follow(take_over), name="understudy reload")
            self._tasks[loop] = task

    async def stop(self) -> None:
        """Follow them no more on the loop that runs."""
        task = self._tasks.pop(asyncio.get_running_loop(), None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _follow(self, take_over: TakeOver) -> None:
        """Follow them; if they are broken at the start, look again until they are not."""
        while True:
            try:
                await self._follow_from_now_on(take_over)
            except ConfigError as error:
                if self._is_first:
                    self._tell("config.rejected", error=error)
            await asyncio.sleep(_RETRY)

    async def _follow_from_now_on(self, take_over: TakeOver) -> None:
        async with aclosing(watch_configs(self._sources)) as reloads:
            async for configs, error in reloads:
                if error is None:
                    with self._lock:
                        self._take_over(configs, take_over)
                elif self._is_first:
                    self._tell("config.rejected", error=error)

    def _take_over(
        self,
        configs: tuple[Config, ...],
        take_over: TakeOver,
    ) -> None:
        """Use other configs from the next call on, if they fit every experiment."""
        if _told(configs) == _told(self._current()):
            return
        followers = [*self._followers()]
        self._tell("config.loaded", count=len(configs))
        try:
            for experiment in followers:
                for config in configs:
                    experiment.runtime.label_of(config)  # so that what is hidden is known in errors
                experiment.binder.check(configs)
        except ConfigError as error:
            self._tell("config.rejected", error=error)
            return
        taken = take_over(configs)
        for experiment in followers:
            experiment.use(taken)
            self._tell("config.activated", experiment=experiment.name, count=len(configs))

    @property
    def _is_first(self) -> bool:
        """Whether this loop is the one that tells what every loop finds out."""
        return next(iter(self._tasks), None) is asyncio.get_running_loop()

    def _tell(self, event: str, **fields: Any) -> None:
        if self._emit is not None:
            self._emit(event, source=_named(self._sources), **fields)


def _named(sources: Any) -> str | None:
    """Return the file that configs are read from, or the files; None if there are none."""
    if isinstance(sources, str | os.PathLike):
        return os.fspath(cast("str | os.PathLike[str]", sources))
    if not isinstance(sources, list | tuple):
        return None
    names = [_named(each) for each in cast("list[Any] | tuple[Any, ...]", sources)]
    return ", ".join(name for name in names if name) or None


def _told(configs: Iterable[Config]) -> list[tuple[str, Config]]:
    return [(config.id, config) for config in configs]
