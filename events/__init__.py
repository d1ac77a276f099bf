"""The events: what a runtime tells of itself, one flat JSON object a line.

Layout:

    _event  Event: the form, with all fields that there are
    _kinds  KINDS: what may be told, how serious it is, and which fields each kind has (_kind)
    _line   `encode_line`, `decode_line`, `fields_of`: how it is written
    _page   docs/events.md, made of all that by `python -m understudy.events`
"""

from ._event import VERSION as VERSION
from ._event import Event as Event
from ._event import Level as Level
from ._kind import STAMPS as STAMPS
from ._kind import Kind as Kind
from ._kinds import EVENTS as EVENTS
from ._kinds import KINDS as KINDS
from ._line import LONGEST as LONGEST
from ._line import decode_line as decode_line
from ._line import encode_line as encode_line
from ._line import encode_lines as encode_lines
from ._line import fields_of as fields_of

__all__ = [
    "EVENTS",
    "KINDS",
    "LONGEST",
    "STAMPS",
    "VERSION",
    "Event",
    "Kind",
    "Level",
    "decode_line",
    "encode_line",
    "encode_lines",
    "fields_of",
]
