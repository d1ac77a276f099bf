"""The results of experiments that a run has, config by config."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from ._errors import RunError
from ._lines import Line
from ._numbers import Summary, Sums, summaries, take
from ._reading import RunFolder

if TYPE_CHECKING:
    from ._run import Run

RESULTS: Final = "results/"
"""What the names of the metrics begin with that results are in; the experiment follows."""
_AT_ONCE: Final = 1_000
_TIMES: Final = ("duration_ms", "queue_ms", "first_item_ms", "items")
_DID_NOT_RUN: Final = ("shed", "skipped")


class ConfigResults(msgspec.Struct, frozen=True, kw_only=True):
    """What became of all branches that played one config.

    Attributes:
        config: the label of the config.
        config_id: its id.
        values: its values, as far as they were told.
        count: how many results there are.
        statuses: how many of each status.
        roles: how many of each role.
        errors: how many of each class of error.
        summary: what numbers come to: `duration_ms` and `queue_ms` of those that ran; `value`, if
            values were recorded and are numbers, or `value.accuracy`, if they have fields.

    Example:
        >>> from understudy.runs import Run, by_config
        >>> with Run(prefix="by-hand") as run:
        ...     for value in (0.5, 0.7):
        ...         run.metrics("results/answer").log(config="large", status="ok", value=value)
        >>> large = by_config(run)["large"]
        >>> large.count, large.statuses, large.summary["value"].max
        (2, {'ok': 2}, 0.7)
    """

    __module__ = "understudy.runs"

    config: str
    config_id: str | None
    values: Mapping[str, Any]
    count: int
    statuses: Mapping[str, int]
    roles: Mapping[str, int]
    errors: Mapping[str, int]
    summary: Mapping[str, Summary]


class ByConfig(Mapping[str, ConfigResults]):
    """The results of one experiment by the labels of its configs; printed, it is a table.

    An id finds a config as well.

    Attributes:
        experiment: the name of the experiment.
        missing: how many results of the run, of any experiment, could not be kept.

    Example:
        >>> from understudy.runs import Run, by_config
        >>> with Run(prefix="by-hand") as run:
        ...     for config, took in [("large", 9.0), ("small", 2.5), ("small", 3.5)]:
        ...         run.metrics("results/answer").log(config=config, status="ok", duration_ms=took)
        >>> print(by_config(run))
        answer  results  ok  ms
        large         1   1   9
        small         2   2   3
    """

    __module__ = "understudy.runs"

    def __init__(
        self, experiment: str, results: Mapping[str, ConfigResults], missing: int = 0
    ) -> None:
        self.experiment: str = experiment
        self.missing: int = missing
        self._results = results

    def __getitem__(self, config: str) -> ConfigResults:
        found = (each for each in self._results.values() if each.config_id == config)
        one = self._results.get(config) or next(found, None)
        if one is None:
            known = ", ".join(map(repr, self._results))
            raise KeyError(f"{self.experiment} has no results of {config!r}; there are {known}")
        return one

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def __repr__(self) -> str:
        each = [*self._results.values()]
        statuses = {status: None for one in each for status in one.statuses}
        means = sorted({name for one in each for name in one.summary if name.startswith("value")})
        head = [self.experiment, "results", *statuses, "ms", *means]
        rows = [
            [
                one.config,
                str(one.count),
                *(str(one.statuses.get(status, 0)) for status in statuses),
                *(_mean(one.summary.get(name)) for name in ("duration_ms", *means)),
            ]
            for one in each
        ]
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
            for row in (head, *rows)
        ]
        return "\n".join([*lines, *([f"{self.missing} results are missing"] * bool(self.missing))])


def by_config(
    run: Run | RunFolder | str | PathLike[str],
    experiment: str | None = None,
    *,
    role: str | None = None,
) -> ByConfig:
    """Compare the results that a runtime recorded into a run, config by config.

    Args:
        run: the run, or its folder; it may go on meanwhile.
        experiment: the name of the experiment, or how it ends (`double` for `play.double`); it
            may be left out if the run has but one.
        role: only the results of this role: `primary`, `shadow` or `branch`.

    Raises:
        RunError: the run has no results of that experiment, or of several and none is named.

    Example:
        >>> import asyncio
        >>> from understudy import Config, Runtime, ShadowStrategy
        >>> from understudy.runs import Run, by_config
        >>> async def play(run: Run) -> None:
        ...     two = [{"n": 1}, {"n": 2}]
        ...     runtime = Runtime(configs=two, strategy=ShadowStrategy(), record=run)
        ...     @runtime.experiment(capture=True)
        ...     async def double(x: int, config: Config) -> int:
        ...         return x * config.n
        ...     async with runtime:
        ...         await double(3), await double(4)
        >>> with Run(prefix="doubled") as run:
        ...     asyncio.run(play(run))
        >>> for label, each in by_config(run, "double").items():
        ...     print(label, each.values, each.count, each.roles, each.summary["value"].mean)
        1 {'n': 1} 2 {'primary': 2} 3.5
        2 {'n': 2} 2 {'shadow': 2} 7.0
    """
    folder = run if isinstance(run, RunFolder) else _folder_of(run)
    experiment = _experiment_of(folder, experiment)
    kept: dict[str, _Kept] = {}
    for point in folder.metrics(RESULTS + experiment).stream():
        if role is None or point.get("role") == role:
            label = str(point.get("config"))
            if label not in kept:
                kept[label] = _Kept(point.get("config_id"))
            kept[label].take(point)
    values = _mapping(_mapping(folder.params.get().get("configs")).get(experiment))
    results = {
        label: each.results(label, _mapping(values.get(label))) for label, each in kept.items()
    }
    return ByConfig(experiment, results, _missing(folder))


def _folder_of(run: Run | str | PathLike[str]) -> RunFolder:
    return RunFolder(run) if isinstance(run, str | PathLike) else run.read()


def _experiment_of(folder: RunFolder, experiment: str | None) -> str:
    known = [name.removeprefix(RESULTS) for name in folder.metric_names if name.startswith(RESULTS)]
    if experiment in known:
        return experiment
    meant = [name for name in known if experiment is None or name.endswith(f".{experiment}")]
    if len(meant) == 1:
        return meant[0]
    of = f"of {experiment!r}" if experiment is not None else "of one experiment"
    there = f"there are those of {', '.join(map(repr, known))}" if known else "it has none"
    raise RunError(
        f"results {of} were asked for, and {there}: {folder.path}; by_config(run, experiment) "
        "reads what Runtime(record=run) recorded"
    )


def _missing(folder: RunFolder) -> int:
    lines = folder.log.stream(level="warning")
    counts = [line.get("count") for line in lines if line.get("event") == "log.dropped"]
    return sum(count for count in counts if isinstance(count, int))


class _Kept:
    """What is kept of the results of one config while they go by."""

    def __init__(self, config_id: Any) -> None:
        self._config_id = config_id
        self._statuses: Counter[str] = Counter()
        self._roles: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._numbers: list[Line] = []
        self._sums: dict[str, Sums] = {}

    def take(self, point: Line) -> None:
        status = str(point.get("status"))
        self._statuses[status] += 1
        for count, name in ((self._roles, "role"), (self._errors, "error")):
            if name in point:
                count[str(point[name])] += 1
        if status in _DID_NOT_RUN:
            return
        self._numbers.append(_numbers_of(point))
        if len(self._numbers) >= _AT_ONCE:
            self._add_up()

    def results(self, label: str, values: Mapping[str, Any]) -> ConfigResults:
        self._add_up()
        return ConfigResults(
            config=label,
            config_id=self._config_id,
            values=values,
            count=self._statuses.total(),
            statuses=dict(self._statuses),
            roles=dict(self._roles),
            errors=dict(self._errors),
            summary=summaries(self._sums),
        )

    def _add_up(self) -> None:
        take(self._sums, self._numbers)
        self._numbers = []


def _numbers_of(point: Line) -> Line:
    numbers: Line = {name: point[name] for name in _TIMES if name in point}
    value = point.get("value")
    fields = _mapping(value)
    for name, each in [("value", value), *((f"value.{name}", fields[name]) for name in fields)]:
        if isinstance(each, int | float):
            numbers[name] = int(each) if isinstance(each, bool) else each  # a mean is a rate then
    return numbers


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _mean(summary: Summary | None) -> str:
    return "-" if summary is None or summary.mean is None else f"{summary.mean:.4g}"
