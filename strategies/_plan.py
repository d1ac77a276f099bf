"""What a strategy is told of a call, and what it answers: the Plan."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import msgspec

from understudy.configs import Config


class Call(msgspec.Struct, frozen=True, eq=False):
    """What a strategy is told of one call.

    Attributes:
        function: the user's function.
        args: the positional arguments of the caller.
        kwargs: the keyword arguments of the caller.
        key: what the call is about (a user, a session), from `key=`; None when nobody said.
        parent: the case of the branch that makes the call; None for a call from outside.

    Example:
        >>> from understudy.strategies import Call
        >>> Call(print, ("hello",), {}, key="user-7").key
        'user-7'
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}
    key: Any = None
    parent: Any = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Which config answers one call, and which run beside it.

    Attributes:
        primary: the config that answers.
        shadows: configs that run beside it, out of the caller's way.
        branches: configs whose results the caller waits for too.
        skipped: configs that would have run but do not, each with the reason.
        answers_all: whether the caller gets the results of all, instead of the primary's value.
        reason: why these were chosen; it stands in the results and the events.
        limit: how many shadows of the experiment may be in flight; more are shed.
        timeout: how many seconds a shadow may take.
        after_primary: whether shadows start when the primary has ended, instead of beside it.
        cancel_with_primary: whether cancelling the caller cancels the shadows too.

    Example:
        >>> from understudy import Config
        >>> from understudy.strategies import Plan
        >>> large, small = Config(model="large"), Config(model="small")
        >>> plan = Plan(primary=large, shadows=(small,))
        >>> [config.model for config in plan.configs]
        ['large', 'small']
    """

    primary: Config
    shadows: tuple[Config, ...] = ()
    branches: tuple[Config, ...] = ()
    skipped: tuple[tuple[Config, str], ...] = ()
    answers_all: bool = False
    reason: str = "static"
    limit: int | None = None
    timeout: float | None = None
    after_primary: bool = False
    cancel_with_primary: bool = False

    @property
    def configs(self) -> tuple[Config, ...]:
        """All configs of the plan that are to run, the primary first."""
        return (self.primary, *self.branches, *self.shadows)


@runtime_checkable
class Strategy(Protocol):
    """Decides for one call which config answers and which run beside it.

    A strategy is pure choice: it neither waits nor does I/O, and it is only ever used by one
    supervisor at a time. Beside `plan` it may have:

    `fixed(configs) -> Plan | None`
        the plan of every call, if it never depends on the call: asked once, used for all.
    `plays_one`
        True if no call plays more than one config: then no bound on the cases of a call applies.
    `observe(result) -> None`
        is told every FunctionResult, after the caller has its answer: for strategies that learn.
    `fresh() -> Strategy`
        a strategy like this one as it was made: each experiment gets its own, and gets another
        one after a crash. Without it the same object serves all experiments it is given to.

    Example:
        >>> from understudy import Config
        >>> from understudy.strategies import Plan, Strategy
        >>> class Last:
        ...     def plan(self, call, configs):
        ...         return Plan(primary=configs[-1])
        >>> isinstance(Last(), Strategy)
        True
    """

    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        """Return the plan of one call; `configs` has at least one."""
        ...
