"""What keeps failing is given a rest; what crashes is restarted, or stopped; the lead answers."""

import asyncio
import threading
from typing import Any

import pytest

from tests.loops import turns
from tests.simulation import SimulatedLoop, run_virtual
from understudy import (
    CircuitBreaker,
    Config,
    FunctionResult,
    MemorySink,
    Plan,
    Runtime,
    ShadowStrategy,
)

TWO = [{"n": 0}, {"n": 1}]


def test_the_circuit_of_a_failing_shadow_opens_half_opens_and_closes() -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        assert isinstance(loop, SimulatedLoop)
        sink = MemorySink()
        runtime = Runtime(
            configs=TWO,
            strategy=ShadowStrategy(),
            circuit=CircuitBreaker(failures=2, cooldown=30),
            clock=loop.clock,
            events=sink,
        )
        fails = True

        @runtime.experiment
        async def play(config: Config) -> None:
            if config.n and fails:
                raise ConnectionError("out of order")

        async def shadow() -> tuple[str, str]:
            result = (await runtime.collect(play)).variant_results[0]
            return result.status, result.reason

        async with runtime:
            assert [(await shadow())[0] for _ in range(2)] == ["error", "error"]
            assert await shadow() == ("skipped", "circuit_open")
            await asyncio.sleep(30)
            assert (await shadow())[0] == "error"  # one is tried, and fails
            assert await shadow() == ("skipped", "circuit_open")
            fails = False
            await asyncio.sleep(30)
            assert [(await shadow())[0] for _ in range(3)] == ["ok"] * 3
        turned = [event.event for event in sink.events if event.event.startswith("breaker.")]
        assert turned == [
            "breaker.opened",
            "breaker.half_opened",
            "breaker.opened",
            "breaker.half_opened",
            "breaker.closed",
        ]

    run_virtual(main())


async def test_a_failing_primary_never_trips_a_circuit() -> None:
    runtime = Runtime(configs=TWO[:1], circuit=CircuitBreaker(failures=1))

    @runtime.experiment
    async def play(config: Config) -> None:
        raise ValueError("mine")

    async with runtime:
        for _ in range(5):
            with pytest.raises(ValueError, match="mine"):
                await play()
    assert runtime.statistics().experiments[0][0].error == 5


class Bad:
    """A strategy that does what it is told to, which is wrong."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.calls = 0

    def plan(self, call: Any, configs: Any) -> Any:
        self.calls += 1
        if self.what == "raise":
            raise RuntimeError("no plan")
        if self.what == "exit":
            raise SystemExit(3)
        if self.what == "unknown":
            return Plan(primary=Config(n=99))
        if self.what == "twice":
            return Plan(primary=configs[0], shadows=(configs[0],))
        return {"nonsense": 42, "empty": None}[self.what]


@pytest.mark.parametrize("what", ["raise", "exit", "unknown", "twice", "nonsense", "empty"])
async def test_a_strategy_that_fails_costs_nothing_and_the_first_config_answers(what: str) -> None:
    sink = MemorySink()
    strategy = Bad(what)
    runtime = Runtime(configs=TWO, strategy=strategy, events=sink, max_restarts=2, within=60)

    @runtime.experiment
    async def play(config: Config) -> int:
        return int(config.n)

    async with runtime:
        for _ in range(10):
            (only,) = await runtime.collect(play)
            assert (only.result, only.reason) == (0, "error")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        statistics = runtime.statistics().experiments[0]
        assert (statistics.strategy_state, statistics.restarts) == ("stopped", 2)
    assert strategy.calls == 3
    told = [event.event for event in sink.events if event.event.startswith("strategy.")]
    assert told == ["strategy.failed"] * 3
    crashed = [event.event for event in sink.named("actor.crashed")]
    assert len(crashed) == 3


async def test_a_restarted_strategy_begins_afresh() -> None:
    class Countdown:
        made = 0

        def __init__(self) -> None:
            self.left = 2

        def fresh(self) -> "Countdown":
            Countdown.made += 1
            return Countdown()

        def plan(self, call: Any, configs: Any) -> Plan:
            self.left -= 1
            if self.left < 0:
                raise RuntimeError("spent")
            return Plan(primary=configs[1])

    runtime = Runtime(configs=TWO, strategy=Countdown())

    @runtime.experiment
    async def play(config: Config) -> int:
        return int(config.n)

    async with runtime:
        told: list[int] = []
        for _ in range(6):
            told.append(await play())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    assert told == [1, 1, 0, 1, 1, 0]


async def test_a_strategy_is_told_the_results_of_its_own_calls() -> None:
    class Learner:
        def __init__(self) -> None:
            self.seen: list[tuple[str, str]] = []

        def plan(self, call: Any, configs: Any) -> Plan:
            return Plan(primary=configs[0], shadows=(configs[1],))

        def observe(self, result: FunctionResult[Any]) -> None:
            self.seen.append((result.role, result.status))

    learner, other = Learner(), Learner()
    runtime = Runtime(configs=TWO, strategy=learner)

    @runtime.experiment
    async def play(config: Config) -> None:
        if config.n:
            raise ValueError("shadow")

    async with runtime:
        await play()
        await play.options(strategy=other)()
    assert sorted(learner.seen) == sorted(other.seen) == [("primary", "ok"), ("shadow", "error")]


@pytest.mark.parametrize("how", ["raise", "exit", "hang"])
@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_a_subscriber_harms_nobody(kind: str, how: str) -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), drain_timeout=0.1, max_restarts=1)
    free = threading.Event()
    calls: list[str] = []

    def misbehave() -> None:
        calls.append(how)
        if how == "raise":
            raise RuntimeError("a bad subscriber")
        if how == "exit":
            raise SystemExit(3)

    async def told(result: FunctionResult[Any]) -> None:
        misbehave()
        await asyncio.sleep(3600)

    def told_in_a_thread(result: FunctionResult[Any]) -> None:
        misbehave()
        free.wait()

    @runtime.experiment
    async def play(x: int, config: Config) -> int:
        return x

    runtime.subscribe(told if kind == "async" else told_in_a_thread)
    good: list[str] = []
    runtime.subscribe(lambda result: good.append(result.status))
    async with runtime:
        for x in range(20):
            assert await play(x) == x
            await asyncio.sleep(0)
    free.set()
    assert good == ["ok"] * 40
    if how != "hang":
        assert len(calls) == 2  # one crash was forgiven


async def test_a_subscriber_hears_of_one_experiment_only_if_asked() -> None:
    runtime = Runtime(configs=TWO[:1])
    heard: list[str] = []

    @runtime.experiment(name="one")
    async def one(config: Config) -> None: ...

    @runtime.experiment(name="two")
    async def two(config: Config) -> None: ...

    async with runtime:
        with runtime.subscribe(
            lambda result: heard.append(result.experiment_case.experiment), experiment=two
        ):
            await one()
            await two()
    assert heard == ["two"]


async def test_a_strategy_is_told_all_before_the_runtime_is_left() -> None:
    class Learner:
        def __init__(self) -> None:
            self.seen = 0

        def plan(self, call: Any, configs: Any) -> Plan:
            return Plan(primary=configs[0])

        def observe(self, result: FunctionResult[Any]) -> None:
            self.seen += 1

    learner = Learner()
    runtime = Runtime(configs=TWO, strategy=learner)

    @runtime.experiment
    async def play(config: Config) -> None: ...

    async with runtime:
        for _ in range(10):
            await play()
    assert learner.seen == 10


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_what_a_subscriber_is_not_told_is_counted(kind: str) -> None:
    runtime = Runtime(configs=TWO[:1], max_restarts=2)

    def fail(result: FunctionResult[Any]) -> None:
        raise RuntimeError("never works")

    async def fail_too(result: FunctionResult[Any]) -> None:
        raise RuntimeError("never works")

    @runtime.experiment
    async def play(config: Config) -> None: ...

    subscription = runtime.subscribe(fail if kind == "sync" else fail_too)
    async with runtime:
        for _ in range(20):
            await play()
            await asyncio.sleep(0)
    assert subscription.dropped == 20


async def test_two_experiments_of_one_name_are_told_apart() -> None:
    runtime = Runtime(configs=TWO[:1])
    heard: list[str] = []

    def make(answer: str) -> Any:
        @runtime.experiment(name="same")
        async def play(config: Config) -> str:
            return answer

        return play

    one, two = make("one"), make("two")
    async with runtime:
        with runtime.subscribe(lambda result: heard.append(str(result.result)), experiment=two):
            await one()
            await two()
    assert heard == ["two"]
    with pytest.raises(KeyError, match="2 experiments are called 'same': same, same; .* name="):
        runtime.statistics()["same"]


async def test_a_crash_that_nobody_listens_for_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    runtime = Runtime(configs=TWO, strategy=Bad("raise"), events=[])

    @runtime.experiment
    async def play(config: Config) -> int:
        return int(config.n)

    async with runtime:
        assert await play() == 0
    (logged,) = [record for record in caplog.records if record.name == "understudy"]
    assert logged.getMessage().startswith("actor.crashed: ")
    assert "no plan" in caplog.text


async def test_what_a_shadow_goes_through_is_logged_once_where_nobody_listens(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runtime = Runtime(
        configs=TWO,
        strategy=ShadowStrategy(limit=2),
        circuit=CircuitBreaker(failures=1),
        drain_timeout=0.0,
        events=[],
    )
    gate = asyncio.Event()

    @runtime.experiment(name="fails")
    async def fails(config: Config) -> None:
        if config.n:
            raise ConnectionError("out of order")

    @runtime.experiment(name="hangs")
    async def hangs(config: Config) -> None:
        if config.n:
            await gate.wait()

    async with runtime:
        for _ in range(5):
            await fails()
            await hangs()
            await turns()
    assert [record.getMessage() for record in caplog.records] == [
        "fails[1]: failed too often in a row, and rests for 30 s",
        "hangs[1]: more than it can play, so that it sheds some (limit); a timeout= ends what hangs",
        "the drain was over, and cancelled what ran: hangs[1] x 2",
    ]
