"""StrategyActor: a strategy that is restarted when it crashes, and stopped when it keeps on."""

from asyncio.events import _get_running_loop
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any, final

from understudy.configs import Config
from understudy.strategies import Call, Plan, Strategy, check_plan

from ._actor import Actor
from ._casting import never_changes
from ._errors import ActorError
from ._results import FunctionResult
from ._state import State

_MOST_SEEN = 64


@final
class StrategyActor(Actor[FunctionResult[Any] | None, None]):
    """Keeps a strategy: its state is touched by `plan` and by the results it is told, in turn.

    Args:
        name: how errors and events call it.
        strategy: the strategy as it was given; each start takes a fresh one if it makes them.
        owner: the experiment: a strategy that can be shared by its loops is.
    """

    def __init__(
        self,
        name: str,
        strategy: Strategy,
        owner: object,
        label_of: Callable[[Config], str] = attrgetter("label"),
    ) -> None:
        super().__init__(name)
        self._label_of = label_of
        self._given = strategy
        self._strategy = strategy
        self._owner = owner
        self._seen: dict[int, tuple[Plan, Mapping[str, Config]]] = {}
        self._renew()

    @property
    def observes(self) -> bool:
        """Whether the strategy wants to know the results."""
        return hasattr(self._given, "observe")

    @property
    def is_busy(self) -> bool:
        """Whether it is being told results."""
        return self.mailbox.running > 0 or self.mailbox.waiting > 0

    async def started(self) -> None:
        """Begin afresh."""
        self._renew()

    async def receive(self, message: FunctionResult[Any] | None) -> None:
        """Tell the strategy a result; None is nothing to tell."""
        if message is not None:
            observer: Any = self._strategy
            observer.observe(message)

    async def settle(self, seconds: float) -> None:
        """Wait until the strategy was told all that ended, for some seconds at most."""
        if self.is_busy:
            with suppress(ActorError):  # one that crashed for good is not waited for
                await self.ask(None, timeout=seconds)

    def plan(
        self, call: Call, configs: Sequence[Config], known: Mapping[str, Config]
    ) -> Plan | None:
        """Return the plan for a call; None if the strategy cannot say."""
        if self.state is not State.RUNNING:
            return None
        try:
            plan = self._strategy.plan(call, configs)
            seen = self._seen.get(id(plan))
            is_known = seen is not None and seen[1] is known
            return plan if is_known else self._checked(plan, known)
        except BaseException as error:  # even SystemExit: a strategy may not harm the caller
            self._fail(error)
            return None

    def guess(
        self, call: Call, configs: Sequence[Config], known: Mapping[str, Config]
    ) -> Plan | None:
        """Return the plan for a call whose arguments nobody knows; None if it needs them."""
        if self.state is not State.RUNNING:
            return None
        try:
            return check_plan(self._strategy.plan(call, configs), known, label_of=self._label_of)
        except Exception:  # no fault of the strategy
            return None

    def fixed(self, configs: Sequence[Config], known: Mapping[str, Config]) -> Plan | None:
        """Return the plan that all calls have; None if each is planned by itself."""
        ask = getattr(self._strategy, "fixed", None)
        if ask is None or self.state is not State.RUNNING:
            return None
        try:
            plan = ask(configs)
            return None if plan is None else check_plan(plan, known, label_of=self._label_of)
        except BaseException as error:
            self._fail(error)
            return None

    def _checked(self, plan: Plan, known: Mapping[str, Config]) -> Plan:
        """Return a plan if it can be followed, and know it again: strategies have the same few.

        Raises:
            StrategyError: it cannot be followed.
        """
        check_plan(plan, known, label_of=self._label_of)
        if len(self._seen) >= _MOST_SEEN:  # this one makes a plan for each call
            self._seen.clear()
        if never_changes(plan):
            self._seen[id(plan)] = (plan, known)
        return plan

    def _renew(self) -> None:
        make = getattr(self._given, "fresh", None)
        share = getattr(self._given, "shared", None)
        try:
            if share is not None:
                self._strategy = share(self._owner)
            else:
                self._strategy = self._given if make is None else make()
        except BaseException as error:  # even SystemExit: a strategy may not harm the caller
            self._strategy = _Unmade(error)

    def _fail(self, error: BaseException) -> None:
        if self._loop is not None and _get_running_loop() is not self._loop:  # a direct call
            self._loop.call_soon_threadsafe(self._fail, error)
            return
        self._tell_event("strategy.failed", error=error)
        if self.state is State.RUNNING:
            self._crash(error)


@final
class _Unmade:
    """Stands in for a strategy that could not be made afresh."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        """Fail, so that the first config answers."""
        raise self._error

    def observe(self, result: FunctionResult[Any]) -> None:
        """Learn nothing."""
