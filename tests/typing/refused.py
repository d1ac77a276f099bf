"""What both type checkers refuse: never run; a comment without its error is an error."""

from collections.abc import AsyncIterator

from understudy import Config, MultiBranchStrategy, Runtime

runtime = Runtime([{"model": "large"}])
mine = Config(model="mine")


@runtime.experiment
async def first(config: Config, prompt: str, *, times: int = 1) -> str:
    return prompt * times


@runtime.experiment
def last(prompt: str, config: Config) -> int:
    return len(prompt)


@runtime.experiment(strategy=MultiBranchStrategy())
async def every(config: Config, prompt: str) -> str:
    return prompt


@runtime.experiment
async def words(config: Config, prompt: str) -> AsyncIterator[str]:
    yield prompt


class Service:
    @runtime.experiment
    async def answer(self, config: Config, prompt: str) -> str:
        return prompt


async def plain(prompt: str) -> float:
    return float(prompt)


def settings() -> None:
    Runtime(strategy="shadow")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Runtime(overflow="drop")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Runtime(nested="both")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Runtime(timeout="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    runtime.experiment(strategy="shadow")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    runtime.experiment(timeout="1")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    runtime.experiment(times=1)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    runtime.experiment("first")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    first.options(timeout="1")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    first.options(place="loop")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


async def arguments() -> None:
    await first()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await first(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await first("a", 2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await first("a", times="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await first("a", more=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await Service().answer()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await Service().answer(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await first.options(timeout=1)(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await runtime.call(first, 1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await runtime.call(plain)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    await runtime.call(Service().answer, 1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await runtime.collect(plain, 1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    runtime.call_blocking(first, "a", times="b")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
    runtime.stream(words, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async with runtime.arun(first) as runner:
        await runner(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with runtime.run(first) as sync_runner:
        sync_runner()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def configs_are_not_the_callers() -> None:
    # What a caller passes wins when the function is called, but the signature does not have it.
    await first(mine, "a")  # type: ignore[arg-type, call-arg]  # pyright: ignore[reportCallIssue]
    await first("a", config=mine)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await runtime.call(first, mine, "a")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    await Service().answer(mine, "a")  # type: ignore[arg-type, call-arg]  # pyright: ignore[reportCallIssue]


async def answers() -> None:
    (await first("a")).bit_count()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    first("a").upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    last("a").upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    (await last("a")).bit_count()  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    (await every("a")).upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    (await Service().answer("a")).bit_count()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    (await runtime.call(last, "a")).upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    (await runtime.collect(first, "a")).upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    with runtime.run(last) as runner:
        runner("a").upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


async def kinds() -> None:
    runtime.stream(first, "a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await words("a")  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    async for _ in first("a"):  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass
    async for item in runtime.stream(words, "a"):
        item.bit_count()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Service().answer.options(timeout=1)  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
