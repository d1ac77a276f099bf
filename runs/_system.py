"""What the machine does meanwhile: processor, memory, and graphics cards where there are some."""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ._append import Appender
from ._values import encode

EVERY: Final = 10.0
"""How many seconds lie between two samples."""

_QUERY: Final = "utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw"
_PATIENCE: Final = 5.0


class SystemSampler:
    """Appends a line to `system/data.jsonl` whenever it is called.

    Args:
        run: the folder of the run.
        attempt: which attempt it is.
    """

    def __init__(self, run: Path, attempt: int) -> None:
        folder = run / "system"
        self._attempt = attempt
        self._file = Appender(
            folder / "data.jsonl", lambda: folder.mkdir(parents=True, exist_ok=True)
        )
        self._before = _ticks()
        self._used = (time.process_time(), time.perf_counter())
        self._cards = _cards()

    def __call__(self) -> None:
        """Take a sample."""
        line: dict[str, Any] = {"ts": time.time()}
        if self._attempt > 1:
            line["attempt"] = self._attempt
        used, now = time.process_time(), time.perf_counter()
        line["process_cpu_percent"] = 100 * (used - self._used[0]) / max(now - self._used[1], 1e-9)
        self._used = (used, now)
        ticks = _ticks()
        if ticks is not None and self._before is not None and ticks[1] > self._before[1]:
            spent = (ticks[0] - self._before[0]) / (ticks[1] - self._before[1])
            line["cpu_percent"] = 100 * (1 - spent)
        self._before = ticks
        line.update(_memory())
        if self._cards is not None:
            line.update(self._cards())
        self._file.append(encode(line, lambda text: None) + b"\n")


def _ticks() -> tuple[int, int] | None:
    """Return how long all processors did nothing, and how long they were there."""
    try:
        fields = [*map(int, Path("/proc/stat").read_text().partition("\n")[0].split()[1:9])]
    except (OSError, ValueError):
        return None
    return fields[3] + fields[4], sum(fields)


def _memory() -> dict[str, int]:
    told: dict[str, int] = {}
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        told["process_memory_bytes"] = pages * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in ("MemTotal", "MemAvailable"):
                key = "memory_total_bytes" if name == "MemTotal" else "memory_available_bytes"
                told[key] = int(rest.split()[0]) * 1024
    if "process_memory_bytes" not in told and sys.platform != "win32":
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        told["process_memory_bytes"] = most * (1 if sys.platform == "darwin" else 1024)
    return told


def _cards() -> Callable[[], dict[str, Any]] | None:
    """Return what asks the graphics cards; None if there are none."""
    import shutil

    program = shutil.which("nvidia-smi")
    return None if program is None else lambda: _asked(program)


def _asked(program: str) -> dict[str, Any]:
    import subprocess

    command = [program, f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    names = ("percent", "memory_used_mib", "memory_total_mib", "celsius", "watts")
    told: dict[str, Any] = {}
    for card, line in enumerate(done.stdout.decode().splitlines()):
        for name, text in zip(names, line.split(","), strict=False):
            with suppress(ValueError):  # a card may not say
                told[f"gpu{card}_{name}"] = float(text)
    return told
