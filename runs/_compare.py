"""Runs side by side: what they were told, where that differs, and what came of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from ._errors import RunError
from ._finding import get
from ._found import differing
from ._info import RunInfo
from ._reading import RunFolder
from ._tables import as_html, as_text, shown_span, shown_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._run import Run

_ABSENT: Final = "-"
"""What stands where a run has no such thing."""


class Comparison:
    """Some runs side by side; it prints as a table with the parameters that differ.

    Attributes:
        runs: the runs.
        params: of each parameter, its value in each run, in their order; None if it has none.
        differing: those parameters that are not the same in all.
        metrics: of each field of each metric, `train.loss`, its last value in each run.

    Example:
        >>> from understudy import runs
        >>> for lr in (0.1, 0.2):
        ...     with runs.Run(prefix=f"lr-{lr}") as run:
        ...         run.params.set(lr=lr, model="small")
        ...         run.metrics("train").log(loss=1 - lr)
        >>> both = runs.compare("project/lr-0.1", "project/lr-0.2")
        >>> both.differing, both.params["model"], both.metrics
        ({'lr': [0.1, 0.2]}, ['small', 'small'], {'train.loss': [0.9, 0.8]})
    """

    __module__ = "understudy.runs"

    def __init__(self, runs: Iterable[RunInfo]) -> None:
        self.runs: list[RunInfo] = [*runs]
        told = [info.params for info in self.runs]
        keys = {key: None for params in told for key in params}
        self.params: dict[str, list[Any]] = {
            key: [params.get(key) for params in told] for key in keys
        }
        self.differing: dict[str, list[Any]] = {key: self.params[key] for key in differing(told)}
        fields = {
            (metric, field): None
            for info in self.runs
            for metric, found in info.metrics.items()
            for field in found
        }
        self.metrics: dict[str, list[Any]] = {
            f"{metric}.{field}": [_last(info, metric, field) for info in self.runs]
            for metric, field in fields
        }

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a mapping for each line: `kind`, `name`, `differs`, and the value in each run.

        Example:
            >>> from understudy import runs
            >>> for lr in (0.1, 0.2):
            ...     with runs.Run(prefix=f"lr-{lr}") as run:
            ...         run.params.set(lr=lr)
            >>> runs.compare("project/lr-0.1", "project/lr-0.2").to_dicts()
            [{'kind': 'param', 'name': 'lr', 'differs': True, 'values': [0.1, 0.2]}]
        """
        params = [
            {"kind": "param", "name": key, "differs": key in self.differing, "values": values}
            for key, values in self.params.items()
        ]
        metrics = [
            {
                "kind": "metric",
                "name": key,
                "differs": len({*map(repr, values)}) > 1,
                "values": values,
            }
            for key, values in self.metrics.items()
        ]
        return [*params, *metrics]

    def __str__(self) -> str:
        same = len(self.params) - len(self.differing)
        text = as_text(*self._table())
        return text if not same else f"{text}\n({same} more parameters are the same in all)"

    def __repr__(self) -> str:
        return f"<{len(self.runs)} runs, {len(self.differing)} parameters differ>"

    def _repr_html_(self) -> str:
        """Return it as notebooks show it."""
        return as_html(*self._table())

    def _table(self) -> tuple[list[str], list[list[str]]]:
        told = [info.params for info in self.runs]
        return ["", *(f"{info.project}/{info.prefix}" for info in self.runs)], [
            ["status", *(info.status or "" for info in self.runs)],
            ["took", *(shown_span(info.duration) for info in self.runs)],
            *(
                [key, *(shown_value(each[key]) if key in each else _ABSENT for each in told)]
                for key in self.differing
            ),
            *(
                [key, *(_ABSENT if value is None else shown_value(value) for value in values)]
                for key, values in self.metrics.items()
                if not key.endswith(".step")  # how far it is, not how it is
            ),
        ]


def compare(
    *runs: RunInfo | RunFolder | Run | str, root: str | os.PathLike[str] | None = None
) -> Comparison:
    """Return some runs side by side.

    Args:
        runs: the runs, or their names, as `get` takes them.
        root: the folder that they are in, if names are given.

    Raises:
        RunError: there is no such run.

    Example:
        >>> from understudy import runs
        >>> for lr in (0.1, 0.2):
        ...     with runs.Run(prefix=f"lr-{lr}") as run:
        ...         run.params.set(lr=lr, model="small")
        >>> print(runs.compare(*runs.list(sort="params.lr")))  # doctest: +ELLIPSIS
                project/lr-0.1  project/lr-0.2
        status  COMPLETED       COMPLETED
        took    ...
        lr      0.1             0.2
        (1 more parameters are the same in all)
    """
    if not runs:
        raise RunError("compare() takes runs, or their names: compare('project/a', 'project/b')")
    return Comparison(_info(run, root) for run in runs)


def _info(run: RunInfo | RunFolder | Run | str, root: str | os.PathLike[str] | None) -> RunInfo:
    if isinstance(run, RunInfo):
        return run
    if isinstance(run, str):
        return RunInfo.of(get(run, root))
    return RunInfo.of(run if isinstance(run, RunFolder) else run.read())


def _last(info: RunInfo, metric: str, field: str) -> Any:
    summary = info.metrics.get(metric, {}).get(field)
    return None if summary is None else summary.last
