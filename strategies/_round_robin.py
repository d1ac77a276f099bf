"""RoundRobinStrategy: one config after the other."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple, final
from weakref import WeakKeyDictionary

from understudy.configs import Config

from ._kept import Kept
from ._plan import Call, Plan

_MOST_ROUNDS = 64


class _Round(NamedTuple):
    plans: tuple[Plan, ...]
    turns: Iterator[int]


@final
class RoundRobinStrategy:
    """The configs answer in turn, one each call; no other runs beside it.

    Exact: of any calls in a row, also of concurrent ones and from several threads, the counts of
    the configs differ by at most one. When other configs come, the turn goes to the one after the
    config that answered last, if it is still among them, or else to the first; when the former
    configs come back, their turn goes on where it was.

    Example:
        >>> from understudy import Config
        >>> from understudy.strategies import Call, RoundRobinStrategy
        >>> configs = (Config(model="large"), Config(model="small"))
        >>> strategy = RoundRobinStrategy()
        >>> [strategy.plan(Call(print), configs).primary.model for _ in range(3)]
        ['large', 'small', 'large']
    """

    __module__ = "understudy.strategies"

    __slots__ = ("__weakref__", "_last", "_of_owners", "_round_of", "_turns")

    plays_one = True

    _last: Plan | None

    def __init__(self) -> None:
        self._last = None
        self._turns = dict[tuple[str, ...], Iterator[int]]()
        self._round_of = Kept(self._round)
        self._of_owners = WeakKeyDictionary[object, RoundRobinStrategy]()

    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        """Return the plan of one call."""
        plans, turns = self._round_of(configs)
        plan = plans[next(turns) % len(plans)]  # a count gives each number once, to any thread
        self._last = plan
        return plan

    def fresh(self) -> "RoundRobinStrategy":
        """Return a strategy that begins with the first config."""
        return RoundRobinStrategy()

    def shared(self, owner: object) -> "RoundRobinStrategy":
        """Return the strategy of an owner: one for all its threads and loops."""
        return self._of_owners.setdefault(owner, self.fresh())

    def __reduce__(self) -> tuple[type["RoundRobinStrategy"], tuple[()]]:
        return RoundRobinStrategy, ()  # a turn is taken in one place only

    def __repr__(self) -> str:
        return "RoundRobinStrategy()"

    def _round(self, configs: tuple[Config, ...]) -> _Round:
        ids = tuple(config.id for config in configs)
        turns = self._turns.get(ids)
        if turns is None:
            if len(self._turns) >= _MOST_ROUNDS:  # configs that change forever fill no memory
                self._turns = {}
            last = None if self._last is None else self._last.primary.id
            first = ids.index(last) + 1 if last in ids else 0
            turns = self._turns.setdefault(ids, count(first))  # one for all threads
        plans = tuple(Plan(primary=config, reason="round_robin") for config in configs)
        return _Round(plans, turns)
