"""Rates: each key has a bucket of tokens, which fills up again as time goes by."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, final

_MOST: Final = 10_000
"""How many keys are remembered: beyond, the one that was asked for longest ago is forgotten."""


@final
class Rates:
    """So many requests a second for each key, and a few more at once.

    Args:
        rate: how many a second.
        burst: how many at once.
        clock: tells the seconds; it never goes back.

    Example:
        >>> from understudy.server._rates import Rates
        >>> rates = Rates(rate=1.0, burst=2, clock=lambda: 0.0)
        >>> [rates.take("a") for _ in range(3)], rates.take("b")
        ([0.0, 0.0, 1.0], 0.0)
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float]) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """Take one; return 0, or how many seconds it takes until there is one again."""
        now = self._clock()
        left, then = self._left.pop(key, (float(self._burst), now))
        left = min(float(self._burst), left + (now - then) * self._rate)
        wait = 0.0 if left >= 1.0 else (1.0 - left) / self._rate
        self._left[key] = (left - 1.0 if not wait else left, now)
        if len(self._left) > _MOST:
            self._left.popitem(last=False)
        return wait
