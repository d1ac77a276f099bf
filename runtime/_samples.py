"""Samples: how busy the cases are, as far as that has changed."""

import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, final

from understudy.actors import CaseActor, Stage


@final
class Samples:
    """Looks at the cases of a runtime, from any thread, whenever it is asked.

    Args:
        stages: returns the stages there are.
    """

    def __init__(self, stages: Callable[[], Iterable[Stage]]) -> None:
        self._stages = stages
        self._busy: weakref.WeakKeyDictionary[CaseActor, tuple[int, int]] = (
            weakref.WeakKeyDictionary()
        )
        """What was told last of those that were busy then."""

    def __call__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what is to be told of the cases that are as busy as they were not before."""
        for stage in self._stages():
            for actor in stage.cases():
                waiting, in_flight = actor.mailbox.waiting, actor.in_flight
                if self._busy.get(actor, (0, 0)) == (waiting, in_flight):
                    continue
                if waiting or in_flight:
                    self._busy[actor] = (waiting, in_flight)
                else:
                    self._busy.pop(actor, None)
                yield (
                    "actor.sampled",
                    {
                        "experiment": actor.supervisor.name,
                        "actor": actor.name,
                        "config_id": actor.config.id,
                        "label": stage.label_of(actor.config),
                        "waiting": waiting,
                        "capacity": actor.mailbox.capacity,
                        "in_flight": in_flight,
                    },
                )
