"""Who a process is, so that anybody can tell later whether it still lives."""

import os
import platform
import sys
from pathlib import Path
from typing import Literal

import msgspec

Life = Literal["lives", "gone", "unknown"]


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A process, apart from every other there was or will be.

    Attributes:
        pid: its number, which others will have too.
        pid_started: when it began, in ticks of its system; None where that is not told.
        boot: the start of the system that it is on.
        space: what its number is a number of; containers have their own.
        host: the name of the machine.
    """

    pid: int
    pid_started: int | None = None
    boot: str | None = None
    space: str | None = None
    host: str


def this_process() -> Process:
    """Return who we are.

    Example:
        >>> from understudy.runs._process import life_of, this_process
        >>> life_of(this_process())
        'lives'
    """
    pid = os.getpid()
    return Process(
        pid=pid,
        pid_started=_started(pid),
        boot=_read("/proc/sys/kernel/random/boot_id"),
        space=_space(),
        host=platform.node(),
    )


def life_of(process: Process) -> Life:
    """Tell whether a process lives; `unknown` if it is none of this machine's."""
    if process.host != platform.node() or sys.platform == "win32":
        return "unknown"
    if process.boot != _read("/proc/sys/kernel/random/boot_id"):
        return "gone"
    if process.space != _space():
        return "unknown"
    if process.pid_started is not None:
        return "lives" if _started(process.pid) == process.pid_started else "gone"
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return "gone"
    except OSError:  # it is somebody else's
        return "lives"
    return "lives"


def _started(pid: int) -> int | None:
    """Return when a process began; None if there is none, or it is only waited for."""
    told = _read(f"/proc/{pid}/stat")
    if told is None:
        return None
    fields = told.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def _space() -> str | None:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return None


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None
