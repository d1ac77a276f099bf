"""Choosing by hand: the kill switch and pins, each told as an event."""

from typing import TYPE_CHECKING, final

from understudy.actors import Switches

from ._telling import Telling

if TYPE_CHECKING:
    from ._experiment import Experiment


@final
class Choosing:
    """Turns the switches of a runtime, and tells of it.

    Args:
        switches: the switches.
        telling: hands events on.
    """

    def __init__(self, switches: Switches, telling: Telling) -> None:
        self._switches = switches
        self._telling = telling

    def switch(
        self, experiment: "Experiment | None", is_disabled: bool, by: str | None = None
    ) -> None:
        """Turn the kill switch of an experiment, or of all."""
        self._switches.disable(None if experiment is None else experiment.key, is_disabled)
        self._telling.switched(None if experiment is None else experiment.name, is_disabled, by)

    def pin(self, experiment: "Experiment", config_id: str | None, by: str | None = None) -> None:
        """Pin a config for all calls of an experiment, or with None let go of it."""
        self._switches.pin(experiment.key, config_id)
        self._telling.pinned(experiment, config_id, by)
