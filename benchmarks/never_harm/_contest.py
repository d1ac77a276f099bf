"""A Contest: one lead in the hands of one library, with a shadow or without."""

from collections.abc import Callable
from typing import Any

import msgspec


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """What a library itself says became of all branches, after a drain."""

    planned: int
    ok: int
    error: int
    timeout: int
    cancelled: int
    shed: int
    skipped: int
    lead_ok: int
    """How many leads ended well."""
    unfinished: int
    """How many branches it believes to be in flight still."""
    events_dropped: int = 0
    """How many events it says were lost."""

    def is_exact(self, requests: int, branches: int) -> bool:
        """Whether each branch of each request has come to exactly one end."""
        return self.planned == requests * branches == self.ended and self.unfinished == 0

    @property
    def ended(self) -> int:
        """How many have come to an end, whichever."""
        return self.ok + self.error + self.timeout + self.cancelled + self.shed + self.skipped


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a library promises to stay within."""

    at_once: int
    """So many shadows play at once."""
    threads: int
    """So many threads besides those there were."""


async def nothing_to_drain() -> Accounts | None:
    """Close what knows of no drain, and keeps no accounts."""
    return None


class Contest(msgspec.Struct, kw_only=True):
    """What the load is put on."""

    ask: Callable[[int], Any]
    """Plays the lead for a request, and what is beside it; awaited, but for sync functions."""
    drain: Callable[[], Any] = nothing_to_drain
    """Ends what is in flight, and returns Accounts, or None; always awaited."""
    limits: Limits | None = None
