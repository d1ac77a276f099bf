"""A caller who waits in a mailbox for a permit."""

import asyncio
from typing import final


@final
class Parked:
    """A caller who waits in a mailbox for a permit."""

    __slots__ = ("_future", "is_admitted", "is_refused")

    def __init__(self, future: "asyncio.Future[None]") -> None:
        self._future = future
        self.is_admitted = False
        self.is_refused = False

    @property
    def is_gone(self) -> bool:
        """Whether the caller went away."""
        return self._future.done()

    def admit(self) -> bool:
        """Hand the permit over."""
        if self._future.done():
            return False
        self.is_admitted = True
        self._future.set_result(None)
        return True

    def refuse(self, error: BaseException) -> None:
        """Tell the caller that there will be no permit."""
        self.is_refused = True
        if not self._future.done():
            self._future.set_exception(error)
