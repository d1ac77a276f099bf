"""The runs of a project as they are listed: what has not changed since is not read again."""

from collections import OrderedDict
from typing import NamedTuple, final

import msgspec

from understudy.runs import RunInfo, Summary

from ._curves import Curves, Place
from ._digest import is_rewound, state_of
from ._rows import RunRow
from ._storage import Storage

_MOST_KEPT = 50_000
"""How many runs are kept in memory."""


Which = tuple[int, int]
"""The number of a run, and its version."""


class Entry(NamedTuple):
    """A run of the list, and when the server heard of it last."""

    info: RunInfo
    seen: float


@final
class Catalog:
    """Lists runs, as they are by the server's clock.

    Args:
        storage: has the runs.
        curves: sums up what was rewound.
        silence: after how many seconds a running run is LOST.
    """

    def __init__(self, storage: Storage, curves: Curves, silence: float) -> None:
        self._storage, self._curves, self._silence = storage, curves, silence
        self._kept: OrderedDict[str, dict[str, tuple[Which, RunInfo]]] = OrderedDict()

    async def list(self, project: str, now: float) -> list[Entry]:
        """Return the runs of a project."""
        stamps = await self._storage.stamps(project)
        kept = self._kept.get(project, {})
        now_is = {run: (stamp.number, stamp.version) for run, stamp in stamps.items()}
        changed = [run for run, which in now_is.items() if kept.get(run, _NONE)[0] != which]
        is_most = 2 * len(changed) > len(stamps)
        rows = await self._storage.rows(project, None if is_most else changed) if changed else []
        fresh = {row.id: ((row.number, row.version), await self._info(row)) for row in rows}
        kept = {run: found for run, found in {**kept, **fresh}.items() if run in stamps}
        self._keep(project, kept)
        return [self._entry(info, stamps[run].seen, now) for run, (_, info) in kept.items()]

    async def entry(self, row: RunRow, now: float) -> Entry:
        """Return one run."""
        return self._entry(await self._info(row), row.seen, now)

    def _entry(self, info: RunInfo, seen: float, now: float) -> Entry:
        if info.status == "RUNNING" and now - seen > self._silence:
            info = msgspec.structs.replace(info, status="LOST")
        return Entry(info, seen)

    async def _info(self, row: RunRow) -> RunInfo:
        info = row.info or RunInfo(id=row.id, project=row.project, prefix=row.prefix)
        if not is_rewound(row):
            return info
        state = state_of(row)
        lengths = await self._storage.lengths(row.project, row.id)
        if lengths is None:  # removed since
            return info
        metrics: dict[str, dict[str, Summary]] = {}
        for folder in state.sums:
            place = Place(row.project, row.id, folder, row.number)
            metrics[state.names.get(folder, folder)] = await self._curves.summary(
                place, lengths.lengths
            )
        return msgspec.structs.replace(info, metrics=metrics)

    def _keep(self, project: str, kept: dict[str, tuple[Which, RunInfo]]) -> None:
        self._kept[project] = kept
        self._kept.move_to_end(project)
        while len(self._kept) > 1 and sum(map(len, self._kept.values())) > _MOST_KEPT:
            self._kept.popitem(last=False)


_NONE = (None, None)
