"""The dashboard of a runtime that is live: its events on a board, and what may be ordered there."""

import os
import time
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any, Final, final

from understudy.dashboard import Board, SharedBoard, app
from understudy.events import EVENTS, VERSION, Event

from ._choosing import Choosing
from ._experiment import Experiment
from ._sinks import Behind

_Message = MutableMapping[str, Any]
AsgiApplication = Callable[
    [_Message, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]],
    Awaitable[None],
]
"""What web frameworks mount."""
_AT_ONCE: Final = 50
"""After so many events the loop, which plays the primaries, has its turn."""
_BY: Final = "dashboard"
"""The reason of what is ordered on the page, in the events of it."""


@final
class BoardSink(Behind):
    """Lays events onto a board, in a thread.

    Args:
        board: the board.
        capacity: how many events may wait for it.
    """

    def __init__(self, board: SharedBoard, *, capacity: int = 8192) -> None:
        self._board = board
        super().__init__("a dashboard", capacity)

    def _deal_with(self, events: list[Event], news: int) -> list[bool]:
        self._board.take(events)
        return [True] * len(events)


@final
class Showing:
    """What a runtime shows of itself.

    Args:
        runtime_id: the id of the runtime.
        choosing: turns its switches.
        experiments: finds its experiments.
        service: the name of the service.

    Attributes:
        sink: takes its events.
    """

    def __init__(
        self,
        runtime_id: str,
        choosing: Choosing,
        experiments: Callable[[], list[Experiment]],
        service: str | None,
    ) -> None:
        self._board = SharedBoard(Board(clock=time.time), at_once=_AT_ONCE)
        self._control = Controls(choosing, experiments)
        self._board.take([_registered(each, runtime_id, service) for each in experiments()])
        self.sink: BoardSink = BoardSink(self._board)

    def page(self, token: str | None, hosts: Collection[str] | None) -> AsgiApplication:
        """Make a page of it."""
        control = None if token is None else self._control
        return app(self._board, token=token, control=control, hosts=hosts)


def _registered(experiment: Experiment, runtime_id: str, service: str | None) -> Event:
    """Return what was told of an experiment before anybody listened."""
    name = "experiment.registered"
    settings = experiment.settings
    return Event(
        v=VERSION,
        ts=time.time(),
        event=name,
        level=EVENTS[name],
        seq=0,
        pid=os.getpid(),
        service=service,
        runtime=runtime_id,
        experiment=experiment.name,
        count=len(settings.configs),
        strategy=type(settings.strategy).__name__,
    )


@final
class Controls:
    """Carries out what is ordered on the page, for all experiments of a name.

    Args:
        choosing: turns the switches.
        experiments: finds the experiments.
    """

    def __init__(self, choosing: Choosing, experiments: Callable[[], list[Experiment]]) -> None:
        self._choosing = choosing
        self._experiments = experiments

    def disable(self, experiment: str) -> None:
        """Have it play its first config only."""
        for each in self._named(experiment):
            self._choosing.switch(each, True, _BY)

    def enable(self, experiment: str) -> None:
        """Have it play as before."""
        for each in self._named(experiment):
            self._choosing.switch(each, False, _BY)

    def pin(self, experiment: str, config: str) -> None:
        """Have a config answer all calls."""
        having = [
            each
            for each in self._named(experiment)
            if config in [known.id for known in each.settings.configs]
        ]
        if not having:
            raise LookupError(f"{experiment} has no config of the id {config}")
        for each in having:
            self._choosing.pin(each, config, _BY)

    def unpin(self, experiment: str) -> None:
        """Have the strategy choose again."""
        for each in self._named(experiment):
            self._choosing.pin(each, None, _BY)

    def _named(self, name: str) -> list[Experiment]:
        found = [each for each in self._experiments() if each.name == name]
        if not found:
            raise LookupError(f"there is no experiment {name}")
        return found
