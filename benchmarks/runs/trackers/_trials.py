"""What is lost when a process is killed, and what fails when four begin at once."""

import random
import threading
from typing import Final

import msgspec

from ._processes import Place, TrackerError, place
from ._trackers import TRACKERS
from ._worker import Task
from ._works import Load

_AT_ONCE: Final = 4


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it, all times together."""

    acknowledged: int = 0
    """Points whose call had returned."""
    lost: int = 0
    """Those of them that are not stored."""
    processes: int = 0
    failed: int = 0
    """Processes that ended with an error."""
    problem: str = ""
    """What the first of them said."""

    def __add__(self, other: "Trial") -> "Trial":
        """Return both together."""
        return Trial(
            acknowledged=self.acknowledged + other.acknowledged,
            lost=self.lost + other.lost,
            processes=self.processes + other.processes,
            failed=self.failed + other.failed,
            problem=self.problem or other.problem,
        )


def killed(tracker: str, load: Load, number: int) -> Trial:
    """Kill a process while it logs, at a moment of the number's own, and count what is stored."""
    seconds = random.Random(number).uniform(*load.lives)
    task = Task(tracker=tracker, work="live", load=load)
    with place() as at, at.start(task) as process:
        assert process.stdout is not None
        told = process.stdout.read(1)
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        told += process.stdout.read()
        timer.cancel()
        process.kill()
        process.wait()
        if not told:
            return Trial(processes=1, failed=1, problem=at.last_words(task))
        at.settle()
        return _counted(at, tracker, load, Trial(acknowledged=len(told), processes=1))


def begun_at_once(tracker: str, load: Load) -> Trial:
    """Let four processes begin at once on a store that is not there, and count what is stored."""
    tasks = [
        Task(tracker=tracker, work="begin", load=load, name=f"run-{number}")
        for number in range(_AT_ONCE)
    ]
    with place() as at:
        processes = [at.start(task) for task in tasks]
        told = [process.communicate()[0] for process in processes]
        problems = [
            at.last_words(task)
            for task, process in zip(tasks, processes, strict=True)
            if process.returncode
        ]
        trial = Trial(
            acknowledged=sum(map(len, told)),
            processes=_AT_ONCE,
            failed=len(problems),
            problem=(problems or [""])[0],
        )
        at.settle()
        return _counted(at, tracker, load, trial)


def _counted(at: Place, tracker: str, load: Load, trial: Trial) -> Trial:
    """Count what is stored; of a store that cannot be read, nothing is."""
    try:
        stored = at.ask(Task(tracker=tracker, work="stored", load=load, name="reader"), int)
    except TrackerError as error:
        problem = f"{TRACKERS[tracker].title} cannot read its store: {error}"
        return msgspec.structs.replace(trial, lost=trial.acknowledged, problem=problem)
    return msgspec.structs.replace(trial, lost=max(0, trial.acknowledged - stored))
