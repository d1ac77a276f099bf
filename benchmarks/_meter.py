"""A Meter: a clock that only runs when it is told to, for what another process has measured."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, final

_ROOT: Final = Path(__file__).parents[1]


@final
class Meter:
    """Adds up what was measured; a case has it as its clock."""

    def __init__(self) -> None:
        self._amount = 0

    def add(self, amount: float) -> None:
        """Add so many nanoseconds, bytes, or whatever is counted."""
        self._amount += round(amount)

    def read(self) -> int:
        """Return what was added until now."""
        return self._amount


def told_by_process(module: str, *arguments: object) -> dict[str, Any]:
    """Run a module in a process of its own; return what it prints, as JSON."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=_ROOT, check=True, capture_output=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def metered(meter: Meter, measure: Callable[[], float]) -> Callable[[], None]:
    """Return a `run` that adds what `measure` returns to the meter."""

    def run() -> None:
        meter.add(measure())

    return run
