"""The Lineup: the actors that play for an experiment under one set of settings."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, final

from understudy.configs import Config
from understudy.strategies import Plan

from ._case import ExperimentCase
from ._casting import Casting, cast_alone, cast_plan, never_changes
from ._settings import Settings

if TYPE_CHECKING:
    from ._case_actor import CaseActor
    from ._strategy_actor import StrategyActor

Inners = Callable[[], Sequence["Lineup"]]
"""Finds the lineups of the experiments that are known to be called inside."""


_FEW = 64
"""How many castings a lineup may keep at least; with many configs, it is some for each."""


class _Cast(NamedTuple):
    """A casting, and what it was made of: as long as that is kept, its ids are not used again."""

    casting: Casting
    plan: Plan | None
    outer: ExperimentCase | None


@final
class Lineup:
    """The actors that play under one set of settings: one for each config, and the strategy's.

    Most experiments have one. `options(...)` makes another, with the same supervisor, and the
    same case actors where configs and limits are the same.

    Attributes:
        plan: the plan of every call, where it never changes,
        fixed: and its casting, where it is not combined with what may be inside.
        answers_all: whether callers get the results of all.
        inside: what a call inside a branch casts, by the id of that branch's case and whether it
            is a shadow: as far as these alone decide it.
    """

    __slots__ = (
        "__weakref__",
        "_castings",
        "_most_kept",
        "_solos",
        "answers_all",
        "cases",
        "configs",
        "first",
        "fixed",
        "inners",
        "inside",
        "is_rejecting",
        "known",
        "places",
        "plan",
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
        self.plan: Plan | None = None
        self.fixed: Casting | None = None
        self._castings: dict[tuple[int, int, bool], _Cast] = {}
        self._solos: dict[tuple[CaseActor, str, bool], Casting] = {}
        self._most_kept = max(_FEW, 4 * len(cases))
        self.answers_all: bool = False
        self.inside: dict[tuple[int, bool], _Cast] = {}

    def cast(
        self, plan: Plan, outer: ExperimentCase | None = None, is_shadowed: bool = False
    ) -> Casting:
        """Return the casting of a plan in a case: it is made once, and kept if the plan stays.

        Strategies have the same few plans for all calls, and branches the same few cases.
        """
        place = (id(plan), id(outer), is_shadowed)
        known = self._castings.get(place)
        if known is not None:
            return known.casting
        casting = cast_plan(self, plan, outer, is_shadowed)
        if never_changes(plan):
            if len(self._castings) >= self._most_kept:  # a strategy may make a plan for each call
                self._castings.clear()
            self._castings[place] = _Cast(casting, plan, outer)
        return casting

    def keep_inside(self, outer: ExperimentCase, is_shadowed: bool, casting: Casting) -> None:
        """Have all calls inside branches of a case cast the same."""
        if len(self.inside) >= self._most_kept:
            self.inside.clear()
        self.inside[id(outer), is_shadowed] = _Cast(casting, None, outer)

    def cast_alone(self, actor: "CaseActor", reason: str, *, joins: bool) -> Casting:
        """Return the casting that has one actor answer, whatever the strategy would say."""
        known = self._solos.get((actor, reason, joins))
        if known is None:
            if len(self._solos) >= self._most_kept:  # those of other settings may join
                self._solos.clear()
            known = cast_alone(self, actor, actor.case, reason, joins=joins)
            self._solos[actor, reason, joins] = known
        return known

    def within(self, timeout: int) -> int:
        """Return how many nanoseconds a shadow may take: a stream of it has a limit anyhow."""
        most = self.settings.stream.nanoseconds
        if self.first.supervisor.ways.streamed is None or not most:
            return timeout
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
