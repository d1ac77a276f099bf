"""Notes: what becomes of the branches, put down in few words; events are made of them later.

A note is a plain tuple of what never changes any more: to make one is all that a loop has to do.
It keeps neither a result, nor an error, nor the task of a branch.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Literal, final

from ._branch import Part
from ._results import Status

Caller = tuple[Part, int] | None
"""The branch that made a call: what it plays, and its id."""

Planned = tuple[Literal["planned"], int, Part, int, int]
"""A call: when, its main part, its id, how many branches it has."""

Started = tuple[Literal["started"], int, Part, int, int, Caller, bool]
"""A branch begins: when, its part, its call, its id, who calls, whether its call was told before.

If not, then it is all there is of that call, and was planned just then.
"""

Ended = tuple[
    Literal["completed", "shed", "skipped"],
    int,
    Part,
    int,
    int,
    Caller,
    int,
    int,
    Status,
    str,
    dict[str, Any] | None,
]
"""A branch ended: when, its part, its call, its id, who calls; when it started, when it was asked
for; how and why; what only few have to tell."""

Said = tuple[Literal["said"], int, str, dict[str, Any]]
"""Anything else: when, the name of the event, its fields."""

Note = Planned | Started | Ended | Said


@final
class Notes:
    """Where notes are put down, from any thread, until somebody comes for them.

    Whoever puts one on the pad calls `attend` if there are more than `most` by then.

    Args:
        attend: has somebody come for the notes.

    Attributes:
        pad: the notes, the oldest first.
        most: how many there may be; 0 while nobody comes by himself.

    Example:
        >>> from understudy.actors import Notes
        >>> notes = Notes(attend=lambda: print("somebody should look"))
        >>> notes.put(("said", 0, "runtime.started", {}))
        somebody should look
        >>> notes.pad.popleft()
        ('said', 0, 'runtime.started', {})
    """

    __slots__ = ("attend", "most", "pad")

    def __init__(self, attend: Callable[[], object]) -> None:
        self.pad: deque[Note] = deque()
        self.most: int = 0
        self.attend = attend

    def put(self, note: Note) -> None:
        """Put down a note."""
        self.pad.append(note)
        if len(self.pad) > self.most:
            self.attend()
