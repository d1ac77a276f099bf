"""The Archive: what case actors did on loops that are closed by now, in numbers."""

import threading
from collections.abc import Iterable
from typing import final

import msgspec

from understudy.actors import CaseActor, Tally

_MOST = 256
OTHERS = "(others)"
"""The label of what is left of configs when there have been too many to tell each apart."""


@final
class Archive:
    """Keeps the tallies of case actors that are gone, summed for each config."""

    def __init__(self) -> None:
        self._tallies: dict[str, tuple[str, Tally]] = {}
        self.begin()

    def begin(self) -> None:
        """Have a lock that nobody holds, as in a forked child a thread may that is gone."""
        self._lock = threading.Lock()

    @property
    def tallies(self) -> dict[str, tuple[str, Tally]]:
        """For the id of each config: its label, and what was done."""
        with self._lock:
            return {**self._tallies}

    def add(self, actors: Iterable[CaseActor], *, is_over: bool = False) -> None:
        """Keep what some actors did.

        Args:
            actors: the actors.
            is_over: whether nothing will end any more, so that what has not is left out.
        """
        with self._lock:
            for actor in actors:
                tally = actor.counts
                if is_over:
                    tally = msgspec.structs.replace(tally, planned=tally.ended)
                self._add(actor.config.id, actor.stage.label_of(actor.config), tally)
                if len(self._tallies) > _MOST + 1:  # a config for each call, say
                    oldest = next(key for key in self._tallies if key != OTHERS)
                    _, tally = self._tallies.pop(oldest)
                    self._add(OTHERS, OTHERS, tally)

    def _add(self, config_id: str, label: str, tally: Tally) -> None:
        label, so_far = self._tallies.get(config_id, (label, Tally()))
        self._tallies[config_id] = (label, so_far.plus(tally))
