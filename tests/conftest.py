"""Whatever is told in any test has only the fields that the kind of event has."""

from collections.abc import Iterator
from typing import Any

import pytest

from understudy._events import Emitter  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.actors import Note
from understudy.events import KINDS, STAMPS, Event


@pytest.fixture(autouse=True)
def strangers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collect what was told and is of no kind; a test that tells such things clears it."""
    found: list[str] = []
    make = Emitter._made_of

    def made_of(self: Emitter, notes: list[Note]) -> list[Event]:
        for note in notes:
            if note[0] == "said":
                found.extend(strangers_of(note[2], note[3]))
        events: list[Event] = make(self, notes)
        for event in events:
            kind = KINDS.get(event.event)
            names = ["?"] if kind is None else kind.strangers(event)
            found.extend(f"{event.event}: {name}" for name in names)
        return events

    monkeypatch.setattr(Emitter, "_made_of", made_of)
    yield found
    assert found == []


def strangers_of(name: str, fields: dict[str, Any]) -> list[str]:
    """Return the fields of what is about to be told that its kind does not have."""
    kind = KINDS.get(name)
    known = (*STAMPS, *kind.fields) if kind is not None else ()
    told = (field for field, value in fields.items() if value is not None)
    return [f"{name}: {field}" for field in told if field not in known]
