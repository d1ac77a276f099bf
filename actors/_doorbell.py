"""The Doorbell: how a thread that has nothing to do is woken by another one."""

import os
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import final


@final
class Doorbell:
    """Wakes a thread that waits; one that waits only after it was rung goes on at once.

    It is a pipe, as writing to one lets go of the interpreter meanwhile, so that who is woken has
    it at once. A lock is released with the interpreter held: who is woken by that waits again, for
    the interpreter, and threads are switched three times instead of once.

    Where no pipe can be opened, it is a queue, which is slower.

    Attributes:
        ring: wakes the thread, from any other.
        wait: waits until it is rung.

    Example:
        >>> from understudy.actors import Doorbell
        >>> doorbell = Doorbell()
        >>> doorbell.open()
        >>> _ = doorbell.ring()
        >>> _ = doorbell.wait()  # it was rung already
        >>> doorbell.close()
    """

    __slots__ = ("_ends", "ring", "wait")

    ring: Callable[[], object]
    wait: Callable[[], object]

    def __init__(self) -> None:
        self._ends: tuple[int, ...] = ()
        self._be_a_queue()

    @property
    def is_pipe(self) -> bool:
        """Whether it is a pipe, and no queue."""
        return bool(self._ends)

    def _be_a_queue(self) -> None:
        queue = SimpleQueue[None]()
        self.ring, self.wait = partial(queue.put, None), queue.get

    def open(self) -> None:
        """Open the pipe, before anybody waits."""
        try:
            out, into = self._ends = os.pipe()
        except OSError:  # too many files are open
            return
        self.ring, self.wait = partial(os.write, into, b"\0"), partial(os.read, out, 1)

    def close(self) -> None:
        """Close the pipe; nobody rings or waits any more."""
        ends, self._ends = self._ends, ()
        self._be_a_queue()
        for end in ends:
            os.close(end)

    def __del__(self) -> None:
        self.close()
