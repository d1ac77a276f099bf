"""Streams: generators and async generators are experiments as well."""

import asyncio
import functools
import gc
import inspect
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing, suppress
from contextvars import ContextVar
from typing import Any

import pytest

from tests.garbage import no_cycles
from tests.laws import assert_laws
from tests.simulation import run_virtual
from understudy import (
    Config,
    DeadlineExceeded,
    ExperimentCaseResults,
    FunctionResult,
    MailboxFull,
    MemorySink,
    MultiBranchStrategy,
    RoundRobinStrategy,
    Runtime,
    ShadowStrategy,
    SingleConfigStrategy,
    StreamLimits,
    UnderstudyError,
    current_experiment_case,
)

pytestmark = pytest.mark.anyio
MODELS = [{"model": "large"}, {"model": "small"}]
request_id: ContextVar[str] = ContextVar("request_id", default="none")


def playing() -> str:
    """Return the label of the config that is played here, or nothing."""
    case = current_experiment_case.get(None)
    return "" if case is None else case.config.label


def listening(runtime: Runtime) -> list[FunctionResult[Any]]:
    """Return a list that all results come to."""
    results: list[FunctionResult[Any]] = []

    async def note(result: FunctionResult[Any]) -> None:
        results.append(result)

    runtime.subscribe(note)
    return results


def of(results: list[FunctionResult[Any]], role: str) -> FunctionResult[Any]:
    (found,) = [each for each in results if each.role == role]
    return found


# What it is


async def test_an_async_generator_stays_one() -> None:
    runtime = Runtime(configs=MODELS)

    @runtime.experiment()
    async def words(prompt: str, config: Config) -> AsyncIterator[str]:
        """Say it word by word."""
        for word in prompt.split():
            await asyncio.sleep(0)
            yield f"{config.model}: {word}"

    assert inspect.isasyncgenfunction(words)
    assert (words.__name__, words.__doc__) == ("words", "Say it word by word.")
    assert [*inspect.signature(words).parameters] == ["prompt"]
    assert [item async for item in words("how are you")] == [
        "large: how",
        "large: are",
        "large: you",
    ]
    await runtime.aclose()


def test_a_generator_stays_one_and_plays_in_its_readers_thread() -> None:
    runtime = Runtime(configs=MODELS)
    threads: set[int] = set()

    @runtime.experiment()
    def numbers(most: int, config: Config) -> Generator[str, None, str]:
        for number in range(most):
            threads.add(threading.get_ident())
            yield f"{config.model} {number}"
        return "that is all"

    def read() -> Generator[str, None, str]:
        returned: str = yield from numbers(2)
        return returned

    assert inspect.isgeneratorfunction(numbers)
    reading = read()
    assert [next(reading), next(reading)] == ["large 0", "large 1"]
    with pytest.raises(StopIteration) as stop:
        next(reading)
    assert stop.value.value == "that is all"
    assert threads == {threading.get_ident()}
    runtime.close()


async def test_nothing_is_played_before_the_first_item_is_asked_for() -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[str]:
        yield config.model

    stream: Any = words()
    await stream.aclose()
    assert [case.planned for case in runtime.statistics().experiments[0].cases] == [0, 0]


# What its reader sees


async def test_the_context_is_right_after_every_item() -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[tuple[str, str]]:
        token = request_id.set(f"inside {config.model}")
        yield playing(), request_id.get()
        await asyncio.sleep(0)
        yield playing(), request_id.get()
        request_id.reset(token)
        yield playing(), request_id.get()

    async with runtime:
        request_id.set("mine")
        seen = []
        async for item in words():
            seen.append(item)
            assert playing() == ""
            assert request_id.get() == "mine"
    assert seen == [("large", "inside large"), ("large", "inside large"), ("large", "mine")]


def test_the_case_of_a_generator_is_that_of_its_reader_after_every_item() -> None:
    runtime = Runtime(configs=MODELS)

    @runtime.experiment()
    def words(config: Config) -> Iterator[str]:
        yield playing()
        yield playing()

    for item in words():
        assert item == "large"
        assert playing() == ""
    runtime.close()


async def test_the_steps_in_threads_are_made_in_one_context() -> None:
    runtime = Runtime(configs=MODELS)

    @runtime.experiment()
    def words(config: Config) -> Iterator[tuple[str, str, bool]]:
        token = request_id.set("inside")
        yield playing(), request_id.get(), threading.current_thread() is loop_thread
        request_id.reset(token)
        yield playing(), request_id.get(), threading.current_thread() is loop_thread

    loop_thread = threading.current_thread()
    async with runtime:
        seen = [item async for item in runtime.stream(words)]
    assert seen == [("large", "inside", False), ("large", "none", False)]


@pytest.mark.parametrize("ending", [ValueError("mid-stream"), KeyError("x"), TimeoutError()])
async def test_an_error_mid_stream_is_that_error(ending: Exception) -> None:
    runtime = Runtime(configs=MODELS)

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[str]:
        yield config.model
        raise ending

    async with runtime:
        results = listening(runtime)
        seen = []
        with pytest.raises(type(ending)) as raised:
            async for item in words():
                seen.append(item)
    assert raised.value is ending
    assert seen == ["large"]
    assert of(results, "primary").status == "error"
    assert of(results, "primary").exception_info is ending
    assert of(results, "primary").result == ["large"]


def test_an_error_in_the_middle_of_a_generator_is_that_error() -> None:
    runtime = Runtime(configs=MODELS)
    ending = ValueError("mid-stream")

    @runtime.experiment()
    def words(config: Config) -> Iterator[str]:
        yield config.model
        raise ending

    seen: list[str] = []
    with pytest.raises(ValueError, match="mid-stream") as raised:
        seen.extend(words())
    assert raised.value is ending
    assert seen == ["large"]
    assert runtime.statistics().experiments[0].cases[0].error == 1
    runtime.close()


# Both ways


async def echo(config: Config) -> AsyncGenerator[str, str]:
    heard = "nothing"
    while True:
        try:
            heard = yield f"{config.model} heard {heard}"
        except ValueError as error:
            heard = f"the error {error}"


async def test_what_is_sent_and_thrown_reaches_the_primary() -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy(), stream=StreamLimits(items=2))
    talk = runtime.experiment(echo)
    async with runtime:
        stream: Any = talk()
        assert await anext(stream) == "large heard nothing"
        assert await stream.asend("you") == "large heard you"
        assert await stream.athrow(ValueError("x")) == "large heard the error x"
        await stream.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


def test_what_is_sent_and_thrown_reaches_a_generator() -> None:
    runtime = Runtime(configs=MODELS)

    @runtime.experiment()
    def talk(config: Config) -> Generator[str, str, None]:
        heard = "nothing"
        while True:
            try:
                heard = yield f"{config.model} heard {heard}"
            except ValueError as error:
                heard = f"the error {error}"

    stream: Any = talk()
    assert next(stream) == "large heard nothing"
    assert stream.send("you") == "large heard you"
    assert stream.throw(ValueError("x")) == "large heard the error x"
    stream.close()
    assert [*stream] == []
    runtime.close()


async def test_what_is_sent_and_thrown_reaches_a_generator_in_threads() -> None:
    runtime = Runtime(configs=MODELS)

    @runtime.experiment()
    def talk(config: Config) -> Generator[str, str, None]:
        heard = "nothing"
        while True:
            try:
                heard = yield f"{config.model} heard {heard}"
            except ValueError as error:
                heard = f"the error {error}"
            except KeyError:
                return

    async with runtime:
        stream = runtime.stream(talk)
        assert await anext(stream) == "large heard nothing"
        assert await stream.asend("you") == "large heard you"
        assert await stream.athrow(ValueError("x")) == "large heard the error x"
        with pytest.raises(StopAsyncIteration):
            await stream.athrow(KeyError())


async def test_what_is_thrown_and_not_caught_comes_back_as_it_is() -> None:
    runtime = Runtime(configs=MODELS)
    talk = runtime.experiment(echo)
    mine = KeyError("mine")
    async with runtime:
        stream: Any = talk()
        await anext(stream)
        with pytest.raises(KeyError) as raised:
            await stream.athrow(mine)
    assert raised.value is mine


# Leaving early


async def leave_by_break(stream: AsyncGenerator[Any, Any]) -> None:
    async for _ in stream:
        break


async def leave_by_closing(stream: AsyncGenerator[Any, Any]) -> None:
    async with aclosing(stream):
        await anext(stream)


@pytest.mark.parametrize("leave", [leave_by_break, leave_by_closing])
@pytest.mark.parametrize("suspends", [True, False])
async def test_leaving_early_closes_the_primary_and_lets_the_shadows_go_on(
    leave: Callable[..., Any], suspends: bool
) -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())
    closed: list[tuple[str, str]] = []

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[str]:
        try:
            for number in range(5):
                if suspends:
                    await asyncio.sleep(0)
                yield f"{config.model} {number}"
        finally:
            await asyncio.sleep(0)
            closed.append((config.model, playing()))

    async with runtime:
        results = listening(runtime)
        await leave(words())
        while not closed:  # noqa: ASYNC110  # dropped: the loop closes it, soon
            await asyncio.sleep(0)
    assert sorted(closed) == [("large", "large"), ("small", "small")]
    primary, shadow = of(results, "primary"), of(results, "shadow")
    assert (primary.status, primary.reason, primary.items) == ("cancelled", "closed", 1)
    assert (shadow.status, shadow.items) == ("ok", 5)
    assert shadow.result == [f"small {number}" for number in range(5)]


async def test_shadows_leave_with_their_primary_if_they_are_to() -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy(cancel_with_primary=True))

    @runtime.experiment()
    async def words(config: Config) -> AsyncGenerator[str, None]:
        while True:
            await asyncio.sleep(0)
            yield config.model

    async with runtime:
        results = listening(runtime)
        async with aclosing(words()) as stream:
            await anext(stream)
    assert of(results, "shadow").status == "cancelled"
    assert of(results, "shadow").reason == "cancelled_with_primary"


def test_leaving_a_generator_early_closes_it() -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())
    closed: list[tuple[str, str]] = []

    @runtime.experiment()
    def words(config: Config) -> Iterator[str]:
        try:
            for number in range(5):
                yield f"{config.model} {number}"
        finally:
            closed.append((config.model, playing()))

    with runtime:
        for _ in words():
            break
        assert closed[0] == ("large", "large") or closed[1] == ("large", "large")
    assert sorted(closed) == [("large", "large"), ("small", "small")]
    large, small = runtime.statistics().experiments[0].cases
    assert (large.cancelled, small.ok) == (1, 1)


async def test_leaving_a_generator_in_threads_early_closes_it() -> None:
    runtime = Runtime(configs=MODELS)
    closed: list[str] = []

    @runtime.experiment()
    def words(config: Config) -> Iterator[str]:
        try:
            while True:
                yield config.model
        finally:
            closed.append(playing())

    async with runtime:
        async with aclosing(runtime.stream(words)) as stream:
            assert await anext(stream) == "large"
        assert closed == ["large"]


async def test_a_reader_who_is_cancelled_ends_the_primary_at_once() -> None:
    runtime = Runtime(configs=MODELS)
    ended: list[BaseException] = []

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[str]:
        yield config.model
        try:
            await asyncio.Event().wait()
        except BaseException as error:
            ended.append(error)
            raise

    async def read() -> None:
        async for _ in words():
            pass

    async with runtime:
        results = listening(runtime)
        task = asyncio.create_task(read())
        while not runtime.statistics().experiments[0].cases[0].planned:  # noqa: ASYNC110
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert isinstance(ended[0], asyncio.CancelledError)
    assert of(results, "primary").status == "cancelled"
    assert of(results, "primary").reason == "caller"


async def test_a_thread_that_is_left_in_the_middle_of_a_step_closes_its_generator() -> None:
    runtime = Runtime(configs=MODELS, concurrency=1)
    is_inside, may_go_on, closed = threading.Event(), threading.Event(), threading.Event()

    @runtime.experiment()
    def words(config: Config) -> Iterator[str]:
        try:
            is_inside.set()
            may_go_on.wait()
            yield config.model
        finally:
            closed.set()

    async def read() -> None:
        async for _ in runtime.stream(words):
            pass

    async with runtime:
        task = asyncio.create_task(read())
        await asyncio.to_thread(is_inside.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        waiting = asyncio.create_task(read())
        for _ in range(5):
            await asyncio.sleep(0)
        (case,) = runtime.statistics().experiments[0].cases[:1]
        assert case.waiting == 1, "the thread keeps the permit"
        may_go_on.set()
        await asyncio.to_thread(closed.wait)
        await waiting


# Beside it


async def test_nothing_holds_back_the_first_item() -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())
    order: list[str] = []

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[str]:
        order.append(f"{config.model} begins")
        yield config.model

    async with runtime:
        stream = words()
        await anext(stream)
        order.append("the reader has its item")
        await anext(stream, None)
    assert order == ["large begins", "the reader has its item", "small begins"]


async def test_a_slow_shadow_holds_back_no_item() -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())
    may_go_on = asyncio.Event()

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[str]:
        for _ in range(3):
            if config.model == "small":
                await may_go_on.wait()
            yield config.model

    async with runtime:
        assert [item async for item in words()] == ["large"] * 3
        may_go_on.set()


@pytest.mark.parametrize(
    ("limits", "reason", "kept"),
    [
        (StreamLimits(items=3), "max_items", 3),
        (StreamLimits(items=0), "max_items", 0),
        (StreamLimits(bytes=3500), "max_bytes", 3),
    ],
)
@pytest.mark.parametrize("is_async", [True, False])
async def test_a_shadow_that_never_ends_is_ended_at_a_limit(
    limits: StreamLimits, reason: str, kept: int, is_async: bool
) -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy(), stream=limits)
    closed: list[str] = []

    async def endless(config: Config) -> AsyncIterator[str]:
        try:
            for _ in range(5 if config.model == "large" else 1_000_000_000):
                yield "x" * 1000
        finally:
            closed.append(config.model)

    def endless_too(config: Config) -> Iterator[str]:
        try:
            for _ in range(5 if config.model == "large" else 1_000_000_000):
                yield "x" * 1000
        finally:
            closed.append(config.model)

    words: Any = runtime.experiment(endless if is_async else endless_too)
    async with runtime:
        results = listening(runtime)
        assert [len(item) async for item in runtime.stream(words)] == [1000] * 5
    primary, shadow = of(results, "primary"), of(results, "shadow")
    assert (primary.status, primary.items, len(primary.unwrap())) == ("ok", 5, kept)
    assert (shadow.status, shadow.reason, len(shadow.result or ())) == ("cancelled", reason, kept)
    assert shadow.items == kept
    assert f"ended after {kept} items" in str(shadow.exception_info)
    assert sorted(closed) == ["large", "small"]


def test_a_shadow_that_hangs_is_ended_in_time() -> None:
    async def main() -> None:
        clock: Any = asyncio.get_running_loop()
        runtime = Runtime(
            configs=MODELS,
            strategy=ShadowStrategy(),
            stream=StreamLimits(seconds=60),
            drain_timeout=100,
            clock=clock.clock,
        )

        @runtime.experiment()
        async def words(config: Config) -> AsyncIterator[str]:
            yield config.model
            if config.model == "small":
                await asyncio.Event().wait()

        async with runtime:
            results = listening(runtime)
            assert [item async for item in words()] == ["large"]
        shadow = of(results, "shadow")
        assert (shadow.status, shadow.reason) == ("timeout", "max_seconds")
        assert str(shadow.exception_info) == (
            f"{words.experiment.name}[small]: ended after 60 s, by StreamLimits(seconds=60) for a "
            "shadow's stream"
        )
        assert shadow.duration == pytest.approx(60)
        assert shadow.result == ["small"]

    run_virtual(main())


@pytest.mark.parametrize("concurrency", [1, 2])
@pytest.mark.parametrize(("timeout", "reason"), [(5, "static"), (500, "max_seconds")])
def test_a_shadow_past_its_own_timeout_is_told_from_one_past_the_limit_of_a_stream(
    concurrency: int, timeout: float, reason: str
) -> None:
    """Also one that waits in the mailbox all the time."""

    async def main() -> None:
        clock: Any = asyncio.get_running_loop()
        runtime = Runtime(
            configs=MODELS,
            strategy=ShadowStrategy(timeout=timeout),
            stream=StreamLimits(seconds=60),
            concurrency=concurrency,
            drain_timeout=1000,
            clock=clock.clock,
        )

        @runtime.experiment()
        async def words(config: Config) -> AsyncIterator[str]:
            if config.model == "small":
                await asyncio.Event().wait()
            yield config.model

        async with runtime:
            results = listening(runtime)
            for _ in range(2):
                assert [item async for item in words()] == ["large"]
        shadows = [each for each in results if each.role == "shadow"]
        waited = "deadline" if timeout == 5 and concurrency == 1 else reason
        told = [("timeout", waited), ("timeout", reason)]
        assert [(each.status, each.reason) for each in shadows] == told
        own = "no answer within 5 s"
        assert all((own in str(each.exception_info)) == (timeout == 5) for each in shadows)

    run_virtual(main())


async def test_a_shadow_that_never_suspends_lets_others_run() -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy(), stream=StreamLimits(items=None))
    is_over = False

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[int]:
        number = 0
        while config.model == "large" or not is_over:
            yield number
            number += 1
            if config.model == "large":
                return

    async with runtime:
        assert [item async for item in words()] == [0]
        await asyncio.sleep(0.001)
        is_over = True


async def test_a_shadow_that_raises_is_recorded_with_what_it_gave() -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[str]:
        yield config.model
        if config.model == "small":
            raise SystemExit(3)

    async with runtime:
        results = listening(runtime)
        assert [item async for item in words()] == ["large"]
    shadow = of(results, "shadow")
    assert (shadow.status, shadow.result, shadow.items) == ("error", ["small"], 1)
    assert isinstance(shadow.exception_info, SystemExit)


async def test_events_say_how_many_items_there_were_and_when_the_first_came() -> None:
    sink = MemorySink()
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy(), events=sink)
    words = runtime.experiment(agen)
    async with runtime:
        assert [item async for item in words()] == LARGE
    told = [event for event in sink.events if event.event == "branch.completed"]
    assert [event.items for event in told] == [2, 2]
    assert all((event.first_item_ms or -1) >= 0 for event in told)


# Where one value is wanted, it is the list of the items


async def agen(config: Config) -> AsyncIterator[str]:
    for number in range(2):
        await asyncio.sleep(0)
        yield f"{config.model} {number}"


def gen(config: Config) -> Iterator[str]:
    for number in range(2):
        yield f"{config.model} {number}"


LARGE, SMALL = ["large 0", "large 1"], ["small 0", "small 1"]


@pytest.mark.parametrize("function", [agen, gen])
async def test_collecting_a_stream_gives_the_items_of_each_branch(function: Any) -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())
    words: Any = runtime.experiment(function)
    async with runtime:
        results = await runtime.collect(words)
        assert [each.result for each in results] == [LARGE, SMALL]
        assert [each.items for each in results] == [2, 2]
        assert all(each.first_item is not None and each.first_item >= 0 for each in results)
        assert await runtime.call(words) == LARGE
        async with runtime.arun(words, await_variants=True) as runner:
            assert [each.result for each in await runner()] == [LARGE, SMALL]


@pytest.mark.parametrize("function", [agen, gen])
def test_streams_are_called_without_a_loop(function: Any) -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())
    words: Any = runtime.experiment(function)
    with runtime:
        assert runtime.call_blocking(words) == LARGE
        with runtime.run(words, await_variants=True) as runner:
            assert [each.result for each in runner()] == [LARGE, SMALL]


@pytest.mark.parametrize("function", [agen, gen])
async def test_all_branches_of_a_stream_answer_with_their_items(function: Any) -> None:
    runtime = Runtime(configs=MODELS, strategy=MultiBranchStrategy())
    words: Any = runtime.experiment(function)
    async with runtime:
        results: ExperimentCaseResults[Any] = await runtime.call(words)
        assert [(each.role, each.result) for each in results] == [
            ("branch", LARGE),
            ("branch", SMALL),
        ]
        with pytest.raises(UnderstudyError, match="there is no one stream of them"):
            await anext(runtime.stream(words))
        with pytest.raises(UnderstudyError, match="there is no one stream of them"):
            [*words()] if function is gen else await anext(words())


async def test_a_function_of_one_value_is_no_stream() -> None:
    runtime = Runtime(configs=MODELS)

    @runtime.experiment()
    async def answer(config: Config) -> str:
        return str(config.model)

    with pytest.raises(UnderstudyError, match="answer gives one value, and no stream: `await` it"):
        runtime.stream(answer)  # type: ignore[arg-type]


@pytest.mark.parametrize("function", [agen, gen])
async def test_a_plain_generator_is_streamed_supervised(function: Any) -> None:
    runtime = Runtime()
    async with runtime:
        config = Config({"model": "large"})
        assert [item async for item in runtime.stream(function, config)] == LARGE
        assert await runtime.call(function, config) == LARGE
        with pytest.raises(TypeError, match="missing 1 required positional argument"):
            await anext(runtime.stream(function))


# Streams that plain functions return, as the decorators of others do


def test_a_returned_stream_that_is_left_early_ends_once() -> None:
    runtime = Runtime(configs=MODELS)
    words: Any = runtime.experiment(told(gen))
    with runtime:
        for _ in words():
            break
    (case,) = runtime.statistics().experiments[0].cases[:1]
    assert (case.planned, case.cancelled, case.in_flight) == (1, 1, 0)


def test_a_returned_coroutine_that_is_dropped_half_way_ends_once() -> None:
    runtime = Runtime(configs=MODELS)

    async def answer(config: Config) -> None:
        await asyncio.sleep(60)

    async def main() -> None:
        coroutine = asked()
        coroutine.send(None)
        del coroutine
        await runtime.aclose()

    asked: Any = runtime.experiment(told(answer))
    asyncio.run(main())
    (case,) = runtime.statistics().experiments[0].cases[:1]
    assert (case.planned, case.cancelled, case.in_flight) == (1, 1, 0)


async def test_a_returned_async_stream_that_is_left_early_is_closed() -> None:
    runtime = Runtime(configs=MODELS)
    closed = asyncio.Event()

    async def words(config: Config) -> AsyncIterator[str]:
        try:
            yield config.model
        finally:
            await asyncio.sleep(0)
            closed.set()

    saying: Any = runtime.experiment(told(words))
    async with runtime:
        results = listening(runtime)
        async for _ in saying():
            break
        await closed.wait()
    assert of(results, "primary").reason == "closed"


async def test_a_returned_stream_that_fails_as_it_is_closed_ends_as_failed() -> None:
    runtime = Runtime(configs=MODELS)

    async def words(config: Config) -> AsyncIterator[str]:
        try:
            yield config.model
        finally:
            raise ValueError

    saying: Any = runtime.experiment(told(words))
    async with runtime:
        stream = saying()
        await anext(stream)
        with pytest.raises(ValueError):  # noqa: PT011
            await stream.aclose()
    (case,) = runtime.statistics().experiments[0].cases[:1]
    assert (case.planned, case.error) == (1, 1)


async def test_what_goes_on_has_the_time_of_its_call() -> None:
    runtime = Runtime(configs=MODELS, timeout=0.01)

    async def answer(config: Config) -> None:
        await asyncio.Event().wait()

    async def words(config: Config) -> AsyncIterator[str]:
        yield config.model
        await asyncio.Event().wait()

    asked: Any = runtime.experiment(told(answer))
    saying: Any = runtime.experiment(told(words))
    async with runtime:
        results = listening(runtime)
        with pytest.raises(DeadlineExceeded, match=r"answer\[large\]: no answer within 0.01 s"):
            await asked()
        with pytest.raises(DeadlineExceeded, match=r"words\[large\]: no answer within 0.01 s"):
            async for _ in saying():
                pass
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
    assert [each.status for each in results] == ["timeout", "timeout"]


async def test_a_drain_of_another_thread_tells_who_awaits_a_returned_coroutine() -> None:
    runtime = Runtime(configs=MODELS, drain_timeout=0.01)
    begun = asyncio.Event()

    async def answer(config: Config) -> None:
        begun.set()
        await asyncio.Event().wait()

    asked: Any = runtime.experiment(told(answer))
    task = asyncio.create_task(asked())
    await begun.wait()
    report = await asyncio.to_thread(runtime.close)
    with pytest.raises(UnderstudyError, match="cancelled by a drain"):
        await task
    assert task.cancelling() == 0
    assert [each.reason for each in report.cancelled] == ["drain"]
    assert_laws(runtime)


def told(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function, as a user does."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call


async def test_a_stream_under_a_decorator_of_somebody_else_plays_on_all_branches() -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())
    words: Any = runtime.experiment(told(agen))
    numbers: Any = runtime.experiment(told(gen))
    async with runtime:
        results = listening(runtime)
        assert [item async for item in words()] == LARGE
        assert [*numbers()] == LARGE
        await runtime.drain()
        assert await runtime.call(words) == await runtime.call(numbers) == LARGE
        with runtime.run(numbers, await_variants=True) as runner:
            assert [each.result for each in runner()] == [LARGE, SMALL]
    assert all(each.status == "ok" and each.items == 2 for each in results)
    assert [each.result for each in results if each.role == "shadow"] == [SMALL] * 5


async def test_a_returned_stream_goes_on_in_its_branch() -> None:
    runtime = Runtime(configs=MODELS)

    async def talk(config: Config) -> AsyncGenerator[str, str]:
        heard = ""
        while heard != "goodbye":
            try:
                await asyncio.sleep(0)
                heard = yield f"{playing()} {heard}"
            except ValueError:
                heard = "error"

    talking: Any = runtime.experiment(told(talk))
    async with runtime:
        stream = talking()
        assert await anext(stream) == "large "
        assert playing() == ""
        assert await stream.asend("you") == "large you"
        assert await stream.athrow(ValueError()) == "large error"
        with pytest.raises(StopAsyncIteration):
            await stream.asend("goodbye")
        async with aclosing(talking()) as stream:
            await anext(stream)
        broken = talking()
        await anext(broken)
        with pytest.raises(KeyError):
            await broken.athrow(KeyError())
        dropped = talking()
        del dropped
        gc.collect()
    (case,) = runtime.statistics().experiments[0].cases[:1]
    assert (case.ok, case.cancelled, case.error) == (1, 2, 1)


def test_a_returned_generator_goes_on_in_its_branch() -> None:
    runtime = Runtime(configs=MODELS)

    def talk(config: Config) -> Generator[str, str, str]:
        heard = yield playing()
        return heard

    talking: Any = runtime.experiment(told(talk))
    with runtime:
        stream = talking()
        assert next(stream) == "large"
        assert playing() == ""
        with pytest.raises(StopIteration) as stop:
            stream.send("goodbye")
        assert stop.value.value == "goodbye"
        stream = talking()
        next(stream)
        stream.close()
    (case,) = runtime.statistics().experiments[0].cases[:1]
    assert (case.ok, case.cancelled) == (1, 1)


async def test_a_stream_may_be_decorated_again() -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())
    words: Any = told(runtime.experiment(agen))
    numbers: Any = told(runtime.experiment(gen))
    async with runtime:
        assert [item async for item in words()] == LARGE
        assert [*numbers()] == LARGE


# Limits, deadlines, drains


def test_the_time_of_a_stream_is_over_in_the_middle_of_a_step() -> None:
    async def main() -> None:
        clock: Any = asyncio.get_running_loop()
        runtime = Runtime(configs=MODELS, timeout=5, clock=clock.clock)

        @runtime.experiment()
        async def words(config: Config) -> AsyncIterator[str]:
            yield config.model
            await asyncio.sleep(60)
            yield "too late"

        async with runtime:
            seen = []
            with pytest.raises(DeadlineExceeded, match=r"words\[large\]: no answer within 5 s"):
                async for item in words():
                    seen.append(item)
            assert seen == ["large"]
            task = asyncio.current_task()
            assert task is not None
            assert task.cancelling() == 0

    run_virtual(main())


def test_the_time_of_a_stream_is_over_while_its_reader_is_busy() -> None:
    async def main() -> None:
        clock: Any = asyncio.get_running_loop()
        runtime = Runtime(configs=MODELS, timeout=5, concurrency=1, clock=clock.clock)
        closed: list[float] = []

        @runtime.experiment()
        async def words(config: Config) -> AsyncIterator[str]:
            try:
                yield config.model
                yield "too late"
            finally:
                await asyncio.sleep(1)
                closed.append(clock.time() - began)

        async with runtime:
            began = clock.time()
            stream: Any = words()
            assert await anext(stream) == "large"
            await asyncio.sleep(60)
            assert closed == [pytest.approx(6)], "it is closed, and gave back its permit"
            with pytest.raises(DeadlineExceeded):
                await anext(stream)
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
            assert [item async for item in words()] == ["large", "too late"]

    run_virtual(main())


def test_the_time_of_a_stream_that_outlives_its_caller_is_that_of_the_caller() -> None:
    async def main() -> None:
        clock: Any = asyncio.get_running_loop()
        runtime = Runtime(configs=MODELS, clock=clock.clock)
        closed: list[float] = []

        @runtime.experiment()
        async def words(config: Config) -> AsyncIterator[str]:
            try:
                yield config.model
                yield "too late"
            finally:
                closed.append(clock.time() - began)

        @runtime.experiment(timeout=5)
        async def outer(config: Config) -> Any:
            stream: Any = words()
            await anext(stream)
            return stream

        async with runtime:
            began = clock.time()
            stream = await outer()
            await asyncio.sleep(60)
            assert closed == [pytest.approx(5)]
            with pytest.raises(DeadlineExceeded):
                await anext(stream)

    run_virtual(main())


def test_a_stream_that_two_end_at_once_ends_as_interrupted() -> None:
    async def main() -> None:
        clock: Any = asyncio.get_running_loop()
        runtime = Runtime(configs=MODELS, timeout=5, clock=clock.clock)

        @runtime.experiment()
        async def words(config: Config) -> AsyncIterator[str]:
            try:
                yield config.model
            finally:
                await asyncio.sleep(60)

        async with runtime:
            results = listening(runtime)
            stream: Any = words()
            await anext(stream)
            await runtime.drain(timeout=4.5)  # the deadline comes while it is being closed
            with pytest.raises(DeadlineExceeded):
                await anext(stream)
        assert of(results, "primary").status == "timeout"

    run_virtual(main())


async def test_a_stream_whose_end_is_cancelled_before_it_begins_ends_all_the_same() -> None:
    runtime = Runtime(configs=MODELS)

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[str]:
        yield config.model

    async with runtime:
        stream: Any = words()
        await anext(stream)
        before = asyncio.all_tasks()
        draining = asyncio.create_task(runtime.drain(timeout=0))
        while not (ending := asyncio.all_tasks() - before - {draining}):  # noqa: ASYNC110
            await asyncio.sleep(0)
        for task in ending:
            task.cancel()
        with pytest.raises(UnderstudyError, match="cancelled by a drain"):
            await anext(stream)
        assert (await draining).cancelled[0].reason == "drain"
    assert_laws(runtime)


def test_a_drain_ends_a_stream_whose_reader_is_busy() -> None:
    async def main() -> None:
        clock: Any = asyncio.get_running_loop()
        runtime = Runtime(configs=MODELS, clock=clock.clock)

        @runtime.experiment()
        async def words(config: Config) -> AsyncIterator[str]:
            yield config.model
            yield "too late"

        stream: Any = words()
        assert await anext(stream) == "large"
        report = await runtime.drain(timeout=1)
        (cancelled,) = report.cancelled
        assert (cancelled.status, cancelled.reason) == ("cancelled", "drain")
        with pytest.raises(UnderstudyError, match=r"words\[large\]: cancelled by a drain"):
            await anext(stream)
        await runtime.aclose()

    run_virtual(main())


async def test_a_stream_keeps_its_permit_until_it_ends() -> None:
    runtime = Runtime(configs=MODELS, concurrency=1, mailbox=0, overflow="reject")

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[str]:
        yield config.model

    async with runtime:
        first: Any = words()
        await anext(first)
        with pytest.raises(MailboxFull):
            await anext(words())
        await first.aclose()
        assert [item async for item in words()] == ["large"]


async def test_a_refused_stream_plays_no_shadows() -> None:
    runtime = Runtime(
        configs=MODELS, strategy=ShadowStrategy(), concurrency=1, mailbox=0, overflow="reject"
    )

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[str]:
        yield config.model

    async with runtime:
        first: Any = words()
        await anext(first)
        while not runtime.statistics().experiments[0].cases[1].ok:  # noqa: ASYNC110
            await asyncio.sleep(0)
        with pytest.raises(MailboxFull):
            await anext(words())
        await first.aclose()
    large, small = runtime.statistics().experiments[0].cases
    assert (large.shed, small.skipped, small.ok) == (1, 1, 1)


async def test_a_stream_that_would_wait_for_its_own_reader_is_a_deadlock() -> None:
    runtime = Runtime(configs=MODELS, concurrency=1)

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[str]:
        yield config.model

    @runtime.experiment()
    async def outer(config: Config) -> list[str]:
        async for _ in words():
            return [item async for item in words()]
        return []

    async with runtime:
        with pytest.raises(
            UnderstudyError, match=r"outer\[large\] -> .*words\[large\]: each waits"
        ):
            await outer()


async def test_a_stream_whose_reader_waits_for_those_who_wait_for_it_is_a_deadlock() -> None:
    is_eager = asyncio.get_running_loop().get_task_factory() is not None
    runtime = Runtime(configs=MODELS, concurrency=1, timeout=0.2 if is_eager else None)

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[str]:
        yield config.model

    async def read() -> list[str]:
        return [item async for item in words()]

    @runtime.experiment()
    async def outer(config: Config) -> Any:
        async for _ in words():
            return await asyncio.gather(read(), read())
        return []

    async with runtime:
        if is_eager:  # those who wait begin to before the reader does, who closes the cycle
            with pytest.raises(DeadlineExceeded):
                await outer()
        else:
            with pytest.raises(UnderstudyError, match="each waits"):
                await outer()


async def test_two_who_read_one_after_the_other_are_no_deadlock() -> None:
    runtime = Runtime(configs=MODELS, concurrency=1)

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[str]:
        yield config.model
        yield config.model

    async def read() -> list[str]:
        items: list[str] = []
        async for item in words():
            await asyncio.sleep(0)
            items.append(item)
        return items

    @runtime.experiment()
    async def outer(config: Config) -> list[list[str]]:
        return [*await asyncio.gather(read(), read())]

    async with runtime:
        assert await outer() == [["large", "large"]] * 2


# Inside other experiments


async def test_nested_calls_of_a_stream_play_the_same_case() -> None:
    runtime = Runtime(configs=MODELS, strategy=RoundRobinStrategy())

    @runtime.experiment()
    async def inner(config: Config) -> str:
        await asyncio.sleep(0)
        return str(config.model)

    @runtime.experiment()
    async def letters(config: Config) -> AsyncIterator[str]:
        for letter in await inner():
            yield letter + (await inner())[0]

    @runtime.experiment(configs=None)
    async def outer() -> list[str]:
        return [item async for item in letters()]

    async with runtime:
        for _ in range(4):
            firsts = {item[1] for item in await outer()}
            assert len(firsts) == 1


async def test_inside_a_shadows_stream_no_shadows_start() -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy(), nested="independent")

    @runtime.experiment()
    async def inner(config: Config) -> AsyncIterator[str]:
        yield config.model

    @runtime.experiment()
    async def outer(config: Config) -> AsyncIterator[str]:
        async for item in inner():
            yield item

    async with runtime:
        assert [item async for item in outer()] == ["large"]
    inner_counts = {
        each.experiment.rpartition(".")[2]: each for each in runtime.statistics().experiments
    }
    large, small = inner_counts["inner"].cases
    assert large.planned == 2
    assert (small.planned, small.ok, small.skipped) == (2, 1, 1)


# Leaving nothing behind


async def test_a_stream_that_is_dropped_is_closed_by_the_loop() -> None:
    runtime = Runtime(configs=MODELS)
    closed = asyncio.Event()

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[str]:
        try:
            yield config.model
        finally:
            closed.set()

    async with runtime:
        stream: Any = words()
        await anext(stream)
        del stream
        gc.collect()
        await closed.wait()


@pytest.mark.parametrize("strategy", [SingleConfigStrategy(), ShadowStrategy()])
def test_streams_that_are_held_at_the_end_are_closed_at_once_without_a_complaint(
    strategy: Any,
) -> None:
    runtime = Runtime(configs=MODELS, strategy=strategy, drain_timeout=1000)
    closed: list[str] = []
    complaints: list[Any] = []
    held: list[Any] = []

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[str]:
        try:
            yield config.model
            yield config.model
        finally:
            await asyncio.sleep(0)
            closed.append(playing())

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: complaints.append(context)
        )
        held.append(words())
        await anext(held[0])

    asyncio.run(main())
    assert closed.count("large") == 1
    assert complaints == []


async def test_a_stream_leaves_no_cycles_for_the_collector() -> None:
    runtime = Runtime(configs=MODELS)

    @runtime.experiment()
    async def words(config: Config) -> AsyncIterator[str]:
        await asyncio.sleep(0)
        yield config.model
        if fails:
            raise ValueError

    def numbers(config: Config) -> Iterator[str]:
        yield config.model
        if fails:
            raise ValueError

    async def read_all() -> None:
        for function in (words, counted):
            try:
                async for _ in runtime.stream(function):
                    pass
            except ValueError:
                pass
        try:
            for _ in counted():
                pass
        except ValueError:
            pass
        async with aclosing(runtime.stream(words)) as stream:
            await anext(stream)

    counted: Any = runtime.experiment(numbers)
    async with runtime:
        for fails in (False, True):
            await read_all()
            with no_cycles(f"fails={fails}"):
                await read_all()


@pytest.mark.parametrize("comes_back", [True, False])
@pytest.mark.parametrize("is_paused", [True, False])
def test_the_deadline_of_a_stream_leaves_no_cycles_for_the_collector(
    is_paused: bool, comes_back: bool
) -> None:
    async def main() -> None:
        clock: Any = asyncio.get_running_loop()
        runtime = Runtime(configs=MODELS, timeout=5, clock=clock.clock)

        @runtime.experiment()
        async def words(config: Config) -> AsyncIterator[str]:
            yield config.model
            await asyncio.sleep(60)

        async def read() -> None:
            stream: Any = words()
            await anext(stream)
            if is_paused:
                await asyncio.sleep(60)
            if comes_back or not is_paused:
                with suppress(DeadlineExceeded):
                    await anext(stream)
            await stream.aclose()

        async with runtime:
            await read()
            with no_cycles():
                await read()

    run_virtual(main())
