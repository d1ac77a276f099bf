"""The Lineup: the actors that play for an experiment under one set of settings."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, final

from understudy.configs import Config

from ._settings import Settings

if TYPE_CHECKING:
    from ._case_actor import CaseActor
    from ._casting import Casting
    from ._strategy_actor import StrategyActor

Inners = Callable[[], Sequence["Lineup"]]
"""Finds the lineups of the experiments that are known to be called inside."""


@final
class Lineup:
    """The actors that play under one set of settings: one for each config, and the strategy's.

    Most experiments have one. `options(...)` makes another, with the same supervisor, and the
    same case actors where configs and limits are the same.

    Attributes:
        fixed: the casting of every call, where the plan never changes.
        answers_all: whether callers get the results of all.
    """

    __slots__ = (
        "__weakref__",
        "answers_all",
        "cases",
        "configs",
        "first",
        "fixed",
        "inners",
        "is_rejecting",
        "known",
        "places",
        "settings",
        "strategy",
        "timeout",
    )

    def __init__(
        self,
        settings: Settings,
        cases: "Sequence[CaseActor]",
        strategy: "StrategyActor",
        inners: Inners | None,
    ) -> None:
        self.settings: Settings = settings
        self.configs: tuple[Config, ...] = tuple(case.config for case in cases)
        self.cases: dict[str, CaseActor] = {case.config.id: case for case in cases}
        self.known: dict[str, Config] = {config.id: config for config in self.configs}
        self.places: dict[str, int] = {config.id: n for n, config in enumerate(self.configs)}
        self.first: CaseActor = cases[0]
        self.strategy: StrategyActor = strategy
        self.timeout: int = max(1, int(settings.timeout * 1e9)) if settings.timeout else 0
        self.is_rejecting: bool = settings.overflow == "reject"
        self.inners: Inners | None = inners
        self.fixed: Casting | None = None
        self.answers_all: bool = False

    def within(self, timeout: int) -> int:
        """Return how many nanoseconds a shadow may take: a stream of it has a limit anyhow."""
        seconds = self.settings.stream.seconds
        if self.first.supervisor.ways.streamed is None or seconds is None:
            return timeout
        most = max(1, int(seconds * 1e9))
        return min(timeout, most) if timeout else most

    @property
    def observer(self) -> "StrategyActor | None":
        """The strategy, if it wants to know the results."""
        return self.strategy if self.strategy.observes else None

    @property
    def pinned(self) -> "CaseActor | None":
        """The one that is pinned here by hand, if it is among these."""
        config_id = self.first.stage.switches.forced(self.first.key)
        return None if config_id is None else self.cases.get(config_id)
