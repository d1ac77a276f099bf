"""Every kind of function, under every strategy, called in every way from every place.

Each cell makes two calls, and asserts what the caller gets, which configs played how often, that
every branch plays its own config, and that the caller is in no branch before and after.
"""

import asyncio
import contextvars
import dataclasses
import functools
import gc
import inspect
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
import uvloop

from understudy import (
    Config,
    ExperimentCaseResults,
    ExperimentError,
    MultiBranchStrategy,
    RoundRobinStrategy,
    Runtime,
    ShadowStrategy,
    SingleConfigStrategy,
    UnderstudyError,
    current_experiment_case,
)
from understudy.actors import Kind, kind_of

pytestmark = pytest.mark.anyio
MODELS = [{"model": "large"}, {"model": "small"}]
WORDS = "how are you"


def playing() -> str:
    case = current_experiment_case.get(None)
    return "nobody" if case is None else str(case.config.at("model", "nothing"))


def said(prompt: str, config: Config) -> str:
    assert playing() == config.model
    return f"{config.model}: {prompt}"


# Kinds

Make = Callable[[Runtime], Any]
KINDS: dict[str, tuple[Make, Kind]] = {}
"""How each is made, and what those who call it see: an async function, a generator, ..."""


def kind(seen_as: Kind) -> Callable[[Make], Make]:
    def note(make: Make) -> Make:
        KINDS[make.__name__.replace("_", " ").strip()] = make, seen_as
        return make

    return note


async def _async(prompt: str, config: Config) -> str:
    await asyncio.sleep(0)
    return said(prompt, config)


def _sync(prompt: str, config: Config) -> str:
    return said(prompt, config)


async def _async_stream(prompt: str, config: Config) -> AsyncIterator[str]:
    for word in prompt.split():
        yield said(word, config)
        await asyncio.sleep(0)


def _stream(prompt: str, config: Config) -> Iterator[str]:
    for word in prompt.split():
        yield said(word, config)


def users(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function as users do."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call


def add(name: str, function: Callable[..., Any]) -> None:
    """Add a plain function, and what people make of one."""
    seen_as = kind_of(function)
    KINDS[name] = lambda runtime: runtime.experiment(function), seen_as
    KINDS[f"partial of {name}"] = (
        lambda runtime: runtime.experiment(functools.partial(function)),
        seen_as,
    )
    KINDS[f"{name} decorated before"] = (
        lambda runtime: runtime.experiment(users(function)),
        seen_as,
    )
    KINDS[f"{name} decorated again"] = (
        lambda runtime: users(runtime.experiment(function)),
        seen_as,
    )


add("def", _sync)
add("async def", _async)
add("generator", _stream)
add("async generator", _async_stream)


@kind(Kind.SYNC)
def bound_method(runtime: Runtime) -> Any:
    class Bot:
        @runtime.experiment()
        def answer(self, prompt: str, config: Config) -> str:
            assert isinstance(self, Bot)
            return said(prompt, config)

    return Bot().answer


@kind(Kind.ASYNC)
def bound_async_method(runtime: Runtime) -> Any:
    class Bot:
        @runtime.experiment()
        async def answer(self, prompt: str, config: Config) -> str:
            assert isinstance(self, Bot)
            return await _async(prompt, config)

    return Bot().answer


@kind(Kind.STREAM)
def bound_generator_method(runtime: Runtime) -> Any:
    class Bot:
        @runtime.experiment()
        def answer(self, prompt: str, config: Config) -> Iterator[str]:
            assert isinstance(self, Bot)
            yield from _stream(prompt, config)

    return Bot().answer


@kind(Kind.ASYNC_STREAM)
def bound_async_generator_method(runtime: Runtime) -> Any:
    class Bot:
        @runtime.experiment()
        async def answer(self, prompt: str, config: Config) -> AsyncIterator[str]:
            assert isinstance(self, Bot)
            async for word in _async_stream(prompt, config):
                yield word

    return Bot().answer


@kind(Kind.SYNC)
def experiment_of_a_bound_method(runtime: Runtime) -> Any:
    class Bot:
        def answer(self, prompt: str, config: Config) -> str:
            assert isinstance(self, Bot)
            return said(prompt, config)

    return runtime.experiment(Bot().answer)


@kind(Kind.SYNC)
def classmethod_(runtime: Runtime) -> Any:
    class Bot:
        @classmethod
        @runtime.experiment()
        def answer(cls, prompt: str, config: Config) -> str:
            assert cls is Bot
            return said(prompt, config)

    return Bot.answer


@kind(Kind.ASYNC)
def decorated_classmethod(runtime: Runtime) -> Any:
    class Bot:
        @runtime.experiment()
        @classmethod
        async def answer(cls, prompt: str, config: Config) -> str:
            assert cls is Bot
            return said(prompt, config)

    return Bot().answer


@kind(Kind.ASYNC)
def staticmethod_(runtime: Runtime) -> Any:
    class Bot:
        @staticmethod
        @runtime.experiment()
        async def answer(prompt: str, config: Config) -> str:
            return said(prompt, config)

    return Bot().answer


@kind(Kind.SYNC)
def decorated_staticmethod(runtime: Runtime) -> Any:
    class Bot:
        @runtime.experiment()
        @staticmethod
        def answer(prompt: str, config: Config) -> str:
            return said(prompt, config)

    return Bot.answer


@kind(Kind.SYNC)
def callable_object(runtime: Runtime) -> Any:
    class Bot:
        def __call__(self, prompt: str, config: Config) -> str:
            return said(prompt, config)

    return runtime.experiment(Bot())


@kind(Kind.ASYNC)
def async_callable_object(runtime: Runtime) -> Any:
    class Bot:
        async def __call__(self, prompt: str, config: Config) -> str:
            return said(prompt, config)

    return runtime.experiment(Bot())


@kind(Kind.SYNC)
def lambda_(runtime: Runtime) -> Any:
    return runtime.experiment(lambda prompt, config: said(prompt, config))  # pyright: ignore[reportArgumentType]


@kind(Kind.SYNC)
def builtin(runtime: Runtime) -> Any:
    return runtime.experiment(str.upper)


@kind(Kind.SYNC)
def exec_without_source(runtime: Runtime) -> Any:
    namespace: dict[str, Any] = {"said": said, "Config": Config}
    exec("def answer(prompt, config: Config):\n    return said(prompt, config)", namespace)
    return runtime.experiment(namespace["answer"])


@kind(Kind.ASYNC)
def async_exec_without_source(runtime: Runtime) -> Any:
    namespace: dict[str, Any] = {"said": said, "Config": Config}
    exec("async def answer(prompt, config: Config):\n    return said(prompt, config)", namespace)
    return runtime.experiment(namespace["answer"])


@kind(Kind.SYNC)
def recursive(runtime: Runtime) -> Any:
    @runtime.experiment()
    def answer(prompt: str, config: Config, depth: int = 3) -> str:
        if depth:
            assert values_of(answer(prompt, depth=depth - 1))[0] == said(prompt, config)
        return said(prompt, config)

    return answer


@kind(Kind.ASYNC)
def async_recursive(runtime: Runtime) -> Any:
    @runtime.experiment()
    async def answer(prompt: str, config: Config, depth: int = 3) -> str:
        if depth:
            inner = await answer(prompt, depth=depth - 1)
            assert values_of(inner)[0] == said(prompt, config)
        return said(prompt, config)

    return answer


@kind(Kind.ASYNC)
def returns_a_coroutine(runtime: Runtime) -> Any:
    @runtime.experiment()
    def answer(prompt: str, config: Config) -> Coroutine[Any, Any, str]:
        return _async(prompt, config)

    return answer


@kind(Kind.ASYNC)
def decorated_by_two_runtimes(runtime: Runtime) -> Any:
    other = Runtime(configs=[{"other": 1}])
    other.experiment(_async)
    return runtime.experiment(_async)


@kind(Kind.ASYNC)
def dataclass_method(runtime: Runtime) -> Any:
    @dataclasses.dataclass(frozen=True, slots=True)
    class Bot:
        name: str

        @runtime.experiment()
        async def answer(self, prompt: str, config: Config) -> str:
            assert self.name == "bot"
            return said(prompt, config)

    return Bot("bot").answer


@kind(Kind.SYNC)
def struct_method(runtime: Runtime) -> Any:
    class Bot(msgspec.Struct, frozen=True):
        name: str

        @runtime.experiment()
        def answer(self, prompt: str, config: Config) -> str:
            assert self.name == "bot"
            return said(prompt, config)

    return Bot("bot").answer


@kind(Kind.ASYNC)
def per_instance(runtime: Runtime) -> Any:
    class Bot:
        def __init__(self) -> None:
            self.answer: Any = runtime.experiment(self._answer)

        async def _answer(self, prompt: str, config: Config) -> str:
            return said(prompt, config)

    return Bot().answer


# Strategies: which config answers each of two calls, and how often each plays


@dataclasses.dataclass
class Chosen:
    strategy: Any
    answers: list[list[str]]
    played: dict[str, int]


STRATEGIES: dict[str, Callable[[], Chosen]] = {
    "single": lambda: Chosen(
        SingleConfigStrategy(), [["large"], ["large"]], {"large": 2, "small": 0}
    ),
    "shadow": lambda: Chosen(ShadowStrategy(), [["large"], ["large"]], {"large": 2, "small": 2}),
    "round-robin": lambda: Chosen(
        RoundRobinStrategy(), [["large"], ["small"]], {"large": 1, "small": 1}
    ),
    "multi-branch": lambda: Chosen(
        MultiBranchStrategy(), [["large", "small"]] * 2, {"large": 2, "small": 2}
    ),
    "a function": lambda: Chosen(
        lambda configs: (configs[1], [configs[0]]),
        [["small"], ["small"]],
        {"large": 2, "small": 2},
    ),
}


def values_of(answer: Any) -> list[Any]:
    """Return the values of all that answer."""
    if isinstance(answer, ExperimentCaseResults):
        return [each.unwrap() for each in answer]
    return [answer]


# Ways


def read(function: Any) -> Any:
    """Call a function that needs no loop."""
    answer = function(WORDS)
    if isinstance(answer, Iterator):
        return [*answer]
    return answer


async def ask(function: Any) -> Any:
    """Call any function where a loop runs."""
    answer = function(WORDS)
    if isinstance(answer, AsyncIterator):
        return [item async for item in answer]
    if inspect.iscoroutine(answer):
        return await answer
    return [*answer] if isinstance(answer, Iterator) else answer


def directly(runtime: Runtime, function: Any, is_async: bool) -> Any:
    async def call() -> Any:
        return await ask(function)

    return call


def by_call(runtime: Runtime, function: Any, is_async: bool) -> Any:
    async def call() -> Any:
        return await runtime.call(function, WORDS)

    return call


def by_collect(runtime: Runtime, function: Any, is_async: bool) -> Any:
    async def call() -> Any:
        results = await runtime.collect(function, WORDS)
        assert all(each.status == "ok" for each in results), results
        return results if results.main_result.role == "branch" else results.main_result.unwrap()

    return call


def by_stream(runtime: Runtime, function: Any, is_async: bool) -> Any:
    async def call() -> Any:
        return [item async for item in runtime.stream(function, WORDS)]

    return call


def by_arun(runtime: Runtime, function: Any, is_async: bool) -> Any:
    async def call() -> Any:
        async with runtime.arun(function) as runner:
            results = await runner(WORDS)
        return results if results.main_result.role == "branch" else results.main_result.unwrap()

    return call


def by_run(runtime: Runtime, function: Any, is_async: bool) -> Any:
    def call() -> Any:
        with runtime.run(function) as runner:
            results = runner(WORDS)
        return results if results.main_result.role == "branch" else results.main_result.unwrap()

    return call


def by_call_blocking(runtime: Runtime, function: Any, is_async: bool) -> Any:
    return lambda: runtime.call_blocking(function, WORDS)


def in_a_script(runtime: Runtime, function: Any, is_async: bool) -> Any:
    return (lambda: asyncio.run(ask(function))) if is_async else (lambda: read(function))


def in_a_worker_thread(runtime: Runtime, function: Any, is_async: bool) -> Any:
    async def call() -> Any:
        if is_async:
            return await asyncio.to_thread(runtime.call_blocking, function, WORDS)
        return await asyncio.to_thread(read, function)

    return call


def _in_executor(runtime: Runtime, function: Any, is_async: bool, copies: bool) -> Any:
    async def call() -> Any:
        def act() -> Any:
            return runtime.call_blocking(function, WORDS) if is_async else read(function)

        run = functools.partial(contextvars.copy_context().run, act) if copies else act
        with ThreadPoolExecutor(1) as pool:
            return await asyncio.wrap_future(pool.submit(run))

    return call


def in_an_executor(runtime: Runtime, function: Any, is_async: bool) -> Any:
    return _in_executor(runtime, function, is_async, copies=False)


def in_an_executor_with_the_context(runtime: Runtime, function: Any, is_async: bool) -> Any:
    return _in_executor(runtime, function, is_async, copies=True)


def inside_an_async_experiment(runtime: Runtime, function: Any, is_async: bool) -> Any:
    @runtime.experiment(configs=None, strategy=SingleConfigStrategy(), name="outer")
    async def outer() -> Any:
        return await ask(function)

    return outer


def inside_a_sync_experiment(runtime: Runtime, function: Any, is_async: bool) -> Any:
    @runtime.experiment(configs=None, strategy=SingleConfigStrategy(), name="outer")
    def outer() -> Any:
        if is_async:
            return runtime.call_blocking(function, WORDS)
        return read(function)

    return outer


def inside_a_sync_experiment_off_the_loop(runtime: Runtime, function: Any, is_async: bool) -> Any:
    outer = inside_a_sync_experiment(runtime, function, is_async)

    async def call() -> Any:
        return await runtime.call(outer)

    return call


def in_a_callback_on_the_loop(runtime: Runtime, function: Any, is_async: bool) -> Any:
    async def call() -> Any:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[Any] = loop.create_future()

        async def answer() -> None:
            try:
                told.set_result(await ask(function) if is_async else read(function))
            except UnderstudyError as error:
                told.set_exception(error)

        def act() -> None:
            if is_async:
                tasks.append(asyncio.ensure_future(answer()))
            else:
                with pytest.raises(StopIteration):
                    answer().send(None)  # it suspends nowhere: all is done in this callback

        tasks: list[asyncio.Future[None]] = []
        loop.call_soon(act)
        return await told

    return call


WAYS: list[Callable[[Runtime, Any, bool], Any]] = [
    directly,
    by_call,
    by_collect,
    by_stream,
    by_arun,
    by_run,
    by_call_blocking,
    in_a_script,
    in_a_worker_thread,
    in_an_executor,
    in_an_executor_with_the_context,
    inside_an_async_experiment,
    inside_a_sync_experiment,
    inside_a_sync_experiment_off_the_loop,
    in_a_callback_on_the_loop,
]


# The cells

PLAYS_ITSELF = {"recursive": 4, "async recursive": 4}
NEVER_READS_IT = (by_call, by_collect, by_arun, by_run, by_call_blocking)
NEEDS_NO_LOOP = (
    *(in_a_worker_thread, in_an_executor, in_an_executor_with_the_context),
    *(inside_a_sync_experiment, inside_a_sync_experiment_off_the_loop),
)


def is_open(name: str, way: Callable[..., Any]) -> bool:
    """Whether a kind is called in a way at all; what happens if not has a test of its own."""
    _, seen_as = KINDS[name]
    is_hidden = "decorated" in name and kind_of(KINDS[name][0](Runtime(configs=MODELS))) != seen_as
    if way is by_stream:
        return seen_as.is_stream and not is_hidden
    return True


def is_refused(name: str, strategy: str, way: Callable[..., Any]) -> bool:
    """Whether somebody wants to read one stream where all are to answer."""
    _, seen_as = KINDS[name]
    if strategy != "multi-branch" or not seen_as.is_stream or name.endswith("decorated before"):
        return False
    is_read = way not in NEVER_READS_IT
    is_hidden = name.endswith("decorated again")
    return is_hidden or (is_read and not (seen_as.is_async and way in NEEDS_NO_LOOP))


def expected(name: str, model: str) -> Any:
    """Return what a config answers."""
    if name == "builtin":
        return WORDS.upper()
    if KINDS[name][1].is_stream:
        return [f"{model}: {word}" for word in WORDS.split()]
    return f"{model}: {WORDS}"


def run_cell(
    name: str, chosen: Chosen, way: Callable[..., Any], runner: Callable[..., Any]
) -> None:
    """Make the calls of one cell."""
    make, seen_as = KINDS[name]
    runtime = Runtime(configs=MODELS, strategy=chosen.strategy)
    function = make(runtime)
    call = way(runtime, function, seen_as.is_async)
    answers: list[Any] = []
    if inspect.iscoroutinefunction(call):

        async def main() -> None:
            async with runtime:
                for _ in chosen.answers:
                    answers.append(await call())
                    assert playing() == "nobody"

        runner(main())
    else:
        with runtime:
            for _ in chosen.answers:
                answers.append(call())
                assert playing() == "nobody"
    assert [values_of(answer) for answer in answers] == [
        [expected(name, model) for model in models] for models in chosen.answers
    ]
    assert_played(runtime, chosen.played, PLAYS_ITSELF.get(name, 1))


def assert_played(runtime: Runtime, played: dict[str, int], times: int) -> None:
    """Assert how often each config played, and that all of it went well."""
    planned = dict.fromkeys(played, 0)
    for experiment in runtime.statistics().experiments:
        for case in experiment.cases:
            assert case.ok == case.planned, case
            if case.label in planned:
                planned[case.label] += case.ok
    assert planned == {model: times * count for model, count in played.items()}


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_under_every_strategy_in_every_way(name: str, strategy: str) -> None:
    runner = uvloop.run if strategy in ("shadow", "multi-branch") else asyncio.run
    for way in WAYS:
        if not is_open(name, way):
            continue
        chosen = STRATEGIES[strategy]()
        try:
            if is_refused(name, strategy, way):
                with pytest.raises(UnderstudyError, match="no one stream of them"):
                    run_cell(name, chosen, way, runner)
            else:
                run_cell(name, chosen, way, runner)
        except BaseException as error:
            error.add_note(f"in the cell: {name} x {strategy} x {way.__name__}")
            raise


# What cannot work says so at once


async def test_waiting_for_a_loop_on_its_own_thread_is_a_clear_error() -> None:
    runtime = Runtime(configs=MODELS)
    answer = runtime.experiment(_async)
    words = runtime.experiment(_async_stream)
    for function in (answer, words):
        with pytest.raises(ExperimentError, match="this thread runs a loop, which waiting"):
            runtime.call_blocking(function, WORDS)
    with (
        runtime.run(answer) as runner,
        pytest.raises(ExperimentError, match="this thread runs a loop, which waiting"),
    ):
        runner(WORDS)
    assert (
        sum(case.planned for each in runtime.statistics().experiments for case in each.cases) == 0
    )


def test_a_value_is_no_stream_however_it_is_made() -> None:
    runtime = Runtime(configs=MODELS)
    for name, (make, seen_as) in KINDS.items():
        if not seen_as.is_stream:
            with pytest.raises(ExperimentError, match="gives one value, and no stream"):
                runtime.stream(make(runtime), WORDS)
            assert name


async def test_two_runtimes_of_one_function_stay_independent() -> None:
    first = Runtime(configs=[{"model": "large"}])
    second = Runtime(configs=[{"model": "small"}])
    one, two = first.experiment(_async), second.experiment(_async)
    async with first, second:
        assert await one(WORDS) == f"large: {WORDS}"
        assert await two(WORDS) == f"small: {WORDS}"
        assert await second.call(one, WORDS) == f"large: {WORDS}"
    assert [each.experiment for each in first.statistics().experiments] == [f"{__name__}._async"]


async def test_an_experiment_of_an_experiment_plays_both() -> None:
    outer = Runtime(configs=[{"tone": "polite"}, {"tone": "rude"}], strategy=ShadowStrategy())
    inner = Runtime(configs=MODELS, strategy=ShadowStrategy())
    answer: Any = outer.experiment(inner.experiment(_async))
    async with inner, outer:
        assert await answer(WORDS) == f"large: {WORDS}"
    (of_outer,), (of_inner,) = outer.statistics().experiments, inner.statistics().experiments
    assert [(case.label, case.ok) for case in of_outer.cases] == [("polite", 1), ("rude", 1)]
    assert [(case.label, case.ok, case.skipped) for case in of_inner.cases] == [
        ("large", 2, 0),
        ("small", 1, 1),
    ]


async def test_an_experiment_of_an_instance_ends_with_it() -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())

    class Bot:
        def __init__(self) -> None:
            self.answer: Any = runtime.experiment(self._answer)

        async def _answer(self, prompt: str, config: Config) -> str:
            return said(prompt, config)

    async with runtime:
        bot = Bot()
        assert await bot.answer(WORDS) == f"large: {WORDS}"
        await runtime.drain()
        assert len(runtime.statistics().experiments) == 1
        dead = weakref.ref(bot)
        del bot
        gc.collect()
        assert dead() is None
        assert runtime.statistics().experiments == ()
