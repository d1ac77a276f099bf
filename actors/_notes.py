"""Notes: what becomes of the branches, put down in few words; events are made of them later.

A note is a plain tuple of words and numbers: to make one is all that a loop has to do. It keeps
nothing alive: no result, no error, no task, no experiment.
"""

from collections import deque
from collections.abc import Callable, Mapping
from sys import modules
from typing import TYPE_CHECKING, Any, Literal, final

import msgspec

if TYPE_CHECKING:
    from ._branch import Role
    from ._results import Status


class Sign(msgspec.Struct, frozen=True, eq=False):
    """Who plays what, in words: the same for all branches of one part.

    Attributes:
        experiment: the name of the experiment.
        config_id: the id of the config,
        label: and its short name.
        actor: the name of the actor.
        role: as what it plays.
        reason: why.
        prefix: begins the ids of the calls and branches.
        inner_case: what the experiments inside are to play, if that was chosen with it.
    """

    experiment: str
    config_id: str
    label: str
    actor: str
    role: "Role"
    reason: str
    prefix: str
    inner_case: str | None = None


Caller = tuple[str, int] | None
"""The branch that made a call: what its id begins with, and its number."""

Planned = tuple[Literal["planned"], int, Sign, int, Caller, int]
"""A call: when, its main part, its number, who calls, how many branches it has."""

Started = tuple[Literal["started"], int, Sign, int, int, Caller, int, bool]
"""A branch begins: when; who; the numbers of its call and its own; who calls; when it was asked
for; whether its call was told before. If not, it is all there is of that call, planned just then.
"""

Done = tuple[Literal["ok"], int, Started]
"""A branch went well: when, and how it began."""

Ended = tuple[
    Literal["completed", "shed", "skipped"], int, Started, "Status", str, dict[str, Any] | None
]
"""A branch ended: when; how it began, or would have; how and why; what only few have to tell."""

Said = tuple[Literal["said"], int, str, dict[str, Any]]
"""Anything else: when, the name of the event, its fields."""

Bound = tuple[Literal["bound"], int, str, int, dict[str, Any] | None, tuple[int, int] | None]
"""What the context of a call holds: when; what its id begins with, and its number; what structlog
has bound there; the trace and the span. It comes before what else is told of the call."""

Captured = tuple[Literal["captured"], int, str, int, str, Any, int]
"""What a branch was given, or gave: when; what its id begins with, and its number; which of both;
a plain copy; how many bytes of it are told. It comes before the end of the branch."""

Note = Planned | Started | Done | Ended | Said | Bound | Captured

Look = Callable[[int, str, int], Bound | None]
"""Returns what there is to tell of the context of a call that is about to be told of."""


@final
class Notes:
    """Where notes are put down, from any thread, until somebody comes for them.

    Whoever puts one on the pad calls `attend` if there are more than `most` by then.

    Args:
        attend: has somebody come for the notes.
        look: sees what the context of a call holds.

    Attributes:
        pad: the notes, the oldest first.
        most: how many there may be; 0 while nobody comes by himself.
        streams: who is to be told the items of a branch when it ends, by the beginning of its id
            and its number.

    Example:
        >>> from understudy.actors import Notes
        >>> notes = Notes(attend=lambda: print("somebody should look"))
        >>> notes.put(("said", 0, "runtime.started", {}))
        somebody should look
        >>> notes.pad.popleft()
        ('said', 0, 'runtime.started', {})
    """

    __slots__ = ("_variables", "attend", "look", "most", "pad", "streams")

    def __init__(self, attend: Callable[[], object], look: "Look | None" = None) -> None:
        self.look: Look | None = look
        self._variables: Mapping[str, Any] | None = None
        """What structlog has ever bound anything to, once it is imported."""
        self.streams: dict[tuple[str, int], Callable[[list[Any]], object]] = {}
        self.pad: deque[Note] = deque()
        self.most: int = 0
        self.attend: Callable[[], object] = attend

    def put_context(self, at: int, prefix: str, call_id: int) -> None:
        """Put down what the context of a call holds, if there is anything to tell of it.

        Where structlog is imported, and nobody has ever bound anything, there is nothing.
        """
        variables = self._variables
        if variables is None:
            module: Any = modules.get("structlog.contextvars")
            variables = self._variables = getattr(module, "_CONTEXT_VARS", None)
        if variables is not None and not variables and "opentelemetry.trace" not in modules:
            return
        bound = None if self.look is None else self.look(at, prefix, call_id)
        if bound is not None:
            self.put(bound)

    def put(self, note: Note) -> None:
        """Put down a note."""
        self.pad.append(note)
        if len(self.pad) > self.most:
            self.attend()
