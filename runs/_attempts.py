"""The attempts of a run: each process that records into it has one, and a file that only it writes.

A number is taken by making its file, which one process alone can do: so many may begin at once
without a lock, and none loses what another says of itself.
"""

import os
from collections.abc import Iterable
from itertools import count
from math import inf
from pathlib import Path
from time import time
from typing import Any, Literal

import msgspec

from ._process import Process, life_of, this_process
from ._state import create, read_state, replace
from ._values import encode

Status = Literal["RUNNING", "COMPLETED", "FAILED", "CANCELLED", "LOST"]
"""How a run is. LOST is one that was running, and whose process is gone."""

FOLDER = "attempts"
HEARTBEAT = "heartbeat"
BEAT = 5.0
"""How many seconds lie between two signs of life."""
SILENT = 60.0
"""After how many without one a process elsewhere is taken for gone."""

_WORST_FIRST: tuple[Status, ...] = ("RUNNING", "LOST", "FAILED", "CANCELLED", "COMPLETED")


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The exception that ended an attempt.

    Attributes:
        type: the name of its class.
        message: what it says.
        traceback: where it came from.

    Example:
        >>> from understudy.runs import Run
        >>> run = Run(prefix="my-experiment").start()
        >>> run.fail("out of memory")
        >>> run.attempts[-1].error.message
        'out of memory'
    """

    __module__ = "understudy.runs"

    type: str
    message: str
    traceback: str = ""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One process that recorded into a run, from its start to its end.

    Attributes:
        n: its number: 1 is the first.
        status: how it is, or how it ended.
        started: when, in seconds since 1970.
        ended: when; None if it runs, or nobody saw it end.
        ended_by: `exit` if it was the end of the program, and nobody said how it went.
        error: the exception, if it failed.
        beside: the attempts that were running when it started.
        silent_since: when those before it gave their last sign of life, in seconds since 1970.
        process: which process it is.
        command: the command line, if it was to be kept.

    Example:
        >>> from understudy.runs import Run
        >>> with Run(prefix="my-experiment") as run:
        ...     pass
        >>> [(attempt.n, attempt.status) for attempt in run.attempts]
        [(1, 'COMPLETED')]
    """

    __module__ = "understudy.runs"

    n: int
    status: Status = "RUNNING"
    started: float
    ended: float | None = None
    ended_by: str | None = None
    error: Failure | None = None
    beside: list[int] = msgspec.field(default_factory=list[int])
    silent_since: float | None = None
    process: Process
    command: list[str] | None = None


def begin_attempt(run: Path, command: list[str] | None) -> Attempt:
    """Take the next number, and say that this process records now.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = run / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    last = _last_beat(run)
    beat(run)
    for number in count(1):
        if (folder / f"{number}.json").exists():  # whole or broken, it is somebody's
            continue
        before = read_attempts(run)
        attempt = Attempt(
            n=number,
            started=time(),
            beside=[each.n for each in before if each.status == "RUNNING"],
            silent_since=last if before else None,
            process=this_process(),
            command=command,
        )
        if create(folder / f"{number}.json", _written(attempt)):
            return attempt
    raise AssertionError


def end_attempt(run: Path, attempt: Attempt) -> None:
    """Say how an attempt ended."""
    replace(run / FOLDER / f"{attempt.n}.json", _written(attempt), is_synced=True)


def read_attempts(run: Path) -> list[Attempt]:
    """Return the attempts of a run, in order; one whose process is gone is LOST."""
    found: list[Attempt] = []
    try:
        names = os.listdir(run / FOLDER)
    except OSError:
        return found
    for name in names:
        if name.endswith(".json") and not name.startswith("."):
            try:
                attempt = msgspec.convert(read_state(run / FOLDER / name), Attempt)
            except msgspec.ValidationError:
                continue
            if attempt.status == "RUNNING" and _is_gone(run, attempt):
                attempt = msgspec.structs.replace(attempt, status="LOST")
            found.append(attempt)
    return sorted(found, key=lambda attempt: attempt.n)


def status_of(attempts: list[Attempt]) -> Status | None:
    """Return what attempts come to: the last, and those that ran beside it, the worst of them."""
    if not attempts:
        return None
    together = {attempts[-1].n}
    for attempt in reversed(attempts):
        if attempt.n in together:
            together.update(attempt.beside)
    found = {attempt.status for attempt in attempts if attempt.n in together}
    if any(attempt.status == "RUNNING" for attempt in attempts):
        return "RUNNING"
    return next(status for status in _WORST_FIRST if status in found)


def paused_in(attempts: Iterable[Attempt]) -> float:
    """Return how many seconds passed between attempts, while none of them ran.

    One that nobody saw end did so at its last sign of life, as far as the next one knows of it.

    Example:
        >>> from understudy.runs import Run
        >>> from understudy.runs._attempts import paused_in
        >>> with Run(prefix="my-experiment") as run:
        ...     pass
        >>> paused_in(run.attempts)
        0.0
    """
    paused = 0.0
    ordered = sorted(attempts, key=lambda each: each.started)
    until = ordered[0].started if ordered else None
    for attempt in ordered:
        if until is None:  # nobody saw the end of those before
            until = attempt.silent_since
        if until is not None:
            paused += max(0.0, attempt.started - until)
        ended = inf if attempt.status == "RUNNING" else attempt.ended
        until = None if ended is None else max(ended, until or ended)
    return paused


def beat(run: Path) -> None:
    """Give a sign of life that other machines can see."""
    path = run / HEARTBEAT
    try:
        os.utime(path)
    except FileNotFoundError:
        path.touch()


def _is_gone(run: Path, attempt: Attempt) -> bool:
    life = life_of(attempt.process)
    if life != "unknown":
        return life == "gone"
    last = _last_beat(run)
    return last is None or time() - last > SILENT


def _last_beat(run: Path) -> float | None:
    try:
        return (run / HEARTBEAT).stat().st_mtime
    except OSError:
        return None


def _written(attempt: Attempt) -> bytes:
    said: dict[str, Any] = msgspec.to_builtins(attempt)
    return encode(said, _ignore) + b"\n"


def _ignore(_: str) -> None: ...
