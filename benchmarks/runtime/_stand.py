"""The Stand: one event loop to measure on, and the runtimes that are measured there."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import contextmanager
from time import thread_time_ns
from typing import Any

import uvloop

from benchmarks._harness import Case, Goal
from understudy import Runtime

Many = Callable[[], Coroutine[Any, Any, object]]
"""Makes many calls."""

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


class Stand:
    """One event loop to measure on.

    Args:
        name: the name of the loop: the cases begin with it.
        loop: the loop.
        calls: how many calls are made in one run.
        baseline: the name of the case that the others are compared with; nothing for none.
    """

    def __init__(
        self, name: str, loop: asyncio.AbstractEventLoop, calls: int, baseline: str
    ) -> None:
        self.name = name
        self.loop = loop
        self.calls = calls
        self._baseline = baseline
        self._runtimes: list[Runtime] = []

    def runtime(self, **options: Any) -> Runtime:
        """Return a new runtime that is closed, and looked at, with the stand."""
        runtime = Runtime(**options)
        self._runtimes.append(runtime)
        return runtime

    def named(self, name: str) -> str:
        """Return the name of a case on this loop."""
        return f"{self.name}: {name}"

    def run(self, many: Many) -> Callable[[], object]:
        """Return what makes many calls on the loop."""
        return lambda: self.loop.run_until_complete(many())

    def case(
        self,
        name: str,
        many: Many | Callable[[], object],
        goals: Mapping[str, float] | None = None,
        *,
        over: str = "",
        calls: int = 0,
        clock: Callable[[], int] | None = None,
    ) -> Case:
        """Return a case.

        Args:
            name: what is measured.
            many: makes the calls.
            goals: for each loop, so many times the baseline.
            over: the goals are for what is added to this case.
            calls: how many calls `many` makes, if not as many as usual.
            clock: a clock of its own.
        """
        goal = None
        if goals is not None:
            goal = Goal(goals[self.name], over=over and self.named(over))
        is_compared = self._baseline not in ("", name)
        baseline = self.named(self._baseline) if is_compared else ""
        run = self.run(many) if inspect.iscoroutinefunction(many) else many
        return Case(self.named(name), run, calls or self.calls, baseline, goal, clock)

    def close(self) -> None:
        """Drain and stop the runtimes; each branch that was planned must have gone well."""
        for runtime in self._runtimes:
            self.loop.run_until_complete(runtime.aclose())
            runtime.close()
            statistics = runtime.statistics()
            for experiment in statistics.experiments:
                for case in experiment.cases:
                    if case.planned != case.ok:
                        raise RuntimeError(f"not everything was measured: {case}")
            if statistics.events_dropped:
                raise RuntimeError(f"{statistics.events_dropped} events were dropped")


@contextmanager
def stands(calls: int, baseline: str) -> Generator[list[Stand]]:
    """Give one stand for each kind of loop."""
    made = [Stand(name, new_loop(), calls, baseline) for name, new_loop in LOOPS.items()]
    try:
        yield made
        for stand in made:
            stand.close()
    finally:
        for stand in made:
            stand.loop.close()


class Stopwatch:
    """A clock that only runs between `start` and `stop`: the CPU time of this thread."""

    def __init__(self) -> None:
        self._spent = 0
        self._started = 0

    def start(self) -> None:
        """Let it run."""
        self._started = thread_time_ns()

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self._started:
            self._spent += thread_time_ns() - self._started
            self._started = 0

    def read(self) -> int:
        """Return how long it ran until now, in nanoseconds."""
        return self._spent

    def take_off(self, times: int) -> None:
        """Take off what starting and stopping it so many times takes by itself."""
        before = self._spent
        for _ in range(times):
            self.start()
            self.stop()
        self._spent = before - (self._spent - before)
