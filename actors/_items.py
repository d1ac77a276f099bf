"""What comes of a stream: how many items, when the first, and those that are kept."""

import sys
from collections.abc import Callable, Iterable
from typing import Any, Literal, final

import msgspec

from understudy.configs import UnderstudyError

from ._named import NamedMeta

_MOST_LOOKED_AT = 256
_FLAT = (str, bytes, bytearray, int, float, complex, bool, type(None))

Limit = Literal["max_items", "max_bytes"]


class StreamLimits(msgspec.Struct, metaclass=NamedMeta, frozen=True, kw_only=True):
    """How much of a stream that nobody reads is played, and kept.

    A shadow's stream ends at the first limit it comes to: it is `cancelled` with the reason
    `max_items` or `max_bytes`, or a `timeout` with the reason `max_seconds`. A lead's stream does
    not end there: all of its items reach the caller. But those who compare, by `subscribe`, are
    given them up to the limits of items and bytes; where there were more, its result says so by
    `items` alone.

    Attributes:
        items: how many items at most; None for no limit.
        bytes: how much memory the items may take, roughly; None for no limit.
        seconds: how long it may take, unless a `timeout` ends it before; None for no limit.

    Example:
        >>> from understudy import StreamLimits
        >>> StreamLimits(seconds=30).items
        10000
        >>> StreamLimits(items=-1)
        Traceback (most recent call last):
        ...
        ValueError: StreamLimits: items must be a number from 0 on, or None, not -1
    """

    items: int | None = 10_000
    bytes: int | None = 16 * 2**20
    seconds: float | None = 300.0

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value: Any = getattr(self, name)
            kinds = int | float if name == "seconds" else int
            is_number = isinstance(value, kinds) and not isinstance(value, bool) and value >= 0
            if value is not None and not is_number:
                raise ValueError(
                    f"StreamLimits: {name} must be a number from 0 on, or None, not {value!r}"
                )

    @property
    def nanoseconds(self) -> int:
        """How long it may take, in nanoseconds; 0 for no limit."""
        return 0 if self.seconds is None else max(1, int(self.seconds * 1e9))


class StreamLimitReached(UnderstudyError):
    """A shadow's stream was ended, as it came to a limit.

    Attributes:
        reason: which: `max_items` or `max_bytes`.

    Example:
        >>> from understudy.actors import StreamLimitReached
        >>> StreamLimitReached("answer[small]: ended after 10 items", "max_items").reason
        'max_items'
    """

    __module__ = "understudy.actors"

    def __init__(self, problem: str, reason: Limit) -> None:
        super().__init__(problem)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.args[0])


@final
class Items:
    """What came of a stream so far.

    Args:
        limits: up to where items are kept; None for all.
        is_kept: whether anybody wants them.

    Attributes:
        count: how many items came.
        first_at: when the first came, by the clock of the stage; 0 if none did.
        kept: the items, from the first on, as far as they are kept.
        limit: the limit that was come to.
    """

    __slots__ = ("_limits", "_size", "count", "first_at", "is_kept", "kept", "limit")

    def __init__(self, limits: StreamLimits | None, is_kept: bool = True) -> None:
        self._limits = limits
        self.is_kept: bool = is_kept
        self._size = 0
        self.count: int = 0
        self.first_at: int = 0
        self.kept: list[Any] = []
        self.limit: Limit | None = None

    def add(self, item: Any, clock: Callable[[], int]) -> None:
        """Count an item, and keep it unless a limit is come to."""
        if not self.count:
            self.first_at = clock()
        self.count += 1
        if not self.is_kept or self.limit is not None:
            return
        limits = self._limits
        if limits is not None:
            if limits.items is not None and self.count > limits.items:
                self.limit = "max_items"
                return
            if limits.bytes is not None:
                self._size += size_of(item)
                if self._size > limits.bytes:
                    self.limit = "max_bytes"
                    return
        self.kept.append(item)


def size_of(value: object) -> int:
    """Estimate how many bytes of memory a value takes, with what it holds.

    It looks at some parts only: of a large value, the rest counts as those do.
    """
    if isinstance(value, _FLAT):
        return sys.getsizeof(value)
    todo: list[object] = [value]
    seen: set[int] = set()
    total = 0
    while todo and len(seen) < _MOST_LOOKED_AT:
        part = todo.pop()
        if id(part) not in seen:
            seen.add(id(part))
            total += part.nbytes if isinstance(part, memoryview) else sys.getsizeof(part, 64)
            todo.extend(_parts_of(part))
    return total * (len(seen) + len(todo)) // len(seen)


def _parts_of(value: Any) -> Iterable[object]:
    held: Any = value
    if isinstance(value, dict):
        return [*held, *held.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return [*held]
    if isinstance(value, msgspec.Struct):
        return [getattr(value, name) for name in value.__struct_fields__]
    try:
        return [*object.__getattribute__(value, "__dict__").values()]
    except AttributeError:
        return ()
