"""A snapshot of what a runtime does: every supervisor and every case."""

from collections.abc import Iterable, Iterator

import msgspec

from understudy.actors import CaseActor, ExperimentSupervisor, State, Tally

from ._experiment import Experiment


class CaseStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What one config of one experiment has done, and is doing.

    Planned is what was to be played; each ends as ok, error, timeout, cancelled, shed or skipped.
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
    p50: float | None
    p90: float | None
    p99: float | None


class ExperimentStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """One experiment: its supervisors (one for each loop), its strategy and its cases."""

    experiment: str
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
        known = ", ".join(case.label for case in self.cases)
        raise KeyError(f"{self.experiment} has no config {config!r}; it has {known}")


class RuntimeStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot of a runtime.

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
    """

    experiments: tuple[ExperimentStatistics, ...]
    events_dropped: int

    def __getitem__(self, experiment: str) -> ExperimentStatistics:
        """Return those of an experiment, by its name, or the end of it: `answer`."""
        named = [each for each in self.experiments if each.experiment == experiment]
        end = f".{experiment}"
        found = named or [each for each in self.experiments if each.experiment.endswith(end)]
        if len(found) == 1:
            return found[0]
        known = ", ".join(each.experiment for each in self.experiments) or "none"
        raise KeyError(f"{len(found)} experiments are called {experiment!r}; there are {known}")


def statistics_of(experiments: Iterable[Experiment], events_dropped: int) -> RuntimeStatistics:
    """Take the snapshot."""
    ordered = sorted(experiments, key=lambda experiment: experiment.key)
    found = tuple(map(_of_experiment, ordered))
    return RuntimeStatistics(experiments=found, events_dropped=events_dropped)


def _of_experiment(experiment: Experiment) -> ExperimentStatistics:
    supervisors = [*experiment.supervisors.values()]
    strategies = [strategy for supervisor in supervisors for strategy in supervisor.strategies]
    return ExperimentStatistics(
        experiment=experiment.name,
        state=str(supervisors[-1].state) if supervisors else "new",
        loops=sum(supervisor.state is State.RUNNING for supervisor in supervisors),
        is_disabled=experiment.is_disabled,
        strategy=type(experiment.settings.strategy).__name__,
        strategy_state=str(strategies[-1].state) if strategies else "new",
        restarts=sum(strategy.restarts for strategy in strategies),
        shadows_in_flight=sum(supervisor.shadows for supervisor in supervisors),
        cases=tuple(_cases(experiment, supervisors)),
    )


def _cases(
    experiment: Experiment, supervisors: Iterable[ExperimentSupervisor]
) -> Iterator[CaseStatistics]:
    labels = {config.id: config.label for config in experiment.settings.configs}
    actors: dict[str, list[CaseActor]] = {config_id: [] for config_id in labels}
    past = experiment.archive.tallies
    for config_id, (label, _) in past.items():
        labels.setdefault(config_id, label)
        actors.setdefault(config_id, [])
    for supervisor in supervisors:
        for actor in supervisor.cases:
            labels.setdefault(actor.config.id, actor.config.label)
            actors.setdefault(actor.config.id, []).append(actor)
    for config_id, label in labels.items():
        tally = past[config_id][1] if config_id in past else Tally()
        yield _of_case(config_id, label, actors[config_id], tally)


def _of_case(config_id: str, label: str, actors: list[CaseActor], tally: Tally) -> CaseStatistics:
    for actor in actors:
        tally = tally.plus(actor.tally)
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
        p50=tally.quantile(0.5),
        p90=tally.quantile(0.9),
        p99=tally.quantile(0.99),
    )
