"""Reload: experiments follow the files their configs are read from, all at once or not at all."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import Any, final

from understudy.actors import Emit
from understudy.configs import Config, ConfigError, watch_configs

from ._experiment import Experiment

TakeOver = Callable[[tuple[Config, ...]], tuple[Config, ...]]
"""Makes configs those of the runtime, and returns them as they then are."""


@final
class Follower:
    """Has experiments follow the configs of their runtime.

    Args:
        sources: what the configs are read from.
        followers: returns the experiments that have no configs of their own.
        emit: takes events; None while nobody listens.
    """

    def __init__(
        self, sources: Any, followers: Callable[[], Iterable[Experiment]], emit: Emit | None
    ) -> None:
        self._sources = sources
        self._followers = followers
        self._emit = emit
        self._task: asyncio.Task[None] | None = None

    def start(self, take_over: TakeOver) -> None:
        """Follow the files, on the loop that runs, until stopped."""
        if self._task is None:
            self._task = asyncio.create_task(self._follow(take_over), name="understudy reload")

    async def stop(self) -> None:
        """Follow them no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _follow(self, take_over: TakeOver) -> None:
        try:
            async with aclosing(watch_configs(self._sources)) as reloads:
                async for configs, error in reloads:
                    if error is None:
                        self._take_over(configs, take_over)
                    else:
                        self._tell("config.rejected", error=error)
        except ConfigError as error:
            self._tell("config.rejected", error=error)

    def _take_over(
        self,
        configs: tuple[Config, ...],
        take_over: TakeOver,
    ) -> None:
        """Use other configs from the next call on, if they fit every experiment."""
        followers = [*self._followers()]
        if all(_ids(configs) == _ids(each.settings.configs) for each in followers):
            return
        self._tell("config.loaded", count=len(configs))
        try:
            for experiment in followers:
                experiment.binder.check(configs)
        except ConfigError as error:
            self._tell("config.rejected", error=error)
            return
        taken = take_over(configs)
        for experiment in followers:
            experiment.use(taken)
            self._tell("config.activated", experiment=experiment.name, count=len(configs))

    def _tell(self, event: str, **fields: Any) -> None:
        if self._emit is not None:
            self._emit(event, **fields)


def _ids(configs: Iterable[Config]) -> list[str]:
    return [config.id for config in configs]
