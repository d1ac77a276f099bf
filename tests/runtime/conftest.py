"""Every test runs on every kind of loop, and leaves every runtime in order."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.dashboard.agrees import assert_agrees
from tests.laws import assert_event_laws, assert_laws
from tests.loops import KINDS
from understudy import MemorySink, Runtime


@pytest.fixture(params=KINDS)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", KINDS[request.param]


@pytest.fixture(autouse=True)
def in_order(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Check the laws of every runtime that a test made, and that no thread is left.

    On one kind of loop nobody listens to the events: what is played must be the same.
    """
    made: list[Runtime] = []
    sinks: list[tuple[Runtime, MemorySink]] = []
    called = getattr(request.node, "callspec", None)
    listens = called is None or called.params.get("anyio_backend") != "uvloop"
    initialize = Runtime.__init__

    def note(self: Runtime, *args: Any, **kwargs: Any) -> None:
        if listens and kwargs.get("events") is None:
            sink = kwargs["events"] = MemorySink()
            initialize(self, *args, **kwargs)
            sinks.append((self, sink))
        else:
            initialize(self, *args, **kwargs)
        made.append(self)

    monkeypatch.setattr(Runtime, "__init__", note)
    threads = set(threading.enumerate())
    yield
    for runtime in made:
        assert_laws(runtime)
    for runtime, sink in sinks:
        assert_event_laws(sink.events)
        assert_agrees(sink.events, runtime)
    left = [thread for thread in set(threading.enumerate()) - threads if not thread.daemon]
    for thread in left:  # anyio's workers end by themselves when their loop is closed
        thread.join(5.0 if thread.name.startswith("AnyIO") else 0.0)
    assert [thread for thread in left if thread.is_alive()] == []
