"""top: what happens, as a screen that refreshes."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final, final

import msgspec

from understudy.terminal import cut, printable, table

from ._board import Board
from ._document import Json
from ._follow import Follower
from ._report import clock_of, experiments_of, flight_of, process_of, span_of
from ._screen import Screen
from ._terminal import awaited
from ._texts import milliseconds

_HEAD: Final = (
    *("experiment", "config", "role"),
    *("flight", "ok", "err", "timeout", "cancel", "shed", "skip", "p50", "p99", "circuit"),
)
_SPARED: Final = ("cancel", "skip", "p50", "shed", "timeout", "circuit", "flight")
_SPARKS: Final = "▁▂▃▄▅▆▇█"
KEYS: Final = "q quit   p pause   s sort   arrows scroll"
_BUSY: Final = 0.2


def _worst(role: Json) -> float:
    return float(role["error"] + role["timeout"])


_SORTS: Final[dict[str, Callable[[Any], Any]]] = {
    "name": lambda row: row[0],  # its configs stay in the order in which they were given
    "errors": lambda row: -_worst(row[3]),
    "planned": lambda row: -row[3]["planned"],
    "p99": lambda row: -(row[3]["p99_ms"] or 0.0),
}


@final
class View(msgspec.Struct):
    """What somebody wants to see: the order, the first row, and whether all stands still.

    `awaited` are the files that are not there yet.
    """

    sort: str = "name"
    first: int = 0
    is_paused: bool = False
    is_over: bool = False
    awaited: list[str] = []

    def press(self, key: str) -> None:
        """Do what a key stands for; most stand for nothing.

        Example:
            >>> from understudy.dashboard._top import View
            >>> view = View()
            >>> view.press("s"), view.press("down"), view.press("?")
            (None, None, None)
            >>> view
            View(sort='errors', first=1, is_paused=False, is_over=False, awaited=[])
        """
        match key:
            case "q":
                self.is_over = True
            case "p" | " ":
                self.is_paused = not self.is_paused
            case "s":
                names = [*_SORTS]
                self.sort = names[(names.index(self.sort) + 1) % len(names)]
                self.first = 0
            case "down" | "j":
                self.first += 1
            case "up" | "k":
                self.first = max(0, self.first - 1)
            case _:
                pass


def screen(board: Board, width: int, height: int | None, view: View | None = None) -> list[str]:
    """Return the lines of the screen, as many as there is room for; None: all of them."""
    view = View() if view is None else view
    document = board.document()
    lines = _overview(document, width)
    rows = sorted(_rows(document), key=_SORTS[view.sort])
    shown = [
        [
            *(name, config, role, flight_of(each)),
            *(str(each[n]) for n in ("ok", "error", "timeout", "cancelled", "shed", "skipped")),
            *(milliseconds(each["p50_ms"]), milliseconds(each["p99_ms"])),
            "" if circuit == "closed" else circuit.replace("_", " "),
        ]
        for name, config, role, each, circuit in rows
    ]
    found = table(_HEAD, shown, width, 3, _SPARED) if rows else _nothing(view)
    if height is not None:
        room = max(1, height - len(lines) - 2)
        view.first = min(view.first, max(0, len(found) - 1 - room))
        found = [found[0], *found[1 + view.first : 1 + view.first + room]]
        blank = [""] * (height - len(lines) - len(found) - 1)
        state = "PAUSED   " if view.is_paused else ""
        found = [*found, *blank, f"{state}by {view.sort}   {KEYS}"]
    told = [cut(line, width) for line in [*lines, *found]]
    return told if height is None else told[: height - 1] + told[-1:]


def _nothing(view: View) -> list[str]:
    waits = [f"Waiting for {printable(file)}, which is not there yet." for file in view.awaited]
    return waits or ["Nothing was played yet."]


def _rows(document: Json) -> list[tuple[str, str, str, Json, str]]:
    return [
        (each["name"], case["label"] or case["config_id"], role, played, case["circuit"])
        for each in experiments_of(document)
        for case in each["cases"]
        for role, played in case["roles"].items()
    ]


def _overview(document: Json, width: int) -> list[str]:
    """Say in a few lines how it goes."""
    seen = document["overview"]
    ts = seen["now"] or seen["ts"]
    clock = "-" if ts is None else clock_of(ts)
    unknown = f", {seen['unknown']} unknown" if seen["unknown"] else ""
    until = (
        ""
        if seen["latency_until"] is None
        else f"   latencies until {clock_of(seen['latency_until'])}"
    )
    processes = [f"{process_of(each)} {_state(each, seen['now'])}" for each in seen["processes"]]
    share = seen["error_share"]
    shadows = f"{seen['shadows_in_flight']} shadow{'s' * (seen['shadows_in_flight'] != 1)}"
    first = f"understudy top   {clock}   {seen['events']} events"
    losses = {name: seen[name] for name in ("missing", "dropped", "unreadable") if seen[name]}
    first += "".join(f"   {name} {count}" for name, count in losses.items())
    more = f" and {len(processes) - 2} more" if len(processes) > 2 else ""
    return [
        first,
        ", ".join(processes[-2:]) + more,
        f"calls {seen['calls_per_s']:.1f}/s   errors {seen['errors_per_s']:.1f}/s"
        + ("" if share is None else f" ({100 * share:.1f} %)")
        + f"   shed {seen['shed_per_s']:.1f}/s   skipped {seen['skipped']}",
        "   ".join(f"{name} {milliseconds(seen[f'{name}_ms'])}" for name in ("p50", "p95", "p99"))
        + f" ms   in flight {seen['in_flight']} and {shadows}"
        + (f", {seen['inner_in_flight']} inside" if seen["inner_in_flight"] else "")
        + f"{unknown}"
        + f"   lag {milliseconds(seen['lag_ms'])} ms{until}",
        f"calls by second  {_sparks(document, max(10, min(60, width - 17)))}",
        "",
    ]


def _state(process: Json, now: float | None) -> str:
    if process["state"] == "stopped":
        return "closed"
    if now is not None and process["is_silent"]:
        if process["is_idle"]:
            return f"idle since {clock_of(process['last_ts'])}"
        told = f"silent for {span_of(now - process['last_ts'])}"
        return f"{told}, {process['unknown']} in flight unknown"
    return process["state"] or "?"


def _sparks(document: Json, count: int) -> str:
    """Return how many calls there were in each of the last seconds, as small bars."""
    rows = {row[0]: row[1] for row in document["seconds"]["rows"]}
    if not rows:
        return ""
    last = max(*rows, int(document["overview"]["now"] or 0))
    first = max(min(rows), last - count + 1)
    calls = [rows.get(second, 0) for second in range(first, last + 1)]
    most = max(calls)
    return "".join(
        _SPARKS[(each * (len(_SPARKS) - 1) + most - 1) // most] if most else _SPARKS[0]
        for each in calls
    )


def watch(board: Board, follower: Follower, interval: float, files: Sequence[str] = ()) -> int:
    """Show what happens until somebody has seen enough."""
    view = View()
    with Screen() as terminal:
        while not view.is_over:
            until = time.monotonic() + interval
            is_behind = not view.is_paused and _catch_up(board, follower)
            width, height = terminal.size()
            view.awaited = [] if board.state.events else awaited(files)
            terminal.draw(screen(board, width, height, view))
            if is_behind:
                until = time.monotonic()
            while key := terminal.key(until - time.monotonic()):
                view.press(key)
                if key != "resize" and view.is_over:
                    break
                width, height = terminal.size()
                terminal.draw(screen(board, width, height, view))
    return 0


def _catch_up(board: Board, follower: Follower) -> bool:
    """Take what has come, for a moment at most; True if there is more."""
    until = time.monotonic() + _BUSY
    while lines := follower.read():
        board.take_all(lines)
        if time.monotonic() > until:
            return True
    return False
