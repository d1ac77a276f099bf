"""One contender on one loop, in a process of its own: prints each kind of call as a line of JSON.

In each round the floor, understudy and the contender take turns, so that the noise of the machine
falls on all of them alike. It ends hard: what a library leaves behind is not waited for.
"""

import asyncio
import contextlib
import inspect
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from time import perf_counter_ns, thread_time_ns
from typing import Final

import msgspec

from benchmarks._harness import Case, Table, measure
from benchmarks.runtime._stand import LOOPS

from ._contender import Contender, Way
from ._contenders import CONTENDERS, FLOORS, UNDERSTUDY
from ._kinds import KINDS, Kind

_QUICK_FLIGHT: Final = 20
_QUICK_CALLS: Final = 2


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to measure."""

    contender: str
    loop: str
    kinds: tuple[str, ...]
    rounds: int
    least_ns: int
    """How long one measurement takes at least."""
    patience: float
    """After how many seconds no further round of one kind begins."""
    is_quick: bool = False
    """Whether only few calls are made, to see that all of it works."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of one row: seconds per operation."""

    contender: str
    """The key of the contender; or the name of a floor that nothing is compared with."""
    median: float
    ratio: float
    """How many times the floor it takes."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one kind of call."""

    contender: str
    loop: str
    kind: str
    is_wall: bool
    rows: tuple[Measured, ...]
    """The floor, understudy, and the contender, by the same clock in the same rounds."""
    problem: str = ""
    """What went wrong instead."""


def main() -> None:
    """Measure what the command line gives as JSON."""
    task = msgspec.json.decode(sys.argv[1], type=Task)
    told = os.dup(1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # one of the libraries prints each call
    for each in played(task):
        os.write(told, msgspec.json.encode(each) + b"\n")
    os._exit(0)


def played(task: Task) -> Iterator[Told]:
    """Measure a contender, and yield what came of each kind of call."""
    contender = CONTENDERS[task.contender]
    if contender.is_pinned:
        _pin()
    loop = LOOPS[task.loop]()
    with ExitStack() as stack:
        stack.callback(loop.close)
        among = {each.key: each for each in (FLOORS, UNDERSTUDY, contender)}
        ways = {key: stack.enter_context(each.open(loop)) for key, each in among.items()}
        for key in task.kinds:
            yield _told(task, contender, KINDS[key], ways, loop)


def _told(
    task: Task,
    contender: Contender,
    kind: Kind,
    ways: Mapping[str, Mapping[str, Way]],
    loop: asyncio.AbstractEventLoop,
) -> Told:
    is_wall = kind.is_wall or kind.key in contender.wall
    found: list[tuple[str, Way]] = [(FLOORS.key, ways[FLOORS.key][kind.key])]
    if contender is UNDERSTUDY:
        more = [name for name in ways[FLOORS.key] if name.startswith(f"{kind.key}: ")]
        found += [(name.partition(": ")[2], ways[FLOORS.key][name]) for name in more]
    found += [(key, ways[key][kind.key]) for key in (UNDERSTUDY.key, contender.key) if key in ways]
    cases = [
        _case(name, way, _calls(task, kind, name), kind, loop) for name, way in dict(found).items()
    ]
    clock = perf_counter_ns if is_wall else thread_time_ns
    table = Table(kind.title, cases, clock, patience=task.patience)
    told = Told(contender=contender.key, loop=task.loop, kind=kind.key, is_wall=is_wall, rows=())
    try:
        results = measure(table, task.rounds, task.least_ns)
    except Exception as error:  # noqa: BLE001  # one kind of call must not cost the others
        problem = f"failed: {type(error).__name__}: {error}"
        return msgspec.structs.replace(told, problem=problem.partition("\n")[0][:200])
    rows = [
        Measured(contender=each.case.name, median=each.median, ratio=each.ratio or 1.0)
        for each in results
    ]
    return msgspec.structs.replace(told, rows=tuple(rows))


def _calls(task: Task, kind: Kind, name: str) -> int:
    if task.is_quick:
        return _QUICK_FLIGHT if kind.is_fixed else _QUICK_CALLS
    if kind.is_fixed or name not in CONTENDERS:
        return kind.calls
    most = max(1, CONTENDERS[name].calls // kind.per_call)
    return min(kind.calls, most)


def _case(name: str, way: Way, calls: int, kind: Kind, loop: asyncio.AbstractEventLoop) -> Case:
    def run() -> None:
        answer = way(calls)
        if inspect.iscoroutine(answer):
            answer = loop.run_until_complete(answer)
        if answer != kind.right(calls):
            raise ValueError(f"{name} answered {answer!r} where {kind.right(calls)} is right")

    baseline = "" if name == FLOORS.key else FLOORS.key
    return Case(name, run, calls * kind.per_call, baseline)


def _pin() -> None:
    """Have one CPU only, where the system can do that."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


if __name__ == "__main__":
    main()
