"""The points of a metric, from the lines that are kept: as a curve, and in numbers.

What a metric comes to is kept in memory up to the last line that was seen, so that a second look
reads only what is new. What a rewind hid is left out.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from typing import Final, NamedTuple, final

from understudy.runs import Summary
from understudy.runs.replica import Line, Overview, Span, is_seen, spans_in, summaries, thinned

from ._storage import Storage
from ._tame import tame_lines

REWINDS: Final = "rewinds.jsonl"
_MOST_KEPT: Final = 500_000
"""How many points are kept in memory, of all metrics together."""
_FURTHEST: Final = 1 << 62
"""No file is longer, whatever a rewind says."""
_MOST_RAW: Final = 40_000
"""How many points of one curve are held until the first of them are thinned."""


class Range(NamedTuple):
    """Which points are wanted: those whose field is `start` or more, and less than `stop`."""

    by: str = "step"
    start: float | None = None
    stop: float | None = None

    @property
    def is_all(self) -> bool:
        """Whether all points are."""
        return self.start is None and self.stop is None

    def has(self, line: Line) -> bool:
        """Tell whether a point is."""
        value = line.get(self.by)
        if not isinstance(value, (int, float)):
            return False
        is_after = self.start is None or value >= self.start
        return is_after and (self.stop is None or value < self.stop)


class Place(NamedTuple):
    """The file of a metric's points."""

    project: str
    run: str
    folder: str
    number: int
    """That of the run: what is kept of one that was removed is not that of the next."""

    @property
    def path(self) -> str:
        """Where it is in the run's folder."""
        return f"metrics/{self.folder}/data.jsonl"


class _Looked(NamedTuple):
    """What was seen of a metric when one looked last."""

    spans: list[Span]
    rewound: int
    overview: Overview

    def is_up_to(self, place: Place, lengths: Mapping[str, int]) -> bool:
        """Tell whether nothing was appended since."""
        ends = self.overview.end, self.rewound
        return ends == (lengths.get(place.path, 0), lengths.get(REWINDS, 0))


@final
class Curves:
    """Reads the points of metrics.

    Args:
        storage: has the lines.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._kept: OrderedDict[Place, _Looked] = OrderedDict()

    async def curve(self, place: Place, most: int, wanted: Range) -> list[Line]:
        """Return so many points at most that a curve through them looks the same."""
        if wanted.is_all:
            overview = await self._look_over(place)
            if len(overview.points) >= most:
                ends = [] if overview.last is None else [overview.last]
                return await asyncio.to_thread(thinned, [*overview.points, *ends], most)
        points: list[Line] = []
        spans, _ = await self._spans(place)
        for span in spans:
            async for data in self._lines(place, span, span.start):
                points += await asyncio.to_thread(_points_in, data, span, wanted)
                if len(points) > max(_MOST_RAW, 4 * most):
                    points = await asyncio.to_thread(thinned, points, max(_MOST_RAW // 2, 2 * most))
        return await asyncio.to_thread(thinned, points, most)

    async def summary(self, place: Place, lengths: Mapping[str, int]) -> dict[str, Summary]:
        """Return what each field comes to.

        Args:
            place: the file of the points.
            lengths: how long the run's files are: if nothing was appended, nothing is read.
        """
        kept = self._kept.get(place)
        if kept is not None and kept.is_up_to(place, lengths):
            self._kept.move_to_end(place)
            return summaries(kept.overview.sums)
        return summaries((await self._look_over(place)).sums)

    def forget(self, project: str, run: str) -> None:
        """Forget a run, which is removed."""
        for place in [each for each in self._kept if each[:2] == (project, run)]:
            del self._kept[place]

    async def _look_over(self, place: Place) -> Overview:
        spans, rewound = await self._spans(place)
        before = self._kept.pop(place, None)
        overview = before.overview if before and before.spans == spans else Overview()
        for span in spans:
            if span.stop is not None and span.stop <= overview.end:
                continue
            end = max(span.start, overview.end)
            async for data in self._lines(place, span, end):
                overview.take(await asyncio.to_thread(_points_in, data, span, Range()))
                end += len(data)
                overview.end = end
        self._kept[place] = _Looked(spans, rewound, overview)
        while len(self._kept) > 1 and self._size() > _MOST_KEPT:
            self._kept.popitem(last=False)
        return overview

    def _size(self) -> int:
        return sum(len(looked.overview.points) for looked in self._kept.values())

    def _lines(self, place: Place, span: Span, start: int) -> AsyncIterator[bytes]:
        return self._storage.lines(place.project, place.run, place.path, start, span.stop)

    async def _spans(self, place: Place) -> tuple[list[Span], int]:
        """Return what is to be seen of a metric, and how long the file is that says so."""
        rewinds: list[Line] = []
        length = 0
        async for data in self._storage.lines(place.project, place.run, REWINDS):
            rewinds += tame_lines(data)
            length += len(data)
        spans = [span for span in spans_in(rewinds, place.folder) if span.start < _FURTHEST]
        return spans, length


def _points_in(data: bytes, span: Span, wanted: Range) -> list[Line]:
    points = tame_lines(data)
    if span.last_step is not None:
        points = [point for point in points if is_seen(point, span)]
    return points if wanted.is_all else [point for point in points if wanted.has(point)]
