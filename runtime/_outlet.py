"""The Outlet: hands things over from any thread to one of its own, and never lets anybody wait."""

import atexit
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import Context
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from ._sources import Source, Sources

T = TypeVar("T")

_AT_EXIT: Final = 5.0
"""How many seconds the interpreter waits, when it ends, for what is still buffered."""
_RETRY: Final = 0.1
"""After how many seconds a thread that could not be started is tried again."""
_SETTLED: Final = 1.1
"""After how many seconds without work the sources are asked once more, for what has settled."""
_GOODBYE: Final = 0.05
"""How many seconds a thread with nothing left to do is given to end."""


class Counts(NamedTuple):
    """What became of all that was put: offered = accepted + dropped, at any moment.

    And accepted = consumed + buffered. What was accepted first and lost later, because the
    consumer hung or could not use it, moves from accepted to dropped; and back, if it was given up
    and the consumer deals with it in the end.
    """

    offered: int
    accepted: int
    consumed: int
    buffered: int
    dropped: int


class Outlet(Generic[T]):
    """A bounded buffer, and a thread that empties it in batches.

    The thread starts at the first `put`, sleeps while there is nothing to do, and ends after a
    long rest; the next `put` starts it again, after `close` too. It is a daemon, so that a
    consumer that hangs never keeps the interpreter from ending. At most one call of the consumer
    is ever under way. A forked child begins with an empty buffer: the rest is its parent's.

    Args:
        name: the name of the thread.
        consume: is called in the thread with each batch, in a context of its own; it may return
            how many of the batch it could not use.
        capacity: how many things may wait; what comes on top is dropped and counted.
        batch: how many things are handed over at once, at most.
        delay: how many seconds a batch may take to gather, so that the thread, which competes
            with everybody for the interpreter, wakes up seldom.
        linger: after how many seconds without work the thread ends.
        rest: is called in the thread before it ends.

    Example:
        >>> from understudy._outlet import Outlet
        >>> greetings: list[str] = []
        >>> outlet = Outlet("greetings", greetings.extend)
        >>> outlet.put("hello"), outlet.put("world")
        (True, True)
        >>> outlet.close(5.0), greetings
        (True, ['hello', 'world'])
        >>> outlet.counts()
        Counts(offered=2, accepted=2, consumed=2, buffered=0, dropped=0)
    """

    def __init__(
        self,
        name: str,
        consume: Callable[[list[T]], int | None],
        capacity: int = 8192,
        *,
        batch: int = 512,
        delay: float = 0.01,
        linger: float = 30.0,
        rest: Callable[[], object] | None = None,
    ) -> None:
        self.name = name
        self.capacity = capacity
        self._consume = consume
        self._batch = max(1, min(batch, capacity))
        self._delay = delay
        self._linger = linger
        self._rest = rest
        self.begin()
        begin_again_after_fork(self)
        _OUTLETS[id(self)] = self

    def begin(self) -> None:
        """Start afresh: when it is made, and in a forked child, where the thread is gone.

        The locks are new too: a thread that is gone may have held the old ones. The lock can be
        taken twice by one thread, as a finalizer or a signal handler may `put` in the midst of
        anything, a `put` included.
        """
        self._lock = threading.RLock()
        self._done = threading.Condition(self._lock)
        self._bell = threading.Lock()
        self._bell.acquire()
        self._wakes_at = 0  # how many things wake the thread; 0 while it is awake
        self._thread: threading.Thread | None = None
        self._next_try = 0.0
        self._is_closing = False
        self._is_retired = False
        self._flushing = 0
        self._queue: deque[T] = deque()
        self._in_hand: tuple[T, ...] = ()
        self._used = 0  # of what is in hand: so many are dealt with
        self._given_up: tuple[T, ...] | None = None
        self._sources = Sources()
        self._offered = self._refused = self._lost = self._consumed = self._abandoned = 0
        self.failures = 0
        """How often the consumer raised; its batch counts as consumed."""
        self.last_error: BaseException | None = None

    def put(self, item: T) -> bool:
        """Hand something over, or drop it if the buffer is full; neither waits nor raises."""
        with self._lock:
            self._offered += 1
            self._is_closing = self._is_retired
            is_taken = len(self._queue) < self.capacity
            if is_taken:
                self._queue.append(item)
            else:
                self._refused += 1
            if self._wakes_at and len(self._queue) >= self._wakes_at:
                self._ring()
            thread = self._needed_thread()
        if thread is not None:
            self._start(thread)
        return is_taken

    def put_all(self, items: Sequence[T]) -> None:
        """Hand over several things at once, as far as there is room for them."""
        with self._lock:
            room = max(0, self.capacity - len(self._queue))
            self._offered += len(items)
            self._refused += max(0, len(items) - room)
            self._is_closing = self._is_retired
            self._queue.extend(items if len(items) <= room else items[:room])
            if self._wakes_at and len(self._queue) >= self._wakes_at:
                self._ring()
            thread = self._needed_thread()
        if thread is not None:
            self._start(thread)

    def expect(self, source: Source) -> None:
        """Have the thread ask a source for things, until it has none; neither waits nor raises.

        It asks when `delay` has passed; at once, if it is told again meanwhile.
        """
        with self._lock:
            self._sources.add(source)
            self._is_closing = self._is_retired
            self._ring()
            thread = self._needed_thread()
        if thread is not None:
            self._start(thread)

    def fetch(self) -> None:
        """Have all sources put what they have, in this thread."""
        if self._sources:
            self._sources.fetch()

    def dealt(self, is_used: bool) -> bool:
        """Be told by the consumer, if it takes one at a time, that it has dealt with the next.

        Returns:
            False if the batch was given up meanwhile: the rest counts as dropped, and is left.
        """
        with self._lock:
            if not self._in_hand:
                return False
            self._used += is_used
            return True

    @property
    def dropped(self) -> int:
        """How many were dropped: the buffer was full, the consumer hung or could not use them."""
        return self._refused + self._lost

    def counts(self) -> Counts:
        """Return what became of everything until now."""
        with self._lock:
            buffered = len(self._queue) + len(self._in_hand)
            dropped = self._refused + self._lost
            return Counts(self._offered, self._offered - dropped, self._consumed, buffered, dropped)

    def flush(self, timeout: float) -> bool:
        """Wait until everything put before is consumed; False if it is not, in that time."""
        self.fetch()
        with self._lock:
            thread = self._needed_thread()
        if thread is not None:
            self._start(thread)
        with self._lock:
            if not self._queue and not self._in_hand:
                return True
            if self._thread in (None, threading.current_thread()):  # nobody would end the wait
                return False
            abandoned, goal = self._abandoned, self._offered - self._refused
            self._flushing += 1
            self._ring()
            try:
                is_done = self._done.wait_for(
                    lambda: self._ended() >= goal or self._abandoned > abandoned, max(0.0, timeout)
                )
            finally:
                self._flushing -= 1
            return is_done and self._abandoned == abandoned

    def close(self, timeout: float) -> bool:
        """Consume what there is and end the thread; a later `put` starts it again.

        Returns:
            False if the consumer hangs: it is left behind, and everything that waits for it is
            dropped and counted. False too in the thread itself, which goes on to the end.
        """
        deadline = time.monotonic() + timeout
        is_flushed = self.flush(timeout)
        lost: tuple[object, ...] = ()
        with self._lock:
            thread = self._thread
            is_inside = thread is threading.current_thread()
            if not is_flushed and not is_inside:
                lost = self._abandon()
            if thread is not None:
                self._is_closing = True
                self._ring()
        del lost  # not under the lock: things may have finalizers
        if thread is not None and is_flushed and not is_inside:
            self._await_end(thread, max(_GOODBYE, deadline - time.monotonic()))
        return is_flushed

    def retire(self) -> None:
        """Have the thread end when it has consumed what there is; do not wait for that.

        What is put later, by one who did not know yet, is consumed too, and keeps no thread.
        """
        with self._lock:
            self._is_retired = True
            if self._thread is not None:
                self._is_closing = True
                self._ring()

    def _await_end(self, thread: threading.Thread, timeout: float) -> None:
        """Wait until a thread with nothing to do has ended, unless somebody puts something."""
        with self._lock:
            self._done.wait_for(lambda: self._thread is not thread or not self._is_closing, timeout)
            has_ended = self._thread is not thread
        if has_ended:
            with suppress(RuntimeError):  # it never came to life
                thread.join(_GOODBYE)

    def _ring(self) -> None:
        if self._wakes_at:
            self._wakes_at = 0
            self._bell.release()

    def _ended(self) -> int:
        """How many things that were taken are no longer in here."""
        taken = self._offered - self._refused
        return taken - len(self._queue) - len(self._in_hand)

    def _abandon(self) -> tuple[object, ...]:
        queue, in_hand = self._queue, self._in_hand
        self._queue, self._in_hand = deque(), ()
        self._consumed += self._used
        self._lost += len(queue) + len(in_hand) - self._used
        self._given_up = in_hand or self._given_up
        self._abandoned += 1
        self._done.notify_all()
        return queue, in_hand

    def _needed_thread(self) -> threading.Thread | None:
        """Return a thread to be started, if there is work and none to do it."""
        is_idle = not self._queue and not self._sources
        if self._thread is not None or is_idle or time.monotonic() < self._next_try:
            return None
        if sys.is_finalizing():  # it would never begin, and whoever starts it would wait for that
            return None
        work = Context().run  # of nobody's context: the first to put is not special
        thread = threading.Thread(target=work, args=(self._run,), name=self.name, daemon=True)
        if self._thread is not None:  # a finalizer has put something meanwhile, and started one
            return None
        self._thread = thread
        return thread

    def _start(self, thread: threading.Thread) -> None:
        """Start a thread; not under the lock, as it may want it before it is there."""
        try:
            thread.start()
        except BaseException as problem:
            with self._lock:
                if self._thread is thread:
                    self._thread = None
                    self._next_try = time.monotonic() + _RETRY
                    self._done.notify_all()
            if not isinstance(problem, Exception):
                raise  # Ctrl-C, which is nobody's but the caller's

    def _run(self) -> None:
        me = threading.current_thread()
        while True:
            while batch := self._next_batch(me):
                self._hand_over(batch)
                del batch  # it may be large, and the rest long
            if self._rest is not None:
                with suppress(Exception):
                    self._rest()
            with self._lock:
                if self._thread is not me:
                    return
                if not self._queue and not self._sources:
                    self._thread = None
                    self._done.notify_all()
                    return

    def _next_batch(self, me: threading.Thread) -> tuple[T, ...]:
        """Wait for things and return them; none when it is time to end."""
        has_gathered = has_lingered = has_settled = False
        while True:
            if has_gathered or self._is_closing:
                self.fetch()
            with self._lock:
                waiting = len(self._queue)
                is_urgent = has_gathered or bool(self._flushing) or self._is_closing
                is_gathering = waiting > 0 or bool(self._sources)
                is_idle = not is_gathering and (has_lingered or self._is_closing)
                if self._thread is not me or is_idle:
                    return ()
                if waiting >= self._batch or (waiting and is_urgent):
                    size = min(waiting, self._batch)
                    self._in_hand = tuple([self._queue.popleft() for _ in range(size)])
                    self._used = 0
                    return self._in_hand
                self._wakes_at = self._batch if is_gathering else 1
                bell = self._bell
            pause = self._linger if has_settled else min(_SETTLED, self._linger)
            was_rung = bell.acquire(timeout=self._delay if is_gathering else pause)
            if not was_rung:
                with self._lock:
                    if self._wakes_at:
                        self._wakes_at = 0
                    else:  # it rang just now
                        bell.acquire()
                        was_rung = True
            has_gathered = is_gathering
            has_lingered = not is_gathering and not was_rung and has_settled
            if not is_gathering and not was_rung and not has_settled:
                has_settled = True
                self._sources.ask_all()

    def _hand_over(self, batch: tuple[T, ...]) -> None:
        unused: object = None
        error: BaseException | None = None
        size = len(batch)
        try:
            unused = self._consume([*batch])
        except BaseException as problem:  # SystemExit too: it would end nothing but this thread
            error = problem.with_traceback(None)  # which would keep the batch
        with self._lock:
            if error is not None:
                self.failures += 1
                self.last_error = error
            lost = max(0, min(unused, size)) if isinstance(unused, int) else 0
            if self._in_hand is not batch:  # it was given up, or we are in a forked child
                if self._given_up is batch and error is None:
                    late = max(0, size - lost - self._used)
                    self._lost -= late
                    self._consumed += late
                self._given_up = None
                return
            self._in_hand = ()
            self._lost += lost
            self._consumed += size - lost
            self._done.notify_all()


class Begins(Protocol):
    """What has to start afresh in a forked child."""

    def begin(self) -> None:
        """Start afresh."""
        ...


def begin_again_after_fork(each: Begins) -> None:
    """Have something start afresh in every forked child, as long as it lives."""
    _FORKED[id(each)] = each


_FORKED: Final = weakref.WeakValueDictionary[int, Begins]()
_OUTLETS: Final = weakref.WeakValueDictionary[int, Outlet[Any]]()


def _begin_in_child() -> None:
    for reference in _FORKED.valuerefs():  # a list of its own: nobody can change it meanwhile
        each = reference()
        if each is not None:
            each.begin()


def _close_all() -> None:
    """Write what is buffered before the interpreter ends, in a bounded time altogether."""
    deadline = time.monotonic() + _AT_EXIT
    outlets = [outlet for each in _OUTLETS.valuerefs() if (outlet := each()) is not None]
    for outlet in outlets:  # all begin at once: one that hangs takes nothing from the others
        outlet.flush(0.0)
    for outlet in outlets:
        outlet.close(max(0.0, deadline - time.monotonic()))


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_begin_in_child)
