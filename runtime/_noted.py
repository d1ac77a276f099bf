"""Events, made of the notes that actors take: out of their way, many at a time."""

import itertools
import os
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, final

import msgspec

from understudy.actors import Caller, Ended, Note, Part, Planned, Started
from understudy.events import EVENTS, VERSION, Event

_STAMPS: Final = frozenset({"v", "ts", "event", "level", "seq", "pid", "service", "runtime"})
_TOLD: Final = frozenset(each.name for each in msgspec.structs.fields(Event)) - _STAMPS
_OFF: Final = 1_000_000
"""By how many nanoseconds the time of day may differ from ours until we follow: it was set."""
_READINGS: Final = 3

_replace = msgspec.structs.replace


@final
class Stamps:
    """What all events of one runtime have: numbers without a gap, the time of day, who it is.

    Args:
        service: the name of the service.
        runtime_id: the id of the runtime.
        clock: the clock whose moments are in the notes, in nanoseconds.
    """

    def __init__(self, service: str | None, runtime_id: str, clock: Callable[[], int]) -> None:
        self.service = service
        self.runtime_id = runtime_id
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """Count from the start."""
        self.number: Callable[[], int] = itertools.count(1).__next__
        self.pid: int = os.getpid()
        self.offset: int = self._read_offset()
        """How many nanoseconds the moments of the clock are before the time of day."""

    def follow(self) -> None:
        """Follow the time of day, if somebody has set it."""
        offset = self._read_offset()
        if abs(offset - self.offset) > _OFF:
            self.offset = offset

    def of(self, name: str, at: int, **fields: Any) -> Event:
        """Return an event, stamped."""
        return Event(
            v=VERSION,
            ts=(at + self.offset) / 1e9,
            event=name,
            level=EVENTS.get(name, "info"),
            seq=self.number(),
            pid=self.pid,
            service=self.service,
            runtime=self.runtime_id,
            **fields,
        )

    def _read_offset(self) -> int:
        """Read both clocks; of several readings the one that was interrupted least is right."""
        readings: list[tuple[int, int]] = []
        for _ in range(_READINGS):
            before = self._clock()
            now = time.time_ns()
            readings.append((self._clock() - before, now - before))
        return min(readings)[1]


def events_of(notes: Iterable[Note], stamps: Stamps) -> list[Event]:
    """Return the events that notes stand for, in their order.

    What the events of one part have in common is put together once; the rest is filled in, which
    takes a third of the time.
    """
    stamps.follow()
    events: list[Event] = []
    patterns: dict[int, _Pattern] = {}
    for note in notes:
        if note[0] == "said":
            _, at, name, fields = note
            if not fields.keys() <= _TOLD:
                fields = {key: value for key, value in fields.items() if key in _TOLD}
            events.append(stamps.of(name, at, **fields))
            continue
        part = note[2]
        pattern = patterns.get(id(part))
        if pattern is None:
            pattern = patterns[id(part)] = _Pattern(part, stamps)
        if note[0] == "started":
            pattern.start(note, events)
        elif note[0] == "planned":
            pattern.plan(note, events)
        else:
            pattern.end(note, events)
    return events


@final
class _Pattern:
    """The events of one part, but for what differs each time."""

    def __init__(self, part: Part, stamps: Stamps) -> None:
        actor, config = part.actor, part.case.config
        self._name_of = actor.stage.name_of
        self._stamps = stamps
        self._planned = Event(
            v=VERSION,
            ts=0.0,
            event="call.planned",
            level=EVENTS["call.planned"],
            seq=0,
            pid=stamps.pid,
            service=stamps.service,
            runtime=stamps.runtime_id,
            experiment=actor.supervisor.name,
            config_id=config.id,
            label=config.label,
            actor=actor.name,
            reason=part.reason,
        )
        self._started = _replace(
            self._planned,
            event="branch.started",
            level=EVENTS["branch.started"],
            role=part.role,
        )

    def plan(self, note: Planned, events: list[Event]) -> None:
        _, at, _, call, count = note
        stamps = self._stamps
        events.append(
            _replace(
                self._planned,
                ts=(at + stamps.offset) / 1e9,
                seq=stamps.number(),
                call_id=self._name_of(call),
                count=count,
            )
        )

    def start(self, note: Started, events: list[Event]) -> None:
        _, at, part, call, branch, caller, is_planned = note
        stamps = self._stamps
        if not is_planned:
            self.plan(("planned", at, part, call, 1), events)
        events.append(
            _replace(
                self._started,
                ts=(at + stamps.offset) / 1e9,
                seq=stamps.number(),
                call_id=self._name_of(call),
                branch_id=self._name_of(branch),
                parent_branch_id=_name(caller),
            )
        )

    def end(self, note: Ended, events: list[Event]) -> None:
        how, at, _, call, branch, caller, started, asked, status, reason, more = note
        stamps = self._stamps
        name = f"branch.{how}"
        event = _replace(
            self._started,
            event=name,
            level=EVENTS[name],
            ts=(at + stamps.offset) / 1e9,
            seq=stamps.number(),
            call_id=self._name_of(call),
            branch_id=self._name_of(branch),
            parent_branch_id=_name(caller),
            reason=reason,
            status=status,
            duration_ms=(at - started) / 1e6,
            queue_ms=(started - asked) / 1e6,
        )
        events.append(event if more is None else _replace(event, **more))


def _name(caller: Caller) -> str | None:
    """Return the id of a branch, which may be of another loop, or even another runtime."""
    return None if caller is None else caller[0].actor.stage.name_of(caller[1])
