"""What is shown of a run, until `understudy.runs` has it."""

from typing import Any, Literal

import msgspec

from understudy.runs import Summary


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown of a run."""

    id: str
    project: str
    prefix: str
    path: str | None = None
    status: Literal["RUNNING", "COMPLETED", "FAILED", "CANCELLED", "LOST"] | None = None
    created: float | None = None
    started: float | None = None
    ended: float | None = None
    description: str | None = None
    tags: list[str] = []
    bindrs: Any = None
    folder: str | None = None
    params: dict[str, Any] = {}
    metrics: dict[str, dict[str, Summary]] = {}
    attempts: int = 0
    error: str | None = None
    git_commit: str | None = None
