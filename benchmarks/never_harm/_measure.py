"""Measures a cell: starts its process, reads what it tells, and sees it end."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from ._cells import Cell
from ._load import PATIENCE
from ._phase import Phase
from ._verdict import Verdict, verdict_of

_ROOT: Final = Path(__file__).parents[2]
_BESIDES: Final = 10.0
"""How many seconds a phase may take besides its load: setting up, draining, waiting for threads."""
_START: Final = 30.0
_ARENAS: Final = {"MALLOC_ARENA_MAX": "1"}
"""More of them lay claim to memory that they do not use, and give back what is freed anyway."""
_KEEPING: Final = {
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(256 * 2**20),
}
"""Has glibc keep what is freed. Giving it back, and getting it again page by page, halts all
threads of a process: 10 MB for each request double the p99 without any library in play."""
_GIVING_BACK: Final = {"MALLOC_MMAP_THRESHOLD_": str(128 * 2**10)}
"""Has glibc give back what is freed at once, so that a round finds all there was before it."""


def measure(cell: Cell) -> Verdict:
    """Measure a cell, in a process and an empty folder of its own."""
    allocator = _GIVING_BACK if cell.case == "allocates" else _KEEPING
    environment = {**os.environ, **_ARENAS, **allocator, "PYTHONPATH": str(_ROOT)}
    patience = _START + 2 * cell.rounds * (cell.seconds + PATIENCE + _BESIDES)
    command = [sys.executable, "-m", "benchmarks.never_harm._worker"]
    command.append(msgspec.json.encode(cell).decode())
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as told:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=told)
        try:
            code = process.wait(timeout=patience)
            problem = f"the process ended with {code}" if code else ""
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            problem = "the process did not end"
        told.seek(0)
        lines = told.read().splitlines(keepends=True)
    whole = [line for line in lines if line.endswith(b"\n")]
    phases = [msgspec.json.decode(line, type=Phase) for line in whole]
    return verdict_of(cell, phases, problem)
