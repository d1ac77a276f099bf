"""The circuit of a case: one that keeps failing as a shadow is not played for a while."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, final

import msgspec

from ._named import NamedMeta


class CircuitState(StrEnum):
    """Closed: it plays. Open: it is skipped. Half-open: one is tried.

    Example:
        >>> from understudy.actors import CircuitState
        >>> print(CircuitState.HALF_OPEN)
        half_open
    """

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker(msgspec.Struct, metaclass=NamedMeta, frozen=True):
    """When a case that fails as a shadow is given a rest, and for how long.

    Attributes:
        failures: how many in a row open the circuit.
        cooldown: after how many seconds one more is tried.

    Example:
        >>> from understudy.actors import CircuitBreaker
        >>> CircuitBreaker(failures=3, cooldown=60.0).failures
        3
        >>> CircuitBreaker(failures=0)
        Traceback (most recent call last):
        ...
        ValueError: CircuitBreaker: failures must be a whole number from 1 on, not 0
    """

    failures: int = 10
    cooldown: float = 30.0

    def __post_init__(self) -> None:
        failures: Any = self.failures
        cooldown: Any = self.cooldown
        if not isinstance(failures, int) or isinstance(failures, bool) or failures < 1:
            problem = f"failures must be a whole number from 1 on, not {failures!r}"
            raise ValueError(f"CircuitBreaker: {problem}")
        is_number = isinstance(cooldown, int | float) and not isinstance(cooldown, bool)
        if not is_number or not cooldown >= 0:
            problem = f"cooldown must be a number of seconds from 0 on, not {cooldown!r}"
            raise ValueError(f"CircuitBreaker: {problem}")


@final
class Circuit:
    """The state of one circuit.

    Whoever is let through notes the `turn` the circuit was in, and says it at the end: one that
    began before the circuit turned tells nothing of how it goes now.

    Args:
        breaker: when it opens, and for how long.
        clock: tells the time, in nanoseconds.
        tell: is told each new state.

    Example:
        >>> from understudy.actors import Circuit, CircuitBreaker
        >>> circuit = Circuit(CircuitBreaker(failures=1), lambda: 0, print)
        >>> circuit.failed(circuit.turn)
        open
        >>> circuit.lets_through()
        False
    """

    __slots__ = (
        "_breaker",
        "_clock",
        "_failures",
        "_is_trying",
        "_opened",
        "_tell",
        "state",
        "turn",
    )

    def __init__(
        self,
        breaker: CircuitBreaker,
        clock: Callable[[], int],
        tell: Callable[[CircuitState], object],
    ) -> None:
        self.state: CircuitState = CircuitState.CLOSED
        self.turn: int = 0
        self._breaker = breaker
        self._clock = clock
        self._tell = tell
        self._failures = 0
        self._opened = 0
        self._is_trying = False

    def lets_through(self) -> bool:
        """Whether the next one may play; each that does must end in one of the three below."""
        if self.state is CircuitState.CLOSED:
            return True
        if self.state is CircuitState.OPEN:
            if self._clock() - self._opened < self._breaker.cooldown * 1e9:
                return False
            self._turn(CircuitState.HALF_OPEN)
        if self._is_trying:
            return False
        self._is_trying = True
        return True

    def succeeded(self, turn: int) -> None:
        """Count one that went well."""
        if turn != self.turn:
            return
        self._failures = 0
        if self._is_trying:
            self._is_trying = False
            self._turn(CircuitState.CLOSED)

    def failed(self, turn: int) -> None:
        """Count one that failed."""
        if turn != self.turn:
            return
        self._failures += 1
        was_tried, self._is_trying = self._is_trying, False
        if was_tried or self._failures >= self._breaker.failures:
            self._opened = self._clock()
            self._turn(CircuitState.OPEN)

    def ended_otherwise(self, turn: int) -> None:
        """Count one that tells nothing: it was cancelled, or never played."""
        if turn == self.turn:
            self._is_trying = False

    def _turn(self, state: CircuitState) -> None:
        self.state = state
        self.turn += 1
        self._tell(state)
