"""Board: a state, and what has changed of it since somebody looked."""

from collections.abc import Callable, Iterable
from typing import Any, Final, final

from understudy.events import Event

from . import _document
from ._document import Json
from ._fold import fold_lines
from ._lines import Line
from ._recording import recordings
from ._silence import lost
from ._state import State

_MOST_LINES: Final = 200


def _go_on() -> None: ...


@final
class Board:
    """A state, and what has changed of it since the last look.

    It belongs to one thread at a time.

    Args:
        state: what is known already; nothing if left out.
        clock: the clock of who reads: rates are of the last minute by it, and what a runtime plays
            that should have written is unknown. None: all is as it was at the last event.

    Attributes:
        state: what is known.

    Example:
        >>> from understudy.dashboard import Board
        >>> board = Board()
        >>> board.take(b'{"v":1,"ts":5.0,"event":"call.planned","level":"debug","seq":1,"pid":1}')
        >>> board.document()["overview"]["calls"]
        1
        >>> sorted(board.patch())
        ['calls', 'overview', 'seconds', 'tail']
        >>> board.patch()
        {}
    """

    def __init__(
        self, state: State | None = None, *, clock: Callable[[], float] | None = None
    ) -> None:
        self.state: State = State() if state is None else state
        self._cases: dict[str, dict[str, Json]] = {}
        """What is told of each case, until something happens to it."""
        self._clock = clock
        self._lost = _document.NOBODY
        """Whose branches in flight are unknown."""
        self._overview: Json = {}
        self._shown = set(self.state.experiments)
        self._told = self.state.events
        self._forget()

    def _forget(self) -> None:
        self._is_changed = False
        self._experiments: set[str] = set()
        self._seconds: set[int] = set()
        self._keys: set[str] = set()

    def take(self, line: bytes | Line | Event) -> None:
        """Take one line of a log, or one event; what cannot be read is counted."""
        self.take_all((line,))

    def take_all(self, lines: Iterable[bytes | Line | Event]) -> None:
        """Take some lines, or events, which is quicker than one by one.

        Example:
            >>> from understudy.dashboard import Board
            >>> board = Board()
            >>> board.take_all([b'{"v":1,"ts":5.0,"eve', b"torn as well"])
            >>> board.state.unreadable
            2
        """
        state = self.state
        before = state.let_go
        known = state.events, state.unreadable
        fold_lines(state, lines, self._note)
        if (state.events, state.unreadable) != known:
            self._is_changed = True
        if state.let_go != before:  # some made room
            self._experiments.update(state.experiments)
        if len(self._seconds) > state.limits.seconds:  # nobody looks
            self._seconds &= state.seconds.keys()
        if len(self._experiments) > 2 * state.limits.experiments:
            self._experiments &= state.experiments.keys()

    def _note(self, event: Event) -> None:
        """Note what an event has changed."""
        kind = event.event.partition(".")[0]
        self._keys.update(_TOUCHED.get(kind, ()))
        if kind in _TIMED and 0.0 < event.ts < 1e11:
            self._seconds.add(int(event.ts))
        name = event.experiment
        if name is not None:
            self._experiments.add(name)
            if event.config_id is not None and name in self._cases:
                self._cases[name].pop(event.config_id, None)
        elif kind == "experiment":  # all of them
            self._experiments.update(self.state.experiments)
        if kind == "actor" and event.actor is not None:  # a case shows the state of its actor
            self._experiments.add(event.actor.partition("[")[0])

    def document(self, rest: Callable[[], object] = _go_on) -> Json:
        """Return everything there is to see, under flat keys.

        Args:
            rest: called after each of its parts, so that other threads have their turn.
        """
        state = self.state
        now = self._look()
        found: Json = {
            "overview": _document.overview(state, now),
            "seconds": _document.seconds(state),
        }
        for name in state.experiments:
            rest()
            found[f"experiment:{name}"] = self.experiment(name)
        for key in _LISTS:
            rest()
            found[key] = _LISTS[key](state, self._lost)
        rest()
        found["tail"] = {"lines": _document.tail(state, len(state.tail))}
        return found

    def patch(self, rest: Callable[[], object] = _go_on) -> Json:
        """Return what has changed since the last patch: whole keys, and None for those gone.

        Of `seconds` it has the rows that changed, of `tail` the lines that are new.

        Args:
            rest: called after each of its parts, so that other threads have their turn.
        """
        now = self._look()
        state = self.state
        if not self._is_changed and now is None:
            return {}
        overview = _document.overview(state, now)
        if not self._is_changed and _lasting(overview) == _lasting(self._overview):
            return {}
        self._overview = overview
        found: Json = {"overview": overview}
        if self._seconds:
            found["seconds"] = _document.seconds(state, self._seconds)
        known = state.experiments.keys()
        for name in sorted(self._experiments & known):
            rest()
            found[f"experiment:{name}"] = self.experiment(name)
        for name in sorted(self._shown - known):
            found[f"experiment:{name}"] = None
            self._cases.pop(name, None)
        if self._shown != known:  # by them it is known what kind an actor is of
            self._shown = set(known)
            self._keys.add("actors")
        for key in sorted(self._keys):
            rest()
            found[key] = _LISTS[key](state, self._lost)
        new = state.events - self._told
        if new:
            rest()
            shown = min(new, _MOST_LINES, len(state.tail))
            found["tail"] = {"lines": _document.tail(state, shown), "skipped": new - shown}
            self._told = state.events
        self._forget()
        return found

    def _look(self) -> float | None:
        """Look at the clock, and who is silent by now; return the time."""
        now = None if self._clock is None else self._clock()
        now_lost = lost(self.state, now)
        if now_lost != self._lost:
            self._lost = now_lost
            self._cases.clear()
            self._experiments.update(self.state.experiments)
            self._keys.update(("actors", "calls"))
            self._is_changed = True
        return now

    def experiment(self, name: str) -> Json | None:
        """Return what is known of an experiment; None if there is none of that name."""
        self._look()
        state = self.state
        known = state.experiments.get(name)
        if known is None:
            return None
        told = self._cases.setdefault(name, {})
        cases: list[Json] = []
        for config_id, case in known.cases.items():
            found: Any = told.get(config_id)
            if found is None:
                found = told[config_id] = _document.case_of(config_id, case, self._lost)
            found["state"] = _document.state_of_case(state, name, case, self._lost)
            cases.append({**found})
        for gone in told.keys() - known.cases.keys():
            del told[gone]
        return _document.experiment(state, name, cases, self._lost)

    def call(self, call_id: str) -> Json | None:
        """Return all that is kept of a call; None if it is not kept."""
        self._look()
        return _document.call(self.state, call_id, self._lost)

    def found_calls(self, asked: str) -> list[Json]:
        """Return the calls that are kept in which all words are: `r-7`, `status:error`."""
        self._look()
        return _document.found_calls(self.state, asked, self._lost)


def _lasting(overview: Json) -> Json:
    """Return what does not change with every look at the clock."""
    return {key: value for key, value in overview.items() if key != "now"}


_LISTS: Final[dict[str, Callable[[State, frozenset[str]], Any]]] = {
    "actors": _document.actors,
    "calls": _document.calls,
    "lags": lambda state, _: _document.listed(state.lags),
    "notices": lambda state, _: _document.listed(state.notices),
    "runs": lambda state, _: [
        *recordings(state.recordings),
        *(
            each
            for each in _document.works(state.runs, "run")
            if each["run"] not in state.recordings
        ),
    ],
    "batches": lambda state, _: _document.works(state.batches, "batch"),
}
_TOUCHED: Final = {
    "actor": ("actors",),
    "batch": ("batches",),
    "branch": ("calls",),
    "breaker": ("notices",),
    "call": ("calls",),
    "config": ("notices",),
    "experiment": ("notices",),
    "log": ("notices",),
    "loop": ("lags",),
    "run": ("runs",),
    "runtime": ("notices",),
    "strategy": ("notices",),
}
_TIMED: Final = frozenset({"branch", "call", "loop"})
