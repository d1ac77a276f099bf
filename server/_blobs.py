"""Where the contents of files are kept: the interface of all places for them."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Protocol

import msgspec

from ._errors import UnfitError


class Blob(msgspec.Struct, frozen=True):
    """A content that is there, whole.

    Attributes:
        key: what it is kept under, as `_keys` makes it.
        size: how many bytes it has.
    """

    key: str
    size: int


class Blobs(Protocol):
    """Keeps contents under keys that `_keys` makes; any number of tasks may use it at once.

    Every method raises `AwayError` while the place cannot be reached, and `UnfitError` for a key
    that `_keys` did not make. Contents of any size are handed through in pieces.
    """

    async def open(self) -> None:
        """Make what is not there yet; to be called before anything else."""
        ...

    async def close(self) -> None:
        """Let go of the place."""
        ...

    async def put(self, key: str, parts: AsyncIterable[bytes]) -> None:
        """Keep a content, in place of what was there.

        Until this returns nobody sees it. If the parts raise, their error is raised, and what was
        there stays.
        """
        ...

    def get(self, key: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Yield a content, or the bytes from `start` up to `stop`, in pieces.

        Raises:
            MissingError: it is not there (with the first piece).
        """
        ...

    async def list(self, prefix: str) -> list[Blob]:
        """Return what is kept under keys that start so, sorted; the prefix ends with a slash."""
        ...

    async def remove(self, prefix: str) -> None:
        """Remove a content, or all those whose keys start so, if it ends with a slash."""
        ...


def check_range(start: int, stop: int | None) -> None:
    """Raise if there can be no such bytes."""
    if start < 0 or start >= 2**63 or (stop is not None and stop < start):
        raise UnfitError(f"there are no bytes from {start} up to {stop}")
