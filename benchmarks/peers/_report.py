"""What came of all contenders: cells, as text for people and as Markdown for the docs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from benchmarks._text import aligned, amount, markdown

from ._contenders import CONTENDERS, FLOORS, UNDERSTUDY, version_of, why_not
from ._kinds import KINDS, Kind
from ._worker import Told

LOOPS: Final = ("asyncio", "uvloop")
COLUMNS: Final = (
    "who",
    "by",
    *(f"{loop}{what}" for loop in LOOPS for what in ("", " / floor", " / understudy")),
)
_DASH: Final = "-"


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """What one contender does of one kind on one loop, per operation."""

    seconds: float
    floors: float
    """How many times the floor it takes."""
    understudies: float | None = None
    """How many times what understudy takes, in the same process and the same rounds."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One contender in the table of a kind."""

    title: str
    is_wall: bool
    cells: Mapping[str, Cell]
    """By the loop."""


class KindTold(msgspec.Struct, frozen=True, kw_only=True):
    """All that was measured of one kind of call."""

    title: str
    floor: str
    rows: Sequence[Row]
    empty: Mapping[str, str]
    """Why a contender has no row, or lacks a cell, by its title."""


class PeersTold(msgspec.Struct, frozen=True, kw_only=True, tag="peers"):
    """All that was measured of the peers."""

    versions: Mapping[str, str]
    how: Mapping[str, str]
    """How each contender was used, by its title."""
    kinds: Sequence[KindTold]


def gathered(told: Sequence[Told]) -> PeersTold:
    """Put together what the processes have told."""
    versions = {
        each.title: version_of(each) or "not installed"
        for each in CONTENDERS.values()
        if each.distribution
    }
    return PeersTold(
        versions=versions,
        how={each.title: each.how for each in CONTENDERS.values()},
        kinds=[
            _kind(kind, found)
            for kind in KINDS.values()
            if (found := [each for each in told if each.kind == kind.key])
        ],
    )


def _kind(kind: Kind, told: Sequence[Told]) -> KindTold:
    rows: dict[str, Row] = {}
    empty: dict[str, str] = {}
    for each in told:
        by_name = {row.contender: row for row in each.rows}
        if each.problem:
            empty[f"{CONTENDERS[each.contender].title}, {each.loop}"] = each.problem
        if each.contender == UNDERSTUDY.key:
            wanted = [FLOORS.key, *(name for name in by_name if name not in CONTENDERS)]
            for name in dict.fromkeys((*wanted, UNDERSTUDY.key)):
                if name in by_name:
                    row = by_name[name]
                    cell = Cell(seconds=row.median, floors=row.ratio)
                    _put(rows, _title(name, kind), each, cell)
        elif each.contender in by_name:
            row, ours = by_name[each.contender], by_name[UNDERSTUDY.key]
            cell = Cell(seconds=row.median, floors=row.ratio, understudies=row.ratio / ours.ratio)
            _put(rows, CONTENDERS[each.contender].title, each, cell)
    for contender in CONTENDERS.values():
        if reason := why_not(contender, kind):
            empty[contender.title] = reason
        elif contender.is_loopless and contender.title in rows:
            empty[f"{contender.title}, uvloop"] = "it uses no loop"
        elif contender.title in rows and len(contender.loops) == 1:
            empty[f"{contender.title}, uvloop"] = (
                "left out: what its traces take is all that counts"
            )
    return KindTold(title=kind.title, floor=kind.floor, rows=[*rows.values()], empty=empty)


def _title(name: str, kind: Kind) -> str:
    if name == FLOORS.key:
        return f"floor: {kind.floor}"
    return CONTENDERS[name].title if name in CONTENDERS else name


def _put(rows: dict[str, Row], title: str, told: Told, cell: Cell) -> None:
    before: Mapping[str, Cell] = rows[title].cells if title in rows else {}
    rows[title] = Row(title=title, is_wall=told.is_wall, cells={**before, told.loop: cell})


def _rows(kind: KindTold) -> Iterator[tuple[str, ...]]:
    for row in kind.rows:
        cells: list[str] = []
        for loop in LOOPS:
            cell = row.cells.get(loop)
            if cell is None:
                cells += [_DASH] * 3
                continue
            theirs = cell.understudies
            cells += [amount(cell.seconds, "s"), times(cell.floors)]
            cells.append("" if theirs is None else times(theirs))
        yield (row.title, "wall" if row.is_wall else "CPU", *cells)


def _because(kind: KindTold) -> list[str]:
    """Say why cells are empty, those with one reason together."""
    reasons: dict[str, list[str]] = {}
    for title, reason in kind.empty.items():
        reasons.setdefault(reason, []).append(title)
    return [f"{'; '.join(titles)}: {reason}" for reason, titles in reasons.items()]


def times(ratio: float) -> str:
    """Write a ratio."""
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}"


def render(told: PeersTold) -> str:
    """Write all of it as text."""
    parts: list[str] = []
    for kind in told.kinds:
        table = aligned([COLUMNS, *_rows(kind)], left=2)
        because = [f"  left empty: {line}" for line in _because(kind)]
        parts.append("\n".join([kind.title, "-" * len(kind.title), table, *because]))
    return "\n\n".join(parts)


def as_markdown(told: PeersTold) -> str:
    """Write all of it as Markdown."""
    versions = ", ".join(f"{title} {number}" for title, number in told.versions.items())
    how = [f"- {title}: {line}." for title, line in told.how.items()]
    parts = [f"Versions: {versions}.", "\n".join(["How each is used:", "", *how])]
    for kind in told.kinds:
        because = [f"- {line}." for line in _because(kind)]
        left = ["\n".join(["Left empty:", "", *because])] if because else []
        title = f"#### {kind.title[0].upper()}{kind.title[1:]}"
        parts += [title, markdown([COLUMNS, *_rows(kind)], left=2), *left]
    return "\n\n".join(parts)
