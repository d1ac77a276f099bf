"""What goes into the storage, and what comes out."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from understudy.runs import RunInfo


class Document(msgspec.Struct, frozen=True):
    """A small file of a run, replaced whole.

    Attributes:
        path: where it is in the run's folder.
        data: what is in it.
        version: grows with every change: the sender's clock. What is older than what is kept is
            left aside.
    """

    path: str
    data: bytes
    version: int


class Lines(msgspec.Struct, frozen=True):
    """Some lines of a file that is only appended to.

    Attributes:
        path: where it is in the run's folder.
        start: the byte at which they start.
        data: the lines, each whole.
    """

    path: str
    start: int
    data: bytes


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What a sender tells of a run at once: all of it is taken, or nothing.

    Attributes:
        prefix: what the run is called in its project.
        documents: small files that are new, or changed.
        lines: what was appended.
        is_ended: whether the run has ended. One that told so and tells more goes on.
    """

    prefix: str
    documents: list[Document] = []
    lines: list[Lines] = []
    is_ended: bool = False


class Taken(msgspec.Struct, frozen=True):
    """What was new in a batch.

    Attributes:
        documents: those that replaced an older one, or none.
        lines: those that were not there yet, in the order in which they were appended.
    """

    documents: list[Document]
    lines: list[Lines]


class Lengths(msgspec.Struct, frozen=True):
    """How much of a run is kept.

    Attributes:
        lengths: how many bytes there are of each file of lines.
        documents: the version of each document that is kept.
        files: the ids of the files that are there, whole.
    """

    lengths: dict[str, int]
    documents: dict[str, int]
    files: list[str]


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it is listed.

    Attributes:
        project: where it belongs.
        id: which it is, within its project.
        prefix: what it is called.
        seen: when the server heard of it last, in seconds since 1970 by its own clock.
        is_ended: whether its last batch said that it has ended.
        version: grows when something about it changes, other than when it was seen.
        number: that of no other run ever, also not of one that was removed and had the same id.
        info: what is shown of it; None before anything was folded in.
        state: what the fold needs to go on; the storage does not look inside.
    """

    project: str
    id: str
    prefix: str
    seen: float
    is_ended: bool = False
    version: int = 0
    number: int = 0
    info: RunInfo | None = None
    state: bytes = b""


Fold = Callable[[RunRow, Taken], RunRow]
"""Makes of a run, and what is new of it, the run as it is then; pure, as it may be called again."""


class Stamp(msgspec.Struct, frozen=True):
    """Whether a run has changed.

    Attributes:
        number: that of no other run ever: one that was removed, and sent again, has another.
        version: grows when something about it changes, other than when it was seen.
        seen: when the server heard of it last.
    """

    number: int
    version: int
    seen: float


class ProjectRow(msgspec.Struct, frozen=True):
    """A project.

    Attributes:
        project: its name.
        runs: how many runs are in it.
        last_seen: when the server heard of one of them last.
    """

    project: str
    runs: int
    last_seen: float


class FileRow(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a run saved; its content is among the blobs.

    Attributes:
        id: which it is, within its run.
        prefix: what it was saved under.
        name: what it is called.
        size: how many bytes it has.
        sha256: their checksum, in hex.
        ts: when it was saved.
        about: all else that its sender tells of it.
    """

    id: str
    prefix: str
    name: str
    size: int
    sha256: str
    ts: float
    about: dict[str, Any] = {}


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What lets somebody in; the token itself is not kept.

    Attributes:
        id: which it is.
        name: whose it is, or what for.
        project: the project that it is for; `*` for all.
        scope: whether it may read only, or also write.
        sha256: the checksum of the token, in hex.
        created: when it was made.
    """

    id: str
    name: str
    project: str
    scope: Literal["read", "write"]
    sha256: str
    created: float
