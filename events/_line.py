"""Lines of JSON: how events are written."""

from typing import Any, Final

import msgspec

from ._event import Event

LONGEST: Final = 2_000
"""How many characters of an error's message are told."""

_NAMES: Final = tuple((each.name, each.encode_name) for each in msgspec.structs.fields(Event))


def fields_of(event: Event) -> dict[str, Any]:
    """Return what an event tells, under the names that are written.

    Example:
        >>> from understudy.events import Event, fields_of
        >>> event = Event(v=1, ts=0.5, event="log.dropped", level="warning", seq=0, pid=1, count=2)
        >>> fields_of(event)["count"], "label" in fields_of(event)
        (2, False)
    """
    values = ((written, getattr(event, name)) for name, written in _NAMES)
    return {written: value for written, value in values if value is not None}


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
        return _ENCODER.encode(event) + b"\n"
    except Exception:  # half a surrogate pair, a mapping that changes, a value inside itself
        plain = {name: _plain(value) for name, value in fields_of(event).items()}
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
        return _ENCODER.encode_lines(events)
    except Exception:  # as above; whichever it is
        return b"".join(map(encode_line, events))


def _described(value: object) -> str:
    try:
        return repr(value)[:LONGEST]
    except Exception:
        return f"<{type(value).__name__}>"


def _plain(value: object) -> Any:
    if value is None or type(value) in (bool, int, float):
        return value
    text = value if isinstance(value, str) else _described(value)
    return str(text)[:LONGEST].encode("utf-8", "backslashreplace").decode()


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_described)
