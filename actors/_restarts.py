"""How often an actor may crash before it is given up: OTP's restart intensity."""

from collections import deque
from collections.abc import Callable
from typing import final


@final
class Restarts:
    """Counts crashes, and says when there were too many in too short a time.

    Args:
        most: how many crashes are forgiven.
        within: in how many seconds.
        clock: tells the time, in nanoseconds.

    Example:
        >>> from understudy.actors import Restarts
        >>> restarts = Restarts(most=1, within=5.0, clock=lambda: 0)
        >>> restarts.is_forgiven(), restarts.is_forgiven()
        (True, False)
    """

    __slots__ = ("_clock", "_times", "count", "most", "within")

    def __init__(self, most: int, within: float, clock: Callable[[], int]) -> None:
        self.most: int = most
        self.within: float = within
        self.count: int = 0
        self._clock = clock
        self._times: deque[int] = deque()

    def is_forgiven(self) -> bool:
        """Count a crash; False if it is one too many."""
        self.count += 1
        now = self._clock()
        oldest = now - int(self.within * 1e9)
        self._times.append(now)
        while self._times[0] < oldest:
            self._times.popleft()
        return len(self._times) <= self.most

    def forget(self) -> None:
        """Begin afresh: what crashed so far is forgiven."""
        self._times.clear()
