"""Context: what a caller had bound where a call was made, found again in the line of a log."""

from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec

from understudy.events import Event

from ._texts import name_of

_MOST: Final = 12
"""So many values are kept of one call."""
_CHOSEN: Final = "ctx."
"""What is before a name that the event has for itself."""
_NAMES: Final = frozenset(each.encode_name for each in msgspec.structs.fields(Event))
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_decode: Final = msgspec.json.decode


def with_context(event: Event, raw: bytes) -> Event:
    """Return an event with the fields of its line that are none of its own, if there are any.

    A line has them beside the others: an event that is read from it has lost them.

    Example:
        >>> from understudy.dashboard._context import with_context
        >>> from understudy.events import decode_line
        >>> told = b'{"v":1,"ts":0.5,"event":"call.planned","level":"debug","seq":1,"pid":1'
        >>> line = told + b',"request_id":"r-7"}'
        >>> with_context(decode_line(line), line).context
        {'request_id': 'r-7'}
    """
    found = _FIELDS.decode(raw)
    if found.keys() <= _NAMES:  # as most are
        return event
    beside = {
        name.removeprefix(_CHOSEN): _decode(value)
        for name, value in found.items()
        if name not in _NAMES
    }
    return msgspec.structs.replace(event, context=beside)


def context_of(given: Any) -> dict[str, str]:
    """Return what is kept of a context: some of it, as texts that are not too long.

    Example:
        >>> from understudy.dashboard._context import context_of
        >>> context_of({"request_id": "r-7", "user": {"id": 3}})
        {'request_id': 'r-7', 'user': '{"id":3}'}
    """
    if not isinstance(given, Mapping):  # whoever made that event has to live with it
        given = {"context": given}
    items = [*cast("Mapping[Any, Any]", given).items()][:_MOST]
    return {name_of(str(name)): _text(value) for name, value in items if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return name_of(value)
    try:
        return name_of(msgspec.json.encode(value, enc_hook=repr).decode())
    except Exception:  # noqa: BLE001  # of a mounted page it is whatever somebody bound
        return f"<{type(value).__name__}>"
