"""The events: what a runtime tells of itself, one flat JSON object a line.

Layout:

    _event  Event, EVENTS: what may be told, and how serious it is
    _line   `encode_line`, `fields_of`: how it is written
"""

from ._event import EVENTS as EVENTS
from ._event import VERSION as VERSION
from ._event import Event as Event
from ._event import Level as Level
from ._line import LONGEST as LONGEST
from ._line import encode_line as encode_line
from ._line import encode_lines as encode_lines
from ._line import fields_of as fields_of

__all__ = [
    "EVENTS",
    "LONGEST",
    "VERSION",
    "Event",
    "Level",
    "encode_line",
    "encode_lines",
    "fields_of",
]
