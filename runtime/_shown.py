"""What is shown of the data of users: nothing that is secret, and of the rest not too much."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast, final

import msgspec

from understudy.configs import Config, is_secret

from ._plain import CUT, plain

Redact = Callable[[str, Any], bool]
"""Says of a key and a value whether the value is hidden."""

HIDDEN: Final = "***"
"""What stands for what is secret, as in labels."""
LIMIT: Final = 2_000
"""How many bytes of a value are shown, unless told otherwise."""
_SHORTEST: Final = 23
"""How many characters of a value are in a label at least, if it is so long."""
_MOST_LABELS: Final = 1_000
"""How many labels are looked for in messages."""
_ROOM: Final = 8
"""How many bytes stand around a value that is cut: quotes, dots, a comma."""


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of the arguments and results of an experiment.

    Attributes:
        arguments: whether `branch.completed` has the arguments.
        result: whether it has the result.
        limit: how many bytes of each.

    Example:
        >>> import asyncio
        >>> from understudy import Capture, MemorySink, Runtime
        >>> sink = MemorySink()
        >>> runtime = Runtime(events=sink, capture=Capture(limit=30))
        >>> @runtime.experiment
        ... async def log_in(user: str, password: str) -> list[str]:
        ...     return ["welcome", user]
        >>> asyncio.run(log_in("ann", password="hunter2"))
        ['welcome', 'ann']
        >>> [ended] = sink.named("branch.completed")
        >>> print(ended.arguments, ended.result)
        {"user":"ann","password":"*... ["welcome","ann"]
    """

    arguments: bool = True
    result: bool = True
    limit: int = LIMIT


@final
class Shown:
    """Makes of data what is shown of it.

    Args:
        redact: says which values are hidden beside those whose key says that they are secret.

    Example:
        >>> from understudy import Config
        >>> from understudy._shown import Shown
        >>> Shown(None).values(Config(model="large", llm={"api_key": "k"}))
        {'model': 'large', 'llm': {'api_key': '***'}}
    """

    def __init__(self, redact: Redact | None) -> None:
        self._redact = redact
        self._labels: dict[str, str] = {}
        """What is shown instead of labels in which something hidden can be read."""

    def text(self, value: Any, limit: int) -> str:
        """Return a plain value as JSON, in so many bytes at most."""
        written = msgspec.json.encode(self.hidden(value))
        if len(written) <= limit:
            return written.decode()
        return written[: max(0, limit - len(CUT))].decode(errors="ignore") + CUT

    def values(self, config: Config) -> dict[str, Any] | None:
        """Return the values of a config, as many as may be shown; None if there are none."""
        return self.mapping(config, LIMIT)

    def mapping(self, values: Mapping[str, Any], limit: int) -> dict[str, Any] | None:
        """Return a plain copy of some values; what does not fit any more is cut."""
        copy = self.hidden(plain(values, limit))
        if len(msgspec.json.encode(copy)) <= limit:
            return copy or None
        shown: dict[str, Any] = {}
        left = limit - _ROOM - 2 * len(CUT)
        for name, value in copy.items():
            room = left - len(msgspec.json.encode(name)) - 2
            if room < _ROOM:
                shown[CUT] = CUT
                break
            written = msgspec.json.encode(value)
            if len(written) > room:
                value = _cut(written, room)
                written = msgspec.json.encode(value)
            shown[name] = value
            left = room - len(written)
        return shown

    def hidden(self, value: Any) -> Any:
        """Return a plain value without what is secret in it."""
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            return {
                key: HIDDEN if self.is_hidden(key, inner) else self.hidden(inner)
                for key, inner in fields.items()
            }
        if isinstance(value, list):
            items = cast("list[Any]", value)
            if len(items) == 2 and isinstance(items[0], str) and self.is_hidden(*items):
                return [items[0], HIDDEN]  # a header, say
            return [self.hidden(item) for item in items]
        return value

    def is_hidden(self, key: str, value: Any) -> bool:
        """Whether a value is secret; also if it cannot be told."""
        if is_secret(key):
            return True
        if self._redact is None:
            return False
        try:
            return bool(self._redact(key, value))
        except (Exception, SystemExit):  # whatever it is: it is none of a caller's business
            return True

    def message(self, text: str | None) -> str | None:
        """Return the message of an error, unless that is hidden; it may name configs."""
        if text is None or self.is_hidden("error.message", text):
            return None if text is None else HIDDEN
        for label, shown in [*self._labels.items()]:
            text = text.replace(label, shown)
        return text

    def label(self, config: Config) -> str:
        """Return the label of a config; one in which something hidden can be read is replaced."""
        label = config.label
        if self._redact is None:
            return label
        words = [*self._hidden_words(plain(config, LIMIT))]
        if any(word and (word in label or label.endswith("~")) for word in words):
            shown = f"{HIDDEN}-{config.id[:8]}"
            if len(self._labels) < _MOST_LABELS:
                self._labels[label] = shown
            return shown
        return label

    def _hidden_words(self, value: Any, is_hidden: bool = False) -> Iterator[str]:
        """Yield what labels have of all that is hidden in a plain value."""
        if isinstance(value, dict):
            for key, inner in cast("dict[str, Any]", value).items():
                yield from self._hidden_words(inner, is_hidden or self.is_hidden(key, inner))
        elif isinstance(value, list):
            for inner in cast("list[Any]", value):
                yield from self._hidden_words(inner, is_hidden)
        elif is_hidden and value is not None and not isinstance(value, bool):
            yield "_".join(str(value).split())[:_SHORTEST]


def _cut(written: bytes, room: int) -> str:
    """Return the beginning of what is written, as a text that takes so many bytes when written."""
    text = written.strip(b'"').decode(errors="ignore")[: room - _ROOM]
    while len(msgspec.json.encode(text)) > room - len(CUT):
        text = text[: -1 - len(text) // 8]
    return text + CUT
