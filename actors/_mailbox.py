"""The Mailbox: who may run now, who waits, and in which order.

It is a number of permits and a FIFO of those who wait for one. A permit that is given back goes
straight to the head of the FIFO. It is never free in between, so nobody can push in front, and a
wake-up cannot be lost.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol, final

_FEW = 16
_ALL_PERMITS = 1 << 40
"""More permits than any mailbox has: taking them all away closes it."""


class Waiting(Protocol):
    """One who waits in a mailbox for a permit."""

    def admit(self) -> bool:
        """Take the permit; False if this one does not wait any more."""
        ...

    def refuse(self, error: BaseException) -> None:
        """Be sent away: there will be no permit."""
        ...

    @property
    def is_gone(self) -> bool:
        """Whether this one does not wait any more."""
        ...


class Mailbox:
    """Permits, and a FIFO of those who wait for one.

    Args:
        concurrency: how many may run at a time.
        capacity: how many may wait before the mailbox counts as full.

    Example:
        >>> from understudy.actors import Mailbox
        >>> mailbox = Mailbox(concurrency=1, capacity=8)
        >>> mailbox.take(), mailbox.take()
        (True, False)
        >>> mailbox.give_back()
        >>> mailbox.take()
        True
    """

    __slots__ = (
        "_queue",
        "capacity",
        "concurrency",
        "is_open",
        "most_waiting",
        "permits",
        "waiting",
    )

    def __init__(self, concurrency: int = 1, capacity: int = 1024) -> None:
        if concurrency < 1 or capacity < 0:
            raise ValueError(
                f"a mailbox lets one run at least, and none wait at least: "
                f"not concurrency={concurrency}, capacity={capacity}"
            )
        self.concurrency: int = concurrency
        self.capacity: int = capacity
        self.permits: int = concurrency
        self.is_open: bool = True
        self.waiting: int = 0
        self.most_waiting: int = 0
        self._queue: deque[Waiting] | None = None  # an empty deque is larger than all the rest

    @property
    def running(self) -> int:
        """How many hold a permit."""
        return self.concurrency - self.permits - (0 if self.is_open else _ALL_PERMITS)

    @property
    def is_full(self) -> bool:
        """Whether one more could neither run nor wait."""
        return self.waiting >= self.capacity and self.permits <= 0

    def take(self) -> bool:
        """Take a permit if there is one."""
        if self.permits > 0:
            self.permits -= 1
            return True
        return False

    def give_back(self) -> None:
        """Hand a permit on to the first who waits, or keep it for the next who comes."""
        if not (self.waiting and self.is_open and self._admit_first()):
            self.permits += 1

    def wait(self, entry: Waiting) -> None:
        """Queue up; whoever does is either admitted, or sent away by `clear`, or leaves."""
        if self._queue is None:
            self._queue = deque()
        self._queue.append(entry)
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)

    def leave(self) -> None:
        """Tell that one who waited does not any more; its entry says so of itself."""
        self.waiting -= 1
        queue = self._queue
        if queue and (not self.waiting or len(queue) > _FEW + 2 * self.waiting):
            self._queue = deque(entry for entry in queue if not entry.is_gone)

    def close(self) -> None:
        """Admit nobody any more, until opened again; those who wait go on waiting."""
        if self.is_open:
            self.is_open = False
            self.permits -= _ALL_PERMITS

    def open(self) -> None:
        """Admit again, those who waited first."""
        if not self.is_open:
            self.is_open = True
            self.permits += _ALL_PERMITS
        while self.permits > 0 and self._queue:
            self.permits -= 1
            if not self._admit_first():
                self.permits += 1

    def clear(self) -> list[Waiting]:
        """Send away all who wait, and return them in their order."""
        queue, self._queue = self._queue, None
        sent_away = [entry for entry in queue or () if not entry.is_gone]
        self.waiting -= len(sent_away)
        return sent_away

    def _admit_first(self) -> bool:
        queue = self._queue
        while queue:
            if queue.popleft().admit():
                self.waiting -= 1
                if not self.waiting:
                    queue.clear()  # those who are gone
                return True
        return False


@final
class SharedMailbox(Mailbox):
    """A mailbox that other threads take permits from; those who wait are admitted on the loop.

    Args:
        concurrency: how many may run at a time.
        capacity: how many may wait before the mailbox counts as full.
        lock: guards it.
    """

    __slots__ = ("_lock",)

    permits: int

    def __init__(self, concurrency: int, capacity: int, lock: "threading.RLock") -> None:
        super().__init__(concurrency, capacity)
        self._lock = lock

    def take(self) -> bool:
        """Take a permit if there is one."""
        with self._lock:
            return super().take()

    def give_back(self) -> None:
        """Hand a permit on to the first who waits, or keep it for the next who comes."""
        with self._lock:
            super().give_back()

    def hand_back(self, post: Callable[[Callable[[], None]], bool]) -> None:
        """Give a permit back from any thread; who waits for it gets it on the loop."""
        with self._lock:
            if not (self.waiting and post(self.give_back)):
                self.permits += 1

    def wait(self, entry: Waiting) -> None:
        """Queue up."""
        with self._lock:
            super().wait(entry)

    def leave(self) -> None:
        """Tell that one who waited does not any more."""
        with self._lock:
            super().leave()

    def close(self) -> None:
        """Admit nobody any more, until opened again."""
        with self._lock:
            super().close()

    def open(self) -> None:
        """Admit again, those who waited first."""
        with self._lock:
            super().open()

    def clear(self) -> list[Waiting]:
        """Send away all who wait."""
        with self._lock:
            return super().clear()
