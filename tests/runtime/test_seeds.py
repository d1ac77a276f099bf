"""The examples and claims of the documents this began with, as far as they are async, under our names."""

import asyncio
import inspect
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from tests.simulation._loop import run_virtual
from understudy import (
    Bind,
    Config,
    DynamicValue,
    ExperimentCaseResults,
    FunctionResult,
    MultiBranchStrategy,
    RoundRobinStrategy,
    Runtime,
    ShadowStrategy,
    SingleConfigStrategy,
    current_experiment_case,
)

MODELS = [{"model": "gpt-4", "temp": 0.7}, {"model": "gpt-3.5-turbo", "temp": 0.5}]


def timed(main: Coroutine[Any, Any, Any]) -> Any:
    return run_virtual(main)


class TestLifecycle:
    """The document about what happens when an experiment is called."""

    async def test_decoration(self) -> None:
        runtime = Runtime(configs=[{"model": "gpt-4"}])

        @runtime.experiment()
        async def generate(prompt: str, config: Config) -> str:
            """Generate a text."""
            return f"{config['model']}: {prompt}"

        assert (generate.__name__, generate.__doc__) == ("generate", "Generate a text.")
        assert inspect.iscoroutinefunction(generate)
        async with runtime:
            assert await generate("Hello") == "gpt-4: Hello"

    async def test_ids_and_labels(self) -> None:
        runtime = Runtime(configs=MODELS)

        @runtime.experiment()
        async def generate(config: Config) -> None: ...

        labels = [config.label for config in generate.experiment.settings.configs]
        assert labels == ["gpt-4-0.7", "gpt-3.5-turbo-0.5"]
        async with runtime:
            await generate()
            with runtime.force(generate, "gpt-3.5-turbo-0.5"):
                await generate()
        cases = runtime.statistics().experiments[0].cases
        assert [(case.label, case.planned) for case in cases] == [
            ("gpt-4-0.7", 1),
            ("gpt-3.5-turbo-0.5", 1),
        ]

    async def test_a_runner_gives_the_primary_and_the_variants(self) -> None:
        runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())

        @runtime.experiment()
        async def func(prompt: str, config: Config) -> str:
            return f"{config.model}: {prompt}"

        async with runtime:
            async with runtime.arun(func) as runner:
                results = await runner("Hello")
            assert results.main_result.result == "gpt-4: Hello"
            assert results.variant_results == []
            async with runtime.arun(func, await_variants=True) as runner:
                results = await runner("Hello")
        assert isinstance(results, ExperimentCaseResults)
        assert results.main_result.result == "gpt-4: Hello"
        assert results.main_result.experiment_case.config.id == Config(MODELS[0]).id
        assert [each.result for each in results.variant_results] == ["gpt-3.5-turbo: Hello"]

    def test_the_timeline(self) -> None:
        """The variant runs while the primary does, and the caller waits for the primary alone."""

        async def main() -> Any:
            loop: Any = asyncio.get_running_loop()
            timeline: list[Any] = []

            def note(what: str) -> None:
                timeline.append((what, round((loop.time() - zero) * 1000)))

            runtime = Runtime(configs=MODELS, strategy=ShadowStrategy(), clock=loop.clock)

            @runtime.experiment()
            async def generate(prompt: str, config: Config) -> str:
                note(f"{config.model} starts")
                await asyncio.sleep(0.1 if config.model == "gpt-4" else 0.101)
                note(f"{config.model} completes")
                return f"Result from {config['model']}"

            async with runtime:
                zero = loop.time()
                result = await generate("Hello world")
                note(f"the caller has {result!r}")
            return timeline

        assert timed(main()) == [
            ("gpt-4 starts", 0),
            ("gpt-3.5-turbo starts", 0),
            ("gpt-4 completes", 100),
            ("the caller has 'Result from gpt-4'", 100),
            ("gpt-3.5-turbo completes", 101),
        ]

    async def test_the_case_is_set_while_a_function_runs_and_reset_after_it(self) -> None:
        runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())
        seen: list[tuple[str, str]] = []

        @runtime.experiment()
        async def generate(config: Config) -> None:
            await asyncio.sleep(0)
            seen.append((current_experiment_case.get().config.id, config.id))

        async with runtime:
            await generate()
            assert current_experiment_case.get(None) is None
        with pytest.raises(LookupError, match="no experiment"):
            current_experiment_case.get()
        assert sorted(seen) == sorted((Config(each).id,) * 2 for each in MODELS)

    async def test_context_isolation(self) -> None:
        runtime = Runtime(configs=[{"model": "gpt-4"}])

        @runtime.experiment(configs=[{"model": "its own"}])
        async def inner(config: Config) -> str:
            case = current_experiment_case.get()
            assert case.config is config
            return f"Inner: {case.config.model}"

        @runtime.experiment()
        async def outer(config: Config) -> str:
            before = current_experiment_case.get()
            result = await inner()
            assert current_experiment_case.get().config is before.config is config
            return f"Outer: {config.model}, {result}"

        async with runtime:
            assert await outer() == "Outer: gpt-4, Inner: its own"

    async def test_async_functions(self) -> None:
        runtime = Runtime(configs=[{"model": "gpt-4"}])

        @runtime.experiment()
        async def async_generate(prompt: str, config: Config) -> str:
            await asyncio.sleep(0)
            return f"Async result: {prompt}"

        async with runtime:
            assert await async_generate("Hello") == "Async result: Hello"

    async def test_an_exception_of_the_primary_propagates(self) -> None:
        runtime = Runtime(configs=[{"model": "gpt-4"}])
        results: list[FunctionResult[Any]] = []
        runtime.subscribe(results.append)

        @runtime.experiment()
        async def failing_func(config: Config) -> str:
            raise ValueError("Something went wrong")

        async with runtime:
            with pytest.raises(ValueError, match="^Something went wrong$") as caught:
                await failing_func()
        assert results[0].exception_info is caught.value

    async def test_an_exception_of_a_variant_is_stored_and_does_not_propagate(self) -> None:
        runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())

        @runtime.experiment()
        async def risky(config: Config) -> str:
            if config.model != "gpt-4":
                raise ValueError("Invalid model")
            return "fine"

        async with runtime:
            assert await risky() == "fine"
            results = await runtime.collect(risky)
        error = results.variant_results[0].exception_info
        assert repr(error) == "ValueError('Invalid model')"
        assert results.variant_results[0].result is None

    async def test_nothing_is_left_when_it_ends(self) -> None:
        threads, tasks = set(threading.enumerate()), asyncio.all_tasks()
        runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())

        @runtime.experiment()
        async def generate(config: Config) -> None:
            await asyncio.sleep(0)

        async with runtime:
            await generate()
        assert set(threading.enumerate()) <= threads
        assert asyncio.all_tasks() == tasks
        assert [case.ok for case in runtime.statistics().experiments[0].cases] == [1, 1]


class TestArchitecture:
    """The document about how it works inside."""

    async def test_a_config_handed_to_a_nested_experiment(self) -> None:
        runtime = Runtime(configs=[{"model": "gpt-4"}])

        @runtime.experiment()
        async def helper_func(prompt: str, config: Config) -> str:
            return f"{config['model']}: {prompt}"

        @runtime.experiment()
        async def my_func(prompt: str, config: Config) -> str:
            return str(await helper_func(prompt, config))

        @runtime.experiment()
        async def by_itself(prompt: str) -> str:
            return str(await helper_func(prompt))

        async with runtime:
            assert await my_func("hi") == await by_itself("hi") == "gpt-4: hi"

    async def test_configs_from_everywhere(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "configs").mkdir()
        (tmp_path / "config.yaml").write_text("model: file\n")
        (tmp_path / "configs" / "a.yaml").write_text("model: directory\n")
        runtime = Runtime(
            configs=[{"model": DynamicValue(["gpt-4", "gpt-3.5"])}, "config.yaml", "configs/"],
            strategy=MultiBranchStrategy(),
        )

        @runtime.experiment()
        async def generate(config: Config) -> str:
            return str(config.model)

        async with runtime:
            answers = [each.result for each in await generate()]  # type: ignore[attr-defined]
        assert answers == ["gpt-4", "gpt-3.5", "file", "directory"]

    async def test_a_part_of_a_config_bound_to_a_type(self) -> None:
        class ModelConfig(msgspec.Struct):
            name: str
            temp: float = 0.5

        runtime = Runtime(configs=[{"llm": {"model": {"name": "gpt-4"}}}])

        @runtime.experiment()
        async def func(config: Annotated[ModelConfig, Bind("llm.model")]) -> str:
            return f"{config.name} {config.temp}"

        async with runtime:
            assert await func() == "gpt-4 0.5"

    @pytest.mark.parametrize(
        ("strategy", "answers", "played"),
        [
            (None, "aaa", "aaa"),
            (SingleConfigStrategy(), "aaa", "aaa"),
            (ShadowStrategy(), "aaa", "aaabbbccc"),
            (RoundRobinStrategy(), "abc", "abc"),
            (MultiBranchStrategy(), "", "aaabbbccc"),
        ],
        ids=repr,
    )
    async def test_the_built_in_strategies(self, strategy: Any, answers: str, played: str) -> None:
        runtime = Runtime(configs=[{"v": v} for v in "abc"], strategy=strategy)
        seen: list[str] = []

        @runtime.experiment()
        async def process(config: Config) -> str:
            seen.append(config.v)
            return str(config.v)

        async with runtime:
            found = [await process() for _ in range(3)]
        if answers:
            assert "".join(found) == answers
        else:
            assert [[each.result for each in results] for results in found] == [["a", "b", "c"]] * 3  # type: ignore[attr-defined]
        assert "".join(sorted(seen)) == played

    async def test_a_strategy_of_ones_own(self) -> None:
        def my_strategy(configs: list[Config]) -> tuple[Config, list[Config]]:
            main = configs[-1]
            return main, [config for config in configs if config != main]

        runtime = Runtime(strategy=my_strategy, configs=MODELS)

        @runtime.experiment()
        async def process(text: str, config: Config) -> str:
            return f"{config['model']}: {text}"

        async with runtime:
            assert await process("hello") == "gpt-3.5-turbo: hello"
            results = await runtime.collect(process, "hello")
        assert [each.result for each in results] == ["gpt-3.5-turbo: hello", "gpt-4: hello"]

    async def test_a_variant_does_not_hold_up_the_answer(self) -> None:
        runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())
        go_on = asyncio.Event()
        played: list[str] = []

        @runtime.experiment()
        async def async_func(text: str, config: Config) -> str:
            if config.model != "gpt-4":
                await go_on.wait()
            played.append(config.model)
            return f"Result: {text}"

        async with runtime:
            assert await async_func("hello") == "Result: hello"
            assert played == ["gpt-4"]
            go_on.set()
        assert played == ["gpt-4", "gpt-3.5-turbo"]

    async def test_an_id_of_ones_own(self) -> None:
        runtime = Runtime(configs=[{"model": "gpt-4", "__config_id__": "my-custom-id"}])

        @runtime.experiment(name="process")
        async def process(config: Config) -> dict[str, Any]:
            return config.to_dict()

        async with runtime:
            result = (await runtime.collect(process)).main_result
        assert result.result == {"model": "gpt-4"}
        assert result.experiment_case.get_config_id("process") == "my-custom-id"

    async def test_a_callback_for_what_variants_raise(self) -> None:
        runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())
        failed: list[str] = []

        def handle_variant_error(result: FunctionResult[Any]) -> None:
            if result.role == "shadow" and result.exception_info is not None:
                failed.append(str(result.exception_info))

        runtime.subscribe(handle_variant_error)

        @runtime.experiment()
        async def risky_func(text: str, config: Config) -> str:
            if config["model"] != "gpt-4":
                raise ValueError("Invalid model")
            return f"Result: {text}"

        async with runtime:
            assert await risky_func("hello") == "Result: hello"
        assert failed == ["Invalid model"]

    async def test_calls_through_variables_are_detected(self) -> None:
        """The document says of its own system that they are not."""
        runtime = Runtime(configs=[{"v": "a"}, {"v": "b"}], strategy=RoundRobinStrategy())

        @runtime.experiment()
        async def child_func(config: Config) -> str:
            return str(config.v)

        @runtime.experiment(strategy=SingleConfigStrategy())
        async def parent_func(call: Any) -> str:
            return str(await call() + await call())

        async with runtime:
            assert [await parent_func(child_func) for _ in range(3)] == ["aa", "bb", "aa"]
