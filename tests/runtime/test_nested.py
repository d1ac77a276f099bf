"""Experiments that call experiments: which config plays, how often, and that nobody hangs."""

import asyncio
import functools
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from typing import Any

import anyio
import pytest

from tests.simulation._loop import run_virtual
from understudy import (
    Config,
    DeadlockError,
    ExperimentCaseResults,
    ExperimentError,
    FunctionResult,
    MultiBranchStrategy,
    RoundRobinStrategy,
    Runtime,
    ShadowStrategy,
    UnderstudyError,
    current_experiment_case,
)
from understudy.strategies import Call, Plan

Inner = Callable[..., Awaitable[str]]

OUTER = [{"o": "a"}, {"o": "b"}]
MIDDLE = [{"m": "k"}, {"m": "l"}]
INNER = [{"i": "x"}, {"i": "y"}]
ALL_FOUR = ["ax", "ay", "bx", "by"]
REQUEST: ContextVar[str] = ContextVar("request", default="none")


# Ways to reach an experiment


async def by_name(inner: Inner, runtime: Runtime) -> str:
    return await inner()


async def through_a_variable(inner: Inner, runtime: Runtime) -> str:
    chosen = inner
    return await chosen()


async def by_an_alias_in_a_closure(inner: Inner, runtime: Runtime) -> str:
    async def step() -> str:
        return await inner()

    return await step()


async def from_a_dict(inner: Inner, runtime: Runtime) -> str:
    steps = {"first": inner}
    return await steps["first"]()


async def from_a_partial(inner: Inner, runtime: Runtime) -> str:
    return await functools.partial(inner)()


async def by_runtime_call(inner: Inner, runtime: Runtime) -> str:
    answer: str = await runtime.call(inner)
    return answer


async def by_runtime_call_of_a_partial(inner: Inner, runtime: Runtime) -> str:
    answer: str = await runtime.call(functools.partial(inner))
    return answer


async def in_a_task(inner: Inner, runtime: Runtime) -> str:
    async def step() -> str:
        return await inner()

    return await asyncio.create_task(step())


async def in_gather(inner: Inner, runtime: Runtime) -> str:
    (answer,) = await asyncio.gather(inner())
    return answer


async def in_a_task_group(inner: Inner, runtime: Runtime) -> str:
    async def step() -> str:
        return await inner()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(step())
    return task.result()


async def in_an_anyio_task_group(inner: Inner, runtime: Runtime) -> str:
    answers: list[str] = []

    async def step() -> None:
        answers.append(await inner())

    async with anyio.create_task_group() as group:
        group.start_soon(step)
    return answers[0]


async def under_a_timeout(inner: Inner, runtime: Runtime) -> str:
    async with asyncio.timeout(60):
        return await asyncio.wait_for(inner(), 60)


async def through_a_plain_function(inner: Inner, runtime: Runtime) -> str:
    answer: str = await runtime.call(by_name, inner, runtime)
    return answer


async def through_options(inner: Inner, runtime: Runtime) -> str:
    decorated: Any = inner
    answer: str = await decorated.options(timeout=60)()
    return answer


WAYS = [
    by_name,
    through_a_variable,
    by_an_alias_in_a_closure,
    from_a_dict,
    from_a_partial,
    by_runtime_call,
    by_runtime_call_of_a_partial,
    in_a_task,
    in_gather,
    in_a_task_group,
    in_an_anyio_task_group,
    under_a_timeout,
    through_a_plain_function,
    through_options,
]
every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


class Pair:
    """An outer experiment that calls an inner one, and what they played."""

    def __init__(
        self,
        way: Callable[[Inner, Runtime], Awaitable[str]] = by_name,
        *,
        times: int = 1,
        outer: Sequence[Any] = OUTER,
        strategy: Any = None,
        inner_strategy: Any = None,
        is_declared: bool = True,
        **settings: Any,
    ) -> None:
        self.runtime = runtime = Runtime(strategy=strategy or ShadowStrategy())
        self.played: list[str] = []
        played = self.played

        @runtime.experiment(
            configs=INNER, strategy=inner_strategy or ShadowStrategy(), name="inner"
        )
        async def inner(config: Config) -> str:
            outside = OUTSIDE.get()
            await asyncio.sleep(0)
            played.append(outside + config.i)
            assert current_experiment_case.get().config is config
            return str(config.i)

        uses = [inner] if is_declared else []

        @runtime.experiment(configs=outer, uses=uses, name="outer", **settings)  # type: ignore[untyped-decorator]
        async def outer_(config: Config) -> str:
            OUTSIDE.set(config.o)
            answers = [await way(inner, runtime) for _ in range(times)]
            return str(config.o) + "".join(answers)

        self.inner = inner
        self.outer: Any = outer_


OUTSIDE: ContextVar[str] = ContextVar("outside", default="")


def cases(results: ExperimentCaseResults[Any]) -> list[str]:
    """Return what each result says that both experiments played."""
    names = {
        config.id: config[key]
        for key, many in (("o", OUTER), ("i", INNER))
        for config in map(Config, many)
    }
    found: list[str] = []
    for result in results:
        case = result.experiment_case
        assert case.get_config_id("outer") == case.config.id
        found.append(names[case.get_config_id("outer")] + names[case.get_config_id("inner")])
    return found


# Routing


@every_way
async def test_an_assigned_config_plays_once_however_the_call_is_reached(way: Any) -> None:
    pair = Pair(way)
    async with pair.runtime:
        assert await pair.outer() == "ax"
    assert sorted(pair.played) == ALL_FOUR


@every_way
async def test_a_choice_joins_the_case_however_the_call_is_reached(way: Any) -> None:
    pair = Pair(way, times=2, outer=OUTER[:1], inner_strategy=RoundRobinStrategy())
    async with pair.runtime:
        assert [await pair.outer() for _ in range(3)] == ["axx", "ayy", "axx"]


@every_way
async def test_inside_a_shadow_no_shadow_starts_however_the_call_is_reached(way: Any) -> None:
    pair = Pair(way, nested="independent")
    results: list[FunctionResult[Any]] = []
    pair.runtime.subscribe(results.append)
    async with pair.runtime:
        assert await pair.outer() == "ax"
    assert sorted(pair.played) == ["ax", "ay", "bx"]
    skipped = [each for each in results if each.status == "skipped"]
    assert [(each.reason, each.role) for each in skipped] == [("in_shadow", "shadow")]
    assert skipped[0].experiment_case.config == INNER[1]
    assert skipped[0].experiment_case.get_config_id("outer") == Config(OUTER[1]).id


async def test_methods_are_routed_by_the_case() -> None:
    runtime = Runtime(strategy=ShadowStrategy())
    played: list[str] = []

    class Machine:
        name = "m"

        @runtime.experiment(configs=INNER)
        async def step(self, config: Config) -> Any:
            return self.name + config.i

        @runtime.experiment(configs=OUTER, uses=[step])
        async def work(self, config: Config) -> str:
            found = config.o + await self.step()
            found += await runtime.call(self.step)
            played.append(found)
            return str(found)

    machine = Machine()
    async with runtime:
        assert await machine.work() == "amxmx"
        assert await runtime.call(machine.work) == "amxmx"
        assert len(await runtime.collect(machine.work)) == 4
    assert Counter(played) == {"amxmx": 3, "amymy": 3, "bmxmx": 3, "bmymy": 3}


async def test_siblings_in_gather_play_one_config_and_the_next_outer_call_the_next() -> None:
    runtime = Runtime()

    @runtime.experiment(configs=INNER, strategy=RoundRobinStrategy())
    async def inner(config: Config) -> str:
        await asyncio.sleep(0)
        return str(config.i)

    @runtime.experiment
    async def outer() -> list[str]:
        return [*await asyncio.gather(*(inner() for _ in range(5)))]

    async with runtime:
        answers = await asyncio.gather(*(outer() for _ in range(4)))
        assert [await inner() for _ in range(2)] == ["x", "y"]
    assert sorted(answers) == [["x"] * 5, ["x"] * 5, ["y"] * 5, ["y"] * 5]


async def test_what_is_chosen_while_another_thread_chooses_stays_chosen() -> None:
    begun, is_chosen = threading.Event(), threading.Event()

    class Slow:
        def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
            begun.set()
            assert is_chosen.wait(10)
            return Plan(primary=configs[0])

    runtime = Runtime()

    @runtime.experiment(configs=INNER, strategy=Slow())
    def slow(config: Config) -> str:
        return str(config.i)

    @runtime.experiment(configs=MIDDLE, strategy=RoundRobinStrategy())
    async def turns(config: Config) -> str:
        return str(config.m)

    @runtime.experiment
    async def outer() -> list[str]:
        in_thread = asyncio.create_task(asyncio.to_thread(slow))
        assert await asyncio.to_thread(begun.wait, 10)
        chosen = [await turns()]
        is_chosen.set()
        chosen.append(await in_thread)
        return [*chosen, await turns(), await asyncio.to_thread(slow)]

    async with runtime:
        results = await runtime.collect(outer)
    assert results.main_result.result == ["k", "x", "k", "x"]
    case = results.main_result.experiment_case
    assert [choice.config for choice in case.choices[1:]] == [Config(m="k"), Config(i="x")]


async def test_what_plays_inside_is_part_of_the_case_of_the_result() -> None:
    runtime = Runtime()

    @runtime.experiment(configs=INNER, strategy=RoundRobinStrategy(), name="app.inner")
    async def inner() -> str:
        return current_experiment_case.get().get_config_id("outer")

    @runtime.experiment(configs=OUTER[:1], name="outer")
    async def outer(times: int) -> None:
        case = current_experiment_case.get()
        with pytest.raises(UnderstudyError, match=r"'inner' is not chosen for .* has 'outer'"):
            case.get_config_id("inner")
        for _ in range(times):
            assert await inner() == case.config.id
        if times:
            assert current_experiment_case.get().get_config_id("inner")

    async with runtime:
        ids = [
            (await runtime.collect(outer, 2)).main_result.experiment_case.get_config_id("inner")
            for _ in range(2)
        ]
        assert ids == [Config(config).id for config in INNER]
        case = (await runtime.collect(outer, 0)).main_result.experiment_case
        with pytest.raises(UnderstudyError, match="'inner' is not chosen"):
            case.get_config_id("inner")


# Recursion


async def test_recursion_plays_one_config_all_the_way_down() -> None:
    runtime = Runtime(configs=OUTER, strategy=ShadowStrategy())
    played: list[str] = []

    @runtime.experiment
    async def down(n: int, config: Config) -> str:
        played.append(config.o)
        return str(config.o) + (await down(n - 1) if n else "")

    async with runtime:
        assert await down(3) == "aaaa"
    assert Counter(played) == {"a": 4, "b": 4}


async def test_mutual_recursion_plays_one_config_of_each() -> None:
    runtime = Runtime(strategy=ShadowStrategy())
    done: list[str] = []

    @runtime.experiment(configs=OUTER)
    async def even(n: int, config: Config) -> str:
        return str(config.o) + (await odd(n - 1) if n else "")

    @runtime.experiment(configs=INNER)
    async def odd(n: int, config: Config) -> str:
        return str(config.i) + (await even(n - 1) if n else "")

    @runtime.experiment(uses=[even])
    async def ask() -> str:
        return str(await even(4))

    async with runtime:
        assert await even(4) == "axaxa"
        assert await odd(3) == "xaxa"
        for each in await runtime.collect(even, 2):
            done.append(each.unwrap())
        assert await ask() == "axaxa"
    assert sorted(done) == ["axa", "aya", "bxb", "byb"]


async def test_deep_recursion_needs_no_more_permits_than_one() -> None:
    runtime = Runtime(concurrency=1)

    @runtime.experiment
    async def down(n: int) -> int:
        await asyncio.sleep(0)
        return n + (await down(n - 1) if n else 0)

    async with runtime:
        assert await down(30) == 465
        assert [*await asyncio.gather(down(3), down(4))] == [6, 10]


# Whole-tree cases


@pytest.mark.parametrize("is_declared", [True, False], ids=["declared", "seen in the code"])
@pytest.mark.parametrize("inner_strategy", [ShadowStrategy(), MultiBranchStrategy()], ids=repr)
@pytest.mark.parametrize("strategy", [ShadowStrategy(), MultiBranchStrategy()], ids=repr)
async def test_a_plan_is_the_product_of_both_plans(
    strategy: Any, inner_strategy: Any, is_declared: bool
) -> None:
    runtime = Runtime(strategy=strategy)
    is_multi = isinstance(strategy, MultiBranchStrategy)
    if isinstance(inner_strategy, MultiBranchStrategy) and not is_multi:
        inner_strategy = ShadowStrategy(after_primary=True)

    @runtime.experiment(configs=INNER, strategy=inner_strategy, name="inner")  # type: ignore[untyped-decorator]
    async def inner(config: Config) -> str:
        return str(config.i)

    async def helper() -> Any:
        return await runtime.call(inner)

    if is_declared:

        @runtime.experiment(configs=OUTER, uses=[inner], name="outer")
        async def outer(config: Config) -> str:
            answer = await helper()
            return str(config.o) + (answer if isinstance(answer, str) else answer[0].unwrap())

    else:

        @runtime.experiment(configs=OUTER, name="outer")
        async def outer(config: Config) -> str:
            answer = await inner()
            return str(config.o) + (answer if isinstance(answer, str) else answer[0].unwrap())

    async with runtime:
        results = await runtime.collect(outer)
        assert [each.unwrap() for each in results] == ALL_FOUR
        assert cases(results) == ALL_FOUR
        roles = ["branch"] * 4 if is_multi else ["primary", "shadow", "shadow", "shadow"]
        assert [each.role for each in results] == roles
        answer = await outer()
        assert [each.result for each in answer] == ALL_FOUR if is_multi else answer == "ax"  # type: ignore[attr-defined]


async def test_an_inner_multi_branch_is_left_to_itself_under_a_shadow_strategy() -> None:
    runtime = Runtime(strategy=ShadowStrategy())

    @runtime.experiment(configs=INNER, strategy=MultiBranchStrategy())
    async def inner(config: Config) -> str:
        return str(config.i)

    @runtime.experiment(configs=OUTER, uses=[inner])
    async def outer(config: Config) -> str:
        return str(config.o) + "".join([each.unwrap() for each in await inner()])

    async with runtime:
        results = await runtime.collect(outer)
    assert [each.result for each in results] == ["axy", "bxy"]


async def test_independent_experiments_choose_for_themselves() -> None:
    pair = Pair(nested="independent")
    async with pair.runtime:
        results = await pair.runtime.collect(pair.outer)
        assert [each.result for each in results] == ["ax", "bx"]
        assert cases(results) == ["ax", "bx"]
    assert sorted(pair.played) == ["ax", "ay", "bx"]


async def test_a_plan_of_one_config_leaves_the_inner_experiment_its_own_plan() -> None:
    pair = Pair(outer=OUTER[:1])
    async with pair.runtime:
        results = await pair.runtime.collect(pair.outer)
        assert [each.result for each in results] == ["ax"]
        assert pair.runtime.statistics()["inner"].planned == 2
    assert sorted(pair.played) == ["ax", "ay"]


@pytest.mark.parametrize("strategy", [ShadowStrategy(), MultiBranchStrategy()], ids=repr)
async def test_three_levels_are_eight_cases(strategy: Any) -> None:
    runtime = Runtime(strategy=strategy)
    value: Callable[[Any], str] = lambda answer: (
        answer if isinstance(answer, str) else answer[0].unwrap()
    )

    @runtime.experiment(configs=INNER)
    async def inner(config: Config) -> str:
        return str(config.i)

    @runtime.experiment(configs=MIDDLE)
    async def middle(config: Config) -> str:
        return str(config.m) + value(await inner())

    @runtime.experiment(configs=OUTER)
    async def outer(config: Config) -> str:
        return str(config.o) + value(await middle()) + value(await inner())

    async with runtime:
        results = await runtime.collect(outer)
    assert [each.unwrap() for each in results] == [
        o + m + i + i for o in "ab" for m in "kl" for i in "xy"
    ]
    for each in results:
        case = each.experiment_case
        assert len({case.get_config_id(name) for name in ("inner", "middle", "outer")}) == 3


async def test_a_product_keeps_to_what_the_case_assigns_already() -> None:
    runtime = Runtime(strategy=ShadowStrategy())
    played: list[str] = []

    @runtime.experiment(configs=INNER, strategy=RoundRobinStrategy())
    async def inner(config: Config) -> str:
        return str(config.i)

    @runtime.experiment(configs=MIDDLE, uses=[inner])
    async def middle(config: Config) -> str:
        case = current_experiment_case.get()
        assert case.get_config_id("inner") == Config(INNER[1]).id
        played.append(config.m + await inner())
        return str(played[-1])

    @runtime.experiment(nested="independent")
    async def outer() -> str:
        first = await inner()
        results = await runtime.collect(middle)
        assert len(results) == 2
        return str(first + results.main_result.unwrap())

    async with runtime:
        assert await inner() == "x"
        assert await outer() == "yky"
    assert sorted(played) == ["ky", "ly"]


async def test_a_product_keeps_to_what_is_forced() -> None:
    pair = Pair()
    async with pair.runtime:
        with pair.runtime.force(pair.inner, 1):
            results = await pair.runtime.collect(pair.outer)
    assert [each.result for each in results] == ["ay", "by"]
    assert cases(results) == ["ay", "by"]
    assert sorted(pair.played) == ["ay", "by"]


async def test_a_product_leaves_out_what_is_disabled() -> None:
    pair = Pair()
    pair.inner.disable()
    async with pair.runtime:
        results = await pair.runtime.collect(pair.outer)
    assert [each.result for each in results] == ["ax", "bx"]
    assert cases(results) == ["ax", "bx"]


async def test_functions_without_a_source_are_routed_and_take_declarations() -> None:
    runtime = Runtime(strategy=ShadowStrategy())
    namespace: dict[str, Any] = {"Config": Config}
    exec(
        "async def inner(config: Config):\n    return config.i\n"
        "async def outer(config: Config):\n"
        "    if config.o == 'never':\n        await nowhere.to.be_found()\n"
        "    return config.o + await inner()\n",
        namespace,
    )
    plain = namespace["outer"]
    namespace["inner"] = inner = runtime.experiment(configs=INNER, name="inner")(namespace["inner"])
    declared = runtime.experiment(configs=OUTER, uses=[inner], name="outer")(plain)
    undeclared = runtime.experiment(configs=OUTER, name="outer")(plain)
    async with runtime:
        assert await declared() == await undeclared() == "ax"
        assert cases(await runtime.collect(declared)) == ALL_FOUR
        assert cases(await runtime.collect(undeclared)) == ALL_FOUR  # its code is read instead


async def test_a_body_with_names_that_mean_nothing_yet_is_no_error() -> None:
    runtime = Runtime(configs=OUTER, strategy=ShadowStrategy())

    @runtime.experiment
    async def outer(config: Config) -> Any:
        if config.o == "never":
            await self_made.deep.er()
        return str(config.o) + await inner()

    @runtime.experiment(configs=INNER)
    async def inner(config: Config) -> str:
        return str(config.i)

    async with runtime:
        results = await runtime.collect(outer)
    assert [each.unwrap() for each in results] == ALL_FOUR
    self_made: Any = None


def test_too_many_cases_are_refused_at_registration() -> None:
    runtime = Runtime(strategy=ShadowStrategy())
    many = [{"n": n} for n in range(8)]

    @runtime.experiment(configs=many)
    async def inner(config: Config) -> None: ...

    @runtime.experiment(configs=many, max_cases=64)
    async def middle(config: Config) -> None:
        await inner()

    with pytest.raises(ExperimentError, match=r"middle_2 has 64 cases .*inner.* max_cases is 63"):

        @runtime.experiment(configs=many, max_cases=63)
        async def middle_2(config: Config) -> None:
            await inner()

    with pytest.raises(ExperimentError, match=r"outer has 128 cases .*inner.* max_cases is 64"):

        @runtime.experiment(configs=many[:2])
        async def outer(config: Config) -> None:
            await middle()

    @runtime.experiment(configs=many[:2], nested="independent")
    async def independent(config: Config) -> None:
        await middle()

    @runtime.experiment(configs=many[:2], strategy=RoundRobinStrategy())
    async def one_at_a_time(config: Config) -> None:
        await middle()

    @runtime.experiment(configs=many[:2], max_cases=128)
    async def allowed(config: Config) -> None:
        await middle()


async def test_cases_that_could_not_be_counted_beforehand_are_skipped_with_a_reason() -> None:
    runtime = Runtime(strategy=ShadowStrategy())

    @runtime.experiment(configs=OUTER, max_cases=3)
    async def outer(config: Config) -> Any:
        return str(config.o) + await later()

    @runtime.experiment(configs=INNER)
    async def later(config: Config) -> str:
        return str(config.i)

    async with runtime:
        results = await runtime.collect(outer)
    assert [(each.status, each.result) for each in results] == [
        ("ok", "ax"),
        ("ok", "ay"),
        ("ok", "bx"),
        ("skipped", None),
    ]
    assert results[3].reason == "max_cases"


# Context


async def test_what_a_branch_sets_in_its_context_never_leaks_and_request_ids_go_along() -> None:
    seen: list[tuple[str, str]] = []

    async def leaking(inner: Inner, runtime: Runtime) -> str:
        seen.append(("outer", REQUEST.get()))
        REQUEST.set("set by a branch")
        await asyncio.sleep(0)
        answer = await inner()
        assert REQUEST.get() == "set by a branch"
        return answer

    pair = Pair(leaking, nested="independent")

    @pair.runtime.experiment(configs=INNER)
    async def watch(config: Config) -> None:
        seen.append(("watch", REQUEST.get()))
        REQUEST.set(f"set by {config.i}")
        await asyncio.sleep(0)
        assert REQUEST.get() == f"set by {config.i}"

    REQUEST.set("request-7")
    async with pair.runtime:
        await pair.outer()
        await watch()
        assert REQUEST.get() == "request-7"
        assert OUTSIDE.get() == ""
        await pair.runtime.drain()
        assert REQUEST.get() == "request-7"
        assert current_experiment_case.get(None) is None
    assert Counter(seen) == {("outer", "request-7"): 2, ("watch", "request-7"): 2}


async def test_a_nested_branch_sees_what_its_outer_branch_set_and_no_other() -> None:
    seen: list[tuple[str, str]] = []
    runtime = Runtime(strategy=ShadowStrategy())

    @runtime.experiment(configs=INNER)
    async def inner(config: Config) -> None:
        await asyncio.sleep(0)
        seen.append((REQUEST.get(), config.i))

    @runtime.experiment(configs=OUTER)
    async def outer(config: Config) -> None:
        REQUEST.set(config.o)
        await asyncio.sleep(0)
        await inner()

    async with runtime:
        await outer()
    assert sorted(seen) == [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")]


async def test_a_nested_result_names_its_parent_branch() -> None:
    pair = Pair()
    results: list[FunctionResult[Any]] = []
    pair.runtime.subscribe(results.append)
    async with pair.runtime:
        await pair.outer()
    outers = {
        each.branch_id: each for each in results if each.experiment_case.experiment == "outer"
    }
    inners = [each for each in results if each.experiment_case.experiment == "inner"]
    assert len(outers) == len(inners) == 4
    assert {each.parent_branch_id for each in outers.values()} == {None}
    assert {each.parent_branch_id for each in inners} == set(outers)
    for each in inners:
        parent = outers[each.parent_branch_id or ""]
        assert parent.experiment_case.get_config_id("inner") == each.experiment_case.config.id
        assert each.experiment_case.get_config_id("outer") == parent.experiment_case.config.id


async def test_two_runtimes_stay_apart() -> None:
    mine, theirs = Runtime(strategy=ShadowStrategy()), Runtime(strategy=ShadowStrategy())

    @theirs.experiment(configs=INNER, name="step")
    async def their_step(config: Config) -> str:
        return str(config.i)

    @mine.experiment(configs=MIDDLE, name="step")
    async def my_step(config: Config) -> str:
        return str(config.m)

    @mine.experiment(configs=OUTER)
    async def outer(config: Config) -> Any:
        return str(config.o) + await my_step() + await their_step()

    async with mine:
        async with theirs:
            results = await mine.collect(outer)
            assert [each.unwrap() for each in results] == ["akx", "alx", "bkx", "blx"]
            mine.disable()
            assert len(await mine.collect(outer)) == 1
            assert len(await theirs.collect(their_step)) == 2
        assert await my_step() == "k"
    assert {each.experiment for each in theirs.statistics().experiments} == {"step"}
    assert {case.label for case in theirs.statistics()["step"].cases} == {"x", "y"}


# Waiting for each other


def in_virtual_time(main: Callable[[Runtime], Awaitable[Any]], **settings: Any) -> Any:
    """Run a coroutine on a loop that raises `Stuck` when somebody waits for ever."""

    async def run() -> Any:
        loop: Any = asyncio.get_running_loop()
        runtime = Runtime(clock=loop.clock, **settings)
        async with runtime:
            return await main(runtime)

    return run_virtual(run())


async def awaited(calls: Sequence[Awaitable[Any]]) -> None:
    for call in calls:
        await call


async def gathered(calls: Sequence[Awaitable[Any]]) -> None:
    await asyncio.gather(*calls)


async def as_task(calls: Sequence[Awaitable[Any]]) -> None:
    async def each(call: Awaitable[Any]) -> None:
        await call

    for task in [asyncio.ensure_future(each(call)) for call in calls]:
        await task


async def as_nested_gathers(calls: Sequence[Awaitable[Any]]) -> None:
    await asyncio.gather(*(asyncio.gather(call) for call in calls))


every_wait = pytest.mark.parametrize("wait", [awaited, gathered, as_task, as_nested_gathers])


@every_wait
def test_a_call_to_itself_runs_under_the_permit_it_has(wait: Any) -> None:
    async def main(runtime: Runtime) -> None:
        @runtime.experiment(concurrency=1, strategy=ShadowStrategy(), configs=OUTER)
        async def fold(n: int, config: Config) -> None:
            done.append(config.o)
            await asyncio.sleep(0.001)
            if n:
                await wait([fold(n - 1), fold(n - 1)])

        await fold(2)

    done: list[str] = []
    in_virtual_time(main)
    assert Counter(done) == {"a": 7, "b": 7}


@every_wait
def test_a_call_back_through_another_runs_under_the_permit_it_has(wait: Any) -> None:
    async def main(runtime: Runtime) -> int:
        done = 0

        @runtime.experiment(concurrency=1)
        async def there(n: int) -> None:
            nonlocal done
            done += 1
            await asyncio.sleep(0.001)
            if n:
                await wait([back(n - 1)])

        @runtime.experiment(concurrency=1)
        async def back(n: int) -> None:
            await wait([there(n)])

        await asyncio.gather(there(3), there(3))
        return done

    assert in_virtual_time(main) == 8


@every_wait
def test_a_wait_cycle_raises_an_error_that_names_it_and_the_other_goes_on(wait: Any) -> None:
    async def main(runtime: Runtime) -> list[Any]:
        inside = 0
        both = asyncio.Event()

        async def meet() -> None:
            nonlocal inside
            inside += 1
            if inside == 2:
                both.set()
            await both.wait()

        @runtime.experiment(concurrency=1, name="left")
        async def left(is_first: bool) -> str:
            if is_first:
                await meet()
                await wait([right(False)])
            return "left"

        @runtime.experiment(concurrency=1, name="right")
        async def right(is_first: bool) -> str:
            if is_first:
                await meet()
                await wait([left(False)])
            return "right"

        ended = await asyncio.gather(left(True), right(True), return_exceptions=True)
        assert (await left(False), await right(False)) == ("left", "right")
        return [*ended]

    ended = in_virtual_time(main)
    errors = [each for each in ended if isinstance(each, DeadlockError)]
    assert len(errors) == 1, ended
    assert len([each for each in ended if each in ("left", "right")]) == 1
    names = [part.strip() for part in str(errors[0]).split(":")[0].split("->")]
    assert names in (
        ["left[default]", "right[default]", "left[default]"],
        ["right[default]", "left[default]", "right[default]"],
    )


def test_a_cycle_of_three_is_found() -> None:
    async def main(runtime: Runtime) -> list[Any]:
        inside = 0
        all_there = asyncio.Event()
        ring: list[Any] = []

        def make(place: int) -> Any:
            @runtime.experiment(concurrency=1, name=f"ring{place}")
            async def step(is_first: bool) -> int:
                nonlocal inside
                if is_first:
                    inside += 1
                    if inside == 3:
                        all_there.set()
                    await all_there.wait()
                    await ring[(place + 1) % 3](False)
                return place

            return step

        ring.extend(map(make, range(3)))
        return await asyncio.gather(*(step(True) for step in ring), return_exceptions=True)

    ended = in_virtual_time(main)
    errors = [each for each in ended if isinstance(each, DeadlockError)]
    assert len(errors) == 1
    assert all(f"ring{place}[default]" in str(errors[0]) for place in range(3))
    assert len([each for each in ended if isinstance(each, int)]) == 2


def test_a_cycle_through_the_branches_of_a_call_is_found() -> None:
    async def main(runtime: Runtime) -> list[Any]:
        inside = 0
        both = asyncio.Event()

        async def meet() -> None:
            nonlocal inside
            inside += 1
            if inside == 2:
                both.set()
            await both.wait()

        @runtime.experiment(concurrency=1, configs=INNER, strategy=MultiBranchStrategy())
        async def fan(is_first: bool, config: Config) -> str:
            if is_first and config.i == "y":
                await meet()
                await one(False)
            return "fan"

        @runtime.experiment(concurrency=1)
        async def one(is_first: bool) -> str:
            if is_first:
                await meet()
                await fan(False)
            return "one"

        return [*await asyncio.gather(fan(True), one(True), return_exceptions=True)]

    fan, one = in_virtual_time(main)
    errors = [fan[1].exception_info, one]
    assert [type(error) for error in errors].count(DeadlockError) == 1, errors


def test_a_cancellation_gets_through_while_branches_are_called_off() -> None:
    async def main(runtime: Runtime) -> tuple[BaseException | None, list[str]]:
        inside = asyncio.Event()
        left: list[str] = []

        @runtime.experiment(
            concurrency=1, configs=[*INNER, {"i": "z"}], strategy=MultiBranchStrategy()
        )
        async def fan(is_first: bool, config: Config) -> None:
            if is_first and config.i == "y":
                await inside.wait()
                await one(False)
            if not is_first and config.i == "x":
                await asyncio.sleep(0.1)  # z begins meanwhile
            if not is_first and config.i == "z":
                try:
                    await asyncio.sleep(9)
                finally:
                    await asyncio.sleep(1)
                    left.append("z")

        @runtime.experiment(concurrency=1)
        async def one(is_first: bool) -> None:
            if is_first:
                inside.set()
                await asyncio.sleep(1)
                await fan(False)  # a cycle, so that its z is called off, and takes a second

        waiting = [asyncio.create_task(fan(True)), asyncio.create_task(one(True))]
        await asyncio.sleep(1.5)
        assert not waiting[1].done()
        waiting[1].cancel()
        (_, ended) = await asyncio.gather(*waiting, return_exceptions=True)  # pyright: ignore[reportArgumentType, reportCallIssue]
        return ended, left  # type: ignore[return-value]

    ended, left = in_virtual_time(main)
    assert isinstance(ended, asyncio.CancelledError)
    assert left == ["z"]


def test_acyclic_load_through_single_permits_raises_no_alarm() -> None:
    async def main(runtime: Runtime) -> list[Any]:
        @runtime.experiment(concurrency=1)
        async def bottom(n: int) -> int:
            await asyncio.sleep(0.001)
            return n

        @runtime.experiment(concurrency=1, configs=INNER, strategy=MultiBranchStrategy())
        async def fan(n: int) -> int:
            return int(await bottom(n))

        @runtime.experiment(concurrency=2)
        async def left(n: int) -> int:
            return sum(await asyncio.gather(bottom(n), bottom(n)))

        @runtime.experiment(concurrency=2)
        async def right(n: int) -> Any:
            return int(await bottom(n)) + sum([each.unwrap() for each in await fan(n)])

        @runtime.experiment(concurrency=3)
        async def top(n: int) -> int:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(play(n)) for play in (left, right, bottom)]
            return sum(task.result() for task in tasks)

        return await asyncio.gather(*(top(n) for n in range(20)))

    assert in_virtual_time(main) == [6 * n for n in range(20)]


# Calls that outlive their branch


async def test_calls_made_after_their_outer_branch_has_ended_still_work() -> None:
    runtime = Runtime(concurrency=1)
    ended = asyncio.Event()
    tasks: list[asyncio.Task[Any]] = []

    @runtime.experiment(configs=INNER, strategy=RoundRobinStrategy())
    async def inner(config: Config) -> str:
        await asyncio.sleep(0)
        return str(config.i)

    @runtime.experiment(timeout=60, name="outer")
    async def outer(is_first: bool) -> str:
        async def later() -> list[str]:
            await ended.wait()
            return [await inner(), await inner(), await outer(False)]

        if is_first:
            tasks.append(asyncio.create_task(later()))
        return "ended"

    async with runtime:
        assert await outer(True) == "ended"
        assert await inner() == "x"
        ended.set()
        assert await tasks[0] == ["y", "y", "ended"]
        assert runtime.statistics()["outer"][0].ok == 2


async def test_a_background_call_waits_its_turn_once_its_outer_branch_has_ended() -> None:
    runtime = Runtime(concurrency=1)
    order: list[str] = []
    first_is_in, go_on = asyncio.Event(), asyncio.Event()

    @runtime.experiment
    async def outer(name: str) -> None:
        order.append(f"+{name}")
        if name == "first":
            tasks.append(asyncio.create_task(later()))
        if name == "second":
            first_is_in.set()
            await go_on.wait()
        order.append(f"-{name}")

    async def later() -> None:
        await first_is_in.wait()
        await outer("third")

    tasks: list[asyncio.Task[Any]] = []
    async with runtime:
        await outer("first")
        second = asyncio.create_task(outer("second"))
        await first_is_in.wait()
        for _ in range(5):
            await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(second, *tasks)
    assert order == ["+first", "-first", "+second", "-second", "+third", "-third"]


def test_a_pool_of_threads_carries_no_case_and_a_copy_of_the_context_does() -> None:
    runtime = Runtime(strategy=ShadowStrategy())

    @runtime.experiment(configs=INNER)
    def inner(config: Config) -> str:
        return str(config.i)

    @runtime.experiment(configs=OUTER)
    def outer(carries: bool, config: Config) -> str:
        with ThreadPoolExecutor(1) as pool:
            run = pool.submit(copy_context().run, inner) if carries else pool.submit(inner)
            return f"{config.o}{run.result()}"

    with runtime, runtime.run(outer, await_variants=True) as runner:
        assert [each.result for each in runner(True)] == ALL_FOUR
        assert [each.result for each in runner(False)] == ["ax", "ax", "bx", "bx"]


async def test_a_thread_of_asyncio_carries_the_case() -> None:
    runtime = Runtime(strategy=ShadowStrategy())

    @runtime.experiment(configs=INNER)
    def inner(config: Config) -> str:
        return str(config.i)

    @runtime.experiment(configs=OUTER)
    async def outer(config: Config) -> str:
        return f"{config.o}{await asyncio.to_thread(inner)}"

    async with runtime:
        assert [each.result for each in await runtime.collect(outer)] == ALL_FOUR


async def test_with_one_config_outside_the_shadows_inside_are_the_inner_ones_own() -> None:
    runtime = Runtime(strategy=ShadowStrategy())

    @runtime.experiment(configs=INNER)
    async def inner(config: Config) -> str:
        await asyncio.sleep(0)
        return str(config.i)

    @runtime.experiment(configs=OUTER[:1])
    async def outer(config: Config) -> str:
        return f"{config.o}{await inner()}"

    async with runtime:
        assert [each.result for each in await runtime.collect(outer)] == ["ax"]
    of_inner, of_outer = runtime.statistics().experiments
    assert [case.ok for case in of_inner.cases] == [1, 1]
    assert [case.ok for case in of_outer.cases] == [1]
