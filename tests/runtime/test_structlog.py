"""Users of structlog: their contexts, their processors, their levels; nothing is configured."""

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider

from understudy import Config, FileSink, LoggerSink, MemorySink, Runtime, ShadowStrategy

LONG = 20.0
TWO = [{"v": "a"}, {"v": "b"}]
OF_A_CALL = ("call.planned", "branch.started", "branch.completed")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _nothing_is_configured() -> Iterator[None]:
    before = (structlog.get_config(), structlog.is_configured())
    structlog.contextvars.clear_contextvars()
    yield
    structlog.contextvars.clear_contextvars()
    assert (structlog.get_config(), structlog.is_configured()) == before


def play(*sinks: Any, **bound: Any) -> None:
    """Make one call with a shadow, with something bound; and one, with nothing bound."""
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), events=[*sinks])

    @runtime.experiment(name="inner")
    async def inner(config: Config) -> None: ...

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> None:
        await inner()

    async def main() -> None:
        async with runtime:
            with structlog.contextvars.bound_contextvars(**bound):
                await answer()
            await runtime.drain()
            await answer()

    asyncio.run(main())
    for sink in sinks:
        assert sink.close(LONG)
        assert sink.dropped == 0


def test_what_is_bound_is_on_all_events_of_the_call_and_of_what_it_calls() -> None:
    sink = MemorySink()
    play(sink, request_id="r1")
    of_calls = [each for each in sink.events if each.event in OF_A_CALL]
    bound = [each for each in of_calls if each.context]
    assert {each.role for each in bound} == {None, "primary", "shadow"}
    assert {each.experiment for each in bound} == {"answer", "inner"}
    assert len(bound) * 2 == len(of_calls)
    first = {each.call_id for each in bound}
    assert all(
        (each.call_id in first) == (each.context == {"request_id": "r1"}) for each in of_calls
    )


@pytest.mark.anyio
async def test_each_of_many_calls_at_once_has_its_own() -> None:
    sink = MemorySink()
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), events=sink, concurrency=3)

    @runtime.experiment(name="answer")
    async def answer(number: int, config: Config) -> None:
        await asyncio.sleep(0)

    async def request(number: int) -> None:
        structlog.contextvars.bind_contextvars(number=number)
        await answer(number)

    async with runtime:
        await asyncio.gather(*map(request, range(20)))
    for name in OF_A_CALL:
        numbers = [(each.context or {})["number"] for each in sink.named(name)]
        branches = 1 if name == "call.planned" else 2
        assert sorted(numbers) == sorted([*range(20)] * branches)
    emitter: Any = runtime._telling._emitter
    assert emitter._stamps.contexts == {}


@pytest.mark.anyio
async def test_what_is_bound_is_told_of_streams_and_of_direct_calls() -> None:
    sink = MemorySink()
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), events=sink)

    @runtime.experiment(name="words")
    async def words(config: Config):  # type: ignore[no-untyped-def]  # noqa: ANN202
        yield "a"

    @runtime.experiment(name="here")
    def here(config: Config) -> None: ...

    async with runtime:
        with structlog.contextvars.bound_contextvars(request_id="r"):
            assert [item async for item in words()] == ["a"]
            here()
    for each in sink.events:
        if each.event in OF_A_CALL:
            assert each.context == {"request_id": "r"}, each


def test_in_a_file_they_have_their_own_names_unless_these_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    play(FileSink(path), request_id="r1", level="high", role=["x"], api_key="planted", event="e")
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    ended = [each for each in lines if each["event"] == "branch.completed"]
    told = next(each for each in ended if "request_id" in each)
    assert told["request_id"] == "r1"
    assert (told["level"], told["ctx.level"]) == ("info", "high")
    assert (told["ctx.role"], told["ctx.event"]) == (["x"], "e")
    assert told["api_key"] == "***"


def test_a_logger_is_told_them_and_keeps_its_processors() -> None:
    out = io.BytesIO()

    def encode(fields: dict[str, Any], **_: Any) -> bytes:
        return json.dumps(fields).encode()

    logger = structlog.wrap_logger(
        structlog.BytesLogger(out),  # pyright: ignore
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.JSONRenderer(serializer=encode),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    play(LoggerSink(logger.bind(app="shop")), request_id="r1")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert {each["app"] for each in lines} == {"shop"}
    assert {each["level"] for each in lines} == {"info"}
    ended = [each for each in lines if each["event"] == "branch.completed"]
    assert [each.get("request_id") for each in ended].count("r1") == len(ended) // 2


def test_a_logger_of_logging_is_asked_for_its_level_and_loses_nothing() -> None:
    records: list[logging.LogRecord] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    inner = logging.Logger("shop", level=logging.INFO)  # noqa: LOG001  # nobody else has it
    inner.addHandler(Keeping())
    logger = structlog.wrap_logger(
        inner,
        processors=[structlog.stdlib.filter_by_level, structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    play(LoggerSink(logger), request_id="r1")
    assert {record.levelname for record in records} == {"INFO"}
    ended = [record for record in records if record.getMessage() == "branch.completed"]
    assert sum(vars(record).get("request_id") == "r1" for record in ended) == len(ended) // 2


@pytest.mark.parametrize(
    "wrapper", [structlog.stdlib.BoundLogger, structlog.make_filtering_bound_logger(30)]
)
def test_a_logger_that_is_not_interested_is_not_bothered(
    wrapper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import understudy._sinks as room  # type: ignore[import-not-found]  # pyright: ignore

    told: list[str] = []
    fields_of = room.fields_of

    def noted(event: Any) -> dict[str, Any]:
        told.append(event.level)
        fields: dict[str, Any] = fields_of(event)
        return fields

    monkeypatch.setattr(room, "fields_of", noted)
    inner = logging.Logger("shop", level=logging.WARNING)  # noqa: LOG001  # nobody else has it
    play(LoggerSink(structlog.wrap_logger(inner, processors=[], wrapper_class=wrapper)))
    assert told == []


def test_a_logger_whose_methods_are_async_is_called_all_the_same() -> None:
    records: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record.getMessage())

    inner = logging.Logger("shop", level=logging.INFO)  # noqa: LOG001  # nobody else has it
    inner.addHandler(Keeping())

    async def make() -> Any:
        return structlog.wrap_logger(
            inner,
            processors=[structlog.stdlib.render_to_log_kwargs],
            wrapper_class=structlog.stdlib.AsyncBoundLogger,
        )

    play(LoggerSink(asyncio.run(make())))
    assert "branch.completed" in records


def test_where_nothing_was_ever_bound_nothing_is_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[int] = []
    monkeypatch.setattr(structlog.contextvars, "_CONTEXT_VARS", {})
    monkeypatch.delitem(sys.modules, "opentelemetry.trace")
    sink = MemorySink()
    runtime = Runtime(events=sink)
    notes: Any = runtime._telling.notes
    notes.look = lambda at, _prefix, _call: looked.append(at)

    @runtime.experiment(name="answer")
    async def answer() -> None: ...

    asyncio.run(answer())
    assert sink.named("branch.completed")[0].context is None
    assert looked == []


def test_a_version_of_structlog_that_keeps_them_elsewhere_is_asked_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(structlog.contextvars, "_CONTEXT_VARS")
    monkeypatch.setattr(structlog.contextvars, "get_contextvars", lambda: {"request_id": "r1"})
    sink = MemorySink()
    runtime = Runtime(events=sink)

    @runtime.experiment(name="answer")
    async def answer() -> None: ...

    asyncio.run(answer())
    assert sink.named("branch.completed")[0].context == {"request_id": "r1"}


def test_the_span_that_is_active_where_a_call_is_made_is_on_its_events() -> None:
    tracer = TracerProvider().get_tracer("tests")
    sink = MemorySink()
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), events=sink)

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> None: ...

    async def main() -> tuple[str, str]:
        async with runtime:
            with tracer.start_as_current_span("request") as span:
                await answer()
            await runtime.drain()
            context = span.get_span_context()
            return f"{context.trace_id:032x}", f"{context.span_id:016x}"

    ids = asyncio.run(main())
    of_calls = [each for each in sink.events if each.event in OF_A_CALL]
    assert len(of_calls) == 5
    assert {(each.trace_id, each.span_id) for each in of_calls} == {ids}
