"""What it costs to begin, and to do nothing: imports, the first call, and an idle runtime.

Imports run in an interpreter of their own each; told is the CPU time of that process, over that of
the bare interpreter. The import hook of an editable install is part of it: measure a package that
is installed as its users install it. The first call starts the actors; each is looked at in a fresh
process, by the wall clock.

An idle runtime is entered and has nothing to do. Told is what its process does meanwhile, beside a
process that does no more than wait for the same timer: CPU time, threads, and how often any of its
threads woke up (voluntary context switches, those of threads that have ended included). The goal
is: never more often than for the timer itself.
"""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from benchmarks._command import main
from benchmarks._harness import Case, Goal, Table
from benchmarks._meter import Meter, metered, told_by_process
from benchmarks.configs.bench_import import spent_by_children

from ._stand import LOOPS

_START: Final = "benchmarks.runtime._start"
_BARE: Final = "the bare interpreter"
_ASYNCIO: Final = "asyncio, which whoever awaits has imported already"
_DEPENDENCIES: Final = "its five dependencies: anyio, msgspec, structlog, uvloop, yaml"
_IMPORTS: Final = {
    _ASYNCIO: "import asyncio",
    _DEPENDENCIES: "import anyio, msgspec, structlog, uvloop, yaml",
    "import understudy": "import understudy",
    "from understudy import Config, Runtime, ShadowStrategy": (
        "from understudy import Config, Runtime, ShadowStrategy"
    ),
}
_FIRST: Final = {
    "task": "a task of asyncio",
    "declare": "Runtime(...) and one experiment",
    "first": "its first call",
    "second": "its second call",
}
_IDLE_NAMES: Final = {
    "bare": "no runtime: a loop that waits for a timer",
    "entered": "entered, never called",
    "called": "after calls, async and sync, with a shadow",
    "events": "the same, with events to a file",
}
_IDLE_GOALS: Final = {"wake_ups": Goal(extra=0), "cpu": Goal(extra=2e-3), "threads": None}
_IDLE_TITLES: Final = {"wake_ups": "wake-ups", "cpu": "CPU time", "threads": "threads"}
_SECONDS: Final = 10.0
_IDLE_PATIENCE: Final = 25.0


def _imports() -> Table:
    def imported(statement: str) -> Any:
        return lambda: subprocess.run([sys.executable, "-c", statement], check=True)

    goal = Goal(extra=60e-3)
    cases = [Case(_BARE, imported("pass"))]
    cases += [
        Case(
            name, imported(statement), 1, _BARE, None if name in (_ASYNCIO, _DEPENDENCIES) else goal
        )
        for name, statement in _IMPORTS.items()
    ]
    return Table("one import, per process", cases, clock=spent_by_children)


def _first_calls() -> Iterator[Table]:
    for loop in LOOPS:
        looks = _Looks({loop: ("first_call", loop)})
        meters = {key: Meter() for key in _FIRST}
        cases: list[Case] = []
        for key, name in _FIRST.items():
            run = metered(meters[key], looks.reader(key, loop, 1e9))
            baseline = "" if key == "task" else _FIRST["task"]
            cases.append(Case(name, run, 1, baseline, clock=meters[key].read))
        yield Table(
            f"in a fresh process, on {loop}, wall time",
            cases,
            patience=_IDLE_PATIENCE,
            is_once=True,
        )


class _Looks:
    """Looks at processes, all of them at once; each number of a look is read once.

    Args:
        which: the arguments of each process, by its name.
    """

    def __init__(self, which: dict[str, tuple[object, ...]]) -> None:
        self._which = which
        self._told: dict[str, dict[str, Any]] = {}
        self._read: set[tuple[str, str]] = set()

    def reader(self, key: str, name: str, per_unit: float) -> Any:
        """Return what reads one number of a process."""

        def read() -> float:
            if not self._told or (key, name) in self._read:
                self._look()
            self._read.add((key, name))
            return float(self._told[name][key]) * per_unit

        return read

    def _look(self) -> None:
        self._read.clear()
        with ThreadPoolExecutor(len(self._which)) as pool:
            looks = {
                name: pool.submit(told_by_process, _START, *arguments)
                for name, arguments in self._which.items()
            }
        self._told = {name: look.result() for name, look in looks.items()}


def _idle(seconds: float) -> Iterator[Table]:
    looks = _Looks({how: ("idle", how, seconds) for how in _IDLE_NAMES})
    for key, what in _IDLE_TITLES.items():
        is_time = key == "cpu"
        cases: list[Case] = []
        for how, name in _IDLE_NAMES.items():
            meter = Meter()
            run = metered(meter, looks.reader(key, how, 1e9 if is_time else 1))
            baseline, goal = (
                ("", None) if how == "bare" else (_IDLE_NAMES["bare"], _IDLE_GOALS[key])
            )
            cases.append(Case(name, run, 1, baseline, goal, meter.read))
        yield Table(
            f"idle for {seconds:g} s: {what}",
            cases,
            unit="s" if is_time else "n",
            patience=_IDLE_PATIENCE,
            is_once=True,
        )


def tables(seconds: float = _SECONDS) -> Iterator[Table]:
    """Yield the tables of this benchmark."""
    yield _imports()
    yield from _first_calls()
    yield from _idle(seconds)


QUICK: Final = {"seconds": 0.1}

if __name__ == "__main__":
    main(tables, quick=QUICK)
