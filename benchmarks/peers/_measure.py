"""Measures a contender: starts its process, reads what it tells, and leaves nothing running."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Final

import msgspec

from ._worker import Task, Told

_ROOT: Final = Path(__file__).parents[2]
MARK: Final = "UNDERSTUDY_BENCHMARK"
_START: Final = 120.0
_PER_KIND: Final = 300.0
_AGAIN: Final = 5


def measure(task: Task) -> list[Told]:
    """Measure a contender, in a process and an empty folder of its own.

    Returns:
        What came of each kind of call that it got to; and the problem, for those it did not.
    """
    mark = token_hex(8)
    environment = {**os.environ, MARK: mark, "PYTHONPATH": str(_ROOT)}
    command = [sys.executable, "-m", "benchmarks.peers._worker", msgspec.json.encode(task).decode()]
    problem = ""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as complaints,
    ):
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=out, stderr=complaints
        )
        try:
            code = process.wait(timeout=_START + _PER_KIND * len(task.kinds))
            problem = f"its process ended with {code}" if code else ""
        except subprocess.TimeoutExpired:
            problem = "its process did not end"
        finally:
            process.kill()
            process.wait()
            end_all(mark)
        out.seek(0)
        told = [msgspec.json.decode(line, type=Told) for line in out.read().splitlines()]
        complaints.seek(0)
        if problem:
            last = complaints.read().decode(errors="replace").strip().splitlines()[-1:]
            problem = ": ".join([problem, *last])[:300]
    got = {each.kind for each in told}
    missing = [kind for kind in task.kinds if kind not in got]
    return told + [
        Told(
            contender=task.contender,
            loop=task.loop,
            kind=kind,
            is_wall=False,
            rows=(),
            problem=problem or "it ended before",
        )
        for kind in missing
    ]


def end_all(mark: str) -> None:
    """End whatever has inherited the mark: some libraries start processes that outlive them."""
    for _ in range(_AGAIN):
        found = marked(mark)
        if not found:
            return
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


def marked(mark: str) -> list[int]:
    """Return the processes that have inherited the mark; none where the system does not tell."""
    wanted = f"{MARK}={mark}".encode()
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found
