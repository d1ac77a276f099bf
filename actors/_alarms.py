"""The Alarms: one timer of the loop for the deadlines of all its branches.

A deadline rarely comes: nearly every branch ends before. So setting one and cancelling it have to
be cheap, and the loop is told of the earliest alone.
"""

import asyncio
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any, Final, final

import msgspec

_NEVER: Final = 1 << 63
_FEW: Final = 64


@final
class Alarm(msgspec.Struct, order=True):
    """Something to be done at a moment, unless it is cancelled first; the earliest sorts first.

    Attributes:
        moment: when, by the clock of the stage.
        number: which of those set so far it is.
        ring: what is to be done; None once that is over.
        subject: what it is done to.

    Example:
        >>> from understudy.actors import Alarm
        >>> Alarm(1, 2, print, "early") < Alarm(2, 1, print, "late")
        True
    """

    moment: int
    number: int
    ring: Callable[[Any], object] | None
    subject: Any

    def cancel(self) -> None:
        """Do nothing when the moment comes, and hold on to nothing until then."""
        self.ring = self.subject = None


@final
class Alarms:
    """Rings at many moments, with one timer, which is set for the earliest of them.

    An alarm that is cancelled stays, as an empty shell, until its moment, or until there are
    twice as many alarms as the last time that the empty ones were thrown away. The timer stays
    set, too, so that calls one after the other do not set it and cancel it each time.

    Args:
        loop: the loop.
        clock: tells the time, in nanoseconds.

    Example:
        >>> import asyncio, time
        >>> from understudy.actors import Alarms
        >>> async def main():
        ...     alarms = Alarms(asyncio.get_running_loop(), time.perf_counter_ns)
        ...     rung = asyncio.Event()
        ...     alarms.at(time.perf_counter_ns(), asyncio.Event.set, rung)
        ...     await rung.wait()
        ...     return len(alarms)
        >>> asyncio.run(main())
        0
    """

    __slots__ = ("_alarms", "_clock", "_count", "_loop", "_moment", "_most", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Callable[[], int]) -> None:
        self._loop = loop
        self._clock = clock
        self._alarms: list[Alarm] = []
        self._count = 0
        self._most = _FEW
        self._timer: asyncio.TimerHandle | None = None
        self._moment = _NEVER
        """When the timer goes off."""

    def at(self, moment: int, ring: Callable[[Any], object], subject: Any) -> Alarm:
        """Have something done to a subject at a moment; to be called on the loop."""
        self._count += 1
        alarm = Alarm(moment, self._count, ring, subject)
        if len(self._alarms) >= self._most:
            self._throw_away()
        heappush(self._alarms, alarm)
        if moment < self._moment:
            self._set_timer(moment)
        return alarm

    def __len__(self) -> int:
        return len(self._alarms)

    def rest(self) -> None:
        """Leave no timer behind where no alarm is left."""
        self._throw_away()
        if not self._alarms and self._timer is not None:
            self._timer.cancel()
            self._timer, self._moment = None, _NEVER

    def _throw_away(self) -> None:
        self._alarms = [alarm for alarm in self._alarms if alarm.ring is not None]
        heapify(self._alarms)
        self._most = max(_FEW, 2 * len(self._alarms))

    def _set_timer(self, moment: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._moment = moment
        self._timer = self._loop.call_later((moment - self._clock()) / 1e9, self._go_off)

    def _go_off(self) -> None:
        """Ring what is due; the timer and the clock need not agree on when that is."""
        due = max(self._moment, self._clock())
        self._timer, self._moment = None, _NEVER
        try:
            while self._alarms and self._alarms[0].moment <= due:
                alarm = heappop(self._alarms)
                ring, subject = alarm.ring, alarm.subject
                alarm.cancel()
                if ring is not None:
                    ring(subject)
        finally:
            while self._alarms and self._alarms[0].ring is None:
                heappop(self._alarms)
            if self._alarms and self._alarms[0].moment < self._moment:
                self._set_timer(self._alarms[0].moment)
