"""The contest in the hands of laboratory, GitHub's Scientist in Python."""

from typing import Any

from benchmarks._peers import load

from ._cells import Way
from ._contest import Contest
from ._shadows import Shadow, lead_sync


def contest(way: Way, shadow: Shadow | None) -> Contest:
    """Return a contest; it has no limits, knows of no drain and keeps no accounts."""
    if way != "sync":
        raise ValueError(f"laboratory cannot call {way} functions")
    laboratory = load("laboratory")

    def ask(number: int) -> Any:
        experiment = laboratory.Experiment()
        experiment.control(lead_sync, args=[number])
        if shadow is not None:
            experiment.candidate(shadow.run_sync)
        return experiment.conduct()

    return Contest(ask=ask)
