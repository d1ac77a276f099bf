"""SingleConfigStrategy: the first config, and nothing beside it."""

from collections.abc import Sequence
from typing import final

from understudy.configs import Config

from ._plan import Call, Plan


@final
class SingleConfigStrategy:
    """The first config answers; no other runs. It is what an experiment has by default.

    Example:
        >>> from understudy import Config
        >>> from understudy.strategies import Call, SingleConfigStrategy
        >>> configs = (Config(model="large"), Config(model="small"))
        >>> SingleConfigStrategy().plan(Call(print), configs).configs
        (Config({'model': 'large'}),)
    """

    __module__ = "understudy.strategies"

    __slots__ = ()

    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        """Return the plan of one call."""
        return self.fixed(configs)

    def fixed(self, configs: Sequence[Config]) -> Plan:
        """Return the plan of every call."""
        return Plan(primary=configs[0])

    def fresh(self) -> "SingleConfigStrategy":
        """Return a strategy like this one."""
        return SingleConfigStrategy()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SingleConfigStrategy)

    def __hash__(self) -> int:
        return hash(SingleConfigStrategy)

    def __repr__(self) -> str:
        return "SingleConfigStrategy()"
