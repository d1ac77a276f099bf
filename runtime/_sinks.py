"""The sinks: where events go.  None of them makes the one who tells an event wait."""

import asyncio
import inspect
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol, cast, final, runtime_checkable

import msgspec

from understudy.events import EVENTS, LONGEST, VERSION, Event, encode_lines, fields_of

from ._appended import AppendedFile
from ._events import EventsError
from ._outlet import Outlet, begin_again_after_fork
from ._rotation import Rotation
from ._sources import Source, Sources

_log = logging.getLogger("understudy")
_EVENTS_OF_ONE: Final = 2
"""How many events are made of one thing that is told, at most."""
_UNREAD: Final = 1024
"""How much may be told to a sink in memory before it is made into events, if nobody reads."""


@runtime_checkable
class Sink(Protocol):
    """Where events go: what `Runtime(events=...)` takes, if nothing that comes with it fits.

    Attributes:
        dropped: how many events it lost.

    Example:
        >>> from understudy import MemorySink
        >>> from understudy._sinks import Sink
        >>> isinstance(MemorySink(), Sink)
        True
    """

    @property
    def dropped(self) -> int:
        """How many events it lost."""
        ...

    def put(self, event: Event, /) -> object:
        """Take one event, from any thread; neither wait nor raise."""
        ...

    def flush(self, timeout: float) -> bool:
        """Wait until all events put before are where they belong; False if that takes longer."""
        ...

    def close(self, timeout: float) -> bool:
        """Flush, and let go of everything; a later `put` may begin again."""
        ...


@final
class MemorySink:
    """Keeps the last events, for tests and notebooks.

    Args:
        limit: how many; older ones make room, and are counted. None: all.

    Example:
        >>> from understudy import Event, MemorySink
        >>> memory = MemorySink()
        >>> memory.put(Event(v=1, ts=0.5, event="branch.shed", level="warning", seq=1, pid=1))
        >>> [event.seq for event in memory.named("branch.shed")]
        [1]
    """

    def __init__(self, limit: int | None = 100_000) -> None:
        self._kept: deque[Event] = deque()
        self._limit = limit
        self._dropped = 0
        self._sources = Sources()
        self.begin()
        begin_again_after_fork(self)

    def begin(self) -> None:
        """Have locks that nobody holds, as in a forked child threads may that are gone."""
        self._lock = threading.RLock()
        self._sources.begin()

    @property
    def events(self) -> list[Event]:
        """The events, the oldest first."""
        self._fetch()
        with self._lock:
            return [*self._kept]

    @property
    def dropped(self) -> int:
        """How many events made room for others."""
        self._fetch()
        return self._dropped

    def named(self, name: str) -> list[Event]:
        """Return the events of a name."""
        return [event for event in self.events if event.event == name]

    def clear(self) -> None:
        """Forget them."""
        self._fetch()
        with self._lock:
            self._kept.clear()

    def put(self, event: Event, /) -> None:
        """Keep one event."""
        self.put_all([event])

    def put_all(self, events: list[Event], /) -> None:
        """Keep several events."""
        with self._lock:
            self._kept.extend(events)
            while self._limit is not None and len(self._kept) > self._limit:
                self._kept.popleft()
                self._dropped += 1

    @property
    def room(self) -> int:
        """How much may be told before it is fetched: it is when somebody reads."""
        return _UNREAD

    def expect(self, source: Source, /) -> None:
        """Note that there is something to fetch."""
        self._sources.add(source)

    def flush(self, timeout: float) -> bool:
        """Fetch what there is; there is nothing to wait for."""
        self._fetch()
        return True

    def close(self, timeout: float) -> bool:
        """Fetch what there is; the events can still be read."""
        return self.flush(timeout)

    def _fetch(self) -> None:
        self._sources.fetch()
        self._sources.fetch()  # and forget those that have nothing any more


class Behind:
    """A sink behind an outlet: its events are dealt with in a thread, in batches.

    When it begins to lose events it says so in the log, once, and again when it has worked since.
    """

    def __init__(
        self, where: object, capacity: int, rest: Callable[[], object] | None = None
    ) -> None:
        self._where = where
        name = where.name if isinstance(where, Path) else where
        self._outlet: Outlet[Event] = Outlet(
            f"understudy events to {name}", self._consume, capacity, rest=rest
        )
        self._announced = 0
        self._is_losing = False
        self._problem: BaseException | str = ""

    @property
    def dropped(self) -> int:
        """How many events it lost: there was no room for them, or they could not be written.

        What was told in this very moment may still be on its way; `flush(0.0)` knows of all.
        """
        return self._outlet.dropped

    @property
    def room(self) -> int:
        """How much may be told before it is fetched, and still find room when it is."""
        return max(1, self._outlet.capacity // _EVENTS_OF_ONE)

    def put(self, event: Event, /) -> bool:
        """Take one event; False if there is no room for it."""
        return self._outlet.put(event)

    def put_all(self, events: list[Event], /) -> None:
        """Take several events, as far as there is room for them."""
        self._outlet.put_all(events)

    def expect(self, source: Source, /) -> None:
        """Fetch the events of a source, in the thread."""
        self._outlet.expect(source)

    def flush(self, timeout: float) -> bool:
        """Wait until all events put before are dealt with; False if that takes longer."""
        return self._outlet.flush(timeout)

    def close(self, timeout: float) -> bool:
        """Flush, and end the thread; a later event starts it again."""
        return self._outlet.close(timeout)

    def _consume(self, batch: list[Event]) -> int:
        """Deal with a batch, and with the news that events were lost before it.

        It is enough to look here: where something was dropped, more was waiting, so that another
        batch follows.
        """
        dropped = self._outlet.dropped
        if dropped < self._announced:  # a forked child begins afresh
            self._announced = 0
        missing = dropped - self._announced
        news = [_loss(missing, batch[0])] if missing else []
        try:
            dealt = self._deal_with([*news, *batch], len(news))
        except Exception as problem:  # out of memory, say
            self._problem = problem.with_traceback(None)
            dealt = [False] * (len(news) + len(batch))
        if news and dealt[0]:
            self._announced = dropped
        lost = dealt[len(news) :].count(False)
        self._tell_log(missing, lost)
        return lost

    def _tell_log(self, refused: int, lost: int) -> None:
        """Say that events are lost, unless that was said since all went well."""
        if (refused or lost) and not self._is_losing:
            why = self._problem if lost else "more came than it could take"
            with suppress(Exception):  # a handler's own
                _log.warning(
                    "events are lost on their way to %s: %d so far (%s); the next warning comes "
                    "when it has taken some again",
                    self._where,
                    refused + lost,
                    why if isinstance(why, str) else f"{type(why).__name__}: {why}",
                )
        self._is_losing = lost > 0
        self._problem = ""

    def _deal_with(self, events: list[Event], news: int) -> list[bool]:
        """Say of each event whether it is where it belongs; the first few are news of losses."""
        raise NotImplementedError


def _loss(count: int, before: Event) -> Event:
    """Return the event that stands in the place of those that were lost before another one."""
    name = "log.dropped"
    return Event(
        v=VERSION,
        ts=time.time(),
        event=name,
        level=EVENTS[name],
        seq=0,
        pid=os.getpid(),
        service=before.service,
        runtime=before.runtime,
        count=count,
    )


@final
class FileSink(Behind):
    """Writes events to a file, one JSON object a line, as `tail -f` and `jq` like it.

    Each batch is appended by one write, so that several processes may share the file. It is made
    when the first event comes, with the folders above it, and made again when it was renamed or
    removed (as logrotate does). With `rotate_bytes` it is put aside before it becomes larger than
    that: it is `events.jsonl.1` then, and what that was is `events.jsonl.2`; several processes that
    share it agree on that, if they are given the same. What a full disk or a closed pipe refuses is
    dropped and counted, and the log "understudy" warns once; as soon as something can be written
    again, one `log.dropped` says how much is missing.

    Args:
        path: the file; a named pipe or a device is fine too.
        capacity: how many events may wait to be written.
        rotate_bytes: how large it may become; None for any size. No batch is divided, so that one
            that is larger than that makes a file that is.
        keep: how many files are kept beside it.

    Raises:
        EventsError: `rotate_bytes` or `keep` is no whole number from 1 on.

    Example:
        >>> import json
        >>> from pathlib import Path
        >>> from understudy import Event, FileSink
        >>> sink = FileSink("logs/events.jsonl")
        >>> _ = sink.put(Event(v=1, ts=0.5, event="branch.shed", level="warning", seq=1, pid=1))
        >>> sink.close(5.0)
        True
        >>> json.loads(Path("logs/events.jsonl").read_text())["event"]
        'branch.shed'
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        capacity: int = 8192,
        rotate_bytes: int | None = None,
        keep: int = 5,
    ) -> None:
        self.path: Path = Path(path).absolute()  # where it leads now: the process may go elsewhere
        rotation = None
        if rotate_bytes is not None:
            most = _whole("rotate_bytes", rotate_bytes)
            rotation = Rotation(self.path, most, _whole("keep", keep))
        self._file = AppendedFile(self.path, rotation)
        super().__init__(self.path, capacity, self._file.close)

    def put(self, event: Event, /) -> bool:
        """Take one event; False if there is no room for it."""
        told = event.error_message
        if isinstance(told, str) and len(told) > LONGEST:  # what waits to be written stays small
            event = msgspec.structs.replace(event, error_message=told[:LONGEST])
        return super().put(event)

    def _deal_with(self, events: list[Event], news: int) -> list[bool]:
        written = self._file.write(encode_lines(events))
        self._problem = self._file.problem or ""
        return [True] * written + [False] * (len(events) - written)


def _whole(name: str, number: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise EventsError(f"{name} must be a whole number from 1 on, not {number!r}")
    return number


class _OneByOne(Behind):
    """A sink that calls something with each event."""

    def _deal_with(self, events: list[Event], news: int) -> list[bool]:
        dealt: list[bool] = []
        for event in events:
            dealt.append(self._tells(event))
            if len(dealt) > news and not self._outlet.dealt(dealt[-1]):
                break  # it hung, and all that is left was given up meanwhile
        return dealt + [False] * (len(events) - len(dealt))

    def _tells(self, event: Event) -> bool:
        try:
            answer = self._tell(event)
        except BaseException as problem:  # SystemExit too: nobody asked whether to go on
            self._problem = problem.with_traceback(None)
            return False
        if inspect.iscoroutine(answer):  # there is no loop here to await it
            answer.close()
            self._problem = "it returns a coroutine, and has to be a plain function"
            return False
        return True

    def _tell(self, event: Event) -> object:
        raise NotImplementedError


@final
class LoggerSink(_OneByOne):
    """Hands events to a structlog logger, by the method that is named like their level.

    The logger keeps the processors it has; nothing is configured. It is called in a thread; what
    `structlog.contextvars` holds where a call is made comes with the events of that call. Where
    the logger says which levels it is enabled for, no work is done for the others.

    Args:
        logger: the logger, `structlog.get_logger()` or one of `structlog.stdlib`.
        capacity: how many events may wait for it.

    Example:
        >>> import structlog
        >>> from understudy import Event, LoggerSink
        >>> sink = LoggerSink(structlog.get_logger())
        >>> with structlog.testing.capture_logs() as told:
        ...     _ = sink.put(Event(v=1, ts=0.5, event="branch.shed", level="warning", seq=1, pid=1))
        ...     _ = sink.close(5.0)
        >>> told[0]["log_level"], told[0]["event"], told[0]["seq"]
        ('warning', 'branch.shed', 1)
    """

    def __init__(self, logger: Any, *, capacity: int = 8192) -> None:
        self._logger = self._bound = logger
        self._is_enabled: dict[str, bool] = {}
        super().__init__("a logger", capacity)

    def _deal_with(self, events: list[Event], news: int) -> list[bool]:
        self._bound = _bound(self._logger)
        self._is_enabled = {level: _is_enabled(self._bound, level) for level in _LEVELS}
        return super()._deal_with(events, news)

    def _tell(self, event: Event) -> object:
        if not self._is_enabled.get(event.level, True):
            return None
        fields = fields_of(event)
        method = fields.pop("level")
        return getattr(self._bound, method)(fields.pop("event"), **fields)


_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def _bound(logger: Any) -> Any:
    """Return a logger as it is configured now; one whose methods are async has one that is not."""
    if hasattr(cast("Any", type(logger)), "sync_bl"):
        return logger.sync_bl
    with suppress(Exception):  # it is found out again when it is told something
        try:
            bound = logger.bind()
        except RuntimeError:  # it is one of those, and wants to be made on a loop
            bound = asyncio.run(_bind(logger))
        return bound.sync_bl if hasattr(cast("Any", type(bound)), "sync_bl") else bound
    return logger


async def _bind(logger: Any) -> Any:
    return logger.bind()


def _is_enabled(logger: Any, level: str) -> bool:
    """Whether a logger takes events of a level; one that does not say so does."""
    for name in ("is_enabled_for", "isEnabledFor"):
        ask = getattr(logger, name, None) if hasattr(cast("Any", type(logger)), name) else None
        if ask is not None:
            with suppress(Exception):  # what it writes to has no levels
                return bool(ask(_LEVELS[level]))
    return True


@final
class CallableSink(_OneByOne):
    """Calls a function with each event, one at a time, in a thread.

    Args:
        function: a plain function; an event that it raises for counts as dropped.
        capacity: how many events may wait for it.

    Example:
        >>> from understudy import CallableSink, Event
        >>> told: list[Event] = []
        >>> sink = CallableSink(told.append)
        >>> _ = sink.put(Event(v=1, ts=0.5, event="branch.shed", level="warning", seq=1, pid=1))
        >>> sink.close(5.0), told[0].event
        (True, 'branch.shed')
    """

    def __init__(self, function: Callable[[Event], object], *, capacity: int = 8192) -> None:
        self._function = function
        name = getattr(function, "__name__", type(function).__name__)
        super().__init__(name, capacity)

    def _tell(self, event: Event) -> object:
        return self._function(event)


def as_sinks(events: Any) -> list[Sink]:
    """Return the sinks that `Runtime(events=...)` names.

    Args:
        events: None, a path, a structlog logger, a function, a sink, or a list or tuple of them.

    Raises:
        EventsError: it is something else.

    Example:
        >>> from understudy._sinks import as_sinks
        >>> [type(sink).__name__ for sink in as_sinks(["events.jsonl", print])]
        ['FileSink', 'CallableSink']
    """
    if events is None:
        return []
    if isinstance(events, list | tuple):
        several = cast("list[Any] | tuple[Any, ...]", events)
        return [sink for each in several for sink in as_sinks(each)]
    return [_as_sink(events)]


def _as_sink(value: Any) -> Sink:
    kind = cast("type[Any]", type(value))
    if isinstance(value, str | os.PathLike):
        return _as_file(os.fspath(cast("str | os.PathLike[str]", value)))
    if all(callable(getattr(kind, name, None)) for name in ("bind", "unbind", "new")):
        return LoggerSink(value)  # before the rest: some loggers have a method of every name
    if isinstance(value, type):
        raise _no_sink(value, f"an instance of {value.__name__}, not the class")
    if isinstance(value, Sink):
        return value
    if inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(kind.__call__):
        raise _no_sink(value, "a plain function: it is called in a thread, without a loop")
    if callable(value):
        return CallableSink(value)
    if hasattr(value, "getEffectiveLevel"):
        raise _no_sink(value, "structlog.stdlib.get_logger() instead of a logger of logging")
    raise _no_sink(value)


def _as_file(path: str) -> FileSink:
    if not isinstance(path, str):  # pyright: ignore[reportUnnecessaryIsInstance]  bytes are paths
        raise _no_sink(path)
    if not path or "\0" in path or Path(path).is_dir():
        raise _no_sink(path, f"the path of a file, not {path!r}")
    return FileSink(path)


def _no_sink(value: object, wanted: str | None = None) -> EventsError:
    others = "None, a path, a structlog logger, a function, a sink, or a list of them"
    return EventsError(f"events={type(value).__name__}: give {wanted or others}")
