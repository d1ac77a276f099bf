"""What is told of a call and its branches, for the logs; asked for only when somebody listens."""

import logging
from sys import modules
from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec.structs import force_setattr

from ._branch import Branch, Part
from ._circuit import CircuitState
from ._notes import Notes, Sign, Started
from ._results import Status

if TYPE_CHECKING:
    from ._case_actor import CaseActor

_LONGEST: Final = 2_000
"""How many characters of an error's message are told: what waits to be written stays small."""
_log = logging.getLogger("understudy")
_CIRCUIT = {
    CircuitState.OPEN: "breaker.opened",
    CircuitState.HALF_OPEN: "breaker.half_opened",
    CircuitState.CLOSED: "breaker.closed",
}


def tell_planned(
    notes: Notes, at: int, part: Part, parent: Branch | None, call_id: int, count: int = 1
) -> None:
    """Tell what a call is to be: who answers, why, who calls, how many branches there are."""
    sign = part.sign or _sign(part)
    if "structlog.contextvars" in modules or "opentelemetry.trace" in modules:
        notes.put_context(at, sign.prefix, call_id)
    caller = None if parent is None else (parent.part.actor.stage.prefix, parent.id)
    notes.put(("planned", at, sign, call_id, caller, count))


def tell_started(notes: Notes, branch: Branch, is_planned: bool) -> Started:
    """Tell that a branch begins; if that was not yet, also that its call is planned.

    Returns:
        What is noted, for when it ends.
    """
    part, parent = branch.part, branch.parent
    sign = part.sign
    if sign is None:
        sign = _sign(part)
    if ("structlog.contextvars" in modules or "opentelemetry.trace" in modules) and not is_planned:
        notes.put_context(branch.started, sign.prefix, branch.call_id)
    note: Started = (
        "started",
        branch.started,
        sign,
        branch.call_id,
        branch.id,
        None if parent is None else (parent.part.actor.stage.prefix, parent.id),
        branch.asked,
        is_planned,
    )
    pad = notes.pad  # as `put` does: this is for each branch, and a call is most of what it costs
    pad.append(note)
    if len(pad) > notes.most:
        notes.attend()
    return note


def tell_ok(notes: Notes, begun: Started, ended: int) -> None:
    """Tell that a branch went well which had begun, as most do."""
    pad = notes.pad  # as above
    pad.append(("ok", ended, begun))
    if len(pad) > notes.most:
        notes.attend()


def tell_ended(
    notes: Notes,
    branch: Branch,
    status: Status,
    reason: str,
    error: BaseException | None,
    ended: int,
) -> None:
    """Tell how a branch ended: completed if it had begun, otherwise shed or skipped."""
    more = None if error is None and branch.items is None else _more_of(branch, error)
    if branch.items is not None and notes.streams:
        take = notes.streams.pop((branch.part.actor.stage.prefix, branch.id), None)
        if take is not None:
            take(branch.items.kept)
    unbegun: Literal["shed", "skipped"] = "shed" if status == "shed" else "skipped"
    how = "completed" if branch.has_begun else unbegun
    notes.put((how, ended, _beginning(branch, True), status, reason, more))


def _beginning(branch: Branch, is_planned: bool) -> Started:
    part, parent = branch.part, branch.parent
    return (
        "started",
        branch.started,
        part.sign or _sign(part),
        branch.call_id,
        branch.id,
        None if parent is None else (parent.part.actor.stage.prefix, parent.id),
        branch.asked,
        is_planned,
    )


def _sign(part: Part) -> Sign:
    """Return who plays what in a part, in words; it is put together once for each actor."""
    actor, config = part.actor, part.case.config
    if actor.signs is None:
        actor.signs = {}
    inner_case = _inner_case(part)
    sign = actor.signs.get((part.role, part.reason, inner_case))
    if sign is None:
        name, prefix = actor.supervisor.name, actor.stage.prefix
        label = actor.stage.label_of(config)
        who = (name, config.id, label, actor.name)
        sign = Sign(*who, part.role, part.reason, prefix, inner_case)
        actor.signs[part.role, part.reason, inner_case] = sign
    force_setattr(part, "sign", sign)  # for the next time
    return sign


def _inner_case(part: Part) -> str | None:
    """Say what those inside are to play, which tells apart branches that play the same config.

    In a case, what the branch that calls had chosen comes first, then the part's own choice, then
    what its plan was combined with.
    """
    case = part.case
    if case.choices[-1].key == case.key:
        return None
    own = [choice.key for choice in case.choices].index(case.key)
    label_of = part.actor.stage.label_of
    inner = (f"{each.experiment}[{label_of(each.config)}]" for each in case.choices[own + 1 :])
    return " / ".join(inner)


def tell_circuit(actor: "CaseActor", state: CircuitState) -> None:
    """Tell that the circuit of a case turned."""
    if actor.stage.emit is not None:
        actor.stage.emit(
            _CIRCUIT[state],
            experiment=actor.supervisor.name,
            config_id=actor.config.id,
            label=actor.stage.label_of(actor.config),
            actor=actor.name,
        )
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


def error_in_words(error: BaseException) -> dict[str, Any]:
    """Return what is told of an error: its words only, as its traceback keeps what it went through.

    Example:
        >>> from understudy.actors import error_in_words
        >>> error_in_words(KeyError("model"))
        {'error_type': 'KeyError', 'error_message': "'model'"}
    """
    try:
        said = str(error)
    except BaseException:
        said = f"<{type(error).__name__}>"
    return {"error_type": type(error).__qualname__, "error_message": said[:_LONGEST]}


def _more_of(branch: Branch, error: BaseException | None) -> dict[str, Any]:
    more = {} if error is None else error_in_words(error)
    items = branch.items
    if items is not None:
        first = (items.first_at - branch.asked) / 1e6 if items.count else None
        more |= {"items": items.count, "first_item_ms": first}
    return more
