"""What both type checkers find of the functions here; a test plays them, and it is so."""

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from typing import Annotated, Any, TypeVar, assert_type

from understudy import (
    Bind,
    Config,
    Decorated,
    ExperimentCaseResults,
    MultiBranchStrategy,
    Options,
    Plan,
    Runtime,
    ShadowStrategy,
    StreamLimits,
)
from understudy.strategies import Call

T = TypeVar("T")

CONFIGS = [{"model": "large", "llm": {"temp": 1}}, {"model": "small", "llm": {"temp": 0.5}}]
runtime = Runtime(CONFIGS, ShadowStrategy(), timeout=60)


# Strategies


def fixed(configs: Sequence[Config]) -> tuple[Config, Sequence[Config]]:
    return configs[0], configs[1:]


class Mine:
    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        return Plan(primary=configs[0])


Runtime(strategy=Mine())
Runtime(strategy=Mine)
Runtime(strategy=fixed, overflow="reject", nested="independent")


# The config comes first: the exact rest of the signature


@runtime.experiment
async def first(config: Config, prompt: str, *, times: int = 1) -> str:
    return prompt * times


@runtime.experiment(timeout=30, strategy=ShadowStrategy, stream=StreamLimits(items=3))
def sync_first(config: Config, prompt: str) -> str:
    return prompt


@runtime.experiment
def optional(config: Config | None = None, prompt: str = "") -> str:
    return prompt


@runtime.experiment
def generic(config: Config, item: T) -> list[T]:
    return [item]


async def config_first() -> None:
    assert_type(await first("a", times=2), str)
    assert_type(await first(prompt="a"), str)
    assert_type(sync_first("a"), str)
    assert_type(optional(), str)
    assert_type(optional(prompt="a"), str)
    assert_type(generic(1), list[int])
    named: Decorated[[str], str] = sync_first
    as_a_function: Callable[[str], str] = sync_first
    assert_type(named.experiment.name, str)
    as_a_function("a")


# The config comes elsewhere, or nowhere: any arguments, but the exact answer


@runtime.experiment(strategy=Mine(), uses=[first], overflow="wait", name="last", key="user")
async def last(prompt: str, config: Config) -> int:
    return len(prompt)


@runtime.experiment
def middle(prompt: str, config: Config, times: int = 1) -> int:
    return len(prompt) * times


@runtime.experiment
async def keyword(prompt: object, *, config: Config) -> int:
    return 1


@runtime.experiment
def bound(temp: Annotated[float, Bind("llm.temp")], prompt: str) -> float:
    return temp


@runtime.experiment()
def mapping(data: Mapping[str, object], config: Config) -> int:
    return len(data)


@runtime.experiment
def named_config(config: dict[str, Any], prompt: str) -> str:
    return prompt


@runtime.experiment
def none(prompt: str) -> bytes:
    return prompt.encode()


@runtime.experiment
async def gives_anything(config: Config) -> Any:
    return config.model


async def config_elsewhere() -> None:
    assert_type(await last("a"), int)
    assert_type(await last(prompt="a"), int)
    assert_type(await last("a", Config(model="mine")), int)
    assert_type(middle("a", times=2), int)
    assert_type(await keyword("a"), int)
    assert_type(bound("a"), float)
    assert_type(mapping({"a": 1}), int)
    assert_type(named_config("a"), str)
    assert_type(none("a"), bytes)
    assert_type(await gives_anything(), Any)


# Methods: the config comes right after self, or elsewhere


class Service:
    @runtime.experiment
    async def answer(self, config: Config, prompt: str) -> str:
        return prompt

    @runtime.experiment()
    def sync_answer(self, config: Config, prompt: str, times: int = 1) -> str:
        return prompt * times

    @runtime.experiment
    async def elsewhere(self, prompt: str, config: Config) -> int:
        return len(prompt)

    @runtime.experiment(strategy=MultiBranchStrategy())
    async def every(self, config: Config, prompt: str) -> str:
        return prompt

    @classmethod
    @runtime.experiment
    def of_class(cls, config: Config, prompt: str) -> str:
        return prompt

    @staticmethod
    @runtime.experiment
    def static(config: Config, prompt: str) -> str:
        return prompt

    @runtime.experiment
    @staticmethod
    def static_inside(config: Config, prompt: str) -> str:
        return prompt


async def methods() -> None:
    service = Service()
    assert_type(await service.answer("a"), str)
    assert_type(await service.answer(prompt="a"), str)
    assert_type(service.sync_answer("a", times=2), str)
    assert_type(await service.elsewhere("a"), int)
    assert_type(await service.every("a"), ExperimentCaseResults[str])
    assert_type(await Service.answer(service, "a"), str)
    assert_type(Service.of_class("a"), str)
    assert_type(Service.static("a"), str)
    assert_type(service.static_inside("a"), str)
    assert_type(await runtime.call(service.answer, "a"), str)
    assert_type(await runtime.collect(service.answer, "a"), ExperimentCaseResults[str])
    assert_type(await runtime.collect(service.every, "a"), ExperimentCaseResults[str])
    assert_type(await Service.answer.options(timeout=30)(service, "a"), str)


# All results


@runtime.experiment(strategy=MultiBranchStrategy())
async def every(config: Config, prompt: str) -> str:
    return prompt


@runtime.experiment(strategy=MultiBranchStrategy)
def sync_every(config: Config, prompt: str) -> str:
    return prompt


@runtime.experiment(strategy=MultiBranchStrategy())
async def every_last(prompt: object, *, config: Config) -> str:
    return str(prompt)


@runtime.experiment(strategy=MultiBranchStrategy())
def sync_every_last(prompt: str, config: Config) -> str:
    return prompt


async def all_results() -> None:
    assert_type(await every("a"), ExperimentCaseResults[str])
    assert_type(sync_every("a"), ExperimentCaseResults[str])
    assert_type(await every_last("a"), ExperimentCaseResults[str])
    assert_type(sync_every_last("a"), ExperimentCaseResults[str])
    assert_type(await runtime.call(every, "a"), ExperimentCaseResults[str])
    assert_type(await runtime.call(sync_every, "a"), ExperimentCaseResults[str])
    assert_type(await runtime.collect(every, "a"), ExperimentCaseResults[str])
    assert_type(await runtime.collect(sync_every, "a"), ExperimentCaseResults[str])
    assert_type([each.result for each in await every("a")], list[str | None])
    assert_type((await every("a")).main_result.unwrap(), str)


# By the runtime


async def plain(prompt: str) -> float:
    return float(prompt)


def sync_plain(prompt: str) -> float:
    return float(prompt)


async def by_the_runtime() -> None:
    assert_type(await runtime.call(first, "a", times=2), str)
    assert_type(await runtime.call(sync_first, "a"), str)
    assert_type(await runtime.call(last, "a"), int)
    assert_type(await runtime.call(plain, "1"), float)
    assert_type(await runtime.call(sync_plain, "1"), float)
    assert_type(await runtime.call(lambda: 1), int)
    assert_type(await runtime.call(len, "a"), int)
    assert_type(await runtime.call(gives_anything), Any)
    assert_type(await runtime.collect(first, "a"), ExperimentCaseResults[str])
    assert_type(await runtime.collect(sync_first, "a"), ExperimentCaseResults[str])
    assert_type(await runtime.collect(last, "a"), ExperimentCaseResults[int])
    assert_type(await runtime.collect(plain, "1"), ExperimentCaseResults[float])
    assert_type(await runtime.collect(sync_plain, "1"), ExperimentCaseResults[float])


async def by_a_runner() -> None:
    async with runtime.arun(first, await_variants=True) as runner:
        assert_type(await runner("a", times=2), ExperimentCaseResults[str])
    async with runtime.arun(sync_every) as runner_of_all:
        assert_type(await runner_of_all("a"), ExperimentCaseResults[str])
    with runtime.run(sync_first) as sync_runner:
        assert_type(sync_runner("a"), ExperimentCaseResults[str])
    async with runtime.arun(plain) as plain_runner:
        assert_type(await plain_runner("1"), ExperimentCaseResults[float])


def without_a_loop() -> None:
    assert_type(runtime.call_blocking(first, "a"), str)
    assert_type(runtime.call_blocking(sync_first, "a"), str)
    assert_type(runtime.call_blocking(every, "a"), ExperimentCaseResults[str])
    assert_type(runtime.call_blocking(words, "a"), list[str])
    with runtime.run(last) as runner:
        assert_type(runner("a"), ExperimentCaseResults[int])
    with runtime.run(plain) as plain_runner:
        assert_type(plain_runner("1"), ExperimentCaseResults[float])


# With other settings


async def with_options() -> None:
    assert_type(await first.options(timeout=30)("a", times=2), str)
    assert_type(sync_first.options(timeout=30)("a"), str)
    assert_type(await last.options(strategy=Mine)("a"), int)
    assert_type(await runtime.call(first.options(timeout=30), "a"), str)
    named: Options[[str], str] = sync_first.options(configs=[{"model": "mine"}])
    assert_type(await runtime.collect(named, "a"), ExperimentCaseResults[str])


async def with_another_strategy() -> None:
    one, everything = ShadowStrategy(), MultiBranchStrategy()
    assert_type(await first.options(strategy=one)("a"), str)
    assert_type(sync_first.options(strategy=one)("a"), str)
    assert_type(
        await first.options(strategy=everything, max_cases=3)("a"), ExperimentCaseResults[str]
    )
    assert_type(sync_first.options(strategy=everything)("a"), ExperimentCaseResults[str])
    assert_type(await last.options(strategy=everything)("a"), ExperimentCaseResults[int])
    assert_type(await every.options(timeout=30)("a"), ExperimentCaseResults[str])
    assert_type(await every.options(strategy=everything)("a"), ExperimentCaseResults[str])
    assert_type(sync_every.options(strategy=everything)("a"), ExperimentCaseResults[str])
    assert_type(await every.options(strategy=one)("a"), str)
    assert_type(sync_every.options(strategy=one)("a"), str)


# Streams, by item


@runtime.experiment
async def words(config: Config, prompt: str) -> AsyncIterator[str]:
    yield prompt


@runtime.experiment()
async def sized(prompt: str, config: Config) -> AsyncGenerator[int, str]:
    more = yield len(prompt)
    yield len(more or "")


@runtime.experiment
def sync_words(config: Config, prompt: str) -> Iterator[str]:
    yield prompt


@runtime.experiment
def returning(prompt: str, config: Config) -> Generator[str, int, bytes]:
    yield prompt
    return prompt.encode()


async def plain_numbers(count: int) -> AsyncIterator[int]:
    yield count


async def streams() -> None:
    assert_type([item async for item in words("a")], list[str])
    assert_type([item async for item in sized("a")], list[int])
    stream = sized("a")
    assert_type(await anext(stream), int)
    assert_type(await stream.asend("b"), int)
    assert_type([*sync_words("a")], list[str])
    assert_type(returning("a"), Generator[str, int, bytes])
    assert_type(runtime.stream(words, "a"), AsyncGenerator[str, Any])
    assert_type([item async for item in runtime.stream(sized, "a")], list[int])
    assert_type([item async for item in runtime.stream(sync_words, "a")], list[str])
    assert_type([item async for item in runtime.stream(returning, "a")], list[str])
    assert_type([item async for item in runtime.stream(plain_numbers, 1)], list[int])
    assert_type(await runtime.call(words, "a"), list[str])
    assert_type(await runtime.call(returning, "a"), list[str])
    assert_type(await runtime.collect(words, "a"), ExperimentCaseResults[list[str]])
    assert_type(await runtime.collect(sync_words, "a"), ExperimentCaseResults[list[str]])
    assert_type(runtime.call_blocking(sync_words, "a"), list[str])
    async with runtime.arun(words) as runner:
        assert_type(await runner("a"), ExperimentCaseResults[list[str]])
    with runtime.run(returning) as sync_runner:
        assert_type(sync_runner("a"), ExperimentCaseResults[list[str]])
