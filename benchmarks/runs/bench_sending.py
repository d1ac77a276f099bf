"""What it costs who logs that a run is sent: to a server that is well, slow, busy, hanging or dead.

Each case is a process that records a run of its own: in turns, they log as fast as they can for a
moment, and tell how long the calls took. The first second of each, in which the thread that sends
imports what it needs, is left out. The servers are processes too, and keep nothing.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from tempfile import TemporaryDirectory
from time import perf_counter_ns, sleep
from typing import Final

from benchmarks._command import main
from benchmarks._harness import Case, Goal, Table

_ALONE: Final = "no server"
_DEAD: Final = 9  # a port where nobody listens
_LOG: Final = """
import logging, os, sys, time
from understudy.runs import Run
root, remote = sys.argv[1:]
logging.disable()
more = {"remote": remote, "token": "us_none"} if remote else {}
run = Run(prefix="run", root=root, resume="new", capture=False, **more).start()
log, now, step = run.metrics("train").log, time.perf_counter_ns, 0
print("ready", flush=True)
for line in sys.stdin:
    spent, begun = [], now()
    end = begun + int(float(line) * 1e9)
    while now() < end:
        before = now()
        log(step=step, loss=0.1 * step)
        spent.append(now() - before)
        step += 1
    spent.sort()
    print(sum(spent) * 1000 // len(spent), spent[len(spent) * 999 // 1000] * 1000, flush=True)
os._exit(0)
"""
_SEND: Final = """
import sys
from understudy.runs._sync import Syncer
from pathlib import Path
synced = Syncer(sys.argv[1] + "#token=us_none", lambda synced: None).sync(Path(sys.argv[2]))
assert synced.is_complete, synced
"""


def _begin(opened: ExitStack, *words: str) -> Callable[[str], str]:
    """Start a process; return what tells it a line, if there is one, and returns its answer."""
    process = opened.enter_context(
        subprocess.Popen(
            [sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    )
    reader, writer = process.stdout, process.stdin
    assert reader is not None
    assert writer is not None
    opened.callback(writer.close)

    def ask(line: str) -> str:
        writer.write(line)
        writer.flush()
        return reader.readline().strip()

    return ask


def _sink(opened: ExitStack, how: str) -> str:
    """Start a server, and return its address."""
    return f"http://127.0.0.1:{_begin(opened, '-m', 'benchmarks.runs._sinks', how)('')}"


def _logging(
    asks: dict[str, Callable[[str], str]], seconds: float, which: int, title: str
) -> Table:
    """Return a table of what a process tells: the mean of all calls (0), what 99.9 % stay below."""
    picoseconds = 0

    def log(ask: Callable[[str], str]) -> Callable[[], None]:
        def run() -> None:
            nonlocal picoseconds
            picoseconds += int(ask(f"{seconds}\n").split()[which])

        return run

    goal = Goal(ratio=1.1)
    return Table(
        title,
        [
            Case(
                name,
                log(ask),
                1_000,
                "" if name == _ALONE else _ALONE,
                None if name in (_ALONE, "a server that takes all") else goal,
            )
            for name, ask in asks.items()
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


def tables(seconds: float = 0.5, count: int = 1_000_000) -> Iterator[Table]:
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
        asks = {
            name: _begin(opened, "-c", _LOG, root, address) for name, address in addresses.items()
        }
        for ask in asks.values():
            assert ask("") == "ready"
        sleep(min(1.0, 10 * seconds))
        yield _logging(asks, seconds, 0, "one point, the mean of all")
        yield _logging(asks, seconds, 1, "one point, what 99.9 % stay below")
        yield _throughput(root, addresses["a server that takes all"], count)


QUICK = {"seconds": 0.01, "count": 1_000}

if __name__ == "__main__":
    main(tables, quick=QUICK)
