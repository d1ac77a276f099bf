"""One phase: a contest is put under load, drained, and looked at."""

import asyncio
import gc
import math
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import msgspec

from . import _by_hand, _laboratory, _spearmint, _understudy
from ._cells import NOTHING, Cell, Way
from ._contest import Accounts, Contest, Limits
from ._load import Load, offer_async, offer_sync, quantile, schedule
from ._shadows import Shadow
from ._sinks import misbehaving

_CONTESTS: Final[dict[str, Callable[[Way, Shadow | None], Contest]]] = {
    "understudy": _understudy.contest,
    "spearmint": _spearmint.contest,
    "laboratory": _laboratory.contest,
    "by_hand": _by_hand.contest,
}
_REST: Final = 3.0
"""How many seconds threads have to end, once nothing holds them any more."""


class Phase(msgspec.Struct, kw_only=True):
    """What was measured in one."""

    has_shadow: bool
    requests: int
    asked: int = 0
    """How many of them came as far as the library."""
    lost: int = 0
    """How many have no right answer."""
    failures: dict[str, int] = {}
    p50: float | None = None
    """In seconds, of all requests; None if half of them are lost."""
    p99: float | None = None
    """The same; None if one in a hundred is lost."""
    lag: float = 0.0
    """The p99 of how late requests were taken from the schedule, in seconds."""
    busy: float = 0.0
    """How much of one CPU the process used while requests came in."""
    played: int = 0
    """How often the shadow began to play."""
    at_once: int = 0
    """How often it played at once, at most."""
    threads: int = 0
    """How many threads there were at most, but for those there were before."""
    memory: int = 0
    """How many bytes of real memory the process had at most."""
    accounts: Accounts | None = None
    limits: Limits | None = None
    ended_by: str = ""
    """What ended the loop, and so the process, in the midst of it."""


def play(cell: Cell, has_shadow: bool, number: int) -> Phase:
    """Play one phase; one of the same number has the same schedule."""
    if not cell.sink:
        return _play(cell, has_shadow, number, _CONTESTS[cell.library])
    if not has_shadow:
        return _play(cell, has_shadow, number, _understudy.contest)
    with misbehaving(cell.sink) as events:
        return _play(
            cell, has_shadow, number, lambda way, _: _understudy.contest(way, None, events)
        )


def _play(
    cell: Cell, has_shadow: bool, number: int, make: Callable[[Way, Shadow | None], Contest]
) -> Phase:
    shadow = Shadow(cell.case) if has_shadow and cell.case != NOTHING else None
    load = Load(schedule(cell.rate, cell.seconds, seed=number))
    phase = Phase(has_shadow=has_shadow, requests=len(load.arrivals))
    gc.collect()
    _forget_peak()
    threads = threading.active_count()
    contest = make(cell.way, shadow)
    phase.limits = contest.limits
    callers: list[threading.Thread] = []

    async def offer_and_drain() -> None:
        began, spent = time.perf_counter(), time.process_time()
        if cell.way == "sync":
            callers.extend(await asyncio.to_thread(offer_sync, contest.ask, load))
        else:
            await offer_async(contest.ask, load)
        phase.busy = (time.process_time() - spent) / (time.perf_counter() - began)
        phase.accounts = await contest.drain()

    try:
        _run(offer_and_drain, shadow)
    except BaseException as error:  # noqa: BLE001  # SystemExit: to be told, not obeyed
        phase.ended_by = type(error).__name__
    if shadow is not None:
        shadow.over.set()
        phase.played, phase.at_once = shadow.played, shadow.most
    _measure(phase, load, threads + len(callers) + (cell.way == "sync"))
    _rest(threads, callers)
    return phase


def _run(main: Callable[[], Coroutine[Any, Any, None]], shadow: Shadow | None) -> None:
    """Run a coroutine function on a new loop, and release the shadow before that is closed."""
    with asyncio.Runner() as runner:
        try:
            runner.run(main())
        finally:
            if shadow is not None:
                shadow.over.set()  # or the loop would wait for its threads


def _measure(phase: Phase, load: Load, threads: int) -> None:
    phase.asked, phase.lost = load.asked, load.lost
    phase.failures = dict(load.failures)
    unanswered = load.lost - sum(phase.failures.values())
    if unanswered > 0:
        phase.failures["unanswered"] = unanswered
    phase.p50, phase.p99 = (_finite(quantile(load.latencies, part)) for part in (0.5, 0.99))
    phase.lag = quantile(load.lags, 0.99) if load.lags else 0.0
    phase.threads = max(0, load.threads - threads)
    phase.memory = _peak()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _rest(threads: int, callers: list[threading.Thread]) -> None:
    """Wait until those who called have ended, and what the phase started, if that ends."""
    until = time.monotonic() + _REST
    for thread in callers:
        thread.join(max(0.0, until - time.monotonic()))


def _forget_peak() -> None:
    """Begin anew to measure the peak of real memory, where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def _peak() -> int:
    """Return the peak of real memory in bytes; 0 where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
