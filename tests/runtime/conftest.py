"""Every test runs on every kind of loop, and leaves every runtime in order."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.laws import assert_laws
from understudy import Runtime

KINDS: dict[str, dict[str, Any]] = {"asyncio": {}, "uvloop": {"use_uvloop": True}}

if sys.version_info >= (3, 12):

    def eager_loop() -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        loop.set_task_factory(asyncio.eager_task_factory)
        return loop

    KINDS["eager tasks"] = {"loop_factory": eager_loop}


@pytest.fixture(params=KINDS)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", KINDS[request.param]


@pytest.fixture(autouse=True)
def in_order(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Check the laws of every runtime that a test made, and that no thread is left."""
    made: list[Runtime] = []
    initialize = Runtime.__init__

    def note(self: Runtime, *args: Any, **kwargs: Any) -> None:
        initialize(self, *args, **kwargs)
        made.append(self)

    monkeypatch.setattr(Runtime, "__init__", note)
    threads = set(threading.enumerate())
    yield
    for runtime in made:
        assert_laws(runtime)
    left = [thread for thread in set(threading.enumerate()) - threads if not thread.daemon]
    assert left == []
