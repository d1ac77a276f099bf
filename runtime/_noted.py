"""Events, made of the notes that actors take: out of their way, many at a time."""

import itertools
import os
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, final

import msgspec

from understudy.actors import Bound, Caller, Done, Ended, Note, Planned, Sign, Started
from understudy.configs import Config
from understudy.events import EVENTS, VERSION, Event

from ._shown import LIMIT, Shown

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
        shown: makes of data what is shown of it.

    Attributes:
        contexts: what the contexts of calls hold that have not ended.
        captured: what branches that have not ended were given, and gave.
    """

    def __init__(
        self, service: str | None, runtime_id: str, clock: Callable[[], int], shown: Shown
    ) -> None:
        self.shown = shown
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
        self.contexts: dict[tuple[str, int], _Context] = {}
        self.captured: dict[tuple[str, int], dict[str, Any]] = {}

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
    patterns = _Patterns(stamps)
    for note in notes:
        if note[0] == "started":
            patterns[note[2]].start(note, events)
        elif note[0] == "ok":
            patterns[note[2][2]].succeed(note, events)
        elif note[0] == "planned":
            patterns[note[2]].plan(note, events)
        elif note[0] == "said":
            _, at, name, fields = note
            events.append(stamps.of(name, at, **_told(fields, stamps.shown)))
        elif note[0] == "bound":
            stamps.contexts[note[2], note[3]] = _Context(_context_of(note, stamps.shown))
        elif note[0] == "captured":
            _, _, prefix, branch, what, value, limit = note
            more = stamps.captured.setdefault((prefix, branch), {})
            more[what] = stamps.shown.text(value, limit)
        else:
            patterns[note[2][2]].end(note, events)
    return events


def count_events(notes: Iterable[Note]) -> int:
    """Return how many events notes stand for: a branch may tell of its call, too."""
    return sum(_count_of(note) for note in notes)


def _count_of(note: Note) -> int:
    if note[0] in ("bound", "captured"):  # these belong to the events of others
        return 0
    return 2 if note[0] == "started" and not note[-1] else 1


def _told(fields: dict[str, Any], shown: Shown) -> dict[str, Any]:
    """Return the fields that there are, and of those what may be shown."""
    if not fields.keys() <= _TOLD:
        fields = {key: value for key, value in fields.items() if key in _TOLD}
    if isinstance(config := fields.get("values"), Config):
        fields = {**fields, "values": shown.values(config)}
    return _without_secrets(fields, shown) if "error_message" in fields else fields


def _without_secrets(fields: dict[str, Any], shown: Shown) -> dict[str, Any]:
    return {**fields, "error_message": shown.message(fields["error_message"])}


def _context_of(note: Bound, shown: Shown) -> dict[str, Any]:
    _, _, _, _, context, span = note
    fields: dict[str, Any] = {}
    if context is not None:
        fields["context"] = shown.mapping(context, LIMIT)
    if span is not None:
        fields |= {"trace_id": f"{span[0]:032x}", "span_id": f"{span[1]:016x}"}
    return fields


def _id_of(caller: Caller) -> str | None:
    return None if caller is None else f"{caller[0]}{caller[1]}"


@final
class _Context:
    """What the context of a call holds, until all branches of the call have ended."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.left = 1


@final
class _Pattern:
    """The events of one part, but for what differs each time."""

    def __init__(self, sign: Sign, stamps: Stamps) -> None:
        self._prefix = sign.prefix
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
            experiment=sign.experiment,
            config_id=sign.config_id,
            label=sign.label,
            actor=sign.actor,
            reason=sign.reason,
        )
        name = "branch.started"
        self._started = _replace(
            self._planned,
            event=name,
            level=EVENTS[name],
            role=sign.role,
            inner_case=sign.inner_case,
        )
        name = "branch.completed"
        self._ok = _replace(self._started, event=name, level=EVENTS[name], status="ok")

    def plan(self, note: Planned, events: list[Event]) -> None:
        _, at, _, call, caller, count = note
        self._plan(at, call, f"{self._prefix}{call}", _id_of(caller), count, events)

    def _plan(
        self,
        at: int,
        call: int,
        call_id: str,
        parent: str | None,
        count: int,
        events: list[Event],
    ) -> None:
        stamps = self._stamps
        planned = _replace(
            self._planned,
            ts=(at + stamps.offset) / 1e9,
            seq=stamps.number(),
            call_id=call_id,
            parent_branch_id=parent,
            count=count,
        )
        if stamps.contexts and (context := stamps.contexts.get((self._prefix, call))):
            context.left = count
            planned = _replace(planned, **context.fields)
        events.append(planned)

    def start(self, note: Started, events: list[Event]) -> None:
        _, at, _, call, branch, caller, _, is_planned = note
        stamps = self._stamps
        call_id = f"{self._prefix}{call}"
        parent = _id_of(caller)
        if not is_planned:
            self._plan(at, call, call_id, parent, 1, events)
        started = _replace(
            self._started,
            ts=(at + stamps.offset) / 1e9,
            seq=stamps.number(),
            call_id=call_id,
            branch_id=f"{self._prefix}{branch}",
            parent_branch_id=parent,
        )
        if stamps.contexts and (context := stamps.contexts.get((self._prefix, call))):
            started = _replace(started, **context.fields)
        events.append(started)

    def succeed(self, note: Done, events: list[Event]) -> None:
        _, at, begun = note
        events.append(self._completed(at, begun))

    def end(self, note: Ended, events: list[Event]) -> None:
        how, at, begun, status, reason, more = note
        name = f"branch.{how}"
        words: dict[str, Any] = {
            "event": name,
            "level": EVENTS[name],
            "status": status,
            "reason": reason,
            **(more or {}),
        }
        if "error_message" in words:
            words = _without_secrets(words, self._stamps.shown)
        events.append(_replace(self._completed(at, begun), **words))

    def _completed(self, at: int, begun: Started) -> Event:
        _, started, _, call, branch, caller, asked, _ = begun
        stamps = self._stamps
        completed = _replace(
            self._ok,
            ts=(at + stamps.offset) / 1e9,
            seq=stamps.number(),
            call_id=f"{self._prefix}{call}",
            branch_id=f"{self._prefix}{branch}",
            parent_branch_id=_id_of(caller),
            duration_ms=(at - started) / 1e6,
            queue_ms=(started - asked) / 1e6,
        )
        if stamps.contexts or stamps.captured:
            return _replace(completed, **self._beside(call, branch))
        return completed

    def _beside(self, call: int, branch: int) -> dict[str, Any]:
        """Return what few have to tell, for the last time."""
        contexts, place = self._stamps.contexts, (self._prefix, call)
        more = self._stamps.captured.pop((self._prefix, branch), {})
        context = contexts.get(place)
        if context is None:
            return more
        context.left -= 1
        if not context.left:
            del contexts[place]
        return {**context.fields, **more}


class _Patterns(dict[Sign, _Pattern]):
    """The patterns of those who have told something; each is made when it is first asked for."""

    def __init__(self, stamps: Stamps) -> None:
        super().__init__()
        self._stamps = stamps

    def __missing__(self, sign: Sign) -> _Pattern:
        pattern = self[sign] = _Pattern(sign, self._stamps)
        return pattern
