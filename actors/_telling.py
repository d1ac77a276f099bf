"""What is told of a call and its branches, for the logs; asked for only when somebody listens."""

import logging
from typing import TYPE_CHECKING, Any

from understudy.configs import Config

from ._branch import Branch, Part
from ._circuit import CircuitState
from ._results import FunctionResult
from ._stage import Stage

if TYPE_CHECKING:
    from ._case_actor import CaseActor

_log = logging.getLogger("understudy")
_CIRCUIT = {
    CircuitState.OPEN: "breaker.opened",
    CircuitState.HALF_OPEN: "breaker.half_opened",
    CircuitState.CLOSED: "breaker.closed",
}


def tell_planned(stage: Stage, part: Part, call_id: int, count: int) -> None:
    """Tell what a call is to be: who answers, why, and how many branches there are."""
    if stage.emit is not None:
        stage.emit(
            "call.planned",
            **_who(part.actor, part.case.config),
            reason=part.reason,
            call_id=stage.name_of(call_id),
            count=count,
        )


def tell_started(branch: Branch) -> None:
    """Tell that a branch begins."""
    part = branch.part
    stage = part.actor.stage
    if stage.emit is not None:
        parent = branch.parent
        stage.emit(
            "branch.started",
            **_who(part.actor, part.case.config),
            call_id=stage.name_of(branch.call_id),
            branch_id=stage.name_of(branch.id),
            parent_branch_id=None if parent is None else parent.name,
            role=part.role,
            reason=part.reason,
        )


def tell_ended(branch: Branch, result: FunctionResult[Any]) -> None:
    """Tell how a branch ended: completed if it had begun, otherwise shed or skipped."""
    actor = branch.part.actor
    if actor.stage.emit is not None:
        unbegun = "shed" if result.status == "shed" else "skipped"
        actor.stage.emit(
            "branch.completed" if branch.has_begun else f"branch.{unbegun}",
            **_who(actor, result.experiment_case.config),
            call_id=result.call_id,
            branch_id=result.branch_id,
            parent_branch_id=result.parent_branch_id,
            role=result.role,
            reason=result.reason,
            status=result.status,
            duration_ms=result.duration * 1e3,
            queue_ms=result.queue_time * 1e3,
            items=result.items,
            first_item_ms=None if result.first_item is None else result.first_item * 1e3,
            error=result.exception_info,
        )


def tell_circuit(actor: "CaseActor", state: CircuitState) -> None:
    """Tell that the circuit of a case turned."""
    if actor.stage.emit is not None:
        actor.stage.emit(_CIRCUIT[state], **_who(actor, actor.config))
    elif state is CircuitState.OPEN and actor.supervisor.breaker is not None:
        rest = actor.supervisor.breaker.cooldown
        _log.warning("%s: failed too often in a row, and rests for %g s", actor.name, rest)


def tell_shed(actor: "CaseActor", reason: str) -> None:
    """Have the first branch that a case sheds not pass unseen where nobody listens."""
    if actor.tally.shed == 1 and reason in ("limit", "mailbox_full"):
        _log.warning(
            "%s: more than it can play, so that it sheds some (%s); a timeout= ends what hangs",
            actor.name,
            reason,
        )


def _who(actor: "CaseActor", config: Config) -> dict[str, Any]:
    return {
        "experiment": actor.supervisor.name,
        "config_id": config.id,
        "label": config.label,
        "actor": actor.name,
    }
