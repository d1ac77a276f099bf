"""The page about the events, made of what they are: `python -m understudy.events`."""

import inspect
import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from ._event import VERSION, Event
from ._kind import STAMPS, Kind
from ._kinds import KINDS
from ._line import LONGEST

_WRITTEN: Final = {each.name: each.encode_name for each in msgspec.structs.fields(Event)}
_MEANING: Final = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)
_TYPES: Final = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "Mapping[str, Any]": "object",
    "Level": "text",
}

_HEAD: Final = f"""# The events

What a runtime tells of itself: `Runtime(events="events.jsonl")`, or a structlog logger, a function, a `MemorySink`, or
several of them. One thing that happened is one line, one flat JSON object. This page is made of the code that tells
them, by `python -m understudy.events > docs/events.md`.

- [How to read them](#how-to-read-them)
- [What each has](#what-each-has)
- [The kinds](#the-kinds)
- [The fields](#the-fields)
- [What is told of your data](#what-is-told-of-your-data)

## How to read them

- `v` is the version of the form, {VERSION} now. New kinds and new fields come without a new version: leave alone what
  you do not know, as `understudy.events.decode_line` does. What a field means never changes within a version.
- What does not apply is not written: a field that is missing is unknown, or does not apply.
- A runtime numbers its events from 1 (`seq`) without a gap, so that `pid`, `runtime` and `seq` name an event. Where
  a sink could not keep up, numbers are missing: the next `log.dropped` says how many. A forked child counts from 1.
- Lines come in the order of `seq`, as far as one process writes them. Several may share a file: each line is whole.
- planned = started + shed + skipped, and started = completed when the runtime was left: `call.planned` says how many
  branches there will be (`count`), and each ends in exactly one of `branch.completed`, `branch.shed`, `branch.skipped`.
"""

_TAIL: Final = f"""## What is told of your data

- **Values of configs** are on `actor.started`, as plain data, cut at 2,000 bytes; labels are made of them too.
- **Arguments and results** are told only on request: `Runtime(capture=True)`, or of one experiment,
  `@runtime.experiment(capture=Capture(limit=500))`. They are on `branch.completed` as JSON, in a text of `limit` bytes
  at most (2,000 unless said otherwise); one that was cut ends with `...`. What a config fills in is no argument.
  Arguments are noted when the branch begins, on the loop, so that what is changed later is told as it was: lists,
  mappings, Structs, dataclasses, attrs and pydantic models are copied, as far as the limit goes. Of any other object
  only its class is told: what it says of itself may hold anything. Encoding is done elsewhere.
- **What structlog has bound** where a call is made (`structlog.contextvars.bind_contextvars(request_id=...)`) is on the
  events of that call and its branches, shadows included. If a span of OpenTelemetry is active there, so are its ids.
- **Secrets**: a value whose key says that it is one is written as `***`, in any of these, also in labels, however deep
  and however the key is written: `password`, `passwd`, `passphrase`, `secret`, `api_key`, `private_key`, `access_key`,
  `credential`, `authorization`, `cookie` anywhere in it; `token`, `auth`, `jwt`, `bearer`, `pwd` at its end.
  `Runtime(redact=function)` adds to that: it is called with a key and a value, and says whether the value is hidden.
  A name that is part of a label is the same everywhere, also in error messages of ours.
- **Messages of errors** are told as they are, their first {LONGEST:,} characters: they are your own text, or that of a
  library. `redact` is asked for them too, with the key `error.message`.
"""


def page() -> str:
    """Return the page about the events.

    Example:
        >>> from understudy.events._page import page
        >>> page().splitlines()[0]
        '# The events'
    """
    now = [kind for kind in KINDS.values() if not kind.is_later]
    later = [kind for kind in KINDS.values() if kind.is_later]
    parts = [
        _HEAD,
        "## What each has\n",
        _fields(STAMPS),
        "## The kinds\n",
        *map(_told, now),
        "### Later\n",
        "Nothing tells these yet: runs, batches and evaluators will.\n",
        *map(_told, later),
        "## The fields\n",
        _fields(name for name in _WRITTEN if name not in STAMPS),
        _TAIL,
    ]
    return "\n".join(parts)


def _told(kind: Kind) -> str:
    names = [_name(field, field in kind.later) for field in kind.fields]
    has = f"\n\n{', '.join(names)}" if names else ""
    head = "####" if kind.is_later else "###"
    return f"{head} `{kind.name}`, {kind.level}\n\n{kind.when}{has}\n"


def _name(field: str, is_later: bool) -> str:
    if field == "context":
        return "what structlog has bound"
    return f"`{_WRITTEN[field]}`{' (later)' if is_later else ''}"


def _fields(names: Iterable[str]) -> str:
    meanings: dict[str, Any] = dict(_MEANING.findall(inspect.getdoc(Event) or ""))
    kinds = inspect.get_annotations(Event)
    rows = ["| field | is | what |", "|---|---|---|"]
    for name in names:
        kind = _TYPES[_type_name(kinds[name])]
        meaning = " ".join(str(meanings[name]).split())
        rows.append(f"| `{_WRITTEN[name]}` | {kind} | {meaning} |")
    return "\n".join(rows) + "\n"


def _type_name(annotation: Any) -> str:
    if getattr(annotation, "__args__", None) and type(None) in annotation.__args__:
        annotation = next(each for each in annotation.__args__ if each is not type(None))
    text = getattr(annotation, "__name__", str(annotation))
    if "Mapping" in str(annotation):
        return "Mapping[str, Any]"
    return "Level" if "Literal" in str(annotation) else text
