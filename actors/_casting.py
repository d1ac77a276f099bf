"""The Casting: a plan, with an actor for every config."""

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from understudy.strategies import Plan

from ._branch import Part, Role
from ._case import Choice, ExperimentCase

if TYPE_CHECKING:
    from ._case_actor import CaseActor
    from ._lineup import Lineup


class Casting(msgspec.Struct, frozen=True, eq=False):
    """Who plays what in one call: made once where the plan never changes.

    Attributes:
        primary: who answers.
        others: who plays beside it.
        skipped: who would have, each with the reason.
        answers_all: whether the caller gets all results.
        limit: how many shadows of the experiment may be in flight.
        after_primary: whether the others start when the primary has ended.
        cancel_with_primary: whether the shadows are cancelled with the caller.
        is_single: whether there is nothing to do but to play the primary.
        branches: how many of the others the caller waits for.
        grown: the case of the branch that calls, with what it chooses by this call.
    """

    primary: Part
    others: tuple[Part, ...]
    skipped: tuple[tuple[Part, str], ...]
    answers_all: bool
    limit: int | None
    after_primary: bool
    cancel_with_primary: bool
    is_single: bool
    branches: int = 0
    grown: ExperimentCase | None = None


def never_changes(plan: Plan) -> bool:
    """Tell whether a plan stays as it is: a strategy may change a list in one that it keeps."""
    parts = (plan.branches, plan.shadows, plan.skipped)
    if type(plan) is not Plan or not all(type(part) is tuple for part in parts):
        return False
    return all(type(pair) is tuple for pair in plan.skipped)


def cast_alone(
    lineup: "Lineup", actor: "CaseActor", case: ExperimentCase, reason: str, *, joins: bool
) -> Casting:
    """Have one actor answer, and nobody else play, whatever the strategy would say."""
    part = Part(
        actor,
        "branch" if lineup.answers_all else "primary",
        reason,
        case,
        lineup.timeout,
        joins,
        lineup.is_rejecting,
        lineup.places.get(actor.config.id, 0),
        lineup.observer,
        lineup.settings.stream,
    )
    return _single(part, lineup.answers_all)


def only_primary(casting: Casting, reason: str) -> Casting:
    """Leave out all but the primary."""
    part = msgspec.structs.replace(casting.primary, reason=reason)
    return _single(part, casting.answers_all)


def _single(part: Part, answers_all: bool) -> Casting:
    return Casting(part, (), (), answers_all, None, False, False, not answers_all)


def cast_plan(
    lineup: "Lineup",
    plan: Plan,
    outer: ExperimentCase | None = None,
    is_shadowed: bool = False,
    inners: Sequence[tuple[Choice, ...]] = (),
) -> Casting:
    """Find the actors for a plan.

    Args:
        lineup: the actors there are.
        plan: the plan.
        outer: the case of the branch that calls: the primary joins it, the others leave it.
        is_shadowed: whether the branch that calls is a shadow; inside one, no shadow starts.
        inners: for each experiment known to be called inside, what may be chosen for it: the
            plan is played once for each combination.
    """
    beside: Role = "branch" if plan.answers_all else "shadow"
    first_role: Role = "branch" if plan.answers_all else "primary"
    timeout = lineup.timeout if plan.timeout is None else max(1, int(plan.timeout * 1e9))
    combinations = list(itertools.product(*inners))

    def part(config_id: str, role: Role, inside: Iterable[Choice], joins: bool = False) -> Part:
        actor = lineup.cases[config_id]
        case = actor.case if outer is None else outer.seen_from(actor.choice)
        for choice in inside:
            case = case.joined(choice)
        limit = lineup.within(timeout) if role == "shadow" else lineup.timeout
        place = lineup.places[config_id]
        return Part(
            actor,
            role,
            plan.reason,
            case,
            limit,
            joins,
            lineup.is_rejecting,
            place,
            lineup.observer,
            lineup.settings.stream,
        )

    joins = outer is not None and not plan.answers_all
    primary = part(plan.primary.id, first_role, combinations[0], joins)
    grown = None
    if outer is not None and joins:
        grown = outer.joined(primary.actor.choice)
        for choices in inners:
            grown = grown.joined(choices[0])
    others = [part(plan.primary.id, beside, inside) for inside in combinations[1:]]
    for configs, role in ((plan.branches, "branch"), (plan.shadows, "shadow")):
        others += [
            part(config.id, "branch" if role == "branch" else "shadow", inside)
            for config in configs
            for inside in combinations
        ]
    skipped = [(part(config.id, "shadow", ()), reason) for config, reason in plan.skipped]
    if is_shadowed:
        skipped += [(other, "in_shadow") for other in others if other.role == "shadow"]
        others = [other for other in others if other.role != "shadow"]
    most = lineup.settings.max_cases - 1
    skipped += [(other, "max_cases") for other in others[most:]] if inners else []
    others = others[:most] if inners else others
    return Casting(
        primary,
        tuple(others),
        tuple(skipped),
        plan.answers_all,
        plan.limit,
        plan.after_primary,
        plan.cancel_with_primary,
        not others and not skipped and not plan.answers_all,
        sum(other.role == "branch" for other in others),
        grown,
    )
