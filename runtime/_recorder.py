"""The RecordSink: every result goes into a run, by a thread of ours, many at a time."""

import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, final

import msgspec

from understudy.actors import Stage
from understudy.configs import Config, UnderstudyError
from understudy.events import LONGEST, Event

from ._outlet import begin_again_after_fork
from ._record import Record, check_record
from ._shown import Shown
from ._sinks import Behind

if TYPE_CHECKING:
    from ._experiment import Experiment

_ENDS: Final = frozenset({"branch.completed", "branch.shed", "branch.skipped"})
_LOST: Final = "log.dropped"
_CAPACITY: Final = 32_768
"""How many results may wait to be written: some 30 MB, where a disk stands still."""
_MOST: Final = 10_000
"""How many configs are kept with their values; of further ones only labels and ids are."""
_TOLD: Final = 200
"""Of how many configs events tell how many results are recorded."""
_ALL_VALUES: Final = 1_000_000
"""How many bytes the values of one config may have."""
_FIELDS: Final = (
    *("call_id", "branch_id", "parent_branch_id", "config_id", "role", "status", "reason"),
    *("duration_ms", "queue_ms", "items", "first_item_ms", "trace_id"),
)
"""What a result has under the names of the fields of events, if it applies."""


@final
class RecordSink(Behind):
    """Writes the ends of branches into a run: a metric `results/<experiment>`, a point for each.

    Args:
        record: the run.
        shown: makes of the values of configs what is shown of them.
        capacity: how many results may wait.

    Attributes:
        described: the run, in the fields of events.
        stages: returns the stages whose cases have configs that no experiment was declared with.
    """

    def __init__(self, record: Record, shown: Shown, *, capacity: int = _CAPACITY) -> None:
        check_record(record)
        self._record = record
        self._shown = shown
        path, prefix, project = os.fspath(record.path), record.prefix, record.project
        number = f"{project}/{prefix}"
        with suppress(UnderstudyError, OSError):  # a disk that is full: it has none
            number = record.id
        self.described: dict[str, Any] = {
            "run": number,
            "project": project,
            "prefix": prefix,
            "path": path,
        }
        self.stages: Callable[[], Iterable[Stage]] = tuple
        self._declared: dict[tuple[str, str], Config] = {}
        super().__init__(f"the run {path}", capacity)
        self.begin()
        begin_again_after_fork(self)

    def begin(self) -> None:
        """Count from the start: when it is made, and in a forked child, as it tells for itself."""
        self._labels: dict[tuple[str, str], str] = {}
        """What each config is called in the run, by experiment and id."""
        self._counts: dict[tuple[str, str, str], int] = {}
        """How many results were recorded, by experiment, id and name of the config."""
        self._total = 0
        self._told: dict[tuple[str, str, str], int] = {}
        self._noted = 0
        self._lock = threading.Lock()

    def declared(self, experiment: "Experiment") -> None:
        """Remember the configs of an experiment, whose values are wanted when they have played."""
        for config in experiment.settings.configs:
            if len(self._declared) < _MOST:
                self._declared[experiment.name, config.id] = config

    @property
    def totals(self) -> dict[str, int]:
        """How many results were recorded, and how many were lost, in the fields of events."""
        return {"count": self._total, "dropped": self.dropped}

    def news(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the events that tell how much was recorded of each config, since the last time."""
        told: list[tuple[str, dict[str, Any]]] = []
        for place, count in [*self._counts.items()]:
            if self._told.get(place) != count:
                self._told[place] = count
                names = dict(zip(("experiment", "config_id", "label"), place, strict=True))
                more: dict[str, Any] = {"count": count, "dropped": self.dropped}
                told.append(("run.recording", {**self.described, **names, **more}))
        return told

    def put(self, event: Event, /) -> bool:
        """Take one event; False if it is a result and there is no room for it."""
        return event.event not in _ENDS or super().put(event)

    def put_all(self, events: list[Event], /) -> None:
        """Take the results among some events, as far as there is room for them."""
        super().put_all([event for event in events if event.event in _ENDS])

    def flush(self, timeout: float) -> bool:
        """Wait until all results are written; False if that takes longer. Say what is missing."""
        is_flushed = super().flush(timeout)
        if is_flushed and timeout and self.dropped > self._noted:
            self._note_loss()
        return is_flushed

    def _deal_with(self, events: list[Event]) -> list[bool]:
        """Write a batch; of an experiment all at once, in the order in which they ended."""
        results = [event for event in events if event.event != _LOST]
        self._learn_configs(results)
        by_experiment: dict[str, list[Event]] = {}
        for event in results:
            by_experiment.setdefault(str(event.experiment), []).append(event)
        kept = {name: self._written(name, each) for name, each in by_experiment.items()}
        dealt: list[bool] = []
        for event in results:
            name = str(event.experiment)
            dealt.append(kept[name] > 0)
            kept[name] -= 1
        if len(results) == len(events):
            return dealt
        if is_room := any(dealt):
            self._note_loss()
        return [is_room, *dealt]

    def _written(self, experiment: str, events: list[Event]) -> int:
        """Write the results of one experiment, and return how many of them are kept."""
        points = [self._point(event) for event in events]
        kept = 0
        try:
            kept = self._record.metrics(f"results/{experiment}").log_many(points)
        except Exception as problem:  # of a run that is strict, say
            self._problem = problem.with_traceback(None)
        if kept < len(points) and not self._problem:
            self._problem = "the run could not write them"
        self._total += kept
        for event in events[:kept]:
            place = (experiment, event.config_id or "", self._label(event))
            if place in self._counts or len(self._counts) < _TOLD:
                self._counts[place] = self._counts.get(place, 0) + 1
        return kept

    def _point(self, event: Event) -> dict[str, Any]:
        point: dict[str, Any] = {"ts": event.ts, "config": self._label(event)}
        for name in _FIELDS:
            value = getattr(event, name)
            if value is not None:
                point[name] = value
        if event.error_type is not None:
            point |= {"error": event.error_type, "message": (event.error_message or "")[:LONGEST]}
        if event.context is not None:
            point["context"] = dict(event.context)
        if event.arguments is not None:
            point["arguments"] = _value(event.arguments)
        if event.result is not None:
            point["value"] = _value(event.result)
        return point

    def _label(self, event: Event) -> str:
        label = event.label or ""
        return self._labels.get((str(event.experiment), event.config_id or ""), label)

    def _learn_configs(self, events: list[Event]) -> None:
        """Have the values of the configs in the run that come up for the first time."""
        new: dict[tuple[str, str], str] = {}
        for event in events:
            place = (str(event.experiment), event.config_id or "")
            if place not in self._labels and len(self._labels) + len(new) < _MOST:
                new.setdefault(place, event.label or "")
        if not new:
            return
        with suppress(Exception):  # of a run that is strict, say: the results count
            self._tell_configs(new)

    def _tell_configs(self, new: dict[tuple[str, str], str]) -> None:
        """Set them; of two that have one label, as configs were changed, the later has a mark."""
        ids: dict[str, dict[str, str]] = self._record.params.get().get("config_ids", {})
        said: dict[str, dict[str, dict[str, Any]]] = {"configs": {}, "config_ids": {}}
        for (experiment, config_id), label in new.items():
            known = ids.setdefault(experiment, {})
            if known.get(label, config_id) != config_id:
                label = f"{label} ({config_id[:8]})"
            known[label] = config_id
            self._labels[experiment, config_id] = label
            values = self._values(experiment, config_id)
            if values is not None:
                said["configs"].setdefault(experiment, {})[label] = values
            said["config_ids"].setdefault(experiment, {})[label] = config_id
        self._record.params.set(said)

    def _values(self, experiment: str, config_id: str) -> dict[str, Any] | None:
        config = self._declared.get((experiment, config_id))
        if config is None:  # it came later, from a file that has changed
            cases = (case for stage in self.stages() for case in stage.cases())
            found = (case.config for case in cases if case.supervisor.name == experiment)
            config = next((each for each in found if each.id == config_id), None)
        return None if config is None else self._shown.mapping(config, _ALL_VALUES)

    def _note_loss(self) -> None:
        """Say in the log of the run how many results are not in it."""
        with self._lock:
            dropped = self.dropped
            missing, self._noted = dropped - self._noted, dropped
        if missing <= 0:
            return
        with suppress(Exception):  # of a run that is strict
            text = f"{missing} results are missing here: they could not be written in time"
            self._record.log(text, level="warning", event=_LOST, count=missing, ts=time.time())


def _value(written: str) -> Any:
    """Return what is told of a value as what it is; as a text, if it was cut."""
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(written)
    return written
