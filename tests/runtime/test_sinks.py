"""The sinks: everything told is written or counted, whatever becomes of the place it goes to."""

import doctest
import functools
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import structlog

from understudy import CallableSink, Event, FileSink, LoggerSink, MemorySink
from understudy._events import Emitter, EventsError  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy._sinks import Sink, as_sinks  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.events import encode_line, encode_lines

LONG = 20.0
"""How many seconds a loaded machine may take; nothing here takes them by itself."""
AGAIN = "the next warning comes when it has taken some again"

posix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")


@pytest.fixture(autouse=True)
def _nothing_is_left_running() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def make(seq: int = 1, **fields: Any) -> Event:
    stamps: dict[str, Any] = {"ts": 1.5, "event": "branch.completed", "level": "info"}
    stamps |= {"v": 1, "seq": seq, "pid": 7}
    return Event(**{**stamps, **fields})


def tell(sink: Sink, *numbers: int) -> None:
    for number in numbers:
        sink.put(make(number))
    assert sink.flush(LONG)


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines() if line]


def numbers(path: Path) -> list[int]:
    return [line["seq"] for line in written(path)]


# Memory


def test_memory_keeps_events_by_name_and_forgets_them() -> None:
    memory = MemorySink()
    memory.put(make(1))
    memory.put(make(2, event="branch.shed"))
    assert [event.seq for event in memory.events] == [1, 2]
    assert [event.seq for event in memory.named("branch.shed")] == [2]
    assert memory.flush(0.0)
    assert memory.close(0.0)
    memory.clear()
    assert memory.events == []


def test_memory_has_a_limit_and_counts_what_made_room() -> None:
    memory = MemorySink(limit=3)
    for seq in range(10):
        memory.put(make(seq))
    assert [event.seq for event in memory.events] == [7, 8, 9]
    assert memory.dropped == 7


# Files


def test_a_file_is_made_at_the_first_event_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "logs/deep/events.jsonl"
    sink = FileSink(path)
    assert not path.parent.exists()
    tell(sink, 1, 2, 3)
    assert numbers(path) == [1, 2, 3]
    assert sink.close(LONG)
    assert sink.dropped == 0


def test_what_is_there_is_appended_to_and_a_line_that_broke_off_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"seq": 1}\n{"se')
    sink = FileSink(path)
    tell(sink, 2)
    assert sink.close(LONG)
    lines = path.read_text().splitlines()
    assert lines[:2] == ['{"seq": 1}', '{"se']
    assert json.loads(lines[2])["seq"] == 2


def test_a_closed_file_sink_lets_go_of_the_file_and_opens_it_again(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    before = len(os.listdir("/dev/fd")) if Path("/dev/fd").exists() else 0
    sink = FileSink(path)
    tell(sink, 1)
    assert sink.close(LONG)
    if before:
        assert len(os.listdir("/dev/fd")) == before
    tell(sink, 2)
    assert sink.close(LONG)
    assert numbers(path) == [1, 2]


def test_a_path_leads_where_it_led_when_the_sink_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sink = FileSink("events.jsonl")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    tell(sink, 1)
    assert sink.close(LONG)
    assert numbers(tmp_path / "events.jsonl") == [1]


def test_a_file_that_is_renamed_removed_or_truncated_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "logs/events.jsonl"
    sink = FileSink(path)
    tell(sink, 1)
    path.rename(path.with_suffix(".1"))
    tell(sink, 2)
    assert (numbers(path.with_suffix(".1")), numbers(path)) == ([1], [2])
    path.unlink()
    tell(sink, 3)
    assert numbers(path) == [3]
    os.truncate(path, 0)
    tell(sink, 4)
    assert numbers(path) == [4]
    path.unlink()
    path.with_suffix(".1").unlink()
    path.parent.rmdir()
    tell(sink, 5)
    assert numbers(path) == [5]
    assert sink.close(LONG)
    assert sink.dropped == 0


def test_a_full_disk_is_counted_and_told_when_there_is_room_again(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no full disk here")
    path = tmp_path / "events.jsonl"
    path.symlink_to("/dev/full")
    sink = FileSink(path)
    tell(sink, 1, 2)
    tell(sink, 3)
    assert sink.dropped == 3
    path.unlink()
    tell(sink, 4)
    tell(sink, 5)
    assert sink.close(LONG)
    lines = written(path)
    assert [(line["event"], line["seq"]) for line in lines] == [
        ("log.dropped", 0),
        ("branch.completed", 4),
        ("branch.completed", 5),
    ]
    assert (lines[0]["count"], lines[0]["level"]) == (3, "warning")
    assert sink.dropped == 3


def test_a_path_that_cannot_be_is_one_warning_until_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    above = tmp_path / "no_folder"
    above.write_text("")
    path = above / "events.jsonl"
    sink = FileSink(path)
    tell(sink, 1, 2)
    tell(sink, 3)
    (told,) = caplog.messages
    assert told.startswith(f"events are lost on their way to {path}: ")
    assert str(above) in told.partition("(")[2]  # the error itself says why
    above.unlink()
    tell(sink, 4)
    assert len(caplog.messages) == 1
    path.unlink()
    above.rmdir()
    above.write_text("")
    tell(sink, 5)
    assert len(caplog.messages) == 2
    assert sink.close(LONG)
    assert sink.dropped == 4


def test_a_function_that_raises_is_one_warning_that_says_what(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def forward(event: Event) -> None:
        raise ConnectionError("nobody is there")

    sink = CallableSink(forward)
    for number in range(3):
        tell(sink, number)
    assert sink.close(LONG)
    assert caplog.messages == [
        "events are lost on their way to forward: 1 so far (ConnectionError: nobody is there); "
        + AGAIN
    ]


def test_more_events_than_there_is_room_for_are_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, gate = threading.Event(), threading.Event()

    def hold(event: Event) -> None:
        begun.set()
        gate.wait(LONG)

    sink = CallableSink(hold, capacity=1)
    sink.put(make(0))
    assert begun.wait(LONG)
    for number in range(4):
        sink.put(make(number))
    gate.set()
    assert sink.close(LONG)
    assert caplog.messages == [
        "events are lost on their way to hold: 3 so far (more came than it could take); " + AGAIN
    ]
    assert sink.dropped == 3


def test_a_disk_that_fills_in_the_midst_of_a_line_loses_that_line_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "events.jsonl"
    write = os.write
    room_left = 0

    def narrow(file: int, data: bytes) -> int:
        nonlocal room_left
        if not room_left:
            raise OSError(28, "No space left on device")
        taken = write(file, data[: min(room_left, 50)])
        room_left -= taken
        return taken

    sink = FileSink(path)
    length = len(encode_line(make()))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", narrow)
        room_left = 2 * length + 9
        for seq in (1, 2, 3, 4):
            sink.put(make(seq))
        assert sink.flush(LONG)
        assert sink.dropped == 2
        room_left = 1
        tell(sink, 5)
        assert sink.dropped == 3
    tell(sink, 6)
    assert sink.close(LONG)
    lines = path.read_text().splitlines()
    assert [json.loads(line)["seq"] for line in lines[:2]] == [1, 2]
    assert lines[2] == '{"v":1,"t'
    assert [json.loads(line)["seq"] for line in lines[3:]] == [0, 6]
    assert json.loads(lines[3])["count"] == 3


def test_a_place_that_cannot_be_written_is_counted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sink = FileSink(tmp_path / "file/events.jsonl")
    tell(sink, 1, 2)
    assert sink.dropped == 2
    assert sink.close(LONG)


@posix
def test_a_pipe_that_nobody_reads_costs_the_events_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    sink = FileSink(path)
    tell(sink, 1, 2)
    assert sink.dropped == 2
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    tell(sink, 3)
    lines = [json.loads(line) for line in os.read(reader, 65_536).splitlines()]
    assert [(line["seq"], line.get("count")) for line in lines] == [(0, 2), (3, None)]
    os.close(reader)
    tell(sink, 4, 5)
    assert sink.dropped == 4
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    tell(sink, 6)
    lines = [json.loads(line) for line in os.read(reader, 65_536).splitlines()]
    assert [(line["seq"], line.get("count")) for line in lines] == [(0, 2), (6, None)]
    os.close(reader)
    assert sink.close(LONG)


@posix
def test_a_pipe_that_is_full_is_bounded_and_blocks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy._appended._PATIENCE", 0.01)
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    sink = FileSink(path, capacity=100)
    told = 0
    while sink.dropped < 300 and told < 100_000:
        told += 1
        sink.put(make(told, label="x" * 500))
    assert sink.flush(LONG)
    dropped = sink.dropped
    got = b""
    while chunk := _read_what_is_there(reader):
        got += chunk
    sink.put(make(told + 1))
    assert sink.flush(LONG)
    got += _read_what_is_there(reader)
    os.close(reader)
    assert sink.close(LONG)
    whole: list[dict[str, Any]] = []
    for line in got.splitlines():
        try:
            whole.append(json.loads(line))
        except ValueError:
            continue  # it broke off when the pipe was full: one of those that are counted
    events = [line for line in whole if line["seq"]]
    counted = sum(line["count"] for line in whole if not line["seq"])
    assert counted == dropped
    assert len(events) + counted == told + 1


def _read_what_is_there(reader: int) -> bytes:
    try:
        return os.read(reader, 1 << 20)
    except BlockingIOError:
        return b""


@posix
def test_a_slow_reader_gets_everything(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got: list[bytes] = []

    def read() -> None:
        with path.open("rb") as pipe:
            is_open.set()
            got.extend(pipe)

    is_open = threading.Event()
    reader = threading.Thread(target=read)
    reader.start()
    guard = os.open(path, os.O_WRONLY)
    assert is_open.wait(LONG)
    sink = FileSink(path)
    for seq in range(1, 2_001):
        sink.put(make(seq, label="x" * 500))
    assert sink.close(LONG)
    os.close(guard)
    reader.join(LONG)
    assert [json.loads(line)["seq"] for line in got] == [*range(1, 2_001)]
    assert sink.dropped == 0


def test_events_that_found_no_room_are_told_where_they_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "events.jsonl"
    is_entered, may_go = threading.Event(), threading.Event()

    def held(events: list[Event]) -> bytes:
        is_entered.set()
        assert may_go.wait(LONG)
        return encode_lines(events)

    monkeypatch.setattr("understudy._sinks.encode_lines", held)
    sink = FileSink(path, capacity=3)
    emit = Emitter([sink], None, "a1")
    emit("runtime.started")
    assert is_entered.wait(LONG)
    for _ in range(10):
        emit("branch.completed")
    assert not sink.flush(0.0)
    assert sink.dropped == 7
    may_go.set()
    assert sink.close(LONG)
    lines = written(path)
    assert [line["seq"] for line in lines] == [1, 0, 2, 3, 4]
    assert (lines[1]["event"], lines[1]["count"], lines[1]["runtime"]) == ("log.dropped", 7, "a1")


def test_several_processes_share_a_file_without_tearing_a_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    source = """
import sys
from understudy._events import Emitter
from understudy._sinks import FileSink
emit = Emitter([FileSink(sys.argv[1], capacity=100_000)], None, "a1")
for _ in range(3_000): emit("branch.completed", label="x" * 200)
"""
    arguments = [sys.executable, "-W", "error", "-c", source, str(path)]
    processes = [subprocess.Popen(arguments) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    lines = written(path)
    for pid in {line["pid"] for line in lines}:
        assert [line["seq"] for line in lines if line["pid"] == pid] == [*range(1, 3_001)]
    assert len(lines) == 9_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="cannot fork here")
def test_a_forked_child_writes_its_own_events_and_none_of_its_parents(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    source = """
import os, sys, warnings
warnings.simplefilter("ignore")
from understudy._events import Emitter
from understudy._sinks import FileSink
sink = FileSink(sys.argv[1])
emit = Emitter([sink], None, "a1")
emit("runtime.started")
assert sink.flush(20)
emit("branch.started")
child = os.fork()
emit("branch.completed")
if child:
    assert os.waitpid(child, 0)[1] == 0
else:
    assert sink.close(20)
    os._exit(0)
"""
    subprocess.run([sys.executable, "-c", source, str(path)], check=True, timeout=60)
    lines = written(path)
    (parent, child) = dict.fromkeys(line["pid"] for line in lines if line["seq"])
    told = [(line["pid"], line["seq"]) for line in lines]
    assert sorted(told) == sorted([(parent, 1), (parent, 2), (parent, 3), (child, 1)])


# Functions


def test_a_function_is_called_with_each_event_in_a_thread() -> None:
    got: list[tuple[int, str]] = []
    sink = CallableSink(lambda event: got.append((event.seq, threading.current_thread().name)))
    tell(sink, 1, 2)
    assert sink.close(LONG)
    assert [seq for seq, _ in got] == [1, 2]
    assert {name for _, name in got} == {"understudy events to <lambda>"}


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), KeyboardInterrupt()])
def test_a_function_that_raises_loses_that_event_only(error: BaseException) -> None:
    got: list[tuple[str, int, int | None]] = []

    def take(event: Event) -> None:
        if event.seq == 2:
            raise error
        got.append((event.event, event.seq, event.count))

    sink = CallableSink(take)
    tell(sink, 1, 2, 3)
    assert sink.dropped == 1
    tell(sink, 4)
    assert sink.close(LONG)
    assert got == [
        ("branch.completed", 1, None),
        ("branch.completed", 3, None),
        ("log.dropped", 0, 1),
        ("branch.completed", 4, None),
    ]


def test_a_function_that_always_raises_keeps_nobody() -> None:
    def refuse(event: Event) -> None:
        raise ValueError

    sink = CallableSink(refuse)
    for _ in range(3):
        tell(sink, 1)
    assert sink.close(LONG)
    assert sink.dropped == 3


def test_a_function_that_hangs_is_bounded_and_left_behind() -> None:
    is_entered, may_go = threading.Event(), threading.Event()

    def hang(event: Event) -> None:
        is_entered.set()
        assert may_go.wait(LONG)

    sink = CallableSink(hang, capacity=5)
    emit = Emitter([sink], None, "a1")
    emit("runtime.started")
    assert is_entered.wait(LONG)
    for _ in range(20):
        emit("branch.completed")
    assert not sink.flush(0.0)
    assert sink.dropped == 15
    assert not sink.close(0.01)
    assert sink.dropped == 21
    assert emit.dropped == 0
    may_go.set()
    assert sink.close(LONG)


def test_a_function_that_tells_events_itself_does_not_hang() -> None:
    depth = 0

    def take(event: Event) -> None:
        nonlocal depth
        depth += 1
        if depth < 5:
            emit("branch.completed")

    sink = CallableSink(take)
    emit = Emitter([sink], None, "a1")
    emit("runtime.started")
    while depth < 5:
        assert sink.flush(LONG)
    assert sink.close(LONG)


def test_a_coroutine_that_comes_back_is_closed_and_counted() -> None:
    async def take(event: Event) -> None:
        pytest.fail("nobody awaits it")

    sink = CallableSink(functools.partial(lambda function, event: function(event), take))
    tell(sink, 1)
    assert sink.close(LONG)
    assert sink.dropped == 1


# Loggers


def test_a_logger_is_called_by_level_with_the_names_that_are_written() -> None:
    sink = LoggerSink(structlog.get_logger())
    with structlog.testing.capture_logs() as told:
        sink.put(make(1, label="a"))
        sink.put(make(2, event="actor.crashed", level="error", error_type="ValueError"))
        assert sink.close(LONG)
    assert [(line["log_level"], line["event"], line["seq"]) for line in told] == [
        ("info", "branch.completed", 1),
        ("error", "actor.crashed", 2),
    ]
    assert told[0]["label"] == "a"
    assert told[1]["error.type"] == "ValueError"
    assert "status" not in told[0]


def test_a_logger_keeps_its_own_processors_and_nothing_is_configured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What contextvars hold where the event happens stays there: the thread is another."""
    was_configured = structlog.is_configured()
    logger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stdout),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.JSONRenderer(),
        ],
        shop="here",
    )
    sink = LoggerSink(logger)
    with structlog.contextvars.bound_contextvars(request="r1"):
        sink.put(make(1))
        assert sink.close(LONG)
    line = json.loads(capsys.readouterr().out)
    assert (line["shop"], line["level"], line["seq"]) == ("here", "info", 1)
    assert "request" not in line
    assert structlog.is_configured() == was_configured


def test_a_logger_on_top_of_logging_is_fine(caplog: pytest.LogCaptureFixture) -> None:
    logger = structlog.wrap_logger(
        logging.getLogger("understudy.test"),
        processors=[structlog.stdlib.filter_by_level, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    (sink,) = as_sinks(logger)
    assert isinstance(sink, LoggerSink)
    with caplog.at_level("INFO", "understudy.test"):
        sink.put(make(1, label="100% sure"))
        sink.put(make(2, event="call.planned", level="debug"))
        assert sink.close(LONG)
    assert [json.loads(record.message)["label"] for record in caplog.records] == ["100% sure"]
    assert sink.dropped == 0, "what the logger filters is its own affair"


def test_a_logger_that_raises_is_counted() -> None:
    def refuse(*arguments: Any) -> Any:
        raise ValueError

    sink = LoggerSink(structlog.wrap_logger(structlog.ReturnLogger(), processors=[refuse]))
    tell(sink, 1, 2)
    assert sink.close(LONG)
    assert sink.dropped == 2


# What a runtime takes


class Own:
    dropped = 0

    def put(self, event: Event, /) -> None: ...

    def flush(self, timeout: float) -> bool:
        return True

    def close(self, timeout: float) -> bool:
        return True


class Callback:
    def __call__(self, event: Event) -> None: ...


class AsyncCallback:
    async def __call__(self, event: Event) -> None: ...


async def take_later(event: Event) -> None: ...


CAPTURING = structlog.wrap_logger(structlog.testing.CapturingLogger())


@pytest.mark.parametrize(
    ("events", "kinds"),
    [
        (None, []),
        ("events.jsonl", [FileSink]),
        (Path("events.jsonl"), [FileSink]),
        (structlog.get_logger(), [LoggerSink]),
        (structlog.get_logger().bind(shop="here"), [LoggerSink]),
        (structlog.stdlib.get_logger(), [LoggerSink]),
        (CAPTURING, [LoggerSink]),
        (CAPTURING.bind(a=1), [LoggerSink]),
        (print, [CallableSink]),
        (Callback(), [CallableSink]),
        (functools.partial(print, end=""), [CallableSink]),
        (Own(), [Own]),
        (MemorySink(), [MemorySink]),
        ([], []),
        (["a.jsonl", print, (Own(), None)], [FileSink, CallableSink, Own]),
    ],
)
def test_what_events_may_go_to(events: Any, kinds: list[type]) -> None:
    assert [type(sink) for sink in as_sinks(events)] == kinds


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (7, "events=int: give None, a path, a structlog logger"),
        (b"events.jsonl", "events=bytes: give None"),
        ({"path": "events.jsonl"}, "events=dict: give None"),
        ([print, 7], "events=int: give None"),
        ("", "the path of a file, not ''"),
        ("a\0b", "the path of a file"),
        (".", "the path of a file, not '.'"),
        (MemorySink, "an instance of MemorySink, not the class"),
        (take_later, "a plain function"),
        (AsyncCallback(), "a plain function"),
        (logging.getLogger(), "structlog.stdlib.get_logger()"),
    ],
)
def test_anything_else_is_one_clear_error(events: Any, message: str) -> None:
    with pytest.raises(EventsError) as caught:
        as_sinks(events)
    assert message in str(caught.value)


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed, attempted = doctest.testmod(import_module("understudy._sinks"))
    assert (failed, attempted > 0) == (0, True)
