"""In which order runs are: by anything that filters know a name for."""

from collections.abc import Callable, Iterable
from math import isnan
from operator import itemgetter
from typing import Any, TypeVar

from ._clauses import Reader
from ._info import RunInfo
from ._scores import MISSING

T = TypeVar("T")


def in_order(items: Iterable[T], sort: str, info_of: Callable[[T], RunInfo]) -> list[T]:
    """Return items in order; those that have nothing to go by come last, whichever way.

    Args:
        items: what is sorted; of equals the first stays in front.
        sort: a name as filters have it, with a `-` in front if the greatest is to be first.
        info_of: gives the run that an item is about.

    Raises:
        FilterError: there is no such name.

    Example:
        >>> from understudy.runs import RunInfo
        >>> from understudy.runs._order import in_order
        >>> rates = {"a": 0.1, "b": None, "c": 0.3}
        >>> runs = [
        ...     RunInfo(id=name, project="p", prefix=name, params={"lr": lr})
        ...     for name, lr in rates.items()
        ... ]
        >>> [info.id for info in in_order(runs, "-params.lr", lambda info: info)]
        ['c', 'a', 'b']
    """
    value = Reader(sort.removeprefix("-")).read_name()
    keyed = [(value(info_of(item)), item) for item in items]
    there = [(_comparable(key), item) for key, item in keyed if not _is_missing(key)]
    there.sort(key=itemgetter(0), reverse=sort.startswith("-"))
    rest = [item for key, item in keyed if _is_missing(key)]
    return [*(item for _, item in there), *rest]


def names_in(sort: str) -> list[tuple[str, ...]]:
    """Return the parameter or the metric that runs are sorted by, if it is one.

    Raises:
        FilterError: there is no such name.

    Example:
        >>> from understudy.runs._order import names_in
        >>> names_in("-metrics.val.loss"), names_in("created")
        ([('metrics', 'val', 'loss')], [])
    """
    reader = Reader(sort.removeprefix("-"))
    reader.read_name()
    return reader.names


def _is_missing(key: object) -> bool:
    return key is None or key is MISSING


def _comparable(key: object) -> tuple[int, Any]:
    """Return what values of any kinds are sorted by: numbers, then NaN, then texts."""
    if isinstance(key, (int, float)):
        return (1, 0) if isinstance(key, float) and isnan(key) else (0, key)
    return (2, str(key))
