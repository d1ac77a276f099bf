"""`options(...)`: other settings for some calls, with the same supervisor."""

from collections.abc import Sequence
from typing import Any

import pytest

from understudy import Config, ExperimentError, Plan, RoundRobinStrategy, Runtime


async def test_options_made_for_every_call_leave_nothing_behind() -> None:
    runtime = Runtime(configs=[{"user": 0}])

    class Mine:
        __hash__ = None  # type: ignore[assignment]

        def plan(self, call: object, configs: Sequence[Config]) -> Plan:
            return Plan(primary=configs[0])

        def observe(self, result: object) -> None:
            pass

    @runtime.experiment
    async def answer(config: Config) -> int:
        return int(config.user)

    async with runtime:
        for user in range(1000):
            configs = [{"user": user}]
            assert await answer.options(configs=configs, strategy=Mine())() == user
            assert await answer.options(timeout=user + 1)() == 0
        (supervisor,) = answer.experiment.supervisors.values()
        assert len(supervisor.children) < 300
        assert len(supervisor.cases) < 150
        assert len(supervisor.strategies) < 150
    statistics = runtime.statistics()["answer"]
    assert statistics.planned == sum(case.ok for case in statistics.cases) == 2000


async def test_options_share_the_state_of_the_strategy() -> None:
    runtime = Runtime(configs=[{"n": 0}, {"n": 1}], strategy=RoundRobinStrategy())

    @runtime.experiment
    async def answer(config: Config) -> int:
        return int(config.n)

    async with runtime:
        quick = answer.options(timeout=5)
        assert [await call() for call in (answer, quick, answer, quick)] == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"configs": []}, r"configs=\[\] has no config in it: give one at least"),
        ({"circuit": 3}, "circuit must be a CircuitBreaker or None, not 3"),
        ({"max_restarts": -1}, "max_restarts must be a whole number from 0 on, not -1"),
        ({"max_restarts": True}, "max_restarts must be a whole number from 0 on, not True"),
        ({"drain_timeout": "2"}, "drain_timeout must be a number of seconds from 0 on, not '2'"),
        ({"drain_timeout": float("nan")}, "drain_timeout must be a number of seconds"),
        ({"within": 0}, "within must be a number of seconds over 0, not 0"),
        ({"service": 3}, "service must be a name or None, not 3"),
        ({"clock": 3}, "clock must be a function, not 3"),
    ],
)
def test_what_a_runtime_cannot_be_given_is_refused_at_once(given: Any, told: str) -> None:
    with pytest.raises(ExperimentError, match=told):
        Runtime(**given)


def test_who_subscribes_must_be_a_function() -> None:
    with pytest.raises(ExperimentError, match="subscribe to results with a function, not 'x'"):
        Runtime().subscribe("x")  # type: ignore[arg-type]


def test_a_call_without_a_loop_of_asyncio_says_so() -> None:
    @Runtime(configs=[{"n": 0}]).experiment
    async def play(config: Config) -> None: ...

    with pytest.raises(ExperimentError, match="play is awaited where no loop of asyncio runs"):
        play().send(None)


async def test_a_coroutine_that_is_not_awaited_has_the_name_of_what_was_called() -> None:
    runtime = Runtime(configs=[{"n": 0}, {"n": 1}])

    @runtime.experiment
    async def play(config: Config) -> None: ...

    made: list[tuple[Any, str]] = [(play(), "play"), (runtime.collect(play), "Calls.collect")]
    for coroutine, name in made:
        assert coroutine.__qualname__.endswith(name)
        coroutine.close()
