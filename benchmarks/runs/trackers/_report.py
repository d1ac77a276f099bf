"""What was measured of the trackers, as it is told: tables of works, a column for each tracker."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import Final

import msgspec

from benchmarks._text import aligned, amount, markdown

from ._rounds import Rounds
from ._trackers import BY_HAND, TRACKERS, version_of
from ._trials import Trial
from ._works import IMPORT, TIMED, Spent

_NONE: Final = "-"
_RATIO: Final = "In brackets: how many times what it takes by hand, in the same rounds."
_IMPORT: Final = "the import, interpreter and all"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work in the hands of each tracker, in the order of the titles."""

    work: str
    cells: tuple[str, ...]
    values: tuple[float | None, ...]
    """Seconds, or a number of what is lost or failed; None where there is nothing to tell."""


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """One table."""

    title: str
    note: str
    rows: tuple[Row, ...]


class TrackersTold(msgspec.Struct, frozen=True, kw_only=True, tag="trackers"):
    """All that was measured of the trackers."""

    titles: tuple[str, ...]
    grids: tuple[Grid, ...]
    how: Mapping[str, str]
    """How each was used, by its title and version."""
    remarks: tuple[str, ...]
    """What they cannot do, what failed, and which are not installed."""


def gathered(rounds: Rounds) -> TrackersTold:
    """Put together what was measured."""
    times = [len(found) for found in rounds.spent.values() if found]
    among = f"{max(times, default=0)} rounds"
    if len({*times}) > 1:
        among += f", of {min(times)} where they took long"
    grids = (
        Grid(
            title="how long the caller waits",
            note=f"Wall time, the median of {among}. {_RATIO}",
            rows=(*_rows(rounds, lambda spent: spent.waits),),
        ),
        Grid(
            title="CPU time up to the end of the run, what was deferred with it",
            note=f"All threads of the process. {_RATIO}",
            rows=(*_rows(rounds, lambda spent: spent.cpu),),
        ),
        Grid(title="what is lost, and what fails", note="", rows=(*_trials(rounds),)),
    )
    return TrackersTold(
        titles=tuple(TRACKERS[key].title for key in rounds.trackers),
        grids=grids,
        how={_named(key): TRACKERS[key].how for key in rounds.trackers},
        remarks=tuple(_remarks(rounds)),
    )


def _named(key: str) -> str:
    entry = TRACKERS[key]
    return f"{entry.title} {version_of(entry) or ''}".strip()


def _rows(rounds: Rounds, of: Callable[[Spent], float]) -> Iterator[Row]:
    for work, title in (*TIMED.items(), (IMPORT, _IMPORT)):
        base = rounds.spent[BY_HAND, work]
        cells: list[str] = []
        values: list[float | None] = []
        for key in rounds.trackers:
            own = rounds.spent[key, work]
            ratios = [of(own[n]) / of(base[n]) for n in own if n in base and of(base[n])]
            values.append(median(map(of, own.values())) if own else None)
            ratio = f" ({_times(median(ratios))})" if ratios else ""
            cells.append(f"{amount(values[-1] or 0.0, 's')}{ratio}" if own else _NONE)
        yield Row(work=title, cells=tuple(cells), values=tuple(values))


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"


def _trials(rounds: Rounds) -> Iterator[Row]:
    load = rounds.load
    kills = f"`kill -9`, {load.kills} times: acknowledged points lost"
    at_once = f"four processes begin at once on a new store, {load.starts} times"
    yield _counts(rounds, kills, rounds.kills, lambda each: (each.lost, each.acknowledged))
    yield _counts(
        rounds,
        f"{at_once}: processes that failed",
        rounds.starts,
        lambda each: (each.failed, each.processes),
    )
    yield _counts(
        rounds,
        "and of the points that were acknowledged then, lost",
        rounds.starts,
        lambda each: (each.lost, each.acknowledged),
    )


def _counts(
    rounds: Rounds,
    work: str,
    trials: Mapping[str, Trial],
    of: Callable[[Trial], tuple[int, int]],
) -> Row:
    found = [of(trials[key]) for key in rounds.trackers]
    cells = tuple(f"{bad:,} of {among:,}" for bad, among in found)
    return Row(work=work, cells=cells, values=tuple(float(bad) for bad, _ in found))


def _remarks(rounds: Rounds) -> Iterator[str]:
    for key in rounds.trackers:
        title = TRACKERS[key].title
        for work, why in TRACKERS[key].cannot.items():
            yield f"{title}, {TIMED[work]}: {why}"
        for (whose, work), problems in rounds.problems.items():
            if whose == key:
                yield f"{title}, {work}: failed {len(problems)} times, first with `{problems[0]}`"
        for trial in (rounds.kills[key], rounds.starts[key]):
            if trial.problem:
                yield f"{title}, a process or reader said: `{trial.problem}`"
    missing = [each.title for each in TRACKERS.values() if version_of(each) is None]
    if missing:
        yield f"not installed: {', '.join(missing)}"


def render(told: TrackersTold) -> str:
    """Write the tables for people; there each tracker has a row."""
    parts: list[str] = []
    for grid in told.grids:
        table = [("", *(row.work for row in grid.rows)), *_turned(told.titles, grid.rows)]
        parts.append(f"{grid.title}\n{aligned(table)}")
    return "\n\n".join([*parts, "\n".join(told.remarks)])


def _turned(titles: Sequence[str], rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    for place, title in enumerate(titles):
        yield (title, *(row.cells[place] for row in rows))


def as_markdown(told: TrackersTold) -> str:
    """Write all of it as Markdown."""
    parts = ["\n".join(f"- {title}: {how}." for title, how in told.how.items())]
    for grid in told.grids:
        head = ("", *(f"**{each}**" if each == "understudy" else each for each in told.titles))
        table = markdown([head, *((row.work, *row.cells) for row in grid.rows)])
        title = f"#### {grid.title[0].upper()}{grid.title[1:]}"
        parts += [title, grid.note, table] if grid.note else [title, table]
    parts.append("\n".join(f"- {remark}." for remark in told.remarks))
    return "\n\n".join(part for part in parts if part)
