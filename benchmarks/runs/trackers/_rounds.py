"""Measures all trackers in turns: each does each piece of work once in every round."""

import os
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import repeat
from subprocess import CalledProcessError, run
from sys import executable
from time import monotonic, perf_counter
from typing import Final, Literal

from benchmarks.configs.bench_import import spent_by_children

from ._processes import ALONE, Place, TrackerError, place
from ._trackers import TRACKERS
from ._trials import Trial, begun_at_once, killed
from ._worker import Task, Timed
from ._works import IMPORT, Load, Spent

_SEED: Final = 1
_SIDE_BY_SIDE: Final = 2
"""How many are killed at a time: they log seldom, and mostly wait."""


class Rounds:
    """What was measured.

    Args:
        trackers: the keys of those that take part.
        rounds: how often each piece of work is timed, if the patience of the load allows it.
        load: how much they do.
    """

    def __init__(self, trackers: Sequence[str], rounds: int, load: Load) -> None:
        self.trackers = trackers
        self.load = load
        self.spent: defaultdict[tuple[str, str], dict[int, Spent]] = defaultdict(dict)
        """By tracker and work, then by the number of the round."""
        self.problems: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        """What failed, by tracker and work."""
        self.kills: dict[str, Trial] = {}
        self.starts: dict[str, Trial] = {}
        self._rounds = rounds
        self._order = random.Random(_SEED)

    def measure(self) -> None:
        """Measure all of it."""
        self._in_turns("import", self._import)
        self._in_turns("record", self._record)
        with ExitStack() as places:
            filled = {key: places.enter_context(place()) for key in self.trackers}
            for key, at in filled.items():
                self._fill(key, at)
            self._in_turns("read", lambda key, number: self._read(key, number, filled[key]))
        self._kill()
        for number in range(self.load.starts):
            for key in self._order.sample(self.trackers, len(self.trackers)):
                _say(f"four at once {number + 1}: {TRACKERS[key].title}")
                trial = begun_at_once(key, self.load)
                self.starts[key] = self.starts.get(key, Trial()) + trial

    def _in_turns(self, what: str, work: Callable[[str, int], None]) -> None:
        over = monotonic() + self.load.patience
        for number in range(self._rounds):
            if number and monotonic() > over:
                break
            for key in self._order.sample(self.trackers, len(self.trackers)):
                _say(f"{what} {number + 1}: {TRACKERS[key].title}")
                work(key, number)

    def _import(self, key: str, number: int) -> None:
        begun, before = perf_counter(), spent_by_children()
        try:
            command = [executable, "-c", TRACKERS[key].imports]
            run(command, check=True, capture_output=True, env={**os.environ, **ALONE})
        except CalledProcessError as error:
            words = error.stderr.decode(errors="replace").strip().splitlines()
            self.problems[key, IMPORT].append((words or [""])[-1][:200])
            return
        cpu = (spent_by_children() - before) / 1e9
        self.spent[key, IMPORT][number] = Spent(waits=perf_counter() - begun, cpu=cpu)

    def _record(self, key: str, number: int) -> None:
        with place() as at:
            self._take(key, "record", number, at)

    def _fill(self, key: str, at: Place) -> None:
        if "read" in TRACKERS[key].cannot:
            return
        _say(f"fill: {TRACKERS[key].title}")
        try:
            at.ask(Task(tracker=key, work="fill", load=self.load), None)
        except TrackerError as error:
            self.problems[key, "read"].append(str(error))

    def _read(self, key: str, number: int, at: Place) -> None:
        if "read" not in TRACKERS[key].cannot and (key, "read") not in self.problems:
            self._take(key, "read", number, at)

    def _take(self, key: str, work: Literal["record", "read"], number: int, at: Place) -> None:
        try:
            timed: Timed = at.ask(Task(tracker=key, work=work, load=self.load), Timed)
        except TrackerError as error:
            self.problems[key, work].append(str(error))
            return
        for name, spent in timed.items():
            self.spent[key, name][number] = spent

    def _kill(self) -> None:
        keys = [*self.trackers] * self.load.kills
        numbers = [place // len(self.trackers) for place in range(len(keys))]
        _say(f"kill {len(keys)} processes")
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            trials = pool.map(killed, keys, repeat(self.load), numbers)
            for key, trial in zip(keys, trials, strict=True):
                self.kills[key] = self.kills.get(key, Trial()) + trial


def _say(what: str) -> None:
    print(what, "...", file=sys.stderr, flush=True)
