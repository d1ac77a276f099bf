"""One tracker at one piece of work, in a process of its own; it is started in an empty folder.

What it tells goes to the standard output it was started with; what the tracker prints goes nowhere.
"""

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter, process_time, sleep
from typing import Literal

import msgspec

from ._tracker import Tracker
from ._trackers import TRACKERS, Entry
from ._works import Load, Spent

STORE = Path("store")
HISTORY = "history"
_WARM = 5


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to do."""

    tracker: str
    work: Literal["record", "fill", "read", "live", "begin", "stored"]
    load: Load
    name: str = "run"


Timed = dict[str, Spent]


def main() -> None:
    """Do what the command line gives as JSON."""
    task = msgspec.json.decode(sys.argv[1], type=Task)
    told = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    entry = TRACKERS[task.tracker]
    tracker = entry.open()
    store = STORE.absolute()
    store.mkdir(exist_ok=True)
    load = task.load
    match task.work:
        case "record":
            _tell(told, _recorded(tracker, entry, store, load))
        case "fill":
            tracker.fill(store, HISTORY, load.history)
        case "read":
            _tell(told, {"read": _reading(tracker, store, load.history)})
        case "stored":
            _tell(told, tracker.stored(store))
        case "live":
            tracker.begin(store, task.name)
            _live(tracker, told, load.rate)
        case "begin":
            tracker.begin(store, task.name)
            for step in range(load.points_of_each):
                tracker.point(step)
                os.write(told, b".")
            tracker.end()


def _tell(told: int, found: object) -> None:
    os.write(told, msgspec.json.encode(found))


def _live(tracker: Tracker, told: int, rate: float) -> None:
    """Log points until somebody kills it; a dot is told of each that was acknowledged."""
    begun, step = perf_counter(), 0
    while True:
        tracker.point(step)
        os.write(told, b".")
        step += 1
        sleep(max(0.0, begun + step / rate - perf_counter()))


def _recorded(tracker: Tracker, entry: Entry, store: Path, load: Load) -> Timed:
    tracker.begin(store, "warm")
    for step in range(_WARM):
        tracker.point(step)
    tracker.end()

    def one_run(number: int) -> None:
        tracker.begin(store, f"empty-{number}")
        tracker.end()

    points = min(load.points, entry.points)
    waits, cpu = perf_counter(), process_time()
    for number in range(load.runs):
        one_run(number)
    waits, cpu = perf_counter() - waits, process_time() - cpu
    timed = {"run": Spent(waits=waits / load.runs, cpu=cpu / load.runs)}
    works: dict[str, tuple[Callable[[int], None], Iterable[int]]] = {
        "point": (tracker.point, range(points)),
        "point_of_ten": (tracker.point_of_ten, range(max(1, points // 4))),
        "parameter": (lambda n: tracker.parameter(f"p{n}", n), range(load.parameters)),
        "file": (lambda n: tracker.file(_source(n)), range(load.files)),
    }
    for number in range(load.files):
        _source(number).write_bytes(os.urandom(load.size))
    for name, (work, numbers) in works.items():
        if name not in entry.cannot:
            timed[name] = _timed(tracker, store, name, work, numbers)
    return timed


def _source(number: int) -> Path:
    return Path(f"model-{number}.bin").absolute()


def _timed(
    tracker: Tracker, store: Path, name: str, work: Callable[[int], None], numbers: Iterable[int]
) -> Spent:
    tracker.begin(store, name)
    begun, cpu = perf_counter(), process_time()
    count = 0
    for number in numbers:
        work(number)
        count += 1
    waits = perf_counter() - begun
    tracker.end()
    return Spent(waits=waits / count, cpu=(process_time() - cpu) / count)


def _reading(tracker: Tracker, store: Path, count: int) -> Spent:
    """Read twice; the first time is to warm up."""
    tracker.read(store, HISTORY)
    begun, cpu = perf_counter(), process_time()
    found = tracker.read(store, HISTORY)
    spent = Spent(waits=perf_counter() - begun, cpu=process_time() - cpu)
    if found != count:
        raise ValueError(f"read {found:,} of {count:,} points")
    return spent


if __name__ == "__main__":
    main()
