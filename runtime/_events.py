"""The Emitter: makes events of what happens in a runtime, and hands them to the sinks."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol, TypeGuard, final

from understudy.actors import Note, Notes, error_in_words
from understudy.configs import UnderstudyError
from understudy.events import Event

from ._context import look_around
from ._noted import Stamps, count_events, events_of
from ._outlet import begin_again_after_fork
from ._shown import Shown

_ROOM: Final = 16_384
"""How many notes may gather before whoever takes one has to make events of some himself."""
_SHARE: Final = 4
"""When one note in so many of those that there is room for is there, the sinks are to hurry."""
_OFTEN: Final = 1.0
"""How many seconds are between two samples, at least."""
_SOME: Final = 64
"""How many that are: it holds him up."""


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


class Fetches(Takes, Protocol):
    """A sink that comes for the events: then none is made until it does."""

    @property
    def room(self) -> int:
        """How many notes may gather meanwhile."""
        ...

    def expect(self, source: "Emitter", /) -> None:
        """Come for what there is, in a moment and again, until there is nothing."""
        ...

    def put_all(self, events: list[Event], /) -> object:
        """Take events; neither wait nor raise."""
        ...


def _fetches(sink: Takes) -> TypeGuard[Fetches]:
    """Whether a sink comes for events, by its class: one that stands for another hands on `put`."""
    return all(hasattr(type(sink), name) for name in ("room", "expect", "put_all"))


@final
class Emitter:
    """Makes events of what happens in one runtime, stamps them, and hands them to the sinks.

    It may be called from any thread. What happens is only put down, in its order; as soon as all
    sinks come for events by themselves, they are made when one of them does. A sink that does not
    is handed each at once; then threads that tell something at the same moment may reach it in
    another order than that of their numbers. A forked child counts from 1, as its pid is another.

    Args:
        sinks: where the events go.
        service: the name of the service.
        runtime_id: the id of the runtime.
        clock: tells the time, in nanoseconds.
        shown: makes of data what is shown of it.

    Attributes:
        notes: where the actors put down what becomes of their branches.
        samples: returns the samples to be told, each a name and its fields; None if there are none.

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

    __slots__ = (
        "__weakref__",
        "_clock",
        "_is_at_it",
        "_lock",
        "_many",
        "_next_sample",
        "_room",
        "_sinks",
        "_stamps",
        "dropped",
        "notes",
        "samples",
    )

    def __init__(
        self,
        sinks: Sequence[Takes],
        service: str | None,
        runtime_id: str,
        clock: Callable[[], int] = time.perf_counter_ns,
        shown: Shown | None = None,
    ) -> None:
        self._sinks = tuple(sinks)
        self._clock = clock
        self._stamps = Stamps(service, runtime_id, clock, shown or Shown(None))
        rooms = [sink.room if _fetches(sink) else 0 for sink in sinks]
        self._room = min(_ROOM, *rooms) if rooms and all(rooms) else 0
        self._many = max(1, self._room // _SHARE)
        attend = self._attend if self._room else self._hand_over_at_once
        self.notes: Notes = Notes(attend, look_around)
        self.samples: Callable[[], Iterable[tuple[str, dict[str, Any]]]] | None = None
        self.begin()
        begin_again_after_fork(self)

    def add(self, sink: Takes) -> None:
        """Hand the events to one more sink from now on; it comes for them by itself."""
        assert _fetches(sink)
        with self._lock:
            while self._room and self.notes.pad:  # what was before is none of its
                self.hand_over()
            self._sinks = (*self._sinks, sink)
            self._room = min(self._room, sink.room)
            self._many = max(1, self._room // _SHARE)
        if self._room:
            sink.expect(self)  # the others may have been told already, and in no hurry

    def begin(self) -> None:
        """Count from the start, with nothing to tell: when it is made, and in a forked child."""
        self._lock = threading.RLock()
        self._is_at_it = False
        self._stamps.begin()
        self._next_sample = time.monotonic() + _OFTEN
        self.notes.pad.clear()
        self.notes.most = 0
        self.dropped = 0
        """How many events could not be made, or not be handed to a sink, as it raised."""

    def __call__(self, name: str, /, **fields: Any) -> None:
        """Tell one event. A field that is unknown is left out, `error` is an exception."""
        error = fields.pop("error", None)
        if error is not None:
            fields |= error_in_words(error)
        self.notes.put(("said", self._clock(), name, fields))

    def hand_over(self, most: int | None = None) -> bool:
        """Make events of the notes, and hand them to the sinks; False if there were none.

        After that, whoever takes the next note tells the sinks to come.
        """
        with self._lock:
            if self._is_at_it:  # a finalizer, in the midst of it: it is asked again
                return True
            self._is_at_it = True
            try:
                return self._hand_over(most)
            finally:
                self._is_at_it = False

    def _hand_over(self, most: int | None) -> bool:
        notes = self.notes
        if most is None:  # not where somebody has better things to do
            self._sample()
        if not notes.pad:
            notes.most = 0
        if not notes.pad:  # asked again: one who came in between may have seen the old `most`
            return False
        notes.most = self._many
        count = len(notes.pad) if most is None else min(most, len(notes.pad))
        events = self._made_of([notes.pad.popleft() for _ in range(count)])
        for sink in self._sinks:
            assert _fetches(sink)
            sink.put_all(events)
        return True

    def _sample(self) -> None:
        """Take samples, in the thread that is awake anyway; once a second is enough."""
        now = time.monotonic()
        if self.samples is None or now < self._next_sample:
            return
        self._next_sample = now + _OFTEN
        try:
            samples = [*self.samples()]
        except Exception:  # what is looked at changes meanwhile
            return
        self.notes.pad.extend(("said", self._clock(), *each) for each in samples)

    def _attend(self) -> None:
        """Have the sinks come for the first note; at once if there are many; do some of it here."""
        notes = self.notes
        if notes.most < self._room:
            notes.most = self._room if notes.most else self._many
            for sink in self._sinks:
                assert _fetches(sink)
                sink.expect(self)
        elif self._lock.acquire(blocking=False):  # or somebody is at it right now
            try:
                self.hand_over(_SOME)
            finally:
                self._lock.release()

    def _hand_over_at_once(self) -> None:
        pad = self.notes.pad
        while pad:
            try:
                note = pad.popleft()
            except IndexError:  # another thread took it
                return
            for event in self._made_of([note]):
                for sink in self._sinks:
                    try:
                        sink.put(event)
                    except KeyboardInterrupt:  # it came from outside
                        raise
                    except BaseException:
                        self._lose(1)

    def _made_of(self, notes: list[Note]) -> list[Event]:
        try:
            return events_of(notes, self._stamps)
        except BaseException as problem:
            self._lose(count_events(notes))
            if isinstance(problem, Exception):  # whatever: the caller may have a call to answer
                return []
            raise  # Ctrl-C

    def _lose(self, count: int) -> None:
        with self._lock:
            self.dropped += count
