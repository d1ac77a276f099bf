"""Readings: what a round left behind, and what of it is wrong."""

import gc
import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from understudy import Event, Runtime
from understudy.actors import Tally
from understudy.configs import Config

from ._ledger import Ledger

_PAGE = 4096
_MIB = 2**20
_REST = 15
"""How many seconds a thread may wait for more to do before it ends by itself."""


class Reading(NamedTuple):
    """What there is when nothing is going on."""

    resident: int
    blocks: int
    files: int
    threads: frozenset[str]
    objects: Counter[str]

    @classmethod
    def take(cls) -> "Reading":
        """Look, after the garbage is gone; give threads that are about to end the time to."""
        for thread in threading.enumerate():
            if thread.name.startswith("understudy"):
                thread.join(_REST)
        for _ in range(3):
            gc.collect()
        statm = Path("/proc/self/statm")
        descriptors = Path("/proc/self/fd")
        return cls(
            int(statm.read_text().split()[1]) * _PAGE if statm.exists() else 0,
            sys.getallocatedblocks() - _latencies(),
            len(os.listdir(descriptors)) if descriptors.exists() else 0,
            frozenset(thread.name for thread in threading.enumerate()),
            Counter(kind for kind in map(_kind, gc.get_objects()) if kind),
        )

    @classmethod
    def least(cls, latest: Sequence["Reading"], count: int) -> "Reading":
        """Return the latest, with the least memory and objects of so many, once there are."""
        last = latest[-1]
        if len(latest) < count:
            return last._replace(resident=0, blocks=0, objects=Counter())
        objects = Counter(last.objects)
        for each in latest:
            objects &= each.objects
        return last._replace(
            resident=min(each.resident for each in latest),
            blocks=min(each.blocks for each in latest),
            objects=objects,
        )


def _latencies() -> int:
    """Count the latencies that are kept, an object each: the latest of each case, and no more."""
    return sum(len(each.durations) for each in gc.get_objects() if type(each) is Tally)


def _kind(each: object) -> str:
    kind = type(each)
    module = str(kind.__module__)  # of some it is a descriptor
    is_ours = module.startswith(("understudy", "asyncio")) and kind is not Config
    return f"{module}.{kind.__qualname__}" if is_ours else ""


def growth(first: Reading, last: Reading) -> Iterator[str]:
    """Yield what has grown that should not have."""
    if last.resident > first.resident * 1.05 + 32 * _MIB:
        grown = (last.resident - first.resident) / _MIB
        yield f"memory: {grown:.1f} MiB more than after the warm-up"
    if last.blocks > first.blocks * 1.05 + 20_000:
        yield f"memory: {last.blocks - first.blocks} blocks more than after the warm-up"
    if last.files > first.files:
        yield f"files: {last.files - first.files} more are open"
    left = sorted(name for name in last.threads if name.startswith("understudy"))
    if left:
        yield f"threads: {', '.join(left)}"
    for kind, count in last.objects.items():
        if count > first.objects[kind] * 1.5 + 300:
            yield f"objects: {count} of {kind}, {first.objects[kind]} after the warm-up"


def accounts(runtime: Runtime, ledger: Ledger, told_and_dropped: int) -> Iterator[str]:
    """Yield what does not add up: in the statistics, and against the program's own counts."""
    ended: Counter[tuple[str, str]] = Counter()
    for experiment in runtime.statistics().experiments:
        name = experiment.experiment
        if experiment.shadows_in_flight:
            yield f"{name}: {experiment.shadows_in_flight} shadows in flight"
        for case in experiment.cases:
            ways = case.ok + case.error + case.timeout + case.cancelled + case.shed + case.skipped
            if case.planned != ways or case.in_flight or case.waiting:
                yield f"{name}[{case.label}]: {case}"
            for status in ("ok", "error", "timeout", "cancelled", "shed", "skipped"):
                ended[name, status] += getattr(case, status)
    for name in {name for name, _ in ledger.bodies}:
        began, returned = ledger.bodies[name, "began"], ledger.bodies[name, "returned"]
        if not ended[name, "ok"] <= returned <= began:
            yield f"{name}: {began} began, {returned} returned, but {ended[name, 'ok']} are ok"
        for status in ("ok", "error", "timeout", "cancelled", "shed", "skipped"):
            told = ledger.told[name, status]
            if told > ended[name, status] or (told_and_dropped == 0 and told < ended[name, status]):
                yield f"{name}: {ended[name, status]} {status}, but {told} were told"
    yield from ledger.surprises


class Told:
    """What the events of a round say, added up as they are read: they are too many to keep."""

    def __init__(self, last_seq: int) -> None:
        self.count = 0
        self.last_seq = last_seq
        self._before = last_seq
        self._sum = self._lost = self._planned = 0
        self._kinds: Counter[str] = Counter()
        self._ends: set[str | None] = set()

    def add(self, event: Event) -> None:
        """Read one more."""
        if event.event == "log.dropped":
            self._lost += event.count or 0
            return
        self.count += 1
        self.last_seq = max(self.last_seq, event.seq)
        self._sum += event.seq - self._before
        self._kinds[event.event] += 1
        if event.event == "call.planned":
            self._planned += event.count or 0
        if event.event in _ENDS:
            self._ends.add(event.branch_id)

    def problems(self) -> Iterator[str]:
        """Yield what cannot be, as all that began in the round has ended in it."""
        if self._lost:  # the file was too slow: then there is nothing to add up
            return
        kinds = self._kinds
        if self._sum != self.count * (self.count + 1) // 2:
            yield f"events: {self.count} from {self._before + 1} to {self.last_seq}"
        started, completed = kinds["branch.started"], kinds["branch.completed"]
        away = kinds["branch.skipped"] + kinds["branch.shed"]
        if self._planned != started + away:
            yield f"events: {self._planned} planned, {started} started, {away} were not"
        if started != completed:
            yield f"events: {started} started, {completed} completed"
        if len(self._ends) != completed + away:
            yield f"events: {completed + away} branches ended, and were {len(self._ends)}"


_ENDS = ("branch.completed", "branch.shed", "branch.skipped")
