"""Lines of a log: the events in them, and what cannot be read."""

from typing import Any, Final, cast, final

import msgspec

from understudy.events import Event

LONGEST: Final = 1_048_576
"""A line of more bytes is not read."""

_MANY: Final = 16_384
_CUT: Final = 1_000
_NESTED: Final = 200


@final
class Line(msgspec.Struct, frozen=True, gc=False):
    """One line of a log that can be read.

    Attributes:
        event: what is known of it, typed. The name may be one that nobody knows yet.
        raw: the line as it stands there.

    Example:
        >>> from understudy.dashboard import read_line
        >>> told = b'{"v":1,"ts":0.5,"event":"new.one","level":"info","seq":7,"pid":1,"more":[1]}'
        >>> line = read_line(told)
        >>> line.event.event, line.event.seq, line.fields["more"]
        ('new.one', 7, [1])
    """

    event: Event
    raw: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """All its fields, those that nobody knows too."""
        return _FIELDS.decode(self.raw)

    @property
    def text(self) -> str:
        """The line, or one of the same fields cut short if it is very long."""
        return text_of_line(self.raw)


def read_line(raw: bytes) -> Line | None:
    """Read a line of a log; None if it is no event: torn, no JSON object, fields of a wrong type.

    Example:
        >>> from understudy.dashboard import read_line
        >>> read_line(b'{"v":1,"ts":0.5,"eve') is None
        True
    """
    try:
        return Line(decode_event(raw), raw)
    except UNREADABLE:
        return None


def text_of_line(raw: bytes) -> str:
    """Return a line that can be read as a text, which is not very long."""
    return raw.decode() if len(raw) <= _MANY else shortened(_FIELDS.decode(raw))


def shortened(fields: dict[str, Any]) -> str:
    """Return fields as a line whose texts are cut, and what is nested too."""
    return _ENCODER.encode(
        {name: _cut(value) for name, value in [*fields.items()][:_NESTED]}
    ).decode()


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _CUT else f"{value[:_CUT]}…"
    if isinstance(value, dict | list):
        text = _ENCODER.encode(cast("Any", value)).decode()
        return cast("Any", value) if len(text) <= _CUT else f"{text[:_CUT]}…"
    return value


decode_event: Final = msgspec.json.Decoder(Event).decode
"""Reads an event, or raises one of those below."""

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_FIELDS: Final = msgspec.json.Decoder(dict[str, Any])
_ENCODER: Final = msgspec.json.Encoder()
