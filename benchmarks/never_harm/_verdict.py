"""What came of a cell: medians of its rounds, and whether the lead was harmed."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

import msgspec

from ._cells import APART, NOTHING, Cell
from ._phase import Phase

RATIO: Final = 1.05
EXTRA: Final = 0.001
"""A lead may be this many times as late as without a shadow, and so many seconds on top."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a cell."""

    cell: Cell
    p50: float | None
    """With a shadow: the median of the rounds, in seconds; None if that many are lost."""
    p99: float | None
    p50_alone: float | None
    """The same without a shadow."""
    p99_alone: float | None
    requests: int
    """How many there were with a shadow, in all rounds."""
    lost: int
    failures: dict[str, int]
    lost_alone: int
    played: int
    """How often the shadow began to play."""
    accounts: str
    """What the library's own accounts are: `exact`, `wrong` or `none`."""
    at_once: int
    """How often the shadow played at once, at most."""
    threads: int
    threads_alone: int
    memory: int
    memory_alone: int
    lag: float
    """The p99 of how late requests were taken from the schedule without a shadow, in seconds."""
    busy: float
    """How much of one CPU the process used without a shadow."""
    dropped: int = 0
    """How many events were lost on their way to a sink."""
    harm: tuple[str, ...]
    """What was broken of the promise: nothing, if it was kept."""

    @property
    def is_promised(self) -> bool:
        """Whether the promise is for this case."""
        return self.cell.case not in APART


def verdict_of(cell: Cell, phases: Sequence[Phase], problem: str = "") -> Verdict:
    """Judge a cell.

    Args:
        cell: what was to be measured.
        phases: what was measured.
        problem: what ended its process before its time; nothing, if it came to its end.
    """
    beside = [phase for phase in phases if phase.has_shadow]
    alone = [phase for phase in phases if not phase.has_shadow]
    lost = sum(phase.lost for phase in beside)
    p99, p99_alone = (_median(phase.p99 for phase in part) for part in (beside, alone))
    accounts = _accounts(cell, phases)
    failures = sum((Counter(phase.failures) for phase in beside), Counter[str]())
    ended_by = {phase.ended_by for phase in beside if phase.ended_by}
    is_late = math.isinf(p99) or p99 > p99_alone * RATIO + EXTRA
    found = {
        problem: bool(problem),
        **{f"{name} ended the process": True for name in sorted(ended_by)},
        "lost": lost > 0,
        "late": is_late,
        "accounts wrong": accounts == "wrong",
        "over its limits": any(map(_is_over_limits, beside)),
    }
    return Verdict(
        cell=cell,
        p50=_finite(_median(phase.p50 for phase in beside)),
        p99=_finite(p99),
        p50_alone=_finite(_median(phase.p50 for phase in alone)),
        p99_alone=_finite(p99_alone),
        requests=sum(phase.requests for phase in beside),
        lost=lost,
        failures=dict(failures),
        lost_alone=sum(phase.lost for phase in alone),
        played=sum(phase.played for phase in beside),
        accounts=accounts,
        at_once=max((phase.at_once for phase in beside), default=0),
        threads=max((phase.threads for phase in beside), default=0),
        threads_alone=max((phase.threads for phase in alone), default=0),
        memory=max((phase.memory for phase in beside), default=0),
        memory_alone=max((phase.memory for phase in alone[:1]), default=0),
        lag=max((phase.lag for phase in alone), default=0.0),
        busy=max((phase.busy for phase in alone), default=0.0),
        dropped=sum(phase.accounts.events_dropped for phase in beside if phase.accounts),
        harm=tuple(name for name, is_so in found.items() if is_so),
    )


def _accounts(cell: Cell, phases: Iterable[Phase]) -> str:
    kept = [phase for phase in phases if phase.accounts is not None]
    if not kept:
        return "none"
    for phase in kept:
        branches = 2 if phase.has_shadow and cell.case != NOTHING else 1
        accounts = phase.accounts
        assert accounts is not None
        if not accounts.is_exact(phase.asked, branches):
            return "wrong"
        if accounts.lead_ok < phase.requests - phase.lost:
            return "wrong"
    return "exact"


def _is_over_limits(phase: Phase) -> bool:
    limits = phase.limits
    return limits is not None and (phase.at_once > limits.at_once or phase.threads > limits.threads)


def _median(values: Iterable[float | None]) -> float:
    found = [math.inf if value is None else value for value in values]
    return median(found) if found else math.inf


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
