"""A request on its way: what it is about, who asks, and what is there to answer it with."""

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ._answers import Refused, answer
from ._blobs import Blobs
from ._catalog import Catalog
from ._curves import Curves
from ._digest import Digest
from ._limits import Limits
from ._rows import RunRow, Token
from ._storage import Storage

Q = TypeVar("Q")
B = TypeVar("B")


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked besides, where there is nothing to ask."""


class Desk(NamedTuple):
    """What is there to answer with."""

    storage: Storage
    blobs: Blobs
    limits: Limits
    clock: Callable[[], float]
    digest: Digest
    curves: Curves
    catalog: Catalog
    version: str
    description: Callable[[], dict[str, Any]]


class Call(NamedTuple, Generic[Q, B]):
    """A request that is let in.

    Attributes:
        request: what was asked.
        desk: what is there to answer with.
        names: what stands in its address.
        token: who asks; None where anybody may.
        query: what stands behind its address.
        body: what came with it.
    """

    request: Request
    desk: Desk
    names: dict[str, str]
    token: Token | None
    query: Q
    body: B

    @property
    def place(self) -> tuple[str, str]:
        """The project and the run that it is about."""
        return self.names["project"], self.names["run"]

    async def row(self) -> RunRow:
        """Return the run that it is about.

        Raises:
            Refused: there is none.
        """
        row = await self.desk.storage.row(*self.place)
        if row is None:
            raise self.no_run()
        return row

    def no_run(self) -> Refused:
        """Return the refusal of a run that is not there."""
        project, run = self.place
        return Refused(404, "run", f"there is no run {run} in the project {project!r:.200}")

    def answer(self, value: Any, *, has_marks: bool = False) -> Response:
        """Return an answer; `has_marks` says whether JSON is to tell NaN from null."""
        return answer(self.request, value, has_marks=has_marks)
