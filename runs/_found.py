"""Runs that were found: a sequence, a table, and what other libraries make of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast, overload

import msgspec

from ._errors import RunError
from ._info import RunInfo
from ._reading import RunFolder
from ._tables import as_html, as_text, shown_moment, shown_span, shown_value

if TYPE_CHECKING:
    from ._index import Packed

_MOST_ROWS: Final = 30
_MOST_PARAMS: Final = 4
_MOST_METRICS: Final = 4

_decode: Final = msgspec.msgpack.Decoder(RunInfo).decode


def unpacked(packed: Packed, root: str | os.PathLike[str]) -> RunInfo:
    """Return a run that was found, out of the index."""
    path = os.path.join(root, *packed[0].split("/"))
    try:
        info = _decode(packed[1])
    except msgspec.MsgspecError:  # somebody wrote into the index
        return RunInfo.of(RunFolder(path))
    # nobody has seen it yet; and its folder may have been moved, with the index
    msgspec.structs.force_setattr(info, "path", path)
    return info


class Runs(Sequence[RunInfo]):
    """Runs, in an order: a sequence of RunInfo that prints as a table.

    Args:
        items: the runs.
        root: the folder that all are in, for those that are not unpacked yet.

    Example:
        >>> from understudy import runs
        >>> for lr in (0.1, 0.2):
        ...     with runs.Run(prefix=f"lr-{lr}") as run:
        ...         run.params.set(lr=lr)
        ...         run.metrics("train").log(loss=1 - lr)
        >>> found = runs.find("params.lr > 0.05", sort="params.lr")
        >>> len(found), found[0].prefix, [info.params["lr"] for info in found]
        (2, 'lr-0.1', [0.1, 0.2])
        >>> found.to_dicts()[0]["metrics.train.loss"]
        0.9
    """

    __module__ = "understudy.runs"
    __slots__ = ("_items", "_root")

    def __init__(
        self, items: list[RunInfo | Packed] | list[RunInfo], root: str | os.PathLike[str] = ""
    ) -> None:
        self._items = cast("list[RunInfo | Packed]", items)
        self._root = root

    @overload
    def __getitem__(self, index: int) -> RunInfo: ...
    @overload
    def __getitem__(self, index: slice) -> Runs: ...
    def __getitem__(self, index: int | slice) -> RunInfo | Runs:
        if isinstance(index, slice):
            return Runs(self._items[index], self._root)
        item = self._items[index]
        if not isinstance(item, RunInfo):  # it is unpacked when it is looked at
            item = self._items[index] = unpacked(item, self._root)
        return item

    def __iter__(self) -> Iterator[RunInfo]:
        return (self[place] for place in range(len(self._items)))

    def __len__(self) -> int:
        return len(self._items)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a flat mapping for each: `id`, `status`, `params.lr`, `metrics.train.loss`, ...

        Metrics are their last values; the same keys are in each, None where a run has none.
        """
        rows = [_flat(info) for info in self]
        keys = {key: None for row in rows for key in row}
        return [{key: row.get(key) for key in keys} for row in rows]

    def to_pandas(self) -> Any:
        """Return a DataFrame of pandas, with the columns of `to_dicts`.

        Raises:
            RunError: pandas is not installed.
        """
        return _module("pandas").DataFrame(self.to_dicts())

    def to_polars(self) -> Any:
        """Return a DataFrame of polars, with the columns of `to_dicts`.

        A column whose values are of several kinds holds them as texts.

        Raises:
            RunError: polars is not installed.
        """
        rows = self.to_dicts()
        columns = {key: of_one_kind([row[key] for row in rows]) for key in (rows or [{}])[0]}
        return _module("polars").DataFrame(columns, strict=False)

    def __str__(self) -> str:
        if not self._items:
            return "no runs"
        text = as_text(*self._table(_MOST_ROWS))
        more = len(self) - _MOST_ROWS
        return text if more <= 0 else f"{text}\n... and {more:,} more"

    def __repr__(self) -> str:
        return f"<{len(self):,} runs>"

    def _repr_html_(self) -> str:
        """Return it as notebooks show it."""
        return as_html(*self._table(_MOST_ROWS)) if self._items else "no runs"

    def _table(self, most: int) -> tuple[list[str], list[list[str]]]:
        return usual_table([*self[:most]])


def usual_table(infos: Sequence[RunInfo]) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of a table of runs: what sets them apart, what came of them."""
    rows = [_flat(info) for info in infos]
    params = differing([info.params for info in infos])[:_MOST_PARAMS]
    numbers = {key: None for row in rows for key, value in row.items() if _is_measured(key, value)}
    metrics = [*numbers][:_MOST_METRICS]
    head = ["run", "status", "created", "took", *params, *(key[8:] for key in metrics)]
    body = [
        [
            f"{info.project}/{info.prefix}",
            info.status or "",
            shown_moment(info.created),
            shown_span(info.duration),
            *(shown_value(info.params.get(key)) for key in params),
            *(shown_value(row.get(key)) for key in metrics),
        ]
        for info, row in zip(infos, rows, strict=True)
    ]
    return head, body


def _is_measured(key: str, value: object) -> bool:
    """Tell whether it is a number of a metric that says how a run is, not how far."""
    is_number = isinstance(value, (int, float))
    return is_number and key.startswith("metrics.") and not key.endswith((".step", ".epoch"))


def differing(params: Sequence[dict[str, Any]]) -> list[str]:
    """Return the keys that are not in all, or not with the same value."""
    keys = {key: None for each in params for key in each}
    return [
        key
        for key in keys
        if any(key not in each or repr(each[key]) != repr(params[0].get(key)) for each in params)
    ]


_PLAIN: Final = tuple(
    name for name in RunInfo.__struct_fields__ if name not in ("params", "metrics")
)


def _flat(info: RunInfo) -> dict[str, Any]:
    flat: dict[str, Any] = {name: getattr(info, name) for name in _PLAIN}
    flat["duration"] = info.duration
    flat.update({f"params.{key}": value for key, value in info.params.items()})
    for metric, fields in info.metrics.items():
        flat.update({f"metrics.{metric}.{name}": each.last for name, each in fields.items()})
    return flat


def _module(name: str) -> Any:
    """Import what is only needed here, and need not be installed."""
    try:
        return import_module(name)
    except ImportError:
        raise RunError(f"{name} is not installed: pip install {name}") from None


def of_one_kind(values: list[Any]) -> list[Any]:
    """Return values as one column can hold them: as texts, if they are of several kinds."""
    kinds: set[type] = {type(value) for value in values if value is not None}
    if len(kinds) <= 1 or kinds <= {int, float}:
        return values
    return [None if value is None else shown_value(value) for value in values]
