"""Trial: one strategy, tried with everything it may meet."""

import copy
import inspect
from collections.abc import Sequence
from operator import is_
from typing import Any, cast

from understudy.configs import Config, describe

from ._adapt import FunctionStrategy
from ._check import check_plan
from ._errors import StrategyError
from ._plan import Call, Plan
from ._stand_ins import outline, trial_calls, trial_configs, trial_results


class Trial:
    """One strategy, tried with one number of configs.

    Args:
        strategy: what is tried.
        size: the number of configs.
        calls: the number of calls to plan.
    """

    def __init__(self, strategy: Any, size: int, calls: int) -> None:
        self.strategy = strategy
        self.configs = trial_configs(size)
        self.by_id = {config.id: config for config in self.configs}
        self.calls = calls
        function = isinstance(strategy, FunctionStrategy)
        self.name = repr(strategy) if function else type(strategy).__qualname__

    def run(self, *, is_new: bool) -> None:
        """Try everything.

        Args:
            is_new: whether the strategy was never used before.

        Raises:
            AssertionError: the strategy fails.
        """
        for name in ("fixed", "observe", "fresh"):
            if hasattr(self.strategy, name):
                _require(callable(getattr(self.strategy, name)), f"{self.name}.{name} is no method")
        self._check_fresh(is_new)
        fixed = self._fixed()
        first = self._plans(self.strategy)
        self._observe(self.strategy, trial_results(self.configs))
        later = self._plans(self.strategy)
        self._check_fixed(fixed, [*first, *later])

    def _plans(self, *strategies: Any, observing: Any = None) -> list[Any]:
        """Return the outlines of the plans of the last of the strategies; they plan in turn."""
        results = trial_results(self.configs) if observing is not None else []
        outlines: list[Any] = []
        for number, call in enumerate(trial_calls(self.calls)):
            if results:
                self._observe(observing, [results[number % len(results)]])
            made = [self._plan(strategy, call, as_tuple=number % 2 == 0) for strategy in strategies]
            outlines.append(outline(made[-1]))
        return outlines

    def _plan(self, strategy: Any, call: Call, *, as_tuple: bool) -> Plan:
        """Ask for one plan, and look at it and at what was given."""
        configs = tuple(self.configs) if as_tuple else [*self.configs]
        before = copy.deepcopy((call.args, call.kwargs))
        given = f"given {_counted(self.configs)} and {'no key' if call.key is None else 'a key'}"
        try:
            plan = strategy.plan(call, configs)
        except Exception as error:
            raise AssertionError(f"{self.name}.plan raised {error!r}, {given}") from error
        self._refuse_waiting("plan", plan)
        try:
            check_plan(plan, self.by_id)
        except StrategyError as error:
            raise AssertionError(f"{self.name}.plan, {given}: {error}") from error
        self._require_unchanged("plan", configs)
        untouched = (call.args, call.kwargs) == before
        _require(untouched, f"{self.name}.plan changed the arguments of the call")
        return cast("Plan", plan)

    def _fixed(self) -> Any:
        """Return the outline of the fixed plan, if there is one."""
        if not hasattr(self.strategy, "fixed"):
            return None
        configs = [*self.configs]
        try:
            plan = self.strategy.fixed(configs)
        except Exception as error:
            raise AssertionError(f"{self.name}.fixed raised {error!r}") from error
        self._refuse_waiting("fixed", plan)
        self._require_unchanged("fixed", configs)
        if plan is None:
            return None
        try:
            return outline(check_plan(plan, self.by_id))
        except StrategyError as error:
            raise AssertionError(f"{self.name}.fixed: {error}") from error

    def _check_fixed(self, fixed: Any, planned: list[Any]) -> None:
        _require(self._fixed() == fixed, f"{self.name}.fixed does not always answer the same")
        agrees = fixed is None or all(each == fixed for each in planned)
        _require(agrees, f"{self.name}.fixed and .plan differ, given {_counted(self.configs)}")

    def _observe(self, strategy: Any, results: list[Any]) -> None:
        if not hasattr(strategy, "observe"):
            return
        for result in results:
            what = f"a {result.role} result of status {result.status!r}"
            try:
                answer = strategy.observe(result)
            except Exception as error:
                raise AssertionError(
                    f"{self.name}.observe raised {error!r}, given {what}"
                ) from error
            self._refuse_waiting("observe", answer)
            _require(answer is None, f"{self.name}.observe returned {describe(answer)}, not None")

    def _check_fresh(self, is_new: bool) -> None:
        if not hasattr(self.strategy, "fresh"):
            return
        one, other, observing = (self._fresh() for _ in range(3))
        expected = self._plans(one)
        # One has planned by now; another plans and observes in between.
        again = self._plans(observing, other, observing=observing)
        later = self._plans(self._fresh())
        problem = (
            f"{self.name}.fresh: two fresh ones do not plan alike; they share a state, or draw "
            f"by chance without a seed"
        )
        _require(again == expected == later, problem)
        as_made = self._plans(self.strategy)
        problem = f"{self.name}.fresh does not plan as {self.name} did when it was new"
        _require(as_made == expected or not is_new, problem)
        for call in trial_calls(2):  # a turn that has come round looks like one that begins
            begins_anew = self._plans(self._fresh()) == expected
            _require(begins_anew, f"{self.name}.fresh does not begin anew once plans were made")
            self._plan(self.strategy, call, as_tuple=True)

    def _fresh(self) -> Any:
        try:
            fresh = self.strategy.fresh()
        except Exception as error:
            raise AssertionError(f"{self.name}.fresh raised {error!r}") from error
        self._refuse_waiting("fresh", fresh)
        _require(fresh is not self.strategy, f"{self.name}.fresh returned the same strategy")
        has_plan = callable(getattr(fresh, "plan", None))
        _require(has_plan, f"{self.name}.fresh returned {describe(fresh)}, not a strategy")
        return fresh

    def _refuse_waiting(self, method: str, answer: Any) -> None:
        if inspect.isawaitable(answer):
            if inspect.iscoroutine(answer):
                answer.close()
            raise AssertionError(
                f"{self.name}.{method} returned {describe(answer)}: a strategy does not wait"
            )

    def _require_unchanged(self, method: str, configs: Sequence[Config]) -> None:
        same = len(configs) == len(self.configs) and all(map(is_, configs, self.configs))
        _require(same, f"{self.name}.{method} changed the configs it was given")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)


def _counted(configs: Sequence[Config]) -> str:
    return "1 config" if len(configs) == 1 else f"{len(configs)} configs"
