"""A Tracker: what records a run, in a few calls that all of them have."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

TEN: Final[Mapping[str, float]] = {f"key_{number}": 0.1 * number for number in range(10)}
"""Ten keys of a point."""


class Tracker:
    """Records runs into a folder, one after the other.

    Its calls are as its documentation says; an acknowledged point is one whose call has returned.
    """

    def begin(self, folder: Path, name: str) -> None:
        """Begin a run in the store that is in the folder."""
        raise NotImplementedError

    def end(self) -> None:
        """End the run; what was deferred is stored when this returns."""
        raise NotImplementedError

    def point(self, step: int) -> None:
        """Log one number."""
        raise NotImplementedError

    def point_of_ten(self, step: int) -> None:
        """Log ten numbers of one step."""
        raise NotImplementedError

    def parameter(self, name: str, value: int) -> None:
        """Set a parameter."""
        raise NotImplementedError

    def file(self, path: Path) -> None:
        """Keep a copy of a file."""
        raise NotImplementedError

    def fill(self, folder: Path, name: str, count: int) -> None:
        """Record a run of so many points, as fast as it can."""
        self.begin(folder, name)
        for step in range(count):
            self.point(step)
        self.end()

    def read(self, folder: Path, name: str) -> int:
        """Read the steps and values of all points of a run into memory, and count them."""
        raise NotImplementedError

    def stored(self, folder: Path) -> int:
        """Count the points of all runs in the store, also of those that did not end."""
        raise NotImplementedError
