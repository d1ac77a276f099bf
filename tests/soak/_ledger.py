"""The Ledger: what the program itself counted, to hold against what the runtime says."""

import asyncio
import threading
from collections import Counter
from typing import Any, final

from understudy import (
    ActorError,
    DeadlineExceeded,
    DeadlockError,
    ExperimentError,
    FunctionResult,
    MailboxFull,
)

EXPECTED = (
    ValueError,  # what our functions raise
    asyncio.CancelledError,
    DeadlineExceeded,
    DeadlockError,
    MailboxFull,
    ActorError,  # a drain stopped it, or waiting would have blocked the loop
    ExperimentError,  # a pin on a config that a reload took away
)


@final
class Ledger:
    """Counts calls, bodies and results; any thread may.

    Attributes:
        calls: the calls made, by what came of them.
        bodies: how often the bodies of experiments began, returned and raised, by experiment.
        told: the results that a subscriber was told, by experiment and status.
        surprises: errors that nobody may see.
    """

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.bodies: Counter[tuple[str, str]] = Counter()
        self.told: Counter[tuple[str, str]] = Counter()
        self.surprises: list[str] = []
        self._lock = threading.Lock()

    def began(self, experiment: str) -> None:
        """A body begins."""
        with self._lock:
            self.bodies[experiment, "began"] += 1

    def returned(self, experiment: str) -> None:
        """A body is about to return."""
        with self._lock:
            self.bodies[experiment, "returned"] += 1

    def called(self, load: str, error: BaseException | None) -> None:
        """A call is over."""
        with self._lock:
            self.calls["value" if error is None else type(error).__name__] += 1
            if error is not None and not isinstance(error, EXPECTED):
                self.surprises.append(f"{load}: {error!r}")

    def tell(self, result: FunctionResult[Any]) -> None:
        """A branch is over, as a subscriber is told."""
        with self._lock:
            self.told[result.experiment_case.experiment, result.status] += 1
