"""MultiBranchStrategy: all configs, and all their results."""

from collections.abc import Sequence
from typing import final

from understudy.configs import Config

from ._plan import Call, Plan


@final
class MultiBranchStrategy:
    """All configs run together, and the caller gets the results of all: the first one's first.

    Example:
        >>> from understudy import Config
        >>> from understudy.strategies import Call, MultiBranchStrategy
        >>> configs = (Config(model="large"), Config(model="small"))
        >>> plan = MultiBranchStrategy().plan(Call(print), configs)
        >>> plan.answers_all, [config.model for config in plan.configs]
        (True, ['large', 'small'])
    """

    __module__ = "understudy.strategies"

    __slots__ = ()

    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        """Return the plan of one call."""
        return self.fixed(configs)

    def fixed(self, configs: Sequence[Config]) -> Plan:
        """Return the plan of every call."""
        return Plan(primary=configs[0], branches=tuple(configs[1:]), answers_all=True)

    def fresh(self) -> "MultiBranchStrategy":
        """Return a strategy like this one."""
        return MultiBranchStrategy()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MultiBranchStrategy)

    def __hash__(self) -> int:
        return hash(MultiBranchStrategy)

    def __repr__(self) -> str:
        return "MultiBranchStrategy()"
