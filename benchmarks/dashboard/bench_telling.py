"""What it costs the loop of a service to tell what happens, by the branch.

Calls with all their branches, told to a file and to nobody, in the CPU time of the loop's thread:
the loop only notes what happens, the rest is done in a thread of the file. The goal is three
microseconds a branch on top.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import thread_time_ns
from typing import Final

from benchmarks._command import main
from benchmarks._harness import Case, Goal, Table
from benchmarks.runtime._events import played, written
from benchmarks.runtime._stand import Stand, stands
from understudy import FileSink

QUICK: Final = {"calls": 5}

_CALLS: Final = 2_000
_UNBOUNDED: Final = 1_000_000
_FLUSH: Final = 60.0
_MOST: Final = 3e-6


def _cases(stand: Stand, folder: Path, sinks: ExitStack, calls: int) -> Iterator[Case]:
    for shadows in (0, 3):
        told = f"a call with {shadows} shadows" if shadows else "a call"
        branches = calls * (1 + shadows)
        many, _ = played(stand, shadows, calls)
        yield Case(stand.named(f"{told}, no events"), stand.run(many), branches)
        sink = FileSink(folder / f"{stand.name}-{shadows}.jsonl", capacity=_UNBOUNDED)
        sinks.callback(sink.flush, _FLUSH)  # it makes its file anew where that is gone
        many, _ = played(stand, shadows, calls, events=sink)
        run = stand.run(written(many, sink))
        baseline = stand.named(f"{told}, no events")
        name = stand.named(f"{told}, events to a file")
        yield Case(name, run, branches, baseline, Goal(extra=_MOST))


def tables(calls: int = _CALLS) -> Iterator[Table]:
    """Yield the table of this benchmark."""
    with TemporaryDirectory() as folder, ExitStack() as sinks, stands(calls, "") as made:
        cases = [case for stand in made for case in _cases(stand, Path(folder), sinks, calls)]
        yield Table("a branch, in CPU time of the loop's thread", cases, thread_time_ns)


if __name__ == "__main__":
    main(tables, quick=QUICK)
