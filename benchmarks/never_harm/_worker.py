"""One cell, in a process of its own: prints each phase as a line of JSON.

It ends hard, and may: what a misdeed leaves behind is not waited for.
"""

import os
import resource
import sys
import threading
from pathlib import Path

import msgspec

from ._cells import Cell
from ._phase import Phase, play

_STACK = 256 * 1024
_WARM_UP = 0.2


def main() -> None:
    """Play all rounds of the cell that the command line gives as JSON."""
    cell = msgspec.json.decode(sys.argv[1], type=Cell)
    told = os.dup(1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # one of the libraries prints each call
    os.dup2(silence, 2)  # and asyncio what nobody asks for
    threading.stack_size(_STACK)  # stacks count as memory
    play(msgspec.structs.replace(cell, seconds=_WARM_UP), False, 0)
    _limit_memory(cell.memory)
    for number in range(1, cell.rounds + 1):
        for has_shadow in (False, True) if number % 2 else (True, False):
            _tell(told, play(cell, has_shadow, number))
    os._exit(0)


def _tell(file: int, phase: Phase) -> None:
    os.write(file, msgspec.json.encode(phase) + b"\n")


def _limit_memory(more: int) -> None:
    """Let the process come to have so many bytes more of data, where the system can."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return
    (line,) = (line for line in status.splitlines() if line.startswith("VmData"))
    most = int(line.split()[1]) * 1024 + more
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


if __name__ == "__main__":
    main()
