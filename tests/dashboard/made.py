"""Events that no runtime would tell: of every name, with any of their fields missing."""

from random import Random
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from understudy.dashboard import State
from understudy.events import EVENTS, Event

NAMES = [*sorted(EVENTS), "actor.sampled", "nobody.knows"]
NUMBERS = [0, 0.0, 0.25, 3.5, 70.0, 8000.0, -1.0, 1e300, float("nan"), float("inf"), 1e-30]
COUNTS = [0, 1, 2, 7, -1, 2**53, 2**70]
OF: dict[str, list[Any]] = {
    "ts": [1e9 + tenth / 10 for tenth in range(50)] + [0.0, -5.0, 1e300, float("nan")],
    "seq": [*range(50), 2**70],
    "pid": [1, 2],
    "role": ["primary", "shadow", "branch", "nobody"],
    "status": ["ok", "error", "timeout", "cancelled", "shed", "skipped", "nothing"],
    "case": [{}, {"a": "b"}],
    "values": [{}, {"a": 1, "b": {"c": [1, 2]}}],
    "level": ["debug", "info", "warning", "error"],
    "actor": ["a", "a[a]", "a/strategy", "b[c]", "other"],
}
NEEDED = ("v", "ts", "event", "level", "seq", "pid")


def _values(name: str, kind: Any) -> list[Any]:
    if name in OF:
        return OF[name]
    kinds = getattr(kind, "__args__", (kind,))
    return NUMBERS if float in kinds else COUNTS if int in kinds else ["a", "b", "c"]


FIELDS = {each.name: _values(each.name, each.type) for each in msgspec.structs.fields(Event)}


def made_event(chance: Random, name: str | None = None) -> Event:
    """Return an event with some of the fields there are, all of them or only those it needs."""
    share = chance.choice([0.0, 0.5, 0.9, 1.0])
    told = {
        field: chance.choice(values)
        for field, values in FIELDS.items()
        if field in NEEDED or chance.random() < share
    }
    make: Any = Event
    made: Event = make(**{**told, "v": 1, "event": name or chance.choice(NAMES)})
    return made


class Log(NamedTuple):
    """A log, by its seed: it is made in the test, so that drawing it takes no time."""

    seed: int
    length: int

    @property
    def events(self) -> list[Event]:
        """The events of it."""
        chance = Random(self.seed)
        return [made_event(chance) for _ in range(self.length)]


def logs(most: int = 60) -> st.SearchStrategy[Log]:
    """Return logs of some events at most."""
    return st.builds(Log, st.integers(0, 2**32), st.integers(0, most))


def as_json(state: State) -> dict[str, Any]:
    """Return what is compared: NaN is not equal to itself, null is."""
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(state))
    return told
