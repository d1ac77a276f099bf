"""`options(...)`: other settings for some calls, with the same supervisor."""

from understudy import Config, Plan, RoundRobinStrategy, Runtime


async def test_options_made_for_every_call_leave_nothing_behind() -> None:
    runtime = Runtime(configs=[{"user": 0}])

    class Mine:
        __hash__ = None  # type: ignore[assignment]

        def plan(self, call: object, configs: tuple[Config, ...]) -> Plan:
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
