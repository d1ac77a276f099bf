"""The Emitter: stamps what happens in a runtime, and hands it to the sinks."""

import itertools
import os
import threading
import time
from collections.abc import Sequence
from typing import Any, Final, Protocol, final

import msgspec

from understudy.configs import UnderstudyError
from understudy.events import EVENTS, LONGEST, VERSION, Event

from ._outlet import begin_again_after_fork

_STAMPS: Final = frozenset({"v", "ts", "event", "level", "seq", "pid", "service", "runtime"})
_TOLD: Final = frozenset(each.name for each in msgspec.structs.fields(Event)) - _STAMPS


class EventsError(UnderstudyError, TypeError):
    """What was given as `events=` is nothing that events can go to.

    Example:
        >>> from understudy import Runtime
        >>> try:
        ...     Runtime(events=7)
        ... except TypeError as error:
        ...     print(str(error).partition(":")[0])
        events=int
    """

    __module__ = "understudy"


class Takes(Protocol):
    """What an emitter needs of a sink."""

    def put(self, event: Event, /) -> object:
        """Take one event; neither wait nor raise."""
        ...


@final
class Emitter:
    """Stamps what happens in one runtime, and hands it to the sinks.

    It may be called from any thread. Threads that tell something at the same moment may reach a
    sink in another order than that of their numbers. A forked child counts from 1, as its pid is
    another.

    Args:
        sinks: where the events go.
        service: the name of the service.
        runtime_id: the id of the runtime.

    Example:
        >>> from understudy import MemorySink
        >>> from understudy._events import Emitter
        >>> memory = MemorySink()
        >>> emit = Emitter([memory], "shop", "a1")
        >>> emit("branch.shed", experiment="answer", error=ValueError("full"))
        >>> [event] = memory.events
        >>> event.seq, event.level, event.experiment, event.error_type
        (1, 'warning', 'answer', 'ValueError')
    """

    __slots__ = ("__weakref__", "_count", "_lock", "_runtime", "_service", "_sinks", "dropped")

    def __init__(self, sinks: Sequence[Takes], service: str | None, runtime_id: str) -> None:
        self._sinks = tuple(sinks)
        self._service = service
        self._runtime = runtime_id
        self.begin()
        begin_again_after_fork(self)

    def begin(self) -> None:
        """Count from the start: when it is made, and in a forked child."""
        self._count = itertools.count(1)
        self._lock = threading.RLock()
        self.dropped = 0
        """How often a sink raised instead of taking an event."""

    def __call__(self, name: str, /, **fields: Any) -> None:
        """Tell one event. A field that is unknown is left out, `error` is an exception."""
        try:
            event = self._stamped(name, fields)
        except Exception:  # whatever it is: the caller has a call to answer
            self._lost()
            return
        for sink in self._sinks:
            try:
                sink.put(event)
            except KeyboardInterrupt:  # it came from outside
                raise
            except BaseException:
                self._lost()

    def _stamped(self, name: str, fields: dict[str, Any]) -> Event:
        error = fields.pop("error", None)
        if error is not None:
            fields["error_type"] = type(error).__qualname__
            fields["error_message"] = _said_by(error)
        told = fields.get("error_message")
        if isinstance(told, str) and len(told) > LONGEST:  # what waits to be written stays small
            fields["error_message"] = told[:LONGEST]
        if not fields.keys() <= _TOLD:
            fields = {key: value for key, value in fields.items() if key in _TOLD}
        return Event(
            v=VERSION,
            ts=time.time(),
            event=name,
            level=EVENTS.get(name, "info"),
            seq=next(self._count),
            pid=os.getpid(),
            service=self._service,
            runtime=self._runtime,
            **fields,
        )

    def _lost(self) -> None:
        with self._lock:
            self.dropped += 1


def _said_by(error: object) -> str:
    try:
        return str(error)
    except BaseException:
        return f"<{type(error).__name__}>"
