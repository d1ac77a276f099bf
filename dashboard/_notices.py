"""Notices: what is worth knowing and happens seldom."""

from understudy.events import Event

from ._places import at, whole
from ._state import Notice, Process, State
from ._texts import text_of


def note(state: State, event: Event, process: Process) -> None:
    """Keep a notice."""
    state.notices.append(
        Notice(
            at(event.ts),
            event.event,
            event.level,
            event.pid,
            event.service,
            event.runtime,
            event.experiment,
            event.label,
            event.actor,
            event.reason,
            event.source,
            None if event.count is None else whole(event.count),
            event.error_type,
            text_of(event.error_message),
        )
    )
    del state.notices[: -state.limits.notices]
