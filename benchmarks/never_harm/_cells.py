"""What is measured: each library, with each misdeed of a shadow, in each way of calling."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec

Way = Literal["async", "sync", "awaited"]
"""How the lead is called: awaited on a loop; called by a pool of threads; a sync function awaited
on a loop, out of the loop's way."""

WAYS: Final[Mapping[Way, str]] = {
    "async": "async functions, awaited on a loop",
    "sync": "sync functions, called by a pool of threads",
    "awaited": "sync functions, awaited on a loop",
}

NOTHING: Final = "nothing"
CASES: Final[Mapping[str, str]] = {
    NOTHING: "no shadow here either",
    "raises": "raises",
    "hangs": "hangs",
    "slow": "is 100 times slower",
    "large": "returns 10 MB",
    "exits": "calls sys.exit",
    "allocates": "allocates without end",
    "burns": "burns CPU in a thread",
    "blocks": "blocks the loop",
}

SINKS: Final[Mapping[str, str]] = {
    "file": "writes to a file",
    "full": "writes to a full disk",
    "closed": "writes to a pipe that is closed",
    "unread": "writes to a pipe that nobody reads",
    "raises": "calls a function that raises",
    "hangs": "calls a function that hangs",
}
"""What may become of a sink that events go to: of all libraries only ours has them."""

APART: Final[Mapping[str, str]] = {
    NOTHING: "a control: what differs is the noise of the machine",
    "burns": "not promised: threads share one interpreter",
    "blocks": "not promised, and a control: this harness must see the harm",
}
"""The cases for which no promise is made, and why they are there."""

LIBRARIES: Final = ("understudy", "spearmint", "laboratory", "by_hand")
TITLES: Final = {
    "understudy": "understudy",
    "spearmint": "Spearmint",
    "laboratory": "laboratory",
    "by_hand": "by hand",
}

_CANNOT: Final[Mapping[tuple[str, Way], str]] = {
    ("spearmint", "awaited"): "has no call for it: a sync function blocks the loop that calls it",
    ("laboratory", "async"): "calls the functions and awaits nothing: all comes back unplayed",
    ("laboratory", "awaited"): "has no call for it: a sync function blocks the loop that calls it",
}


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One of them, and the load it is put under."""

    library: str
    way: Way
    case: str
    rounds: int
    seconds: float
    """How long requests arrive in one phase; a round is one phase with the shadow, one without."""
    rate: float
    """How many requests arrive in a second."""
    memory: int
    """How many bytes the process may come to have on top of what it begins with."""
    sink: str = ""
    """What becomes of the sink in the phases that have one in place of a shadow; if any have."""


def why_not(library: str, way: Way) -> str:
    """Return why a library cannot do that; nothing if it can."""
    return _CANNOT.get((library, way), "")


def cells(
    *,
    rounds: int,
    seconds: float,
    rate: float,
    memory: int,
    libraries: tuple[str, ...] = LIBRARIES,
    ways: tuple[Way, ...] = ("async", "sync", "awaited"),
    cases: tuple[str, ...] = tuple(CASES),
) -> Iterator[Cell]:
    """Yield what can be measured of that, the libraries side by side."""
    for way in ways:
        for case in cases:
            if case == "blocks" and way != "async":
                continue  # a sync function that blocks is one that is slow
            for library in libraries:
                if not why_not(library, way):
                    yield Cell(
                        library=library,
                        way=way,
                        case=case,
                        rounds=rounds,
                        seconds=seconds,
                        rate=rate,
                        memory=memory,
                    )


def cells_of_sinks(
    *,
    rounds: int,
    seconds: float,
    rate: float,
    memory: int,
    ways: tuple[Way, ...] = ("async", "sync", "awaited"),
    sinks: tuple[str, ...] = tuple(SINKS),
) -> Iterator[Cell]:
    """Yield what can be measured of sinks."""
    for way in ways:
        for sink in sinks:
            yield Cell(
                library="understudy",
                way=way,
                case=NOTHING,
                rounds=rounds,
                seconds=seconds,
                rate=rate,
                memory=memory,
                sink=sink,
            )
