"""A snapshot of what a runtime does: every supervisor and every case."""

import math
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, cast

import msgspec

from understudy.actors import CaseActor, ExperimentSupervisor, State, Tally
from understudy.configs import Config

from ._experiment import Experiment
from ._table import table

_ALWAYS: Final = frozenset({"config", "planned", "ok", "p50 ms", "p99 ms"})
"""The columns that are shown even where all is zero."""


class CaseStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What one config of one experiment has done, and is doing.

    Planned is what was to be played; each ends as ok, error, timeout, cancelled, shed or skipped.
    Lagged are those of them that held the loop, or the interpreter.
    Latencies are those of the latest branches, in seconds; None if there were none.
    """

    config_id: str
    label: str
    state: str
    circuit: str
    in_flight: int
    waiting: int
    most_waiting: int
    planned: int
    ok: int
    error: int
    timeout: int
    cancelled: int
    shed: int
    skipped: int
    lagged: int = 0
    p50: float | None
    p90: float | None
    p99: float | None


class ExperimentStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """One experiment: its supervisors (one for each loop), its strategy and its cases.

    Its repr is the table that printing it gives.

    Attributes:
        experiment: its name.
        function: the module and the name of its function; empty if it is no plain function.
    """

    experiment: str
    function: str = ""
    state: str
    loops: int
    is_disabled: bool
    strategy: str
    strategy_state: str
    restarts: int
    shadows_in_flight: int
    cases: tuple[CaseStatistics, ...]

    @property
    def planned(self) -> int:
        """How many branches were planned."""
        return sum(case.planned for case in self.cases)

    def __getitem__(self, config: str | int) -> CaseStatistics:
        """Return the case of a config, by its id, label or place."""
        if isinstance(config, int):
            return self.cases[config]
        for case in self.cases:
            if config in (case.config_id, case.label):
                return case
        known = [case.label for case in self.cases]
        raise KeyError(
            f"{self.experiment} has no config {config!r}{_nearest(config, known)}; "
            f"it has {', '.join(known)}"
        )

    def __str__(self) -> str:
        """Return a table of the cases, of 80 columns at most."""
        about = [self.state, self.strategy, *(["disabled"] if self.is_disabled else [])]
        return f"{self.experiment}: {', '.join(about)}\n{_table_of(self.cases)}"

    def __repr__(self) -> str:
        return str(self)


class RuntimeStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot of a runtime; its repr is the tables that printing it gives.

    Example:
        >>> import asyncio
        >>> from understudy import Config, Runtime
        >>> runtime = Runtime(configs=[{"model": "large"}])
        >>> @runtime.experiment
        ... async def answer(config: Config):
        ...     return config.model
        >>> asyncio.run(answer())
        'large'
        >>> case = runtime.statistics()["answer"]["large"]
        >>> case.planned, case.ok, case.in_flight
        (1, 1, 0)
        >>> print(runtime.statistics())  # doctest: +ELLIPSIS
        answer: ..., SingleConfigStrategy
        config  planned  ok  p50 ms  p99 ms
        large         1   1 ...
    """

    experiments: tuple[ExperimentStatistics, ...]
    events_dropped: int

    def __getitem__(self, experiment: str) -> ExperimentStatistics:
        """Return those of an experiment, by its name, or the end of it: `answer`.

        Of a function that was defined again, as in a cell of a notebook that is run twice, those of
        the newest: the older ones are there until the garbage collector has found them.

        Raises:
            KeyError: there is none, or more than one.
        """
        named = [each for each in self.experiments if each.experiment == experiment]
        end = f".{experiment}"
        found = named or [each for each in self.experiments if each.experiment.endswith(end)]
        if len(found) == 1 or (found and _is_one_again_and_again(found)):
            return found[-1]
        names = [each.experiment for each in found or self.experiments]
        known = ", ".join(names) or "none"
        if not found:
            near = _nearest(experiment, [*names, *(name.rpartition(".")[2] for name in names)])
            raise KeyError(f"no experiment is called {experiment!r}{near}; there are {known}")
        raise KeyError(
            f"{len(found)} experiments are called {experiment!r}: {known}; "
            + ("give each another with name=" if named else "ask for one by its whole name")
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON has words for: dicts, lists, texts and numbers.

        A number that is not finite is None.

        Example:
            >>> from understudy import Runtime
            >>> Runtime().statistics().to_dict()
            {'experiments': [], 'events_dropped': 0}
        """
        return cast("dict[str, Any]", _finite(msgspec.to_builtins(self)))

    def __str__(self) -> str:
        """Return a table for each experiment, of 80 columns at most."""
        told = [str(each) for each in self.experiments] or ["no experiments"]
        if self.events_dropped:
            told.append(f"events dropped: {self.events_dropped}")
        return "\n\n".join(told)

    def __repr__(self) -> str:
        return str(self)


def _is_one_again_and_again(found: Sequence[ExperimentStatistics]) -> bool:
    """Whether they are of one function, defined again; lambdas and inner ones may be many."""
    first = found[0]
    is_named = bool(first.function) and "<" not in first.function
    return is_named and all(
        (each.experiment, each.function) == (first.experiment, first.function) for each in found
    )


def statistics_of(
    experiments: Iterable[Experiment], events_dropped: int, label_of: Callable[[Config], str]
) -> RuntimeStatistics:
    """Take the snapshot; `label_of` returns the label of a config, as far as it may be told."""
    ordered = sorted(experiments, key=lambda experiment: experiment.key)
    found = tuple(_of_experiment(each, label_of) for each in ordered)
    return RuntimeStatistics(experiments=found, events_dropped=events_dropped)


def _of_experiment(
    experiment: Experiment, label_of: Callable[[Config], str]
) -> ExperimentStatistics:
    supervisors = [*experiment.supervisors.values()]
    strategies = [strategy for supervisor in supervisors for strategy in supervisor.strategies]
    return ExperimentStatistics(
        experiment=experiment.name,
        function=_written_as(experiment.function),
        state=str(supervisors[-1].state) if supervisors else "new",
        loops=sum(supervisor.state is State.RUNNING for supervisor in supervisors),
        is_disabled=experiment.is_disabled,
        strategy=type(experiment.settings.strategy).__name__,
        strategy_state=str(strategies[-1].state) if strategies else "new",
        restarts=sum(strategy.restarts for strategy in strategies),
        shadows_in_flight=sum(supervisor.shadows for supervisor in supervisors),
        cases=tuple(_cases(experiment, supervisors, label_of)),
    )


def _written_as(function: Any) -> str:
    """Return the module and the name of a function; nothing for what objects may have many of."""
    if not isinstance(function, types.FunctionType):
        return ""
    return f"{function.__module__}.{function.__qualname__}"


def _cases(
    experiment: Experiment,
    supervisors: Iterable[ExperimentSupervisor],
    label_of: Callable[[Config], str],
) -> Iterator[CaseStatistics]:
    labels = {config.id: label_of(config) for config in experiment.settings.configs}
    actors: dict[str, list[CaseActor]] = {config_id: [] for config_id in labels}
    past = experiment.archive.tallies
    for config_id, (label, _) in past.items():
        labels.setdefault(config_id, label)
        actors.setdefault(config_id, [])
    for supervisor in supervisors:
        for actor in supervisor.cases:
            labels.setdefault(actor.config.id, label_of(actor.config))
            actors.setdefault(actor.config.id, []).append(actor)
    for config_id, label in labels.items():
        tally = past[config_id][1] if config_id in past else Tally()
        yield _of_case(config_id, label, actors[config_id], tally)


def _of_case(config_id: str, label: str, actors: list[CaseActor], tally: Tally) -> CaseStatistics:
    for actor in actors:
        tally = tally.plus(actor.counts)
    waiting = sum(actor.mailbox.waiting for actor in actors)
    circuits = [str(actor.circuit.state) for actor in actors if actor.circuit is not None]
    return CaseStatistics(
        config_id=config_id,
        label=label,
        state=str(actors[-1].state) if actors else "new",
        circuit=max(circuits, default="closed"),
        in_flight=tally.planned - tally.ended - waiting,
        waiting=waiting,
        most_waiting=max((actor.mailbox.most_waiting for actor in actors), default=0),
        planned=tally.planned,
        ok=tally.ok,
        error=tally.error,
        timeout=tally.timeout,
        cancelled=tally.cancelled,
        shed=tally.shed,
        skipped=tally.skipped,
        lagged=tally.lagged,
        p50=tally.quantile(0.5),
        p90=tally.quantile(0.9),
        p99=tally.quantile(0.99),
    )


def _table_of(cases: Iterable[CaseStatistics]) -> str:
    """Return a table of cases, without the columns that say nothing."""
    rows = [_row(case) for case in cases]
    said = {name for row in rows for name, cell in row.items() if cell not in ("0", "closed")}
    return table([{name: row[name] for name in row if name in said | _ALWAYS} for row in rows])


def _row(case: CaseStatistics) -> dict[str, str]:
    return {
        "config": case.label,
        "planned": str(case.planned),
        "waiting": str(case.waiting),
        "in flight": str(case.in_flight),
        "ok": str(case.ok),
        "error": str(case.error),
        "timeout": str(case.timeout),
        "cancelled": str(case.cancelled),
        "shed": str(case.shed),
        "skipped": str(case.skipped),
        "lagged": str(case.lagged),
        "p50 ms": _milliseconds(case.p50),
        "p99 ms": _milliseconds(case.p99),
        "circuit": case.circuit,
    }


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1e3 * seconds:.1f}"


def _nearest(name: object, known: Iterable[str]) -> str:
    """Return the nearest name there is, as a hint; nothing if none is near."""
    from difflib import get_close_matches

    near = get_close_matches(str(name), known, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _finite(value: Any) -> Any:
    """Return dicts and lists without the numbers that JSON has no word for."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in cast("Sequence[Any]", value)]
    return None if isinstance(value, float) and not math.isfinite(value) else value
