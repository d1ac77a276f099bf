"""The Kind: what is told by an event of one name."""

import msgspec

from ._event import Event, Level

STAMPS = ("v", "ts", "event", "level", "seq", "pid", "service", "runtime")
"""The fields that an event of any kind has; `service` only if there is a name for it."""


class Kind(msgspec.Struct, frozen=True):
    """What is told by an event of one name.

    Attributes:
        name: the name: what it is about, and what happened.
        level: how serious it is.
        when: when it is told, in one line.
        fields: what it may have beside the stamps, under the names of the attributes of `Event`.
        later: those of them that nothing tells yet.
        is_later: whether nothing tells it yet at all.

    Example:
        >>> from understudy.events import KINDS
        >>> KINDS["branch.shed"].level, "reason" in KINDS["branch.shed"].fields
        ('warning', True)
    """

    name: str
    level: Level
    when: str
    fields: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    is_later: bool = False

    def strangers(self, event: Event) -> list[str]:
        """Return the fields that an event has, and one of this kind has not.

        Example:
            >>> from understudy.events import KINDS, Event
            >>> event = Event(v=1, ts=0, event="branch.shed", level="info", seq=1, pid=1, count=3)
            >>> KINDS["branch.shed"].strangers(event)
            ['count']
        """
        known = {*STAMPS, *self.fields}
        told = (name for name in event.__struct_fields__ if getattr(event, name) is not None)
        return [name for name in told if name not in known]
