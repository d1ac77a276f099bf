"""Events: one form, stamped in any thread without a gap, written whatever they hold."""

import doctest
import json
import os
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy import Event, MemorySink, Runtime, UnderstudyError
from understudy._events import Emitter, EventsError  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.events import EVENTS, encode_line, fields_of

STAMPED = {"v", "ts", "event", "level", "seq", "pid"}


def make(**fields: Any) -> Event:
    stamps: dict[str, Any] = {"ts": 1.5, "event": "branch.completed", "level": "info"}
    stamps |= {"v": 1, "seq": 1, "pid": 7}
    return Event(**{**stamps, **fields})


def emitting(*sinks: Any, service: str | None = "shop") -> tuple[Emitter, MemorySink]:
    memory = MemorySink()
    return Emitter([*sinks, memory], service, "a1"), memory


def test_the_names_of_the_design_have_the_levels_it_says() -> None:
    written = """
        runtime.started|draining|stopped experiment.registered|disabled|enabled
        config.loaded|rejected|activated call.planned branch.started|completed|shed|skipped
        compare.completed|failed score.completed|failed breaker.opened|half_opened|closed
        actor.started|crashed|restarted|stopped strategy.failed loop.lagged log.dropped
        run.started|completed batch.started|item_completed|completed
    """
    for family in written.split():
        subject, verbs = family.split(".")
        for verb in verbs.split("|"):
            assert EVENTS[f"{subject}.{verb}"] in ("debug", "info", "warning", "error")
    assert EVENTS["branch.completed"] == "info"
    assert EVENTS["branch.shed"] == "warning"
    assert EVENTS["actor.crashed"] == "error"


def test_what_does_not_apply_is_not_written_and_the_version_always_is() -> None:
    assert json.loads(encode_line(make())).keys() == STAMPED
    assert encode_line(make()).startswith(b'{"v":1,')


def test_what_does_not_apply_is_not_shown() -> None:
    shown = repr(make(label="large"))
    assert "label='large'" in shown
    assert "None" not in shown


def test_the_fields_of_an_error_have_dots_in_them() -> None:
    written = json.loads(encode_line(make(error_type="ValueError", error_message="no")))
    assert (written["error.type"], written["error.message"]) == ("ValueError", "no")
    assert fields_of(make(error_type="ValueError")).keys() == STAMPED | {"error.type"}


def test_a_line_is_read_back_as_the_event_it_was() -> None:
    event = make(values={"answer": "0f"}, duration_ms=1.25, error_message="no", label="ä\n\u2028")
    line = encode_line(event)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert msgspec.json.decode(line, type=Event) == event


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        make().label = "other"  # type: ignore[misc]  # pyright: ignore


def test_a_long_message_is_cut() -> None:
    assert len(json.loads(encode_line(make(error_message="x" * 9_999)))["error.message"]) == 2_000
    emit, memory = emitting()
    emit("branch.completed", error=ValueError("x" * 9_999))
    assert len(memory.events[0].error_message or "") == 2_000


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)
ODD = [float("nan"), float("inf"), 10**400, "\ud800", object(), Unprintable(), CIRCLE, b"\xff", {1}]


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_odd_values_become_a_line_like_any_other(value: Any) -> None:
    for event in (make(duration_ms=value), make(label=value), make(values={"answer": value})):
        line = encode_line(event)
        assert line.count(b"\n") == 1
        assert json.loads(line)["seq"] == 1


@given(st.text(), st.floats(), st.dictionaries(st.text(), st.text()))
def test_any_text_and_any_number_become_one_line(
    text: str, number: float, case: dict[str, str]
) -> None:
    line = encode_line(make(error_message=text, label=text, queue_ms=number, values=case))
    assert line.count(b"\n") == 1
    assert json.loads(line)["pid"] == 7


def test_an_event_is_stamped() -> None:
    emit, memory = emitting()
    before = time.time()
    emit("branch.shed", experiment="answer", reason="full")
    (event,) = memory.events
    assert before <= event.ts <= time.time()
    assert (event.v, event.seq, event.pid, event.level) == (1, 1, os.getpid(), "warning")
    assert (event.service, event.runtime) == ("shop", "a1")
    assert (event.experiment, event.reason) == ("answer", "full")


def test_an_exception_is_told_by_its_class_and_message_and_not_kept() -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    emit, memory = emitting()
    emit("actor.crashed", error=KeyError("model"))
    emit("actor.crashed", error=Silent())
    emit("branch.completed", error=None)
    told = [(event.error_type, event.error_message) for event in memory.events]
    assert told[0] == ("KeyError", "'model'")
    assert str(told[1][0]).endswith("Silent")
    assert told[1][1] == "<Silent>"
    assert told[2] == (None, None)


def test_unknown_names_and_fields_raise_nothing_and_cannot_forge_a_stamp(
    strangers: list[str],
) -> None:
    emit, memory = emitting()
    emit("no.such_event", nonsense=1, seq=99, pid=-1, v=7, runtime="other", label="a")
    (event,) = memory.events
    assert (event.event, event.level, event.label) == ("no.such_event", "info", "a")
    assert (event.seq, event.pid, event.v, event.runtime) == (1, os.getpid(), 1, "a1")
    assert emit.dropped == 0
    assert "no.such_event: nonsense" in strangers
    strangers.clear()


class Raising:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def put(self, event: Event, /) -> None:
        raise self.error


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), MemoryError()])
def test_a_sink_that_raises_is_counted_and_the_others_are_told(error: BaseException) -> None:
    emit, memory = emitting(Raising(error))
    emit("runtime.started")
    emit("runtime.stopped")
    assert [event.seq for event in memory.events] == [1, 2]
    assert emit.dropped == 2


def test_ctrl_c_is_nobodys_but_the_callers() -> None:
    emit, _ = emitting(Raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        emit("runtime.started")


class Interrupted:
    """A clock; who makes events asks it first, and then something may come in between."""

    def __init__(self) -> None:
        self.come: Callable[[], None] | None = None

    def __call__(self) -> int:
        come, self.come = self.come, None
        if come is not None:
            come()
        return 0


def test_what_a_finalizer_tells_while_events_are_made_comes_after_them() -> None:
    memory, clock = MemorySink(), Interrupted()
    emit = Emitter([memory], None, "a1", clock)

    def finalize() -> None:
        for each in range(2_000):  # more than may gather
            emit("config.loaded", count=each)

    for _ in range(200):
        emit("runtime.started")
    clock.come = finalize
    names = [event.event for event in memory.events]
    assert names == ["runtime.started"] * 200 + ["config.loaded"] * 2_000
    assert [event.seq for event in memory.events] == [*range(1, 2_201)]


def test_what_ctrl_c_loses_is_counted_and_all_goes_on() -> None:
    memory, clock = MemorySink(), Interrupted()
    emit = Emitter([memory], None, "a1", clock)

    def interrupt() -> None:
        raise KeyboardInterrupt

    for _ in range(5):
        emit("runtime.started")
    clock.come = interrupt
    with pytest.raises(KeyboardInterrupt):
        emit.hand_over()
    emit("runtime.stopped")
    assert [event.event for event in memory.events] == ["runtime.stopped"]
    assert emit.dropped == 5


def test_a_sink_that_hands_on_to_another_is_asked_for_each_event() -> None:
    class Some:
        def __init__(self, sink: MemorySink) -> None:
            self._sink = sink

        def put(self, event: Event, /) -> None:
            if event.event == "branch.shed":
                self._sink.put(event)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._sink, name)

    memory = MemorySink()
    runtime = Runtime(events=Some(memory))
    runtime.experiment(configs=None)(lambda: None)()
    runtime.close()
    assert memory.events == []


def test_eight_threads_count_without_a_gap() -> None:
    emit, memory = emitting(Raising(ValueError()))
    start = threading.Barrier(8)

    def tell() -> None:
        start.wait()
        for _ in range(500):
            emit("branch.started")

    threads = [threading.Thread(target=tell) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(event.seq for event in memory.events) == [*range(1, 4_001)]
    assert emit.dropped == 4_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="cannot fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_has_its_own_pid_and_count_at_once() -> None:
    emit, memory = emitting()
    emit("runtime.started")
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            emit("branch.started")
            event = memory.events[-1]
            is_right = (event.seq, event.pid) == (1, os.getpid())
            os.write(write, b"right" if is_right else b"wrong")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        assert told.read() == b"right"
    emit("runtime.stopped")
    assert [event.seq for event in memory.events] == [1, 2]


def test_what_is_no_sink_is_an_error_of_ours_and_a_type_error() -> None:
    assert issubclass(EventsError, UnderstudyError)
    assert issubclass(EventsError, TypeError)
    assert EventsError.__module__ == "understudy"


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed, attempted = doctest.testmod(import_module("understudy._events"))
    assert (failed, attempted > 0) == (0, True)
