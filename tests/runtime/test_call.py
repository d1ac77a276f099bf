"""What a caller gets, and what plays beside it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from understudy import (
    Call,
    Config,
    ExperimentCaseResults,
    MultiBranchStrategy,
    Plan,
    Runtime,
    ShadowStrategy,
    current_experiment_case,
)

TWO = [{"model": "large"}, {"model": "small"}]


async def test_the_primary_answers_and_the_shadow_runs_beside_it() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
    played: list[str] = []

    @runtime.experiment()
    async def answer(prompt: str, config: Config) -> str:
        await asyncio.sleep(0)
        played.append(config.model)
        return f"{config.model}: {prompt}"

    async with runtime:
        assert await answer("hello") == "large: hello"
        assert await runtime.call(answer, "hello") == "large: hello"
    assert sorted(played) == ["large", "large", "small", "small"]


async def test_collect_gives_all_results_under_any_strategy() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

    @runtime.experiment
    async def answer(prompt: str, config: Config) -> str:
        return f"{config.model}: {prompt}"

    async with runtime:
        results = await runtime.collect(answer, "hi")
    assert isinstance(results, ExperimentCaseResults)
    assert [each.result for each in results] == ["large: hi", "small: hi"]
    assert [each.role for each in results] == ["primary", "shadow"]
    assert results.main_result.experiment_case.config.model == "large"


async def test_multi_branch_answers_with_all_results() -> None:
    runtime = Runtime(configs=TWO, strategy=MultiBranchStrategy())

    @runtime.experiment
    async def answer(config: Config) -> str:
        if config.model == "small":
            raise ValueError(config.model)
        return str(config.model)

    async with runtime:
        results = await answer()
    assert results.main_result.unwrap() == "large"  # type: ignore[attr-defined]
    assert [each.status for each in results] == ["ok", "error"]  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="small"):
        results.variant_results[0].unwrap()  # type: ignore[attr-defined]


async def test_the_exception_of_the_primary_is_the_same_object() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
    mine = ValueError("mine")

    @runtime.experiment
    async def answer(config: Config) -> None:
        await asyncio.sleep(0)
        raise mine

    async with runtime:
        for call in (answer, lambda: runtime.call(answer), lambda: runtime.collect(answer)):
            with pytest.raises(ValueError, match="mine") as caught:
                await call()
            assert caught.value is mine
            names = [entry.name for entry in caught.traceback]
            assert names[-1] == "answer"


async def test_the_current_case_is_readable_inside_a_branch() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
    seen: list[Any] = []

    @runtime.experiment
    async def answer(config: Config) -> None:
        await asyncio.sleep(0)
        case = current_experiment_case.get()
        seen.append((case.config.id, case.get_config_id("answer"), config.id))

    async with runtime:
        await answer()
    assert len(seen) == 2
    assert all(len(set(each)) == 1 for each in seen)
    assert current_experiment_case.get(None) is None


async def test_results_are_in_config_order_whatever_the_order_of_the_plan() -> None:
    class Backwards:
        def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
            zero, one, two, three = configs
            return Plan(primary=two, shadows=(three, zero), skipped=((one, "not_today"),))

    runtime = Runtime(configs=[{"n": n} for n in range(4)], strategy=Backwards())

    @runtime.experiment
    async def answer(config: Config) -> int:
        return int(config.n)

    async with runtime:
        results = await runtime.collect(answer)
    assert [each.experiment_case.config.n for each in results] == [2, 0, 1, 3]
    assert [each.result for each in results] == [2, 0, None, 3]
