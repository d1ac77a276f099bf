"""Silence: which runtimes should have written by now, by the clock of who reads their log."""

from typing import Final

from ._state import Process, Role, State

SILENT: Final = 15.0
"""After so many seconds a runtime is silent: one that plays writes every five, idle ones nothing.

Three times in a row is no accident.
"""


def is_silent(process: Process, now: float | None) -> bool:
    """Whether nothing was heard for long of a runtime that was never closed.

    Args:
        process: the runtime.
        now: the time by the clock of who reads; None if nobody asks for it.
    """
    if now is None or process.state == "stopped":
        return False
    return now - process.last_ts > SILENT


def lost(state: State, now: float | None) -> frozenset[str]:
    """Return who is silent though it had something to write: what it played is unknown.

    Example:
        >>> from understudy import Event
        >>> from understudy.dashboard import State, fold
        >>> from understudy.dashboard._silence import lost
        >>> event = Event(v=1, ts=5.0, event="branch.started", level="debug", seq=1, pid=1)
        >>> state = fold(State(), event)
        >>> sorted(lost(state, now=10.0)), sorted(lost(state, now=60.0))
        ([], ['1/None'])
    """
    return frozenset(
        key
        for key, process in state.processes.items()
        if is_silent(process, now)
        and (process.leads > 0 or process.shadows > 0 or process.state == "draining")
    )


def flying(role: Role, lost: frozenset[str]) -> tuple[int, int]:
    """Return how many branches are in flight; and of how many nobody knows what became of them."""
    all_of_them = role.in_flight
    if not lost or not all_of_them:
        return all_of_them, 0
    known = sum(count for key, count in role.flying.items() if key not in lost)
    known = min(all_of_them, max(0, known))
    return known, all_of_them - known
