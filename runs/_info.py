"""What is told of a run where many are told of: what it was told, what it measured, how it is."""

from collections.abc import Iterable, Mapping
from itertools import islice
from time import time
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from ._attempts import Attempt, Status, paused_in, status_of
from ._numbers import Summary

if TYPE_CHECKING:
    from ._reading import RunFolder


_SHOWN: Final = 20
"""How many parameters, and how many metrics, are printed of one."""


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A run in short, as lists of runs have it.

    Attributes:
        id: the id of the run, that of no other.
        project: what it belongs to.
        prefix: its name within the project.
        path: its folder; None if it is on a server.
        status: how it is; None if nobody ever said.
        created: when it was made, in seconds since 1970.
        started: when its first attempt began.
        ended: when its last attempt ended; None if it runs, or nobody saw it end.
        paused: how many seconds between its attempts nobody recorded into it.
        description: what it is about.
        tags: words to find it by.
        bindrs: the resources or teams that it belongs to.
        folder: where a dashboard shows it.
        params: its parameters; what is nested has one key, with dots.
        metrics: of each metric, what its fields come to.
        attempts: how many processes recorded into it.
        error: what it failed with.
        git_commit: the commit that the code was at.

    Example:
        >>> from understudy import runs
        >>> with runs.Run(prefix="my-experiment", tags=["baseline"]) as run:
        ...     run.params.set(model={"size": 3})
        ...     run.metrics("train").log(loss=0.5)
        >>> info = runs.RunInfo.of(run.read())
        >>> info.status, info.tags, info.params, info.metrics["train"]["loss"].last
        ('COMPLETED', ['baseline'], {'model.size': 3}, 0.5)
    """

    __module__ = "understudy.runs"

    id: str
    project: str
    prefix: str
    path: str | None = None
    status: Status | None = None
    created: float | None = None
    started: float | None = None
    ended: float | None = None
    paused: float = 0.0
    description: str | None = None
    tags: list[str] = msgspec.field(default_factory=list[str])
    bindrs: list[str] = msgspec.field(default_factory=list[str])
    folder: str | None = None
    params: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    metrics: dict[str, dict[str, Summary]] = msgspec.field(
        default_factory=dict[str, dict[str, Summary]]
    )
    attempts: int = 0
    error: str | None = None
    git_commit: str | None = None

    @classmethod
    def of(cls, found: "RunFolder") -> "RunInfo":
        """Return what is told of a run that is on disk.

        Example:
            >>> from understudy.runs import Run, RunInfo
            >>> with Run(prefix="my-experiment") as run:
            ...     pass
            >>> RunInfo.of(run.read()).prefix
            'my-experiment'
        """
        from ._manifest import FILE
        from ._names import name_of
        from ._points import Points
        from ._state import read_state

        return cls.told(
            run=read_state(found.path / FILE),
            attempts=found.attempts,
            params=found.params.get(flat=True),
            metrics={name: Points(found.path, name).summary() for name in found.metric_names},
            git=found.git,
            project=name_of(found.path.parent),
            prefix=name_of(found.path),
            path=str(found.path),
        )

    @classmethod
    def told(
        cls,
        *,
        run: Mapping[str, Any],
        attempts: Iterable[Attempt],
        params: dict[str, Any],
        metrics: dict[str, dict[str, Summary]],
        git: Mapping[str, Any],
        project: str,
        prefix: str,
        path: str | None = None,
    ) -> "RunInfo":
        """Return what is told of a run, from what its files say, wherever they are.

        What is of another kind than it should be, as somebody wrote it by hand, is left out.

        Args:
            run: what run.json says.
            attempts: its attempts, in order.
            params: its parameters, flat.
            metrics: what its metrics come to.
            git: what git.json says.
            project: what it belongs to, if run.json does not say.
            prefix: its name, if run.json does not say.
            path: its folder.

        Example:
            >>> from understudy.runs import RunInfo
            >>> said = {"id": "1", "status": "COMPLETED", "tags": "none"}
            >>> rest = {"attempts": [], "params": {}, "metrics": {}, "git": {}}
            >>> info = RunInfo.told(run=said, project="project", prefix="old", **rest)
            >>> info.status, info.tags
            ('COMPLETED', [])
        """
        known = [*attempts]
        status = status_of(known) if known else _status(run.get("status"))
        ended = known[-1].ended if known else _number(run.get("ended"))
        failures = [each.error for each in known if each.error is not None]
        error = None
        if status == "FAILED" and failures:
            error = ": ".join(part for part in (failures[-1].type, failures[-1].message) if part)
        return cls(
            id=_text(run.get("id")) or "",
            project=_text(run.get("project")) or project,
            prefix=_text(run.get("prefix")) or prefix,
            path=path,
            status=status,
            created=_number(run.get("created")),
            started=known[0].started if known else _number(run.get("started")),
            ended=None if status == "RUNNING" else ended,
            paused=paused_in(known),
            description=_text(run.get("description")),
            tags=_texts(run.get("tags")),
            bindrs=_texts(run.get("bindrs")),
            folder=_text(run.get("folder")),
            params=params,
            metrics=metrics,
            attempts=len(known),
            error=error,
            git_commit=_text(git.get("commit")),
        )

    @property
    def duration(self) -> float | None:
        """How many seconds its attempts took, up to now if it runs; pauses are left out.

        Example:
            >>> from understudy.runs import RunInfo
            >>> RunInfo(id="1", project="p", prefix="r", started=10.0, ended=12.5).duration
            2.5
        """
        until = time() if self.status == "RUNNING" else self.ended
        if until is None or self.started is None:
            return None
        return until - self.started - self.paused

    def __str__(self) -> str:
        """Return it as a small table: how it is, what it was told, what it measured last."""
        from ._tables import as_text, shown_moment, shown_span, shown_value

        rows = [
            ["created", shown_moment(self.created)],
            ["took", shown_span(self.duration)],
            ["error", self.error or ""],
            ["tags", ", ".join(self.tags)],
            *([key, shown_value(value)] for key, value in islice(self.params.items(), _SHOWN)),
        ]
        measured = [
            [f"{metric}.{field}", shown_value(each.last)]
            for metric, fields in self.metrics.items()
            for field, each in fields.items()
            if field != "step"
        ]
        rows = [row for row in [*rows, *measured[:_SHOWN]] if row[1]]
        more = max(0, len(self.params) - _SHOWN) + max(0, len(measured) - _SHOWN)
        text = as_text([f"{self.project}/{self.prefix}", self.status or ""], rows)
        return text if not more else f"{text}\n... and {more:,} more"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: object) -> list[str]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [item for item in items if isinstance(item, str)]


def _number(value: object) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:  # an int that no float is as great as
        return None


def _status(value: object) -> Status | None:
    known: tuple[Status, ...] = ("RUNNING", "COMPLETED", "FAILED", "CANCELLED", "LOST")
    return next((status for status in known if status == value), None)
