"""Strategies: which config answers a call, and which run beside it.  Pure choice, nothing else.

Layout, in the order a strategy is used:

    _plan          Call, Plan, Strategy: what is asked, what is answered, by whom
    _single        SingleConfigStrategy
    _shadow        ShadowStrategy (_share is where a key stands)
    _multi_branch  MultiBranchStrategy
    _round_robin   RoundRobinStrategy
    _kept          what the last two make once for the same configs
    _adapt         `as_strategy`: classes and plain functions
    _check         `check_plan`: before a plan is followed
    _conformance   `check_strategy`: for tests of your own (_trial, _stand_ins)
    _errors        StrategyError; _options: what options may be
"""

from typing import TYPE_CHECKING

from ._adapt import as_strategy as as_strategy
from ._check import check_plan as check_plan
from ._errors import StrategyError as StrategyError
from ._multi_branch import MultiBranchStrategy as MultiBranchStrategy
from ._plan import Call as Call
from ._plan import Plan as Plan
from ._plan import Strategy as Strategy
from ._round_robin import RoundRobinStrategy as RoundRobinStrategy
from ._shadow import ShadowStrategy as ShadowStrategy
from ._single import SingleConfigStrategy as SingleConfigStrategy

if TYPE_CHECKING:
    from ._conformance import check_strategy as check_strategy

__all__ = [
    "Call",
    "MultiBranchStrategy",
    "Plan",
    "RoundRobinStrategy",
    "ShadowStrategy",
    "SingleConfigStrategy",
    "Strategy",
    "StrategyError",
    "as_strategy",
    "check_plan",
    "check_strategy",
]


def __getattr__(name: str) -> object:
    if name != "check_strategy":  # for tests: nobody else has to import it
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._conformance import check_strategy

    globals()[name] = check_strategy
    return check_strategy


def __dir__() -> list[str]:
    return list(__all__)
