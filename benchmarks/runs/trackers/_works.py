"""What each tracker does, and how much of it."""

from collections.abc import Mapping
from typing import Final

import msgspec

TIMED: Final[Mapping[str, str]] = {
    "run": "a run, begun and ended",
    "point": "a point",
    "point_of_ten": "a point of ten keys",
    "parameter": "a parameter",
    "file": "a file of 10 MB",
    "read": "100,000 points read back",
}
"""What is timed, in a process that has recorded before, but for `IMPORT`."""
IMPORT: Final = "import"


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """How much each of them does."""

    runs: int = 2
    points: int = 4_000
    parameters: int = 20
    files: int = 2
    size: int = 10_000_000
    """Of a file, in bytes."""
    history: int = 100_000
    """How many points are read back."""
    kills: int = 4
    """How often each is killed."""
    rate: float = 200.0
    """How many points a second it logs until then."""
    lives: tuple[float, float] = (1.0, 7.0)
    """How many seconds it lives, from its first point: from, to."""
    starts: int = 3
    """How often four processes begin at once."""
    points_of_each: int = 200
    """How many points each of them logs."""
    patience: float = 240.0
    """After how many seconds no further round of the timed work begins."""


QUICK: Final = Load(
    runs=1,
    points=5,
    parameters=2,
    files=1,
    size=10_000,
    history=50,
    kills=1,
    lives=(0.05, 0.05),
    starts=1,
    points_of_each=5,
)


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What one operation took, in seconds."""

    waits: float
    """How long its caller waited for it."""
    cpu: float
    """All threads of the process, up to the end of the run: what was deferred is in it."""
