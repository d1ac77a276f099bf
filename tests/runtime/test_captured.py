"""Captured: what is told of arguments, results and configs, on request, and never a secret."""

import asyncio
import dataclasses
import enum
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import attrs
import msgspec
import pydantic
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from understudy import (
    Bind,
    CallableSink,
    Capture,
    Config,
    ConfigError,
    Event,
    ExperimentError,
    FileSink,
    LoggerSink,
    MemorySink,
    MultiBranchStrategy,
    Runtime,
    ShadowStrategy,
)
from understudy._plain import plain  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy._shown import Shown  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.cli import main
from understudy.configs import is_secret
from understudy.dashboard import Board
from understudy.events import encode_line

LONG = 20.0
PLANTED = "hunter2-planted"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def ended(sink: MemorySink) -> list[tuple[Any, Any]]:
    return [
        (
            None if each.arguments is None else json.loads(each.arguments),
            None if each.result is None else json.loads(each.result),
        )
        for each in sink.named("branch.completed")
    ]


@pytest.mark.anyio
async def test_nothing_is_captured_unless_asked_for() -> None:
    sink = MemorySink()
    runtime = Runtime(events=sink)

    @runtime.experiment
    async def answer(prompt: str) -> str:
        return prompt

    async with runtime:
        await answer("hello")
    assert ended(sink) == [(None, None)]


@pytest.mark.anyio
async def test_arguments_have_the_names_of_their_parameters_and_configs_are_none() -> None:
    sink = MemorySink()
    runtime = Runtime(configs=[{"v": "a"}], events=sink, capture=True)

    @runtime.experiment
    async def answer(prompt: str, config: Config, *more: int, top: int = 3, **rest: Any) -> str:
        return f"{config.v}: {prompt}"

    class Service:
        @runtime.experiment
        async def reply(self, config: Config, prompt: str) -> list[str]:
            return [prompt]

    async with runtime:
        await answer("hello", 1, 2, top=4, lang="en")
        await Service().reply(prompt="hi")
        await runtime.call(asyncio.sleep, 0, result="slept")
    assert ended(sink) == [
        ({"prompt": "hello", "more": [1, 2], "top": 4, "lang": "en"}, "a: hello"),
        ({"prompt": "hi"}, ["hi"]),
        ({"delay": 0, "result": "slept"}, "slept"),
    ]


@pytest.mark.anyio
async def test_every_kind_of_function_is_captured_and_every_branch() -> None:
    sink = MemorySink()
    runtime = Runtime(
        configs=[{"v": 1}, {"v": 2}], strategy=MultiBranchStrategy(), events=sink, capture=True
    )

    @runtime.experiment
    def plain_one(x: int, config: Config) -> int:
        return x + int(config.v)

    @runtime.experiment
    def many(x: int, config: Config) -> Iterator[int]:
        yield from range(x)

    @runtime.experiment
    async def later(x: int, config: Config) -> AsyncIterator[int]:
        for item in range(x):
            yield item

    async with runtime:
        await runtime.collect(plain_one, 1)
        await runtime.collect(many, 2)
        await runtime.collect(later, 2)
        assert [item async for item in later.options(strategy=ShadowStrategy())(2)] == [0, 1]
        assert [*many.options(strategy=ShadowStrategy())(2)] == [0, 1]
        assert plain_one.options(strategy=ShadowStrategy())(5) == 6
        await runtime.drain()
    told = ended(sink)
    assert len(told) == 12
    assert all(arguments in ({"x": 1}, {"x": 2}, {"x": 5}) for arguments, _ in told)
    results = sorted(json.dumps(result) for _, result in told)
    assert results == sorted(["2", "3", "6", "7", *["[0, 1]"] * 8])
    emitter: Any = runtime._telling._emitter
    assert emitter._stamps.captured == {}
    assert emitter.notes.streams == {}


@pytest.mark.anyio
async def test_an_experiment_may_be_captured_alone_and_one_be_left_out() -> None:
    sink = MemorySink()
    runtime = Runtime(events=sink, capture=Capture(result=False))

    @runtime.experiment(capture=False)
    async def silent(x: int) -> int:
        return x

    @runtime.experiment(capture=Capture(arguments=False))
    async def answer(x: int) -> int:
        return x

    @runtime.experiment
    async def asked(x: int) -> int:
        return x

    async with runtime:
        await silent(1)
        await answer(2)
        await asked(3)
    assert ended(sink) == [(None, None), (None, 2), ({"x": 3}, None)]


@pytest.mark.anyio
async def test_arguments_are_told_as_they_were_and_a_branch_that_fails_has_no_result() -> None:
    sink = MemorySink()
    runtime = Runtime(events=sink, capture=True)

    @runtime.experiment
    async def consume(words: list[str]) -> None:
        words.clear()
        raise ValueError("no")

    words = ["a", "b"]
    async with runtime:
        with pytest.raises(ValueError, match="no"):
            await consume(words)
        words.append("later")
    assert ended(sink) == [({"words": ["a", "b"]}, None)]


VALUES: st.SearchStrategy[Any] = st.deferred(
    lambda: (
        st.none()
        | st.text()
        | st.integers()
        | st.floats()
        | st.binary()
        | st.lists(VALUES, max_size=5)
        | st.dictionaries(st.text(), VALUES, max_size=5)
    )
)


@given(VALUES, st.integers(1, 60))
def test_what_is_told_has_no_more_bytes_than_it_may_and_what_fits_is_whole(
    value: Any, limit: int
) -> None:
    shown = Shown(None)
    text = shown.text(plain(value, limit), limit)
    assert len(text.encode()) <= max(limit, 3)
    whole = shown.text(plain(value, 1_000_000), 1_000_000)
    assert text == whole or "..." in text
    if isinstance(value, dict):
        mapping = shown.mapping(value, limit + 60)
        assert len(msgspec.json.encode(mapping)) <= limit + 60


@pytest.mark.parametrize("size", [10, 10_000_000])
def test_of_a_value_that_is_too_large_no_more_is_copied_than_is_told(size: int) -> None:
    class Looked(list[int]):
        seen = 0

        def __iter__(self) -> Iterator[int]:
            for number in range(size):
                self.seen += 1
                yield number

    value = Looked()
    plain([value, "x" * size, {"key": "y" * size}], 100)
    assert value.seen <= 60


class Kind(enum.Enum):
    A = "a"


class Point(NamedTuple):
    x: int
    token: str


@dataclasses.dataclass
class Login:
    user: str
    password: str


class Client(msgspec.Struct):
    url: str
    api_key: str


class Opaque:
    def __repr__(self) -> str:
        raise AssertionError("asked")


@attrs.define
class Door:
    name: str
    passphrase: str


class Model(pydantic.BaseModel):
    name: str
    access_key: str


def test_values_of_many_kinds_are_told_and_an_object_by_its_class_only() -> None:
    shown = Shown(None)
    value = {
        "login": Login("ann", PLANTED),
        "client": Client("u", PLANTED),
        "point": Point(1, PLANTED),
        "opaque": Opaque(),
        "kind": Opaque,
        "data": b"123",
        "headers": [("Cookie", PLANTED), ("Accept", "*")],
        7: {"Set-Cookie": PLANTED},
        "big": 10**400,
        "set": {1},
        "error": ValueError(PLANTED),
    }
    assert json.loads(shown.text(plain(value, 2_000), 2_000)) == {
        "login": {"user": "ann", "password": "***"},
        "client": {"url": "u", "api_key": "***"},
        "point": {"x": 1, "token": "***"},
        "opaque": "<Opaque>",
        "kind": "<type>",
        "data": "<3 bytes>",
        "headers": [["Cookie", "***"], ["Accept", "*"]],
        "7": {"Set-Cookie": "***"},
        "big": "<a number of 1329 bits>",
        "set": [1],
        "error": "<ValueError>",
    }


@pytest.mark.parametrize(
    "key",
    [
        *(
            "password",
            "DB_PASSWORD",
            "passwd",
            "user-secret",
            "clientSecret",
            "token",
            "auth_token",
        ),
        *("X-Api-Key", "apikey", "OPENAI_API_KEY", "Authorization", "cookie", "Set-Cookie"),
        *("credentials", "privateKey", "aws_access_key_id", "jwt", "proxy_auth", "pwd"),
    ],
)
def test_a_key_that_names_a_secret_is_one_however_it_is_written(key: str) -> None:
    assert is_secret(key)


@pytest.mark.parametrize("key", ["max_tokens", "author", "key", "model", "tokenizer", "", "pass"])
def test_a_key_that_does_not_is_none(key: str) -> None:
    assert not is_secret(key)


def test_a_predicate_hides_more_and_one_that_fails_hides() -> None:
    def redact(key: str, value: Any) -> bool:
        if key == "odd":
            raise ValueError("no")
        return key == "email" or value == "x"

    shown = Shown(redact)
    value = {"email": "a@b", "odd": 1, "inner": [{"email": "c", "name": "x", "age": 3}]}
    told = shown.hidden(plain(value, 1_000))
    assert told == {
        "email": "***",
        "odd": "***",
        "inner": [{"email": "***", "name": "***", "age": 3}],
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"capture": 7}, "capture must be True, False or Capture"),
        ({"capture": Capture(limit=0)}, "limit must be a whole number of bytes from 1 on"),
        ({"redact": "password"}, "redact must be a function of a key and a value"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ExperimentError, match=message):
        Runtime(**given)


def test_a_started_case_tells_the_values_of_its_config_and_not_too_many() -> None:
    sink = MemorySink()
    values = {"model": "large", "llm": {"temp": 0.7, "api_key": PLANTED}, "text": "x" * 5_000}
    runtime = Runtime(configs=[values], events=sink)

    @runtime.experiment
    async def answer(config: Config) -> None: ...

    asyncio.run(answer())
    (started,) = (each for each in sink.named("actor.started") if each.values is not None)
    assert started.values is not None
    assert (started.values["model"], started.values["llm"]) == (
        "large",
        {"temp": 0.7, "api_key": "***"},
    )
    assert str(started.values["text"]).endswith("x...")
    assert len(msgspec.json.encode(started.values)) <= 2_000
    assert json.loads(encode_line(started))["values"]["model"] == "large"


def _is_mail(key: str, value: Any) -> bool:
    return key == "email" or "leaks" in str(value)


class Refused(Exception):
    pass


async def _everything(runtime: Runtime) -> None:
    """Have the planted secret go through all that tells of anything."""

    @runtime.experiment
    async def answer(
        login: Login, password: str, config: Config, *, email: str, **headers: str
    ) -> dict[str, Any]:
        structlog.contextvars.bind_contextvars(api_token=PLANTED, email=PLANTED)
        await inner([{"secret": login.password}], token=password)
        if config.get("fails"):
            raise Refused(f"it leaks {PLANTED}")
        return {"auth": PLANTED, "nested": [{"cookie": PLANTED}], "email": PLANTED}

    @runtime.experiment(configs=[{"llm": {"api_key": PLANTED}, "n": 1}, {"api_key": PLANTED}])
    async def inner(items: list[Any], config: Config, token: str) -> Iterator[str]:
        return iter([token])

    @runtime.experiment(configs=[{"credentials": {"user": PLANTED}}])
    def here(config: Config) -> Login:
        return Login("ann", PLANTED)

    @runtime.experiment(
        configs=[{"email": PLANTED}, {"email": PLANTED, "fails": True}], timeout=0.001
    )
    async def slow(config: Config) -> None:
        await asyncio.Event().wait()

    async with runtime:
        with structlog.contextvars.bound_contextvars(password=PLANTED):
            await answer(Login("a", PLANTED), PLANTED, email=PLANTED, Authorization=PLANTED)
            here()
            with pytest.raises(TimeoutError):
                await slow()
            strange: Any = runtime.experiment(strategy=lambda configs: 1 / 0)(
                answer.experiment.function
            )
            await strange(Login("a", PLANTED), PLANTED, email=PLANTED)
            await _misled(runtime)
        structlog.contextvars.clear_contextvars()


async def _misled(runtime: Runtime) -> None:
    """Have errors tell of configs that are named by what is hidden."""
    own = [{"email": PLANTED}, {"email": f"{PLANTED}2"}]

    def unknown(configs: Any) -> tuple[Config, tuple[()]]:
        return Config(email=f"{PLANTED}3"), ()

    def twice(configs: Any) -> tuple[Config, tuple[Config, ...]]:
        return configs[0], (configs[1], configs[1])

    async def play(config: Config) -> str:
        return str(len(config.email))

    played: list[Any] = []
    for strategy in (unknown, twice):
        played.append(runtime.experiment(strategy=strategy, configs=own)(play))
        assert await played[-1]() == str(len(PLANTED))  # the first answers
    with pytest.raises(ExperimentError, match=r"has no config 'none'; there are '\*\*\*-") as wrong:
        runtime.pin(played[0], "none")
    assert PLANTED not in f"{wrong.value} {played[0].experiment!r}"

    @runtime.experiment(configs=own)
    async def shy(config: Config) -> str:
        results = await runtime.collect(played[0])
        raise Refused(f"{results[0].experiment_case} did not please")

    with pytest.raises(Refused):
        await shy()


def test_a_planted_secret_appears_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "events.jsonl"
    seen: list[Event] = []
    lines: list[str] = []
    inner = logging.getLogger("tests.planted")
    logger = structlog.wrap_logger(
        inner,
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.JSONRenderer(default=repr),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    memory = MemorySink()
    sinks: list[Any] = [
        FileSink(path),
        CallableSink(seen.append),
        LoggerSink(logger),
        LoggerSink(structlog.wrap_logger(_Lines(lines.append), processors=[_as_text])),
        memory,
    ]
    configs = [
        {"model": "large", "api_key": PLANTED, "db": {"password": PLANTED, "email": PLANTED}},
        {"model": "small", "api_key": f"{PLANTED}2", "fails": True, "email": PLANTED},
    ]
    caplog.set_level(logging.DEBUG)
    runtime = Runtime(
        configs=configs,
        strategy=ShadowStrategy(),
        events=sinks,
        capture=True,
        redact=_is_mail,
    )
    asyncio.run(_everything(runtime))
    for sink in sinks:
        assert sink.close(LONG)
        assert sink.dropped == 0
    for command in (
        ["tail", "--no-follow"],
        ["tail", "--no-follow", "--json"],
        ["report"],
        ["top"],
    ):
        assert main([*command, str(path)]) == 0
    shown = "".join(capfd.readouterr())
    assert "answer" in shown
    texts = [path.read_text(), "".join(lines), caplog.text, shown]
    board = Board()
    for line in path.read_bytes().splitlines():
        board.take(line)
    texts.append(json.dumps(board.document()))
    statistics = runtime.statistics()
    texts += [repr(statistics), json.dumps(statistics.to_dict())]
    failed = [each.error_message for each in memory.named("strategy.failed")]
    assert sum("of the plan, '***-" in str(each) for each in failed) == 2
    assert sum("the plan has '***-" in str(each) for each in failed) == 1
    texts += [repr(event) for event in [*seen, *memory.events]]
    assert len(seen) == len(memory.events) == len(path.read_text().splitlines()) > 30
    assert sum("***" in text for text in texts) > 10
    assert {each.label for each in seen if each.experiment and "answer" in each.experiment} > {None}
    planted = [text for text in texts if PLANTED in text]
    assert planted == []


class _Lines:
    def __init__(self, write: Callable[[str], object]) -> None:
        self.debug = self.info = self.warning = self.error = write


def _as_text(_logger: Any, _method: str, fields: Any) -> str:
    return repr(fields)


@pytest.mark.parametrize(
    "config", [{"api_key": "k"}, {"llm": {"password": 7}}, {"all": [{"jwt": "k"}]}]
)
def test_a_label_names_a_secret_and_does_not_tell_it(config: dict[str, Any]) -> None:
    label = Config(config).label
    assert "***" in label
    assert "k" not in label.replace("api_key", "")
    assert "7" not in label


def test_configs_that_differ_in_a_secret_only_have_labels_of_their_own() -> None:
    from understudy import parse_configs

    labels = [each.label for each in parse_configs([{"api_key": "one"}, {"api_key": "two"}])]
    assert len({*labels}) == 2
    assert not any("one" in label or "two" in label for label in labels)


@pytest.mark.parametrize("kind", [Kind, Literal["a", "b"]])
def test_an_error_of_ours_about_a_secret_does_not_tell_it(kind: Any) -> None:
    runtime = Runtime(configs=[{"auth": {"api_key": PLANTED}}])

    async def answer(kind: Any) -> None: ...

    answer.__annotations__["kind"] = Annotated[kind, Bind("auth.api_key")]
    with pytest.raises(ConfigError, match="auth.api_key") as raised:
        runtime.experiment(answer)
    assert "***" in str(raised.value)
    assert PLANTED not in str(raised.value)
