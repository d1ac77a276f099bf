"""tail: events as lines that a person reads, filtered, coloured on a terminal."""

from collections.abc import Callable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Final, final

import msgspec

from understudy.events import Event
from understudy.terminal import plain, printable

from ._lines import Line
from ._texts import milliseconds

Paint = Callable[[str, str], str]

_LEVELS: Final = ("debug", "info", "warning", "error")
_COLOURS: Final = {"debug": "dim", "info": "", "warning": "yellow", "error": "red"}
_ENDS: Final = {
    "ok": "green",
    "error": "red",
    "timeout": "red",
    "cancelled": "yellow",
    "shed": "yellow",
    "skipped": "dim",
}
ENDS: Final = tuple(_ENDS)
"""How a branch may end."""
_SAID: Final = frozenset(
    {
        *("v", "ts", "event", "level", "seq", "pid", "service", "runtime", "actor", "state"),
        *("experiment", "config_id", "label", "inner_case", "role", "reason", "status", "function"),
        *("call_id", "branch_id", "parent_branch_id", "duration_ms", "queue_ms"),
        *("error.type", "error.message"),
    }
)
_LONGEST: Final = 300


@final
class Filter(msgspec.Struct, frozen=True):
    """Which events are shown; what is None is not asked.

    Attributes:
        experiment: the name of the experiment, or the end of it.
        event: the name of the event, the beginning of it (`branch`), or a pattern (`*.failed`).
        level: the least serious level.
        config: the label of the config, or its id.
        role: the role.
        call: the id of the call, or what follows the id of the runtime in it.
        status: how the branch ended.

    Example:
        >>> from understudy import Event
        >>> from understudy.dashboard._tail import Filter
        >>> event = Event(v=1, ts=0.5, event="branch.shed", level="warning", seq=7, pid=1)
        >>> Filter(event="branch").takes(event), Filter(level="error").takes(event)
        (True, False)
    """

    experiment: str | None = None
    event: str | None = None
    level: str | None = None
    config: str | None = None
    role: str | None = None
    call: str | None = None
    status: str | None = None

    @property
    def takes_all(self) -> bool:
        """Whether every event passes."""
        return self == Filter()

    def takes(self, event: Event) -> bool:
        """Whether an event is shown."""
        return (
            (self.level is None or _LEVELS.index(event.level) >= _LEVELS.index(self.level))
            and (self.role is None or event.role == self.role)
            and (self.status is None or event.status == self.status)
            and (self.event is None or _is_called(event.event, self.event))
            and (self.config is None or self.config in (event.label, event.config_id))
            and (self.experiment is None or self._is_of_it(event))
            and (self.call is None or (event.call_id is not None and self._is_in_it(event.call_id)))
        )

    def _is_of_it(self, event: Event) -> bool:
        asked = self.experiment or ""
        name = event.experiment
        if name is None and event.actor is not None:
            name = event.actor.partition("[")[0].removesuffix("/strategy")
        return name is not None and (name == asked or name.endswith(f".{asked}"))

    def _is_in_it(self, call_id: str) -> bool:
        return call_id == self.call or call_id.partition("-")[2] == self.call


def _is_called(name: str, asked: str) -> bool:
    return name == asked or name.startswith(f"{asked}.") or fnmatchcase(name, asked)


def shown(line: Line, paint: Paint = plain) -> str:
    """Return an event as one line for a person.

    Example:
        >>> from understudy.dashboard import read_line
        >>> from understudy.dashboard._tail import shown
        >>> told = b'{"v":1,"ts":0.5,"event":"branch.shed","level":"warning","seq":7,"pid":1'
        >>> more = b',"experiment":"answer","label":"large","role":"shadow","reason":"limit"}'
        >>> shown(read_line(told + more))[13:]
        'W branch.shed       answer[large] shadow limit'
    """
    event = line.event
    colour = _COLOURS[event.level]
    words = [
        paint(_time(event.ts), "dim"),
        paint(event.level[0].upper(), colour or "blue"),
        paint(f"{printable(event.event):<17}", colour or "bold"),
        paint(_who(event), "cyan"),
        _what(event, paint),
        paint(_error(event), "red"),
        paint(_rest(line.fields, event), "dim"),
    ]
    return " ".join(word for word in words if word).rstrip()


def _time(ts: float) -> str:
    try:
        return datetime.fromtimestamp(ts).astimezone().strftime("%H:%M:%S.%f")[:-3]
    except (ValueError, OverflowError, OSError):
        return "--:--:--.---"


def _who(event: Event) -> str:
    if event.experiment is None:
        return printable(event.actor or "")
    label = "" if event.label is None else f"[{event.label}]"
    inner = "" if event.inner_case is None else f" / {event.inner_case}"
    return printable(f"{event.experiment}{label}{inner}")


def _what(event: Event, paint: Paint) -> str:
    words = [printable(event.role or "")]
    if event.status is not None:
        words.append(paint(printable(event.status), _ENDS.get(event.status, "")))
    if event.duration_ms is not None and event.event == "branch.completed":
        words.append(f"{milliseconds(event.duration_ms)} ms")
    if event.queue_ms is not None and event.queue_ms >= 1.0:
        words.append(f"after {milliseconds(event.queue_ms)} ms")
    if event.reason is not None and event.reason != event.status:
        words.append(printable(event.reason))
    if event.state is not None:
        words.append(printable(event.state))
    if event.call_id is not None:
        words.append(paint(f"call {short(event.call_id)}", "dim"))
    return " ".join(word for word in words if word)


def short(number: str) -> str:
    """Return an id without that of its runtime."""
    return printable(number.partition("-")[2] or number)


def _error(event: Event) -> str:
    if event.error_type is None:
        return ""
    message = event.error_message or ""
    told = f"{event.error_type}: {message}" if message else event.error_type
    return _cut(printable(told))


def _rest(fields: dict[str, Any], event: Event) -> str:
    """Return what else it tells, also what nobody knows."""
    said = (f"{name}={_value(value)}" for name, value in fields.items() if name not in _SAID)
    return " ".join(map(printable, said))


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
