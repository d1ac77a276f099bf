"""Every async test runs on every kind of loop, and leaves every actor in order."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.loops import KINDS
from understudy.actors import Actor, State


@pytest.fixture(params=KINDS)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", KINDS[request.param]


@pytest.fixture(autouse=True)
def in_order(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Check that every actor that a test made has ended, and that nobody waits in its mailbox."""
    made: list[Actor[Any, Any]] = []
    initialize = Actor.__init__

    def note(self: Actor[Any, Any], *args: Any, **kwargs: Any) -> None:
        initialize(self, *args, **kwargs)
        made.append(self)

    monkeypatch.setattr(Actor, "__init__", note)
    yield
    for actor in made:
        assert actor.state in (State.NEW, State.STOPPED), actor
        assert actor.mailbox.waiting == 0, actor
        assert actor.mailbox.running == 0, actor
