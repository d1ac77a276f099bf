"""Finding runs: all of a root, those that a filter describes, one by its name, the best."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from . import _arguments
from ._catalog import entries
from ._errors import RunError
from ._found import Runs
from ._missing import is_run, told_known
from ._names import folder_name
from ._order import in_order, names_in
from ._query import Filter
from ._reading import RunFolder
from ._scores import numbers_of, score
from ._unknown import note_of

if TYPE_CHECKING:
    from ._attempts import Status
    from ._info import RunInfo

Root = str | os.PathLike[str] | None

_STATUS = ("RUNNING", "COMPLETED", "FAILED", "CANCELLED", "LOST")
_SHORTEST = 4
"""How many characters of an id are enough, if no other begins so."""


def list(
    root: Root = None,
    *,
    project: str | None = None,
    status: Status | None = None,
    tags: Iterable[str] | None = None,
    sort: str = "-created",
    limit: int | None = None,
    rebuild: bool = False,
) -> Runs:
    """Return the runs of a root, the newest first.

    Args:
        root: the folder that all is in; else `UNDERSTUDY_ROOT` of the environment, or
            `experiments`.
        project: only those of a project.
        status: only those that are so now: RUNNING, COMPLETED, FAILED, CANCELLED or LOST.
        tags: only those that have all of these.
        sort: what they are sorted by, as filters name it: `created`, `params.lr`,
            `metrics.val.loss.min`; with a minus the greatest come first. Those that do not have
            it come last.
        limit: so many at most.
        rebuild: whether all is looked at anew, and the index thrown away.

    Raises:
        RunArgumentError: an argument is no such thing.
        FilterError: `sort` is not understood.

    Example:
        >>> from understudy import runs
        >>> for name in ("first", "second"):
        ...     with runs.Run(prefix=name, tags=[name]):
        ...         pass
        >>> [info.prefix for info in runs.list()]
        ['second', 'first']
        >>> [info.prefix for info in runs.list(tags=["first"], status="COMPLETED")]
        ['first']
    """
    found, note = chosen(
        root, project=project, status=status, tags=tags, sort=sort, limit=limit, rebuild=rebuild
    )
    _warn(note, _root(root))
    return found


def find(
    filter: str | Filter,
    root: Root = None,
    *,
    sort: str = "-created",
    limit: int | None = None,
) -> Runs:
    """Return the runs that a filter describes, the newest first.

    Args:
        filter: what they are to be like: `metrics.val.loss < 0.1 and "baseline" in tags`; `Filter`
            has the whole language.
        root: the folder that all is in, as for `list`.
        sort: what they are sorted by, as for `list`.
        limit: so many at most.

    A parameter or a metric that is asked for, and that no run has, is a warning of the logger
    `understudy`, once.

    Raises:
        FilterError: the filter is not understood; it says where, and what is known.

    Example:
        >>> from understudy import runs
        >>> for lr in (0.1, 0.2, 0.3):
        ...     with runs.Run(prefix=f"lr-{lr}") as run:
        ...         run.params.set(lr=lr)
        >>> [info.prefix for info in runs.find("params.lr > 0.1", sort="-params.lr")]
        ['lr-0.3', 'lr-0.2']
    """
    holds = filter if isinstance(filter, Filter) else Filter(filter)
    found, note = chosen(root, holds, sort=sort, limit=limit)
    _warn(note, _root(root))
    return found


def chosen(
    root: Root,
    holds: Filter | None = None,
    *,
    project: str | None = None,
    status: str | None = None,
    tags: Iterable[str] | None = None,
    sort: str = "-created",
    limit: int | None = None,
    rebuild: bool = False,
) -> tuple[Runs, str | None]:
    """Return runs as `list` and `find` do, and what none has of all that is asked for."""
    wanted = {*_arguments.texts("tags", tags)}
    is_whole = not wanted and holds is None and sort == "-created"
    infos = _found(root, project, status, limit if is_whole else None, rebuild)
    found = infos
    if wanted or holds is not None:
        found = Runs(
            [info for info in infos if wanted <= {*info.tags} and (holds is None or holds(info))]
        )
    found = _sorted(found, sort, limit)
    names = [*(() if holds is None else holds.names), *names_in(sort)]
    note = note_of(names, infos) if names else None
    if note is not None and (project is not None or status is not None):
        note = note_of(names, _found(root))  # others may have it
    return found, note


@lru_cache(maxsize=1_000)
def _warn(note: str | None, root: Path) -> None:
    """Say once what no run has: it is no error, since it may come later."""
    if note is not None:
        logging.getLogger("understudy").warning("%s", note)


def get(name: str, root: Root = None) -> RunFolder:
    """Return a run: by `project/prefix`, by its prefix alone, by its id, or by its start.

    Args:
        name: its name, or its id.
        root: the folder that all is in, as for `list`.

    Raises:
        RunError: there is none, or several.

    Example:
        >>> from understudy import runs
        >>> with runs.Run(prefix="first", project="project") as run:
        ...     pass
        >>> runs.get("project/first").status, runs.get(run.id[:20]).prefix
        ('COMPLETED', 'first')
    """
    place = _root(root)
    parts = _arguments.text("name", name).split("/")
    for cut in range(1, len(parts)):
        project, prefix = "/".join(parts[:cut]), "/".join(parts[cut:])
        path = place / folder_name(project) / folder_name(prefix)
        if is_run(path):
            return RunFolder(path)
    infos = _found(place)
    ways: Iterable[Callable[[RunInfo], bool]] = (
        lambda info: info.id == name,
        lambda info: info.prefix == name,
        lambda info: len(name) >= _SHORTEST and info.id.startswith(name),
    )
    for is_meant in ways:
        found = [info for info in infos if is_meant(info)]
        if len(found) == 1:
            return RunFolder(found[0].path or "")
        if found:
            names = ", ".join(sorted(f"{info.project}/{info.prefix}" for info in found)[:10])
            raise RunError(f"{len(found)} runs are called {name!r} in {place}: {names}")
    has_project = "/" in name
    called = (f"{each.project}/{each.prefix}" if has_project else each.prefix for each in infos)
    known = told_known(name, called)
    raise RunError(f"there is no run {name!r} in {place}{known}")


def best(
    metric: str,
    mode: Literal["min", "max"],
    where: str | Filter | None = None,
    root: Root = None,
) -> RunInfo:
    """Return the run with the least, or the greatest, value that a metric ever had in it.

    Args:
        metric: `train.loss` is the field `loss` of the metric `train`. `val_loss` is that metric,
            if it has one field, or one called `value`; else the field of that name, of whichever
            metric has it. `train.loss.last` is compared by its last value instead.
        mode: `min` or `max`.
        where: only those that a filter describes.
        root: the folder that all is in, as for `list`.

    Raises:
        RunError: none has it; it says which metrics there are.

    Example:
        >>> from understudy import runs
        >>> for name, losses in {"first": [3, 1], "second": [4, 2]}.items():
        ...     with runs.Run(prefix=name) as run:
        ...         for loss in losses:
        ...             run.metrics("train").log(loss=loss)
        >>> runs.best("train.loss", "min").prefix, runs.best("loss", "max").prefix
        ('first', 'second')
    """
    _arguments.one_of("mode", mode, ("min", "max"))
    _arguments.text("metric", metric)
    holds = where if where is None or isinstance(where, Filter) else Filter(where)
    infos = [info for info in _found(root) if holds is None or holds(info)]
    scored = [(value, info) for info in infos if (value := score(info, metric, mode)) is not None]
    if not scored:
        if not infos:
            note = None if holds is None else note_of(holds.names, _found(root))
            why = "" if note is None else f": {note}"
            raise RunError(f"there are no such runs in {_root(root)}{why}")
        known = {key for info in infos for key in numbers_of(info)}
        raise RunError(
            f"no run in {_root(root)} has numbers of the metric {metric!r}"
            f"{told_known(metric, known)}"
        )
    choose = min if mode == "min" else max
    return choose(scored, key=lambda each: each[0])[1]


def _root(root: Root) -> Path:
    return Path(os.path.abspath(_arguments.root(root)))


def _found(
    root: Root,
    project: str | None = None,
    status: str | None = None,
    limit: int | None = None,
    rebuild: bool = False,
) -> Runs:
    """Return all runs of a root, or some: the newest first."""
    if status is not None:
        _arguments.one_of("status", status, _STATUS)
    _arguments.text_or_none("project", project)
    place = _root(root)
    folder = None if project is None else folder_name(project)
    return Runs(entries(place, project=folder, status=status, limit=limit, rebuild=rebuild), place)


def _sorted(found: Runs, sort: str, limit: int | None) -> Runs:
    """Return those runs in another order than they are in, the newest first."""
    if _arguments.text("sort", sort) == "-created":
        return found[:limit]
    return Runs(in_order(found, sort, lambda info: info)[:limit])
