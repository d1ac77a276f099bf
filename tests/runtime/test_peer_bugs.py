"""What the existing packages get wrong about async calls, each right here.

The first line of each docstring is what the peer does.
"""

import asyncio
import gc
import threading
import types
import weakref
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from typing import Annotated, Any, TypeVar

import pytest

from tests.simulation._loop import run_virtual
from understudy import (
    Bind,
    CircuitBreaker,
    Config,
    ConfigError,
    DynamicValue,
    ExperimentCaseResults,
    ExperimentError,
    FunctionResult,
    MultiBranchStrategy,
    Plan,
    RoundRobinStrategy,
    Runtime,
    ShadowStrategy,
    SingleConfigStrategy,
    UnderstudyError,
    current_experiment_case,
)

T = TypeVar("T")

TWO = [{"v": "a"}, {"v": "b"}]
MINE = Config(v="mine")
VAR: ContextVar[str] = ContextVar("var", default="unset")


def virtual_runtime(**settings: Any) -> Runtime:
    """Make a runtime whose time is that of the simulated loop that runs."""
    loop: Any = asyncio.get_running_loop()
    return Runtime(clock=loop.clock, **settings)


def in_virtual_time(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    return run_virtual(main())


def noting(runtime: Runtime) -> list[FunctionResult[Any]]:
    """Return a list that every result is appended to."""
    results: list[FunctionResult[Any]] = []

    async def note(result: FunctionResult[Any]) -> None:
        results.append(result)

    runtime.subscribe(note)
    return results


class TestSpearmintConfigs:
    def test_h1_two_configs_with_one_id(self) -> None:
        """The last one answers, without a word."""
        runtime = Runtime()
        with pytest.raises(ConfigError, match="the same id 'x'"):

            @runtime.experiment(
                configs=[
                    {"__config_id__": "x", "v": "first"},
                    {"__config_id__": "x", "v": "second"},
                ]
            )
            async def answer(config: Config) -> None: ...

    async def test_h1_an_explicit_id_on_an_expanded_config(self) -> None:
        """All the configs it expands to play with the values of the last one."""
        runtime = Runtime(
            configs=[{"__config_id__": "base", "a": DynamicValue([1, 2, 3])}],
            strategy=ShadowStrategy(),
        )

        @runtime.experiment
        async def answer(config: Config) -> int:
            return int(config.a)

        async with runtime:
            assert [each.result for each in await runtime.collect(answer)] == [1, 2, 3]

    async def test_h2_a_config_that_is_changed(self) -> None:
        """The change leaks into all later calls, and into the caller's own dict."""
        mine: list[dict[str, Any]] = [{"l": [1]}, {"l": [2]}]
        runtime = Runtime(configs=mine, strategy=ShadowStrategy())

        @runtime.experiment
        async def answer(config: dict[str, Any]) -> list[int]:
            config["l"].append(0)
            await asyncio.sleep(0)
            config["new"] = True
            return list(config["l"])

        @runtime.experiment
        async def frozen(config: Config) -> None:
            config["l"].append(0)

        async with runtime:
            for _ in range(3):
                results = await runtime.collect(answer)
                assert [each.result for each in results] == [[1, 0], [2, 0]]
            with pytest.raises(AttributeError):
                await frozen()
        assert mine == [{"l": [1]}, {"l": [2]}]

    async def test_h5_one_function_under_two_decorators(self) -> None:
        """The configs of the second one play for both."""
        runtime, other = Runtime(), Runtime()

        async def base(config: Config) -> str:
            return str(config.v)

        first = runtime.experiment(configs=[{"v": "first"}])(base)
        second = runtime.experiment(configs=[{"v": "second"}])(base)
        third = other.experiment(configs=[{"v": "third"}])(base)
        async with runtime, other:
            answers = [await first(), await second(), await third(), await base(Config(v="none"))]
        assert answers == ["first", "second", "third", "none"]

    async def test_h5_stacked_decorators(self) -> None:
        """The configs of the inner one play, and the outer one claims its own."""
        runtime = Runtime()

        @runtime.experiment(configs=[{"v": "outer"}], name="outer")
        @runtime.experiment(configs=[{"v": "inner"}], name="inner")
        async def base(config: Config) -> str:
            case = current_experiment_case.get()
            assert case.config is config
            assert case.get_config_id("outer") == Config(v="outer").id
            return str(config.v)

        async with runtime:
            result = (await runtime.collect(base)).main_result
        assert result.result == "inner"
        case = result.experiment_case
        assert (case.config.v, case.get_config_id("inner")) == ("outer", Config(v="inner").id)

    @pytest.mark.parametrize(
        "choose", [lambda configs: configs[0].replace({"v": "new"}), lambda configs: Config(w=1)]
    )
    async def test_h6_a_strategy_that_returns_a_config_nobody_registered(self, choose: Any) -> None:
        """A TypeError about a missing argument, or silently the old config."""

        class Own:
            def plan(self, call: Any, configs: Any) -> Plan:
                return Plan(primary=choose(configs), shadows=(configs[1],))

        runtime = Runtime(configs=TWO, strategy=Own())

        @runtime.experiment
        async def answer(config: Config) -> str:
            return str(config.v)

        async with runtime:
            assert await answer() == "a"
            results = await runtime.collect(answer)
        assert [(each.result, each.reason) for each in results] == [("a", "error")]

    async def test_h6_other_values_under_an_id_that_is_known(self) -> None:
        """The old values play, without a word."""
        runtime = Runtime(configs=[{"__config_id__": "x", "v": "old"}])

        @runtime.experiment
        async def answer(config: Config) -> str:
            return str(config.v)

        async with runtime:
            assert await answer() == "old"
            other = answer.options(configs=[{"__config_id__": "x", "v": "new"}])
            assert [await other(), await answer()] == ["new", "old"]


class TestGivenConfig:
    """H-7: the caller passes the config itself.

    Main and all variants get it, while the case still claims the registered ones.
    """

    STRATEGIES = (
        SingleConfigStrategy(),
        ShadowStrategy(),
        ShadowStrategy(sample=0.5),
        MultiBranchStrategy(),
        RoundRobinStrategy(),
    )

    @pytest.mark.parametrize("is_named", [True, False], ids=["by name", "by position"])
    @pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
    async def test_only_the_primary_plays_and_its_case_has_the_given_config(
        self, strategy: Any, is_named: bool
    ) -> None:
        runtime = Runtime(configs=TWO, strategy=strategy)
        played: list[str] = []

        @runtime.experiment(name="answer")
        async def answer(prompt: str, config: Config) -> str:
            played.append(config.v)
            await asyncio.sleep(0)
            case = current_experiment_case.get()
            assert case.config is config
            assert case.get_config_id("answer") == config.id
            return f"{prompt} {config.v}"

        args, kwargs = (("hi",), {"config": MINE}) if is_named else (("hi", MINE), {})
        noted = noting(runtime)
        async with runtime:
            answers = [await answer(*args, **kwargs), await runtime.call(answer, *args, **kwargs)]
            async with runtime.arun(answer) as runner:
                answers.append(await runner(*args, **kwargs))  # type: ignore[arg-type]
            answers.append(await runtime.collect(answer, *args, **kwargs))  # type: ignore[arg-type]
        values = [
            [result.result for result in each]  # pyright: ignore[reportAttributeAccessIssue]
            if isinstance(each, ExperimentCaseResults)
            else [each]
            for each in answers
        ]
        assert values == [["hi mine"]] * 4
        assert played == ["mine"] * 4
        assert {(each.reason, each.experiment_case.config.id) for each in noted} == {
            ("given", MINE.id)
        }

    async def test_a_registered_config_that_is_given_plays_as_itself(self) -> None:
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

        @runtime.experiment(name="answer")
        async def answer(config: Config) -> str:
            return str(config.v)

        async with runtime:
            results = await runtime.collect(answer, config=Config(v="b"))  # type: ignore[call-overload]
            assert [(each.result, each.reason) for each in results] == [("b", "given")]
            twin = Config({"__config_id__": Config(v="b").id, "v": "twin"})
            (result,) = await runtime.collect(answer, twin)  # type: ignore[call-overload]
            assert (result.result, result.experiment_case.config) == ("twin", twin)
        counts = {case.label: case.planned for case in runtime.statistics()["answer"].cases}
        assert counts == {"a": 1, "b": 1}

    async def test_a_part_that_is_given_wins_and_the_primary_plays_alone(self) -> None:
        runtime = Runtime(
            configs=[{"m": "a", "t": 1}, {"m": "b", "t": 2}], strategy=RoundRobinStrategy()
        )

        @runtime.experiment
        async def answer(
            model: Annotated[str, Bind("m")], x: int, *, t: Annotated[int, Bind("t")]
        ) -> Any:
            return model, x, t

        shadowed = runtime.experiment(strategy=ShadowStrategy())(answer.experiment.function)
        async with runtime:
            assert await answer(0) == ("a", 0, 1)
            assert await answer(0, t=9) == ("b", 0, 9)
            assert await answer("mine", 0) == ("mine", 0, 1)
            (result,) = await runtime.collect(shadowed, 0, t=9)
            assert (result.result, result.reason) == (("a", 0, 9), "given")
            assert result.experiment_case.config == {"m": "a", "t": 1}
            assert len(await runtime.collect(shadowed, x=0)) == 2

    async def test_other_keywords_and_more_arguments_leave_the_plan_as_it_is(self) -> None:
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

        @runtime.experiment
        async def first(config: Config, x: str, *more: str, **named: str) -> str:
            return "".join([config.v, x, *more, *named])

        @runtime.experiment
        async def plain(x: str, **named: Any) -> str:
            return "".join([x, *named])

        async with runtime:
            for args, kwargs in (
                (("x",), {}),
                (("x", "y"), {}),
                (("x",), {"z": ""}),
                ((), {"x": "x"}),
            ):
                results = await runtime.collect(first, *args, **kwargs)
                expected = "".join(args) + "".join(kwargs)
                assert [each.result for each in results] == ["a" + expected, "b" + expected]
                assert {each.reason for each in results} == {"static"}
            results = await runtime.collect(plain, "x", config=1)
        assert [(each.result, each.reason) for each in results] == [("xconfig", "static")] * 2

    async def test_it_wins_over_a_pin_the_kill_switch_and_the_case(self) -> None:
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

        @runtime.experiment
        async def answer(config: Config) -> str:
            return str(config.v)

        @runtime.experiment(configs=[{"o": 1}])
        async def outer() -> list[str]:
            return [
                await answer(),
                await answer(MINE),  # type: ignore[call-arg]
                await answer(config=Config(v="b")),  # type: ignore[call-arg]
                await answer(),
            ]

        async with runtime:
            with runtime.force(answer, 1):
                assert await answer(MINE) == "mine"  # type: ignore[call-arg]
            answer.disable()
            assert await answer(MINE) == "mine"  # type: ignore[call-arg]
            answer.enable()
            assert await outer() == ["a", "mine", "b", "a"]

    async def test_a_registered_one_joins_the_case_and_another_does_not(self) -> None:
        runtime = Runtime(configs=TWO)

        @runtime.experiment(name="answer")
        async def answer(config: Config) -> str:
            return str(config.v)

        @runtime.experiment(configs=[{"o": 1}])
        async def outer(config: Config, passed: Config) -> list[str]:
            return [await answer(passed), await answer()]  # type: ignore[call-arg]

        async with runtime:
            assert await outer(passed=Config(v="b")) == ["b", "b"]
            assert await outer(passed=MINE) == ["mine", "a"]

    async def test_a_config_handed_on_from_one_experiment_to_another(self) -> None:
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), nested="independent")

        @runtime.experiment(name="child")
        async def child(text: str, config: Config) -> str:
            return f"{config.v}: {text}"

        @runtime.experiment(name="parent")
        async def parent(text: str, config: Config) -> str:
            return str(await child(text, config))

        async with runtime:
            results = await runtime.collect(parent, "hi")
        assert [each.result for each in results] == ["a: hi", "b: hi"]
        for each in results:
            case = each.experiment_case
            assert case.get_config_id("child") == case.get_config_id("parent") == case.config.id

    async def test_without_any_configs_the_given_one_is_what_plays(self) -> None:
        runtime = Runtime()

        @runtime.experiment
        async def answer(config: Config) -> str:
            return str(config.v)

        async with runtime:
            (result,) = await runtime.collect(answer, MINE)  # type: ignore[call-overload]
            assert (result.result, result.experiment_case.config) == ("mine", MINE)
            with pytest.raises(ConfigError, match="needs a config"):
                await answer()


class TestSpearmintNested:
    async def test_h8_an_inner_experiment_that_the_source_does_not_name(self) -> None:
        """ValueError: No config found for function 'inner'."""
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

        @runtime.experiment(name="inner")
        async def inner(config: Config) -> str:
            return str(config.v)

        async def helper() -> str:
            return str(await inner())

        class Machine:
            @runtime.experiment
            async def step(self, config: Config) -> str:
                return str(config.v)

            @runtime.experiment
            async def work(self) -> str:
                return str(await self.step())

        module = types.SimpleNamespace(inner=inner)
        handlers = {"inner": inner}

        @runtime.experiment
        async def outer(passed: Any) -> list[Any]:
            alias = passed
            return [
                await helper(),
                await module.inner(),
                await handlers["inner"](),
                await alias(),
                await Machine().step(),
                await Machine().work(),
            ]

        async with runtime:
            assert await outer(inner) == ["a"] * 6
            assert await helper() == "a"

    async def test_h9_recursion(self) -> None:
        """RecursionError on the first call, direct or mutual."""
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

        @runtime.experiment
        async def factorial(n: int, config: Config) -> int:
            return n * (await factorial(n - 1)) if n else 1

        @runtime.experiment
        async def is_even(n: int) -> bool:
            return n == 0 or bool(await is_odd(n - 1))

        @runtime.experiment
        async def is_odd(n: int) -> bool:
            return n != 0 and bool(await is_even(n - 1))

        async with runtime:
            assert await factorial(5) == 120
            assert await is_even(10) is True

    async def test_h10_two_experiments_of_one_name(self) -> None:
        """Registering an unrelated function of the same name breaks the first one."""
        runtime = Runtime()

        def make(value: str) -> Any:
            @runtime.experiment(configs=[{"v": value}])
            async def step(config: Config) -> str:
                return str(config.v)

            return step

        first = make("first")

        @runtime.experiment
        async def outer() -> str:
            return str(await first())

        async with runtime:
            assert await outer() == "first"
            second = make("second")
            assert second.experiment.name == first.experiment.name
            assert await outer() == "first"

            @runtime.experiment
            async def both() -> str:
                found = str(await first()) + str(await second())
                with pytest.raises(UnderstudyError, match="ambiguous"):
                    current_experiment_case.get().get_config_id("step")
                return found

            assert await both() == "firstsecond"

    async def test_h11_inner_experiments_that_are_not_reached(self) -> None:
        """An outer experiment of one config plays once for each config of an inner one."""
        runtime = Runtime(strategy=ShadowStrategy())

        @runtime.experiment(configs=[{"n": n} for n in range(5)])
        async def inner(config: Config) -> None: ...

        @runtime.experiment(configs=[{"o": 1}], name="outer")
        async def outer(is_reached: bool = False) -> None:
            if is_reached:
                await inner()

        async with runtime:
            await outer()
        assert runtime.statistics()["outer"].planned == 1

    async def test_h11_three_levels_of_six_configs(self) -> None:
        """216 executions for one plain call."""
        configs = [{"n": n} for n in range(6)]
        runtime = Runtime(configs=configs)

        @runtime.experiment
        async def bottom(config: Config) -> int:
            return int(config.n)

        @runtime.experiment
        async def middle(config: Config) -> int:
            return int(config.n + await bottom())

        @runtime.experiment
        async def top(config: Config) -> int:
            return int(config.n + await middle())

        async with runtime:
            assert await top() == 0
        assert [each.planned for each in runtime.statistics().experiments] == [1, 1, 1]
        with pytest.raises(ExperimentError, match=r"has 216 cases .*max_cases is 64"):
            shadowed = Runtime(configs=configs, strategy=ShadowStrategy())
            low = shadowed.experiment(bottom.experiment.function)
            mid = shadowed.experiment(uses=[low])(middle.experiment.function)
            shadowed.experiment(uses=[mid])(top.experiment.function)

    async def test_h12_variants_asked_for_inside_an_experiment(self) -> None:
        """`run(inner, await_variants=True)` in a body silently has no variants, or crashes."""
        runtime = Runtime(strategy=ShadowStrategy())

        @runtime.experiment(configs=TWO)
        async def inner(config: Config) -> str:
            return str(config.v)

        @runtime.experiment(configs=[{"o": 1}])
        async def outer() -> list[Any]:
            async with runtime.arun(inner, await_variants=True) as runner:
                results = await runner()
            assert await inner() == "a"
            return [each.result for each in results]

        async with runtime:
            assert await outer() == ["a", "b"]


class TestSpearmintShadows:
    def test_h13_shadows_run_beside_the_primary(self) -> None:
        """They start when the primary has ended: never at the same time."""

        async def main() -> list[Any]:
            loop = asyncio.get_running_loop()
            spans: list[Any] = []

            async with virtual_runtime(configs=TWO, strategy=ShadowStrategy()) as runtime:

                @runtime.experiment
                async def answer(config: Config) -> None:
                    began = loop.time()
                    await asyncio.sleep(0.1)
                    spans.append((config.v, began - zero, round(loop.time() - zero, 6)))

                zero = loop.time()
                await answer()
            return spans

        assert in_virtual_time(main) == [("a", 0.0, 0.1), ("b", 0.0, 0.1)]

    async def test_h13_shadows_do_not_see_what_the_primary_sets_in_its_context(self) -> None:
        """They see context variables as the primary has changed them."""
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy(after_primary=True))
        seen: list[Any] = []

        @runtime.experiment
        async def answer(config: Config) -> None:
            seen.append((config.v, VAR.get()))
            VAR.set("changed")
            await asyncio.sleep(0)

        VAR.set("request")
        async with runtime:
            await answer()
        assert seen == [("a", "request"), ("b", "request")]
        assert VAR.get() == "request"

    @pytest.mark.parametrize("is_late", [False, True], ids=["at once", "after a while"])
    async def test_h13_shadows_play_even_if_the_primary_fails(self, is_late: bool) -> None:
        """They do not run at all if the primary raises."""
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
        results = noting(runtime)

        @runtime.experiment
        async def answer(config: Config) -> str:
            if is_late:
                await asyncio.sleep(0)
            if config.v == "a":
                raise ValueError("mine")
            return str(config.v)

        async with runtime:
            with pytest.raises(ValueError, match="mine"):
                await answer()
        assert [(each.status, each.result) for each in results] == [("error", None), ("ok", "b")]

    def test_h17_shadows_are_bounded(self) -> None:
        """A task for each, without a bound: 586 MiB after 100,000 calls."""

        async def main() -> Runtime:
            runtime = virtual_runtime(
                configs=TWO, strategy=ShadowStrategy(), concurrency=4, mailbox=8
            )

            @runtime.experiment(name="answer")
            async def answer(config: Config) -> None:
                if config.v == "b":
                    await asyncio.sleep(60)

            async with runtime:
                before = len(asyncio.all_tasks())
                for _ in range(500):
                    await answer()
                statistics = runtime.statistics()["answer"]
                assert statistics["a"].ok == 500
                assert (statistics["b"].in_flight, statistics["b"].waiting) == (4, 8)
                assert statistics["b"].shed == 488
                assert statistics.shadows_in_flight == 12
                assert len(asyncio.all_tasks()) - before <= 1
                await runtime.drain(1000)
            return runtime

        case = in_virtual_time(main).statistics()["answer"]["b"]
        assert (case.ok, case.shed) == (12, 488)

    def test_h18_a_shadow_that_cannot_start_does_not_touch_the_primary(self) -> None:
        """RuntimeError: can't start new thread, raised by the primary, after its side effects."""

        async def main() -> list[Any]:
            runtime = virtual_runtime(
                configs=TWO, strategy=ShadowStrategy(), concurrency=1, mailbox=0
            )
            results = noting(runtime)
            threads = set(threading.enumerate())

            @runtime.experiment
            async def answer(config: Config) -> str:
                await asyncio.sleep(0.1 if config.v == "b" else 0)
                return str(config.v)

            async with runtime:
                assert [await answer() for _ in range(3)] == ["a"] * 3
                assert set(threading.enumerate()) <= threads
            return [(each.status, each.reason) for each in results if each.role == "shadow"]

        ended = in_virtual_time(main)
        assert Counter(ended) == {("ok", "static"): 1, ("shed", "mailbox_full"): 2}

    async def test_h18_a_shadow_that_cannot_even_be_called_does_not_touch_the_primary(self) -> None:
        """An error on the way to a shadow is raised by the primary."""
        runtime = Runtime(configs=[{"t": 1}, {"t": 2}], strategy=ShadowStrategy())

        class Fussy:
            def __await__(self) -> Any:
                raise OSError("cannot start")

        @runtime.experiment
        async def answer(config: Config) -> str:
            if config.t == 2:
                await Fussy()
            return "fine"

        async with runtime:
            results = await runtime.collect(answer)
        assert [each.status for each in results] == ["ok", "error"]
        assert repr(results[1].exception_info) == "OSError('cannot start')"

    def test_h19_what_is_in_flight_when_the_loop_ends_is_not_lost(self) -> None:
        """Shadows are cancelled when `asyncio.run` returns, without a word."""
        ended: list[str] = []
        kept: list[Any] = []  # the experiment as well, which dies with its function

        async def main() -> None:
            runtime = virtual_runtime(configs=TWO, strategy=ShadowStrategy(), drain_timeout=60)

            @runtime.experiment(name="answer")
            async def answer(config: Config) -> None:
                await asyncio.sleep(5 if config.v == "b" else 0)
                ended.append(config.v)

            kept.extend((runtime, answer))
            await answer()

        in_virtual_time(main)
        assert ended == ["a", "b"]
        assert kept[0].statistics()["answer"]["b"].ok == 1

    def test_h19_what_takes_too_long_to_drain_is_cancelled_and_reported(self) -> None:
        """There is no drain: nobody learns what was lost."""

        async def main() -> Any:
            runtime = virtual_runtime(configs=TWO, strategy=ShadowStrategy(), drain_timeout=1)

            @runtime.experiment
            async def answer(config: Config) -> None:
                await asyncio.sleep(5 if config.v == "b" else 0)

            await answer()
            return await runtime.aclose()

        report = in_virtual_time(main)
        assert report.waited_for == 1
        assert [(each.status, each.reason) for each in report.cancelled] == [("cancelled", "drain")]
        assert report.cancelled[0].experiment_case.config == TWO[1]

    async def test_h20_a_shadow_is_strongly_referenced(self) -> None:
        """`gc.collect()` destroys a running shadow that nothing else refers to."""
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
        waiting: list[Any] = []
        results = noting(runtime)

        class Lonely:
            """An awaitable that nothing knows but who awaits it."""

            def __await__(self) -> Any:
                future = asyncio.get_running_loop().create_future()
                waiting.append(weakref.ref(future))
                yield from future

        @runtime.experiment
        async def answer(config: Config) -> str:
            if config.v == "b":
                await Lonely()
            return str(config.v)

        async with runtime:
            assert await answer() == "a"
            await asyncio.sleep(0)
            gc.collect()
            future = waiting[0]()
            assert future is not None
            future.set_result(None)
            del future
            await runtime.drain()
        assert [(each.status, each.result) for each in results] == [("ok", "a"), ("ok", "b")]

    async def test_h21_results_of_shadows_reach_whoever_wants_them(self) -> None:
        """They are thrown away: no callback, no sink, no log of success."""
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
        results = noting(runtime)
        told: list[Any] = []

        async def tell(result: FunctionResult[Any]) -> None:
            await asyncio.sleep(0)
            told.append(result)

        runtime.subscribe(tell)

        @runtime.experiment
        async def answer(config: Config) -> str:
            if config.v == "b":
                raise ValueError("of the shadow")
            return str(config.v)

        async with runtime:
            assert await answer() == "a"
        for found in (results, told):
            assert [(each.role, each.status) for each in found] == [
                ("primary", "ok"),
                ("shadow", "error"),
            ]
            assert repr(found[1].exception_info) == "ValueError('of the shadow')"

    @pytest.mark.parametrize("strategy", [ShadowStrategy(), MultiBranchStrategy()], ids=repr)
    async def test_h22_a_variant_that_fails_while_all_are_awaited(self, strategy: Any) -> None:
        """Its exception is raised, all other results are lost, and the rest runs on unattended."""
        runtime = Runtime(configs=[{"v": v} for v in "abc"], strategy=strategy)
        ended: list[str] = []

        @runtime.experiment
        async def answer(config: Config) -> str:
            if config.v == "b":
                raise ValueError("of b")
            for _ in range(5):
                await asyncio.sleep(0)
            ended.append(config.v)
            return str(config.v)

        async with runtime:
            results = await runtime.collect(answer)
            assert sorted(ended) == ["a", "c"]
        assert [each.result for each in results] == ["a", None, "c"]
        assert [each.status for each in results] == ["ok", "error", "ok"]
        assert [str(each.exception_info) for each in results.failed] == ["of b"]

    @pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
    @pytest.mark.parametrize("strategy", [ShadowStrategy(), MultiBranchStrategy()], ids=repr)
    async def test_h23_an_exit_in_a_shadow_is_recorded(
        self, strategy: Any, kind: type[BaseException]
    ) -> None:
        """`sys.exit()` in an async shadow ends the process."""
        runtime = Runtime(configs=TWO, strategy=strategy)

        @runtime.experiment
        async def answer(config: Config) -> str:
            await asyncio.sleep(0)
            if config.v == "b":
                raise kind(3)
            return str(config.v)

        async with runtime:
            results = await runtime.collect(answer)
            await answer()
        assert results[0].result == "a"
        assert type(results[1].exception_info) is kind
        assert results[1].status == ("cancelled" if kind is GeneratorExit else "error")

    async def test_h24_the_context_is_there_while_the_body_runs(self) -> None:
        """In a body that runs later, `current_experiment_case` is None."""
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
        seen: list[bool] = []

        @runtime.experiment
        async def answer(config: Config) -> None:
            for _ in range(3):
                seen.append(current_experiment_case.get().config is config)
                await asyncio.sleep(0)

            async def inside() -> None:
                seen.append(current_experiment_case.get().config is config)

            await asyncio.gather(inside(), asyncio.create_task(inside()))

        call = answer()
        async with runtime:
            await call
        assert seen == [True] * 10

    def test_h26_shadows_of_a_cancelled_primary_go_on(self) -> None:
        """A primary that is cancelled or late never starts its shadows."""

        async def main() -> list[Any]:
            runtime = virtual_runtime(configs=TWO, strategy=ShadowStrategy())
            results = noting(runtime)

            @runtime.experiment
            async def answer(config: Config) -> str:
                await asyncio.sleep(1)
                return str(config.v)

            async with runtime:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.5):
                        await answer()
                with pytest.raises(TimeoutError):
                    await answer.options(timeout=0.5)()
            return [(each.role, each.status, each.duration) for each in results]

        assert Counter(in_virtual_time(main)) == {
            ("primary", "cancelled", 0.5): 1,
            ("shadow", "ok", 1.0): 1,
            ("primary", "timeout", 0.5): 1,
            ("shadow", "timeout", 0.5): 1,
        }

    def test_h26_shadows_have_a_timeout_and_can_be_cancelled(self) -> None:
        """Shadows have no timeout and cannot be cancelled."""

        async def main() -> list[Any]:
            runtime = virtual_runtime(configs=TWO)
            results = noting(runtime)

            @runtime.experiment(strategy=ShadowStrategy(timeout=0.1))
            async def limited(config: Config) -> None:
                await asyncio.sleep(1)

            @runtime.experiment(strategy=ShadowStrategy(cancel_with_primary=True))
            async def together(config: Config) -> None:
                await asyncio.sleep(1)

            async with runtime:
                await limited()
                task = asyncio.create_task(together())
                await asyncio.sleep(0.5)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            return [
                (each.status, each.reason, each.duration)
                for each in results
                if each.role == "shadow"
            ]

        assert in_virtual_time(main) == [
            ("timeout", "static", 0.1),
            ("cancelled", "cancelled_with_primary", 0.5),
        ]


class TestSpearmintDecoration:
    async def test_h28_a_config_in_any_position(self) -> None:
        """A config first takes the caller's argument; one that is positional-only too."""
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

        @runtime.experiment
        async def first(config: Config, x: str) -> Any:
            return x + config.v

        @runtime.experiment
        async def after_many(x: str, *more: str, config: Config) -> str:
            return "".join([x, *more, config.v])

        @runtime.experiment
        async def positional(config: Config, /, x: str) -> Any:
            return x + config.v

        async with runtime:
            for function, args in (
                (first, ("x",)),
                (after_many, ("x", "y", "z")),
                (positional, ("x",)),
            ):
                results = await runtime.collect(function, *args)
                expected = "".join(args)
                assert [each.result for each in results] == [expected + "a", expected + "b"]

    @pytest.mark.parametrize("is_called", [False, True], ids=["never called", "called"])
    async def test_h29_decorating_in_a_factory_leaks_nothing(self, is_called: bool) -> None:
        """Each decorated function is pinned for ever, with all that its closure holds."""
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

        class Large:
            pass

        def make() -> tuple[Any, weakref.ref[Large]]:
            large: Any = Large()

            @runtime.experiment
            async def handler(config: Config) -> bool:
                return isinstance(large, Large)

            return handler, weakref.ref(large)

        references: list[Any] = []
        handler: Any = None
        async with runtime:
            for _ in range(20):
                handler, reference = make()
                references.append(reference)
                if is_called:
                    assert await handler() is True
            await runtime.drain()
            handler = None
            gc.collect()
            assert [each for each in references if each() is not None] == []
            assert runtime.statistics().experiments == ()

    async def test_h29_options_made_for_each_call_leave_nothing_behind(self) -> None:
        """What is made on the way of a call stays in a registry."""
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

        @runtime.experiment
        async def answer(config: Config) -> str:
            return str(config.v)

        async with runtime:
            for n in range(100):
                assert await answer.options(timeout=n + 1)() == "a"
                assert await answer.options(strategy=MultiBranchStrategy())()
            (supervisor,) = answer.experiment.supervisors.values()
            await runtime.drain()
            gc.collect()
            assert len(supervisor.children) == 4  # two configs, two strategies
            assert len(answer.experiment.views()) == 1


class TestSpearmintReleased:
    def test_p6_round_robin_is_exact(self) -> None:
        """Under 100 concurrent calls one config plays all: 100 to 0."""

        async def main() -> Counter[str]:
            runtime = virtual_runtime(
                configs=[{"v": v} for v in "abc"], strategy=RoundRobinStrategy()
            )

            @runtime.experiment
            async def answer(n: int, config: Config) -> str:
                await asyncio.sleep(n % 7 / 100)
                return str(config.v)

            async with runtime:
                return Counter(await asyncio.gather(*map(answer, range(100))))

        assert in_virtual_time(main) == {"a": 34, "b": 33, "c": 33}

    @pytest.mark.parametrize("strategy", [None, ShadowStrategy(), RoundRobinStrategy()], ids=repr)
    async def test_p7_exceptions_stay_what_they_are(self, strategy: Any) -> None:
        """Every one becomes RuntimeError("KeyError: 'nope'"), without a cause."""
        runtime = Runtime(configs=TWO, strategy=strategy)
        cause = LookupError("deep")

        class Mine(Exception):
            pass

        @runtime.experiment
        async def answer(error: BaseException) -> None:
            raise error from cause

        async with runtime:
            errors: list[BaseException] = [
                Mine("x", 1),
                KeyError("nope"),
                ExceptionGroup("many", [ValueError()]),
                asyncio.CancelledError(),
                TimeoutError("of mine"),
            ]
            for error in errors:
                with pytest.raises(type(error)) as caught:
                    await answer(error)
                assert caught.value is error
                assert error.__cause__ is cause

    async def test_p11_dict_postponed_and_optional_annotations(self) -> None:
        """`config: dict`, "Config" and Config | None are not filled in: a TypeError."""
        runtime = Runtime(configs=TWO)

        @runtime.experiment
        async def as_dict(prompt: str, config: dict[str, Any]) -> str:
            return prompt + str(config["v"])

        @runtime.experiment
        async def postponed(prompt: str, config: "Config") -> str:
            return prompt + str(config.v)

        @runtime.experiment
        async def optional(prompt: str, config: Config | None = None) -> str:
            return prompt + ("" if config is None else str(config.v))

        async with runtime:
            assert [await call("hi ") for call in (as_dict, postponed, optional)] == ["hi a"] * 3

    async def test_p13_results_of_many_concurrent_calls_are_all_there(self) -> None:
        """The list of shadow tasks is overwritten by the next call: they are lost."""
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
        results = noting(runtime)

        @runtime.experiment
        async def answer(n: int, config: Config) -> Any:
            for _ in range(n % 5):
                await asyncio.sleep(0)
            return n, config.v

        async with runtime:
            await asyncio.gather(*map(answer, range(50)))
        assert Counter(each.result for each in results) == Counter(
            (n, v) for n in range(50) for v in "ab"
        )

    async def test_p14_concurrent_calls_do_not_see_each_other(self) -> None:
        """What a call is about stands on the instance: the last call wins."""
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
        seen: list[Any] = []

        @runtime.experiment
        async def answer(n: int, config: Config) -> None:
            before = current_experiment_case.get(), VAR.get()
            VAR.set(f"{n}{config.v}")
            for _ in range(n % 3 + 1):
                await asyncio.sleep(0)
            seen.append((n, config.v, VAR.get(), before[1]))
            assert before[0] is not None
            assert before[0].config is current_experiment_case.get().config is config

        async def request(n: int) -> None:
            VAR.set(f"request {n}")
            await answer(n)

        async with runtime:
            await asyncio.gather(*map(request, range(20)))
        assert sorted(seen) == [(n, v, f"{n}{v}", f"request {n}") for n in range(20) for v in "ab"]


class TestLiteLlm:
    async def test_every_planned_branch_that_did_not_run_says_why(self) -> None:
        """A shadow that silently never happens: nobody can say why."""
        three = [{"v": v} for v in "abc"]
        runtime = Runtime(configs=three, circuit=CircuitBreaker(failures=1, cooldown=3600))
        results = noting(runtime)
        go_on = asyncio.Event()

        async def waiting(config: Config) -> None:
            if config.v != "a":
                await go_on.wait()

        async def failing(config: Config) -> None:
            if config.v == "b":
                raise ValueError

        async def endless(config: Config) -> None:
            await asyncio.Event().wait()

        def declare(function: Callable[..., Awaitable[Any]], name: str, **given: Any) -> Any:
            settings: Any = {"strategy": ShadowStrategy(), "name": name, **given}
            return runtime.experiment(**settings)(function)

        sampled = declare(waiting, "sampled_out", strategy=ShadowStrategy(sample=0.0))
        limited = declare(waiting, "limit", strategy=ShadowStrategy(limit=1))
        full = declare(waiting, "mailbox_full", concurrency=1, mailbox=0)
        broken = declare(failing, "circuit_open")
        cancelled = declare(
            endless, "primary_cancelled", strategy=ShadowStrategy(after_primary=True)
        )
        inner = declare(failing, "in_shadow", nested="independent")

        async def calling(config: Config) -> None:
            await inner()

        outer = declare(calling, "outer", configs=three[:2], nested="independent")
        async with runtime:
            await sampled()
            await limited()
            await limited()
            await full()
            await full()
            assert len((await runtime.collect(broken)).failed) == 1
            await broken()
            task = asyncio.create_task(cancelled())
            for _ in range(3):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            await outer()
            go_on.set()
        unplayed = [each for each in results if each.status in ("skipped", "shed")]
        assert {each.experiment_case.experiment: each.reason for each in unplayed} == {
            name: name
            for name in (
                "sampled_out",
                "limit",
                "mailbox_full",
                "circuit_open",
                "primary_cancelled",
                "in_shadow",
            )
        }
        planned = sum(each.planned for each in runtime.statistics().experiments)
        assert planned == len(results) == len({each.branch_id for each in results})
        assert all(each.reason for each in results)

    async def test_a_branch_that_did_not_run_says_so_when_its_value_is_asked_for(self) -> None:
        """A mirror that failed or never ran is logged as a success."""
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy(sample=0.0))

        @runtime.experiment(name="answer")
        async def answer(config: Config) -> str:
            return str(config.v)

        async with runtime:
            results = await runtime.collect(answer)
        assert results[1].status == "skipped"
        with pytest.raises(
            UnderstudyError, match=r"answer did not play 'b': skipped \(sampled_out\)"
        ):
            results[1].unwrap()


class TestLaboratory:
    def test_an_async_control_is_awaited_and_measured(self) -> None:
        """The control's coroutine is handed back bare: nothing was measured."""

        async def main() -> ExperimentCaseResults[Any]:
            runtime = virtual_runtime(configs=TWO, strategy=ShadowStrategy())

            @runtime.experiment
            async def control(config: Config) -> str:
                await asyncio.sleep(0.1 if config.v == "a" else 0.3)
                return str(config.v)

            async with runtime:
                results: ExperimentCaseResults[Any] = await runtime.collect(control)
                return results

        results = in_virtual_time(main)
        assert [(each.result, each.duration) for each in results] == [("a", 0.1), ("b", 0.3)]

    def test_the_caller_does_not_wait_for_the_candidate(self) -> None:
        """A control of 100 ms and a candidate of 300 ms take the caller 405 ms."""

        async def main() -> float:
            loop = asyncio.get_running_loop()
            runtime = virtual_runtime(configs=TWO, strategy=ShadowStrategy())

            @runtime.experiment
            async def control(config: Config) -> None:
                await asyncio.sleep(0.1 if config.v == "a" else 0.3)

            async with runtime:
                began = loop.time()
                await control()
                return loop.time() - began

        assert in_virtual_time(main) == pytest.approx(0.1)
