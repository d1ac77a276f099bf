"""The Archive: what case actors did on loops that are closed by now, in numbers."""

from collections.abc import Iterable
from typing import final

from understudy.actors import CaseActor, Tally


@final
class Archive:
    """Keeps the tallies of case actors that are gone, summed for each config."""

    def __init__(self) -> None:
        self.tallies: dict[str, tuple[str, Tally]] = {}

    def add(self, actors: Iterable[CaseActor]) -> None:
        """Keep what some actors did."""
        for actor in actors:
            label, tally = self.tallies.get(actor.config.id, (actor.config.label, Tally()))
            self.tallies[actor.config.id] = (label, tally.plus(actor.tally))
