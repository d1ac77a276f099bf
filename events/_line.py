"""Lines of JSON: how events are written, and read again."""

from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec

from ._event import Event

LONGEST: Final = 2_000
"""How many characters of an error's message are told."""

_NAMES: Final = tuple(
    (each.name, each.encode_name)
    for each in msgspec.structs.fields(Event)
    if each.name != "context"
)
_TAKEN: Final = frozenset(written for _, written in _NAMES) | {
    *("event_args", "exc_info", "extra", "method_name", "self", "stack_info", "stacklevel"),
}
"""Names with a meaning of their own, for us or for a logger."""


def fields_of(event: Event) -> dict[str, Any]:
    """Return what an event tells, under the names that are written.

    Example:
        >>> from understudy.events import Event, fields_of
        >>> event = Event(v=1, ts=0.5, event="log.dropped", level="warning", seq=0, pid=1, count=2)
        >>> fields_of(event)["count"], "label" in fields_of(event)
        (2, False)
    """
    values = ((written, getattr(event, name)) for name, written in _NAMES)
    fields = {written: value for written, value in values if value is not None}
    return fields | _beside(event.context) if event.context else fields


def _beside(context: Any) -> dict[str, Any]:
    """Return what a caller's context holds, under names that nothing else has."""
    if not isinstance(context, Mapping):  # whoever made that event has to live with it
        return {"context": context}
    context = cast("Mapping[str, Any]", context)
    return {f"ctx.{key}" if key in _TAKEN else key: value for key, value in context.items()}


def encode_line(event: Event) -> bytes:
    r"""Return an event as one line of JSON; a value that JSON has no word for is described.

    Example:
        >>> from understudy.events import Event, encode_line
        >>> encode_line(Event(v=1, ts=0.5, event="log.dropped", level="warning", seq=0, pid=1))
        b'{"v":1,"ts":0.5,"event":"log.dropped","level":"warning","seq":0,"pid":1}\n'
    """
    told = event.error_message
    if isinstance(told, str) and len(told) > LONGEST:
        event = msgspec.structs.replace(event, error_message=told[:LONGEST])
    try:
        return _ENCODER.encode(event if event.context is None else fields_of(event)) + b"\n"
    except Exception:  # half a surrogate pair, a mapping that changes, a value inside itself
        plain = {_text(name): _plain(value) for name, value in fields_of(event).items()}
        return _ENCODER.encode(plain) + b"\n"


def encode_lines(events: list[Event]) -> bytes:
    r"""Return events as lines of JSON; messages that are too long must be cut already.

    Example:
        >>> from understudy.events import Event, encode_lines
        >>> event = Event(v=1, ts=0.5, event="log.dropped", level="warning", seq=0, pid=1)
        >>> encode_lines([event, event]).count(b"\n")
        2
    """
    try:
        return _ENCODER.encode_lines(
            [event if event.context is None else fields_of(event) for event in events]
        )
    except Exception:  # as above; whichever it is
        return b"".join(map(encode_line, events))


def decode_line(line: bytes | str) -> Event:
    """Return the event that a line of JSON tells, of this version or a later one.

    Fields that `Event` does not have are left out; kinds that are not in `KINDS` are events too.

    Raises:
        msgspec.DecodeError: it is no event.

    Example:
        >>> from understudy.events import Event, decode_line, encode_line
        >>> event = Event(v=1, ts=0.5, event="log.dropped", level="warning", seq=0, pid=1)
        >>> decode_line(encode_line(event)) == event
        True
    """
    return _DECODER.decode(line)


def _described(value: object) -> str:
    try:
        return repr(value)[:LONGEST]
    except Exception:
        return f"<{type(value).__name__}>"


def _plain(value: object) -> Any:
    if value is None or type(value) in (bool, int, float):
        return value
    return _text(value)


def _text(value: object) -> str:
    text = value if isinstance(value, str) else _described(value)
    return str(text)[:LONGEST].encode("utf-8", "backslashreplace").decode()


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_described)
_DECODER: Final = msgspec.json.Decoder(Event)
