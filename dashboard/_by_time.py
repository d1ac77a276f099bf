"""By time: the lines of several logs, put together as what they tell of happened."""

import re
from collections.abc import Callable, Sequence
from typing import Final, final

from ._lines import read_line

_MANY: Final = 1_000
"""Who gives so many lines at once is likely to have more."""
_LONG_AGO: Final = float("-inf")
_TIME: Final = re.compile(rb'\{"v":\d+,"ts":(\d+(?:\.\d+)?)[,}]')
"""How the lines of a runtime begin: to read them whole for that would take twice as long."""


@final
class ByTime:
    r"""Puts lines of several logs in the order of their times, also if one is much the longer.

    What a log tells waits while another one has much to tell of the time before it; never for lines
    that are still to be written.

    Args:
        sources: each gives the next lines of a log; none if there are no more just now.

    Example:
        >>> from understudy.dashboard._by_time import ByTime
        >>> one = iter([[b'{"v":1,"ts":1.0}', b'{"v":1,"ts":3.0}']])
        >>> two = iter([[b'{"v":1,"ts":2.0}']])
        >>> ByTime([lambda: next(one, []), lambda: next(two, [])]).read()
        [b'{"v":1,"ts":1.0}', b'{"v":1,"ts":2.0}', b'{"v":1,"ts":3.0}']
    """

    def __init__(self, sources: Sequence[Callable[[], list[bytes]]]) -> None:
        self._sources = sources
        self._waiting: list[list[tuple[float, bytes]]] = [[] for _ in sources]
        self._last = [_LONG_AGO for _ in sources]

    def read(self) -> list[bytes]:
        """Return the next lines; none if there are no more just now."""
        if len(self._sources) == 1:
            return self._sources[0]()
        until = float("inf")
        for place, source in enumerate(self._sources):
            if not self._waiting[place]:
                lines = self._timed(place, source())
                self._waiting[place] = lines
                if len(lines) >= _MANY:
                    until = min(until, max(ts for ts, _ in lines))
        found: list[tuple[float, bytes]] = []
        for place, lines in enumerate(self._waiting):
            found += [each for each in lines if each[0] <= until]
            self._waiting[place] = [each for each in lines if each[0] > until]
        found.sort(key=lambda each: each[0])
        return [line for _, line in found]

    def _timed(self, place: int, lines: list[bytes]) -> list[tuple[float, bytes]]:
        """Return lines with their times; that of the one before, if one does not tell."""
        found: list[tuple[float, bytes]] = []
        ts = self._last[place]
        for line in lines:
            ts = _time_of(line, ts)
            found.append((ts, line))
        self._last[place] = ts
        return found


def _time_of(line: bytes, before: float) -> float:
    told = _TIME.match(line)
    if told is not None:
        return float(told[1])
    known = read_line(line)
    return before if known is None else known.event.ts
