"""What it costs who logs that a run is sent: to a server that is well, slow, busy, hanging or dead.

Each measurement is a process of its own that logs points as fast as it can for a while, and tells
how long the calls took; the first second, in which the thread that sends imports what it needs, is
left out. The servers are processes of their own as well; they keep nothing.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from tempfile import TemporaryDirectory
from time import perf_counter_ns
from typing import Final

from benchmarks._command import main
from benchmarks._harness import Case, Goal, Table

_ALONE: Final = "no server"
_DEAD: Final = 9  # a port where nobody listens
_LOG: Final = """
import logging, os, sys, time
from understudy.runs import Run
root, remote, seconds = sys.argv[1:]
logging.disable()
more = {"remote": remote, "token": "us_none"} if remote else {}
run = Run(prefix="run", root=root, resume="new", capture=False, **more).start()
time.sleep(min(1, float(seconds)))
log, now, spent = run.metrics("train").log, time.perf_counter_ns, []
begun = now()
end = begun + int(float(seconds) * 1e9)
step = 0
while now() < end:
    before = now()
    log(step=step, loss=0.1 * step)
    spent.append(now() - before)
    step += 1
total = (now() - begun) / len(spent)
spent.sort()
print(int(total * 1000), spent[len(spent) * 999 // 1000] * 1000, flush=True)
os._exit(0)
"""
_SEND: Final = """
import sys
from understudy.runs._sync import Syncer
from pathlib import Path
synced = Syncer(sys.argv[1] + "#token=us_none", lambda synced: None).sync(Path(sys.argv[2]))
assert synced.is_complete, synced
"""


def _sink(opened: ExitStack, how: str) -> str:
    """Start a server, and return its address."""
    process = opened.enter_context(
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.runs._sinks", how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    )
    assert process.stdin is not None
    assert process.stdout is not None
    opened.callback(process.stdin.close)
    return f"http://127.0.0.1:{process.stdout.readline().strip()}"


def _logging(root: str, addresses: dict[str, str], seconds: float, which: int, title: str) -> Table:
    """Return a table of what a process tells: the mean of all calls (0), what 99.9 % stay below."""
    picoseconds = 0

    def log(address: str) -> Callable[[], None]:
        def run() -> None:
            nonlocal picoseconds
            words = [sys.executable, "-c", _LOG, root, address, str(seconds)]
            told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
            picoseconds += int(told.split()[which])

        return run

    goal = Goal(ratio=1.1)
    return Table(
        title,
        [
            Case(
                name,
                log(address),
                1_000,
                "" if name == _ALONE else _ALONE,
                None if name in (_ALONE, "a server that takes all") else goal,
            )
            for name, address in addresses.items()
        ],
        clock=lambda: picoseconds,
        is_once=True,
    )


def _throughput(root: str, address: str, count: int) -> Table:
    from understudy.runs import Run

    from ._floors import write_points

    with Run(prefix="long", root=root, capture=False) as run:
        write_points(run.path / "metrics/train/data.jsonl", count)
    size = (run.path / "metrics/train/data.jsonl").stat().st_size

    def send() -> None:
        subprocess.run([sys.executable, "-c", _SEND, address, str(run.path)], check=True)

    return Table(
        f"sending {count:,} points afterwards, {size / 1e6:,.0f} MB: per MB",
        [Case("understudy sync", send, max(1, size // 1_000_000))],
        clock=perf_counter_ns,
        is_once=True,
        note="One batch after the other, packed; the server takes all and looks at nothing.",
    )


def tables(seconds: float = 1.5, count: int = 1_000_000) -> Iterator[Table]:
    """Yield the tables of this benchmark."""
    with TemporaryDirectory() as root, ExitStack() as opened:
        addresses = {
            _ALONE: "",
            "a server that is dead": f"http://127.0.0.1:{_DEAD}",
            "a server that hangs": _sink(opened, "hanging"),
            "a server that is slow": _sink(opened, "slow"),
            "a server that is busy (503)": _sink(opened, "busy"),
            "a server that takes all": _sink(opened, "well"),
        }
        yield _logging(root, addresses, seconds, 0, "one point, the mean of all")
        yield _logging(root, addresses, seconds, 1, "one point, what 99.9 % stay below")
        yield _throughput(root, addresses["a server that takes all"], count)


QUICK = {"seconds": 0.05, "count": 1_000}

if __name__ == "__main__":
    main(tables, quick=QUICK)
