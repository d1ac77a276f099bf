"""What cannot work is one clear error: it names what, where, and what to write instead."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from understudy import (
    CircuitBreaker,
    Config,
    ExperimentError,
    Runtime,
    ShadowStrategy,
    SingleConfigStrategy,
    StreamLimits,
)

MODELS = [{"model": "large"}, {"model": "small"}]


async def answer(prompt: str, config: Config) -> str:
    return f"{config.model}: {prompt}"


async def words(prompt: str, config: Config) -> AsyncIterator[str]:
    yield f"{config.model}: {prompt}"


def reply(prompt: str, config: Config) -> str:
    return f"{config.model}: {prompt}"


WAYS = ("call", "collect", "stream", "call_blocking")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("function", [answer, words])
async def test_a_call_in_place_of_a_function_is_one_error_and_nothing_is_left_unawaited(
    way: str, function: Any
) -> None:
    runtime = Runtime(configs=MODELS)
    decorated: Any = runtime.experiment(function)
    name = function.__name__
    problem = (
        rf"runtime\.{way} was given what {name}\(\.\.\.\) returned.*: give the function and its "
        rf"arguments, runtime\.{way}\({name}, \.\.\.\)"
    )
    with pytest.raises(ExperimentError, match=problem):
        told: Any = getattr(runtime, way)(decorated("hi"))
        if way == "collect":
            await told
    with pytest.raises(ExperimentError, match="give the function and its arguments"):
        told = getattr(runtime, way)(decorated.experiment.function("hi", Config()))
        if way == "collect":
            await told


@pytest.mark.parametrize("way", ["run", "arun"])
async def test_a_call_in_place_of_a_function_to_run_is_an_error_before_the_block(way: str) -> None:
    runtime = Runtime(configs=MODELS)
    decorated: Any = runtime.experiment(answer)
    problem = rf"runtime\.{way} was given what answer.*, runtime\.{way}\(answer\)$"
    with pytest.raises(ExperimentError, match=problem):
        getattr(runtime, way)(decorated("hi"))


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_no_function_cannot_be_called(way: str) -> None:
    runtime = Runtime(configs=MODELS)
    said = runtime.experiment(reply)("hi")
    problem = rf"runtime\.{way} was given 'large: hi', which is no function: give the function"
    with pytest.raises(ExperimentError, match=problem):
        told: Any = getattr(runtime, way)(said)
        if way == "collect":
            await told


async def test_a_coroutine_that_somebody_else_runs_is_left_to_them() -> None:
    runtime = Runtime()
    going = asyncio.Event()

    async def go_on() -> str:
        await going.wait()
        return "done"

    coroutine = go_on()
    task = asyncio.ensure_future(coroutine)
    await asyncio.sleep(0)
    with pytest.raises(ExperimentError, match="was given what go_on"):
        runtime.call(coroutine)  # type: ignore[call-overload]
    going.set()
    assert await task == "done"


async def test_blocking_a_loop_names_the_experiment_and_what_to_await() -> None:
    runtime = Runtime(configs=MODELS)
    decorated = runtime.experiment(name="service.answer")(answer)
    problem = r"^service\.answer: this thread runs a loop.*: write `await runtime\.call\(answer, "
    with pytest.raises(ExperimentError, match=problem):
        runtime.call_blocking(decorated, "hi")
    problem = r"^service\.answer: .* write `async with runtime\.arun\(answer\) as runner:` and `aw"
    with pytest.raises(ExperimentError, match=problem), runtime.run(decorated) as runner:
        runner("hi")


def test_a_runner_that_nobody_entered_says_so_in_place_of_calling_nothing() -> None:
    runtime = Runtime(configs=MODELS)
    here, later = runtime.experiment(reply), runtime.experiment(answer)
    run: Any = runtime.run(here)
    with pytest.raises(ExperimentError, match=r"write `with runtime\.run\(reply\) as runner:` and"):
        run("hi")
    arun: Any = runtime.arun(later)
    problem = r"write `async with runtime\.arun\(answer\) as runner:` and `await runner\(\.\.\.\)`"
    with pytest.raises(ExperimentError, match=problem):
        arun("hi")
    assert sum(each.planned for each in runtime.statistics().experiments) == 0


async def test_leaving_a_with_block_on_a_loop_warns_of_what_it_does_not_wait_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())
    gate = asyncio.Event()

    @runtime.experiment
    async def hang(config: Config) -> str:
        if config.model == "small":
            await gate.wait()
        return str(config.model)

    with runtime:
        await hang()
        await hang()
    (told,) = caplog.messages
    assert "2 still in flight there; `async with runtime:` or `await runtime.aclose()` wait" in told
    gate.set()
    await runtime.aclose()
    assert runtime.statistics()["hang"]["small"].ok == 2


async def test_leaving_a_with_block_on_a_loop_is_fine_where_nothing_is_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As in a notebook, which always runs a loop."""
    runtime = Runtime(configs=MODELS, strategy=ShadowStrategy())
    here = runtime.experiment(reply)

    @runtime.experiment
    async def closing(config: Config) -> str:
        with runtime:
            return here("hi")

    with runtime:
        assert here("hi") == "large: hi"
        assert await closing.options(strategy=SingleConfigStrategy())() == "large: hi"
    assert caplog.messages == []
    await runtime.aclose()


@pytest.mark.parametrize(
    ("given", "name"), [(MODELS, "configs"), (ShadowStrategy(), "strategy"), (5, "timeout")]
)
def test_a_setting_without_its_name_says_which_it_may_be(given: Any, name: str) -> None:
    runtime: Any = Runtime(configs=MODELS)
    decorated = runtime.experiment(answer)
    problem = rf"runtime\.experiment\(\.\.\.\) takes a function, and settings by name, .* {name}="
    with pytest.raises(ExperimentError, match=problem):
        runtime.experiment(given)
    with pytest.raises(ExperimentError, match=rf"^answer\.options\(\.\.\.\) takes .* {name}="):
        decorated.options(given)


def test_options_say_what_is_said_elsewhere() -> None:
    decorated: Any = Runtime(configs=MODELS).experiment(answer)
    for name in ("name", "uses", "place"):
        with pytest.raises(ExperimentError, match=f"no setting '{name}' here: it is said when"):
            decorated.options(**{name: "loop"})


def test_a_struct_of_settings_names_itself_where_an_argument_is_wrong() -> None:
    limits: Any = StreamLimits
    circuit: Any = CircuitBreaker
    problem = r"^StreamLimits has no 'item' \(did you mean 'items'\?\); there are items, bytes, sec"
    with pytest.raises(TypeError, match=problem):
        limits(item=1)
    with pytest.raises(TypeError, match=r"^StreamLimits: Extra positional arguments"):
        limits(1)
    with pytest.raises(
        TypeError, match=r"^CircuitBreaker has no 'x'; there are failures, cooldown"
    ):
        circuit(x=1)
    assert (limits(items=2).items, circuit(2, cooldown=0).failures) == (2, 2)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"failures": 0}, "failures must be a whole number from 1 on, not 0"),
        ({"failures": True}, "failures must be a whole number from 1 on, not True"),
        ({"failures": 1.5}, "failures must be a whole number from 1 on, not 1.5"),
        ({"cooldown": -1}, "cooldown must be a number of seconds from 0 on, not -1"),
        ({"cooldown": "1"}, "cooldown must be a number of seconds from 0 on, not '1'"),
        ({"cooldown": float("nan")}, "cooldown must be a number of seconds from 0 on, not nan"),
    ],
)
def test_a_circuit_that_cannot_be_is_an_error(given: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^CircuitBreaker: {problem}$"):
        CircuitBreaker(**given)


@pytest.mark.parametrize("buffer", [0, -1, True, 1.5, None])
def test_a_subscriber_needs_room_for_a_result(buffer: Any) -> None:
    with pytest.raises(ExperimentError, match="buffer must be a whole number from 1 on, not"):
        Runtime().subscribe(print, buffer=buffer)


def test_an_experiment_of_another_runtime_is_refused_where_it_would_do_nothing() -> None:
    theirs, mine = Runtime(configs=MODELS), Runtime(configs=MODELS)
    decorated = theirs.experiment(name="service.answer")(answer)
    problem = "service.answer is an experiment of another runtime"
    for act in (mine.disable, mine.enable, lambda it: mine.subscribe(print, experiment=it)):
        with pytest.raises(ExperimentError, match=problem):
            act(decorated)
    with pytest.raises(ExperimentError, match=problem), mine.force(decorated, 0):
        pass


def test_what_is_decorated_twice_is_named_where_its_author_wrote_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runtime = Runtime(configs=MODELS)
    line = answer.__code__.co_firstlineno
    runtime.experiment(runtime.experiment(answer))
    (told,) = caplog.messages
    assert told.startswith(
        f"{answer.__module__}.answer ({__file__}:{line}) is an experiment alread"
    )
    assert "decorate it once" in told
