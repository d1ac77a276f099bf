"""Whole-tree cases: what the experiments inside an experiment may play, known beforehand."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from understudy.strategies import Call, Plan

from ._case import Choice, ExperimentCase

if TYPE_CHECKING:
    from ._lineup import Lineup


def inner_choices(
    lineup: "Lineup", plan: Plan, outer: ExperimentCase | None
) -> list[tuple[Choice, ...]]:
    """Return, for each experiment known to be called inside, what may be chosen for it.

    Nothing may where the case of the branch that calls has chosen already, or where somebody has
    by hand: `force` leaves one choice, and the kill switch none to be made beforehand. An
    experiment whose callers get all results is left to itself, unless those of the outer one do
    too: it does not choose one config, so there is nothing to combine.
    """
    found: list[tuple[Choice, ...]] = []
    for inner in _all_inside(lineup, {lineup.first.key}):
        if outer is not None and outer.config_for(inner.first.key) is not None:
            continue
        if inner.first.supervisor.is_disabled or (inner.answers_all and not plan.answers_all):
            continue
        pinned = inner.pinned
        if pinned is not None:
            found.append((pinned.choice,))
            continue
        call = Call(inner.first.supervisor.function)
        theirs = inner.strategy.guess(call, inner.configs, inner.known)
        if theirs is not None:
            found.append(tuple(inner.cases[config.id].choice for config in theirs.configs))
    return found


def _all_inside(lineup: "Lineup", seen: set[int]) -> "Iterator[Lineup]":
    for inner in lineup.inners() if lineup.inners is not None else ():
        if inner.first.key not in seen:
            seen.add(inner.first.key)
            yield inner
            yield from _all_inside(inner, seen)
