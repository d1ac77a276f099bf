"""What a run is told at the start, looked through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from ._remote import Remote

METADATA: Final = ("description", "tags", "bindrs", "folder", "readme")
"""What describes a run, and may be changed later."""


class Settings(NamedTuple):
    """What a run is told at the start."""

    prefix: str
    project: str
    root: str
    described: dict[str, Any]
    """What was given of `METADATA`."""
    remote: Remote | None
    resume: str
    rewind: int | float | None
    is_synced: bool
    aspects: frozenset[str]
    system: float | None
    is_strict: bool


class Origin(NamedTuple):
    """The run that another begins from."""

    path: Path
    step: int | float | None
