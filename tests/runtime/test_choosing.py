"""Who plays: force, the kill switch, keys."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from understudy import (
    Config,
    ConfigTypeError,
    ExperimentError,
    MemorySink,
    MultiBranchStrategy,
    RoundRobinStrategy,
    Runtime,
    ShadowStrategy,
)
from understudy.actors import _lineup  # type: ignore[attr-defined]  # pyright: ignore
from understudy.strategies import Call, Plan

MODELS = [{"model": "large"}, {"model": "small"}, {"model": "tiny"}]


def model_of(runtime: Runtime, **settings: Any) -> Any:
    @runtime.experiment(**settings)  # type: ignore[untyped-decorator]
    async def model(*args: Any, config: Config) -> str:
        await asyncio.sleep(0)
        return str(config.model)

    return model


async def test_force_pins_a_config_by_its_id_label_or_place() -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())
    model = model_of(runtime)
    async with runtime:
        small = model.experiment.settings.configs[1]
        for pin in (small.id, small.label, 1, -2):
            with runtime.force(model, pin):
                results = await runtime.collect(model)
                assert [each.result for each in results] == ["small"]
                assert results.main_result.reason == "forced"
        assert await model() == "large"


async def test_the_innermost_force_counts_and_each_context_has_its_own() -> None:
    runtime = Runtime(configs=MODELS)
    model = model_of(runtime)

    async def forced(pin: str) -> list[str]:
        with runtime.force(model, pin):
            first = await asyncio.create_task(runtime.call(model))
            with runtime.force(model, "tiny"):
                inner = await model()
            return [first, inner, await model()]

    async with runtime:
        told = await asyncio.gather(forced("small"), forced("large"), model())
    assert [*told] == [["small", "tiny", "small"], ["large", "tiny", "large"], "large"]


@pytest.mark.parametrize("pin", ["none", 3, -4])
async def test_a_config_that_is_not_there_cannot_be_forced(pin: Any) -> None:
    runtime = Runtime(configs=MODELS)
    model = model_of(runtime)
    problem = r"no config .*; there are 'large', 'small', 'tiny'"
    with pytest.raises(ExperimentError, match=problem), runtime.force(model, pin):
        pass


async def test_a_pin_is_for_all_calls_until_it_is_taken_away() -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy(), events=(events := MemorySink()))
    model = model_of(runtime)
    other = model_of(runtime)
    async with runtime:
        runtime.pin(model, "small")
        results = await asyncio.create_task(runtime.collect(model))
        assert [(each.result, each.reason) for each in results] == [("small", "pinned")]
        assert await asyncio.to_thread(lambda: asyncio.run(model())) == "small"
        assert await other() == "large"
        with runtime.force(model, "tiny"):
            assert await model() == "tiny"
        runtime.disable(model)
        assert await model() == "large"
        runtime.enable(model)
        assert await model() == "small"
        runtime.unpin(model)
        assert await model() == "large"
        runtime.unpin(model)
    told = [(each.event, each.label) for each in events.events if "pinned" in each.event]
    assert told == [("experiment.pinned", "small"), *[("experiment.unpinned", None)] * 2]
    with pytest.raises(ExperimentError, match="no config 'none'"):
        runtime.pin(model, "none")


async def test_the_kill_switch_leaves_the_first_config_and_wins_over_all_else() -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())
    model = model_of(runtime)
    both = model_of(runtime, strategy=MultiBranchStrategy())
    async with runtime:
        model.disable()
        with runtime.force(model, "tiny"):
            (only,) = await runtime.collect(model)
        assert (only.result, only.reason) == ("large", "disabled")
        assert len(await both()) == 3
        model.enable()
        assert len(await runtime.collect(model)) == 3
        runtime.disable()
        assert len(await runtime.collect(model)) == 1
        assert [each.result for each in await both()] == ["large"]  # the answer keeps its shape
        runtime.enable()
        assert len(await both()) == 3
    assert runtime.statistics().experiments[0].is_disabled is False


async def test_round_robin_is_exact_under_any_concurrency() -> None:
    runtime = Runtime(configs=MODELS, strategy=RoundRobinStrategy())
    model = model_of(runtime)
    async with runtime:
        told = await asyncio.gather(*(model() for _ in range(1000)))
    counts = sorted(told.count(name) for name in ("large", "small", "tiny"))
    assert counts == [333, 333, 334]


async def test_of_many_configs_each_is_cast_once(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = Runtime(
        configs=[{"model": str(n)} for n in range(300)], strategy=RoundRobinStrategy()
    )
    model = model_of(runtime)
    made: list[int] = []
    make = _lineup.cast_plan

    def counting(*args: Any, **kwargs: Any) -> Any:
        made.append(1)
        return make(*args, **kwargs)

    monkeypatch.setattr(_lineup, "cast_plan", counting)
    async with runtime:
        told = [await model() for _ in range(900)]
    assert told == [str(n) for n in range(300)] * 3
    assert len(made) == 300


_SHADOWS = [[], ["small"], ["small", "tiny"], ["small"]]


_LOOSE: Any = Plan
"""A Plan, as somebody makes it who checks no types."""
_CHANGING: Any = msgspec.defstruct("_CHANGING", [], bases=(Plan,), frozen=False)
"""A plan that is not frozen."""


def _all_at_once(count: int, plan: Any, configs: Sequence[Config]) -> None:
    plan.shadows = tuple(configs[1 : 1 + count])


def _in_its_list(count: int, plan: Plan, configs: Sequence[Config]) -> None:
    shadows: Any = plan.shadows
    shadows[:] = configs[1 : 1 + count]


def _in_its_pairs(count: int, plan: Plan, configs: Sequence[Config]) -> None:
    pair: Any = plan.skipped[0]
    pair[0] = configs[1 + count % 2]


@pytest.mark.parametrize(
    ("made", "change", "told"),
    [
        (lambda configs: _CHANGING(primary=configs[0]), _all_at_once, _SHADOWS),
        (lambda configs: _LOOSE(primary=configs[0], shadows=[]), _in_its_list, _SHADOWS),
        (
            lambda configs: _LOOSE(primary=configs[0], skipped=([configs[1], "later"],)),
            _in_its_pairs,
            [["small"], ["tiny"], ["small"], ["tiny"]],
        ),
    ],
)
async def test_a_strategy_may_change_the_plan_it_keeps(made: Any, change: Any, told: Any) -> None:
    class Changing:
        kept: Any = None

        def plan(self, call: Call, configs: Sequence[Config]) -> Any:
            self.kept = self.kept or made(configs)
            change(call.args[0], self.kept, configs)
            return self.kept

    runtime = Runtime(configs=MODELS, strategy=Changing())
    model = model_of(runtime)
    async with runtime:
        results = [(await runtime.collect(model, count)).variant_results for count in (0, 1, 2, 1)]
    assert [[each.experiment_case.config.model for each in one] for one in results] == told


async def test_a_key_is_a_function_of_the_arguments_or_given_by_options() -> None:
    runtime = Runtime(configs=MODELS[:2], strategy=ShadowStrategy(sample=0.5, by="key"))
    model = model_of(runtime, key=lambda user: user)

    async def has_shadow(call: Any) -> bool:
        results = await runtime.collect(call, "someone")
        return bool(results[1].status == "ok")

    async with runtime:
        sampled = {
            key: {await has_shadow(model.options(key=key)) for _ in range(5)} for key in range(20)
        }
        assert {len(each) for each in sampled.values()} == {1}  # a key always fares the same
        assert {each for found in sampled.values() for each in found} == {True, False}
        assert await has_shadow(model) == await has_shadow(model.options(key="someone"))


async def test_a_key_that_cannot_be_found_costs_nothing() -> None:
    strategy = ShadowStrategy(sample=0.999, by="key")
    runtime = Runtime(configs=MODELS[:2], strategy=strategy)

    def no_key(*args: Any) -> None:
        raise LookupError("no key")

    model = model_of(runtime, key=no_key)
    async with runtime:
        (only,) = await runtime.collect(model)
    assert (only.result, only.reason) == ("large", "error")


async def test_a_key_is_not_looked_for_where_it_decides_nothing() -> None:
    runtime = Runtime(configs=MODELS[:2], strategy=ShadowStrategy())
    asked: list[Any] = []
    model = model_of(runtime, key=lambda *args: asked.append(args))
    async with runtime:
        await model("hello")
        assert len(await runtime.collect(model, "hello")) == 2
    assert asked == []


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"timeout": 0}, "timeout must be a number of seconds over 0, not 0"),
        ({"timeout": "5"}, "timeout must be a number of seconds"),
        ({"concurrency": 0}, "concurrency must be a whole number from 1 on, not 0"),
        ({"concurrency": True}, "concurrency must be"),
        ({"mailbox": -1}, "mailbox must be a whole number from 0 on"),
        ({"overflow": "drop"}, "overflow must be 'wait' or 'reject', not 'drop'"),
        ({"nested": "no"}, "nested must be 'product' or 'independent'"),
        ({"max_cases": 1.5}, "max_cases must be"),
        ({"place": "moon"}, "place must be 'loop', not 'moon'"),
        (
            {"tiemout": 1},
            r"no setting 'tiemout' \(did you mean 'timeout'\?\); .* name, uses, place",
        ),
        ({"nmae": "x"}, r"no setting 'nmae' \(did you mean 'name'\?\)"),
        ({"name": 3}, "name must be a text, or None for the function's own, not 3"),
        ({"name": ""}, "name must be a text"),
        ({"uses": 3}, "uses must be a list of experiments, not 3"),
        ({"uses": "f"}, "uses must be a list of experiments, not 'f'"),
        ({"uses": print}, r"not one alone: write uses=\[print\]"),
    ],
)
def test_wrong_settings_are_one_clear_error(settings: dict[str, Any], problem: str) -> None:
    runtime = Runtime(configs=MODELS)
    with pytest.raises(ExperimentError, match=problem):
        model_of(runtime, **settings)


def test_a_class_is_no_experiment() -> None:
    class Model: ...

    problem = r"the class .*\.Model cannot be an experiment: decorate a function that makes one"
    with pytest.raises(ExperimentError, match=problem):
        Runtime().experiment(Model)


def test_configs_that_a_function_does_not_take_are_worth_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def forgetful(prompt: str) -> str:
        return prompt

    Runtime(configs=MODELS).experiment(forgetful)
    assert "takes none of them, so that all play the same" in caplog.text
    assert "test_choosing.py:" in caplog.text
    caplog.clear()
    Runtime(configs=MODELS[:1]).experiment(forgetful)
    Runtime(configs=MODELS).experiment(configs=None)(forgetful)
    assert caplog.text == ""


async def test_what_is_passed_for_a_config_must_be_one() -> None:
    runtime = Runtime(configs=MODELS)
    model = model_of(runtime)
    async with runtime:
        for passed in ("large", {"model": "large"}, 3):
            with pytest.raises(ConfigTypeError, match=r"given .* as its 'config': leave that to"):
                await model(config=passed)
        assert runtime.statistics().experiments[0].planned == 0


def test_round_robin_is_exact_over_loops_and_threads() -> None:
    runtime = Runtime(configs=MODELS, strategy=RoundRobinStrategy())
    played: list[str] = []

    @runtime.experiment()
    def answer(config: Config) -> None:
        played.append(config.model)

    async def main() -> None:
        await asyncio.gather(*(runtime.call(answer) for _ in range(5)))

    for _ in range(3):
        asyncio.run(main())
        answer()
    threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runtime.close()
    counts = [played.count(config["model"]) for config in MODELS]
    assert sum(counts) == 28
    assert max(counts) - min(counts) <= 1
