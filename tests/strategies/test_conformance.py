"""check_strategy: passes what is in order, and says of anything else what it does wrong."""

import functools
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from understudy.configs import Config
from understudy.strategies import (
    Call,
    MultiBranchStrategy,
    Plan,
    RoundRobinStrategy,
    ShadowStrategy,
    SingleConfigStrategy,
    StrategyError,
    check_strategy,
)


class Learning:
    """Prefers the config with the fewest errors so far: plans, observes and begins anew."""

    def __init__(self) -> None:
        self.errors: dict[str, int] = {}

    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        best = min(configs, key=lambda config: self.errors.get(config.id, 0))
        return Plan(primary=best, reason="fewest_errors")

    def observe(self, result: Any) -> None:
        if result.status in ("error", "timeout"):
            config: Config = result.experiment_case.config
            self.errors[config.id] = self.errors.get(config.id, 0) + 1

    def fresh(self) -> "Learning":
        return type(self)()


class Fixed:
    """The base of what is broken below: in order by itself."""

    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[0])

    def fixed(self, configs: Sequence[Config]) -> Plan | None:
        return Plan(primary=configs[0])


@pytest.mark.parametrize(
    "make",
    [
        SingleConfigStrategy, SingleConfigStrategy(), lambda: SingleConfigStrategy(),
        MultiBranchStrategy, RoundRobinStrategy, RoundRobinStrategy(), RoundRobinStrategy().fresh,
        ShadowStrategy, ShadowStrategy(sample=0), lambda: ShadowStrategy(sample=0.5, seed=7),
        functools.partial(ShadowStrategy, sample=0.5, by="key", seed=7, limit=3, timeout=1.5),
        Learning, Learning(), Fixed, Fixed(), functools.partial(Learning),
        lambda configs: (configs[-1], configs[:-1]), lambda configs, call: configs[0],
        lambda: lambda configs: configs[0],
    ],
)  # fmt: skip
def test_what_is_in_order_passes(make: Any) -> None:
    check_strategy(make)


def test_an_option_left_at_its_default_cannot_be_lost() -> None:
    check_strategy(Forgetful)


def test_a_factory_that_gives_the_same_one_again_passes() -> None:
    shared = RoundRobinStrategy()
    check_strategy(lambda: shared)


def test_a_strategy_that_was_used_before_passes() -> None:
    used = RoundRobinStrategy()
    used.plan(Call(print), (Config(n=1), Config(n=2)))
    check_strategy(used)


def test_chance_passes_where_nothing_is_fresh() -> None:
    check_strategy(lambda configs: random.choice(configs))


class Second(Fixed):
    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[1])


class NeedsKey(Fixed):
    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[len(call.key) % len(configs)])


class NeedsParent(Fixed):
    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[0], reason=call.parent.config.id)


class NeedsArguments(Fixed):
    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[0], reason=f"{call.args[0]}")


class NeedsTuple(Fixed):
    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        configs.index(configs[0])
        return {(): Plan(primary=configs[0])}[configs[:0]]  # type: ignore[index]  # pyright: ignore


class Doubling(Fixed):
    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[0], shadows=tuple(configs))


class Inventing(Fixed):
    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        return Plan(primary=Config(name="own"))


class Silent(Fixed):
    def plan(self, call: Call, configs: Sequence[Config]) -> Any:
        return None


class Reversing(Fixed):
    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        if isinstance(configs, list):
            configs.reverse()
        return Plan(primary=configs[0])


class Popping(Fixed):
    def plan(self, call: Call, configs: Any) -> Plan:
        return Plan(primary=configs.pop() if isinstance(configs, list) else configs[0])


class Marking(Fixed):
    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        for arg in call.args:
            arg.append("seen")
        return Plan(primary=configs[0])


class MarkingOptions(Fixed):
    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        call.kwargs.get("options", {})["seen"] = True
        return Plan(primary=configs[0])


class Late(Fixed):
    async def plan(self, call: Call, configs: Sequence[Config]) -> Plan:  # type: ignore[override]  # pyright: ignore
        return Plan(primary=configs[0])


class SecretlyLate(Fixed):
    async def later(self, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[0])

    def plan(self, call: Call, configs: Sequence[Config]) -> Any:
        return self.later(configs)


class Soon:
    """Can be awaited, but is no coroutine."""

    def __await__(self) -> Iterator[None]:
        yield None


class Promising(Fixed):
    def plan(self, call: Call, configs: Sequence[Config]) -> Any:
        return Soon()


class Unfixed(Fixed):
    def fixed(self, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[-1])


class FixedByKey(Fixed):
    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[0 if call.key is None else -1])


class FixedReason(Fixed):
    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[0], limit=1)


class FixedUntilObserved(Fixed):
    observed = False

    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[-1 if self.observed else 0])

    def observe(self, result: Any) -> None:
        self.observed = True


class FixedAtFirst(Fixed):
    times = 0

    def fixed(self, configs: Sequence[Config]) -> Plan | None:
        self.times += 1
        return None if self.times > 1 else Plan(primary=configs[0])


class FixedNonsense(Fixed):
    def fixed(self, configs: Sequence[Config]) -> Any:
        return configs[0]


class FixedRaises(Fixed):
    def fixed(self, configs: Sequence[Config]) -> Any:
        return configs[1]


class FixedChanges(Fixed):
    def fixed(self, configs: Any) -> Any:
        configs.clear()


class FixedAttribute(Fixed):
    fixed = True  # type: ignore[assignment]  # pyright: ignore


class OnlyValues(Learning):
    def observe(self, result: Any) -> None:
        len(result.result)


class OnlyKnown(Learning):
    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        self.errors = {config.id: 0 for config in configs}
        return Plan(primary=configs[0])

    def observe(self, result: Any) -> None:
        self.errors[result.experiment_case.config.id] += 1


class ObservesLate(Learning):
    async def observe(self, result: Any) -> None:  # type: ignore[override]  # pyright: ignore
        pass


class Answering(Learning):
    def observe(self, result: Any) -> Any:
        return result


class Derailed(Learning):
    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        if not self.errors:
            return Plan(primary=configs[0])
        return Plan(primary=next(iter(self.errors)))  # type: ignore[arg-type]  # pyright: ignore


class SameAgain(Learning):
    def fresh(self) -> Learning:
        return self


class FreshNothing(Learning):
    def fresh(self) -> Any:
        return None


class FreshRaises(Learning):
    def fresh(self) -> Any:
        raise RuntimeError("no more")


class SharedTurn:
    turns = itertools.count()

    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[next(self.turns) % len(configs)])

    def fresh(self) -> "SharedTurn":
        return SharedTurn()


class SharedMemory(Learning):
    def fresh(self) -> Learning:
        fresh = SharedMemory()
        fresh.errors = self.errors
        return fresh


class Unseeded(Fixed):
    def __init__(self) -> None:
        self.random = random.Random()

    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        return Plan(primary=self.random.choice(configs))

    def fixed(self, configs: Sequence[Config]) -> None:
        return None

    def fresh(self) -> "Unseeded":
        return Unseeded()


class Forgetful:
    """Loses its option when made afresh."""

    def __init__(self, place: int = 0) -> None:
        self.place = place

    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[self.place])

    def fresh(self) -> "Forgetful":
        return Forgetful()


class GoesOn:
    """Hands its turn to the fresh one."""

    def __init__(self, turn: int = 0) -> None:
        self.turn = turn

    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        self.turn += 1
        return Plan(primary=configs[self.turn % len(configs)])

    def fresh(self) -> "GoesOn":
        return GoesOn(self.turn)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Second, r"^Second\.plan raised IndexError\(.*\), given 1 config and no key$"),
        (NeedsKey, r"^NeedsKey\.plan raised TypeError\(.*NoneType.*\), given 1 config and no key$"),
        (NeedsParent, r"^NeedsParent\.plan raised AttributeError\(.*'config'.*\), given 1 config"),
        (NeedsArguments, r"^NeedsArguments\.plan raised IndexError\(.*\), given 1 config"),
        (NeedsTuple, r"^NeedsTuple\.plan raised TypeError\(.*list.*\), given 1 config and a key$"),
        (Doubling, r"^Doubling\.plan, given 1 config and no key: the plan has 'config-0' twice"),
        (Inventing, r"^Inventing\.plan, given 1 config .*'own', is none of the configs"),
        (Silent, r"^Silent\.plan, given 1 config and no key: a strategy returns a Plan, not None$"),
        (Reversing, r"^Reversing\.plan changed the configs it was given$"),
        (Popping, r"^Popping\.plan changed the configs it was given$"),
        (Marking, r"^Marking\.plan raised AttributeError|^Marking\.plan changed the arguments"),
        (MarkingOptions, r"^MarkingOptions\.plan changed the arguments of the call$"),
        (Late, r"\.Late\.plan is asynchronous: a strategy does not wait"),
        (SecretlyLate, r"^SecretlyLate\.plan returned a coroutine: a strategy does not wait$"),
        (Promising, r"^Promising\.plan returned a Soon: a strategy does not wait$"),
        (iter, r"^builtins\.iter: what it takes cannot be read"),
        (Unfixed, r"^Unfixed\.fixed and \.plan differ, given 2 configs$"),
        (FixedByKey, r"^FixedByKey\.fixed and \.plan differ, given 2 configs$"),
        (FixedReason, r"^FixedReason\.fixed and \.plan differ, given 1 config$"),
        (FixedUntilObserved, r"^FixedUntilObserved\.fixed and \.plan differ, given 2 configs$"),
        (FixedAtFirst, r"^FixedAtFirst\.fixed does not always answer the same$"),
        (FixedNonsense, r"^FixedNonsense\.fixed: a strategy returns a Plan, not a Config$"),
        (FixedRaises, r"^FixedRaises\.fixed raised IndexError\("),
        (FixedChanges, r"^FixedChanges\.fixed changed the configs it was given$"),
        (FixedAttribute, r"^FixedAttribute\.fixed is no method$"),
        (OnlyValues, r"^OnlyValues\.observe raised TypeError\(.*\), given a \w+ result of status '\w+'$"),
        (OnlyKnown, r"^OnlyKnown\.observe raised KeyError\("),
        (ObservesLate, r"^ObservesLate\.observe returned a coroutine: a strategy does not wait$"),
        (Answering, r"^Answering\.observe returned a SimpleNamespace, not None$"),
        (Derailed, r"^Derailed\.plan, given 1 config and .*: primary of the plan is a str"),
        (SameAgain, r"^SameAgain\.fresh returned the same strategy$"),
        (FreshNothing, r"^FreshNothing\.fresh returned None, not a strategy$"),
        (FreshRaises, r"^FreshRaises\.fresh raised RuntimeError\('no more'\)$"),
        (SharedTurn, r"^SharedTurn\.fresh: two fresh ones do not plan alike"),
        (SharedMemory, r"^SharedMemory\.fresh: two fresh ones do not plan alike"),
        (Unseeded, r"^Unseeded\.fresh: two fresh ones do not plan alike; .* without a seed$"),
        (lambda: Forgetful(-1), r"^Forgetful\.fresh does not plan as Forgetful did when it was new$"),
        (GoesOn(), r"^GoesOn\.fresh does not begin anew once plans were made$"), (GoesOn, r"^GoesOn\.fresh does not begin anew once plans were made$"),
        (ShadowStrategy(sample=0.5), r"^ShadowStrategy\.fresh: two fresh ones do not plan alike"),
        (lambda configs: None, r"^<strategy .*<lambda>>\.plan raised StrategyError\(.*returned None"),
        (lambda a, b, c: a, r"<lambda>\(a, b, c\): a strategy function takes"),
        (lambda: 7, r"^an int is not a strategy"), (7, r"^an int is not a strategy"),
    ],
)  # fmt: skip
def test_what_is_broken_fails_with_what_it_does_wrong(make: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_strategy(make)


def test_there_must_be_a_call_to_plan() -> None:
    with pytest.raises(StrategyError, match=r"^check_strategy\(calls=0\): it takes at least 1$"):
        check_strategy(SingleConfigStrategy, calls=0)


@pytest.mark.parametrize("calls", [1, 7, 1000])
def test_as_many_calls_are_planned_as_are_asked_for(calls: int) -> None:
    counted = itertools.count()

    def choose(configs: Sequence[Config]) -> Config:
        next(counted)
        return configs[0]

    check_strategy(choose, calls=calls)
    assert next(counted) == 3 * 2 * calls


def test_a_strategy_is_tried_with_everything_it_may_meet() -> None:
    seen: list[tuple[Call, Sequence[Config]]] = []
    check_strategy(recording(seen))
    calls = [call for call, _ in seen]
    assert {len(configs) for _, configs in seen} == {1, 2, 5}
    assert {type(configs) for _, configs in seen} == {tuple, list}
    assert {type(call.key) for call in calls} == {type(None), str, int, tuple}
    assert {call.parent is None for call in calls} == {True, False}
    assert (
        {bool(call.args) for call in calls}
        == {bool(call.kwargs) for call in calls}
        == {True, False}
    )


def recording(seen: list[Any]) -> Callable[..., Config]:
    def choose(configs: Sequence[Config], call: Call) -> Config:
        seen.append((call, configs))
        return configs[0]

    return choose
