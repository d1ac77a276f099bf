"""What the runtime tells of itself: its events, if anybody listens."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, final

from understudy.actors import Branch, Emit, Notes, Stage
from understudy.configs import Config

if TYPE_CHECKING:
    from ._drain import DrainReport
    from ._events import Emitter
    from ._experiment import Experiment
    from ._record import Record
    from ._recorder import RecordSink
    from ._shown import Redact, Shown
    from ._sinks import Sink

_log = logging.getLogger("understudy")
_FLUSH = 5.0
"""How many seconds leaving waits until the events are written."""
_CROWDED = "many_short_steps"
"""Why a loop lags that no branch holds."""


@final
class Telling:
    """Hands events on, of the runtime and of its actors; nothing at all while nobody listens.

    Attributes:
        emit: what the actors call; None while nobody listens.
        service: the name of the service, which all events have.
        notes: where they put down what becomes of the branches; None likewise.
        label_of: returns the label of a config, as far as it may be told.
    """

    def __init__(
        self,
        events: Any,
        service: str | None,
        runtime_id: str,
        clock: Callable[[], int],
        redact: "Redact | None" = None,
        record: "Record | None" = None,
    ) -> None:
        self.service = service
        self._stamps = (service, runtime_id, clock)
        self._sinks: list[Sink] = []
        self._record: RecordSink | None = None
        self._emitter: Emitter | None = None
        self.emit: Emit | None = None
        self.notes: Notes | None = None
        self.label_of: Callable[[Config], str] = attrgetter("label")
        self._stages: Callable[[], Iterable[Stage]] | None = None
        self._shown: Shown | None = None
        if redact is not None:
            self._shown = _shown(redact)
            self.label_of = self._shown.label
        if record is not None:
            self._record = _sink_of(record, self._shown or _shown(None))
        if events is not None:
            from ._sinks import as_sinks  # not imported where nobody listens

            self._attach(as_sinks(events))
        elif record is not None:
            self._attach([])

    def _attach(self, sinks: "list[Sink]") -> None:
        from ._events import Emitter

        mine = [] if self._record is None else [self._record]
        self._sinks = [*sinks, *mine]
        if self._sinks:
            shown = self._shown or _shown(None)
            self._emitter = Emitter(self._sinks, *self._stamps, shown)
            self.notes = self._emitter.notes
        if sinks:
            self._begin_to_tell()

    def _begin_to_tell(self) -> None:
        """Tell more than what becomes of branches, which is all that a record needs."""
        self.emit = self._emitter
        if self._stages is not None:
            self.sample(self._stages)

    def add(self, sink: "Sink") -> None:
        """Hand the events to one more sink; if it is the first, whoever is there tells nothing."""
        if self._emitter is None:
            self._attach([sink])
            return
        self._emitter.add(sink)
        self._sinks.append(sink)
        if self.emit is None:
            self._begin_to_tell()

    def sample(self, stages: "Callable[[], Iterable[Stage]]") -> None:
        """Tell now and then how busy the cases are, and what is recorded, while somebody listens.

        A record looks there for the configs that it has results of.
        """
        self._stages = stages
        if self._record is not None:
            self._record.stages = stages
        if self._emitter is not None and self.emit is not None:
            from ._samples import Samples

            samples, record = Samples(stages), self._record
            if record is None:
                self._emitter.samples = samples
            else:
                self._emitter.samples = lambda are_repeated: [
                    *samples(are_repeated),
                    *record.news(),
                ]

    def pulse(self) -> None:
        """Be told that something is in flight: it is told of now and then, also if it hangs."""
        if self._emitter is not None:
            self._emitter.pulse()

    @property
    def dropped(self) -> int:
        """How many events were lost, because a sink could not keep up, or failed."""
        raised = 0 if self._emitter is None else self._emitter.dropped
        return raised + sum(sink.dropped for sink in self._sinks)

    def experiment_registered(self, experiment: "Experiment") -> None:
        """Tell of a new experiment; of several configs without a strategy, that one plays."""
        if self._record is not None:
            self._record.declared(experiment)
        settings = experiment.settings
        strategy = type(settings.strategy).__name__
        self._say(
            "experiment.registered",
            experiment=experiment.name,
            count=len(settings.configs),
            strategy=strategy,
        )

    def switched(self, experiment: str | None, is_disabled: bool, reason: str | None) -> None:
        """Tell of the kill switch."""
        name = "experiment.disabled" if is_disabled else "experiment.enabled"
        self._say(name, experiment=experiment, reason=reason)

    def pinned(self, experiment: "Experiment", config_id: str | None, reason: str | None) -> None:
        """Tell that a config is pinned for all calls, or not any more."""
        name = "experiment.unpinned" if config_id is None else "experiment.pinned"
        label = next(
            (self.label_of(each) for each in experiment.settings.configs if each.id == config_id),
            None,
        )
        self._say(name, experiment=experiment.name, config_id=config_id, label=label, reason=reason)

    def started(self) -> None:
        """Tell that the runtime runs on one more loop, and what it records into."""
        self._say("runtime.started")
        if self._record is not None:
            self._say("run.recording", **self._record.described)

    def draining(self) -> None:
        """Tell that it waits for what is in flight."""
        self._say("runtime.draining")

    def waiting(self, in_flight: str, seconds: float) -> None:
        """Tell somebody who watches it stop what it waits for: it may look as if it hung."""
        if self.emit is None:
            text = "leaving waits for what is in flight, for %g s at most (drain_timeout): %s"
            _log.warning(text, seconds, in_flight)

    def stopped(self, report: "DrainReport") -> None:
        """Tell that it has stopped."""
        if self.emit is None and report.cancelled:
            cases = Counter(
                f"{case.experiment}[{self.label_of(case.config)}]"
                for case in (result.experiment_case for result in report.cancelled)
            )
            told = ", ".join(f"{case} x {count}" for case, count in cases.items())
            _log.warning("the drain was over, and cancelled what ran: %s", told)
        self._say("runtime.stopped", count=report.waited_for)

    def crashed(self, function: Any, error: BaseException, is_stopped: bool) -> None:
        """Tell of a subscriber that raised."""
        name = getattr(function, "__qualname__", repr(function))
        if self.emit is None:
            _log.error("actor.crashed: %s", name, exc_info=error)
        self._say("actor.crashed", actor=name, error=error)
        self._say("actor.stopped" if is_stopped else "actor.restarted", actor=name)

    def lagged(self, branch: Branch, place: str, seconds: float, where: str) -> None:
        """Tell of a branch that holds its loop (or, from a thread, the interpreter), while it does.

        Without anybody to tell it to, it is a warning in the log.
        """
        if self.emit is None:
            what = "the loop" if place == "loop" else "the interpreter, from a thread,"
            text = "%s (%s) has held %s for %.2f s, at %s; whoever shares it waits"
            _log.warning(text, branch.part.actor.name, branch.part.role, what, seconds, where)
        else:
            self._say("loop.lagged", **_culprit(branch, place, seconds), where=where)

    def resumed(self, branch: Branch, place: str, seconds: float) -> None:
        """Tell that it has let go, and how long it held."""
        if self.emit is None:
            what = "the loop" if place == "loop" else "the interpreter"
            name, role = branch.part.actor.name, branch.part.role
            _log.warning("%s (%s) has let go of %s after %.2f s", name, role, what, seconds)
        self._say("loop.resumed", **_culprit(branch, place, seconds))

    def crowded(self, seconds: float) -> None:
        """Tell of a long turn of a loop, of many short steps none of which is long."""
        if self.emit is None:
            text = (
                "a turn of the loop has lasted %.2f s: many short steps of many calls, and none "
                "holds it; let fewer play at a time (concurrency=), or run more processes"
            )
            _log.warning(text, seconds)
        self._say("loop.lagged", place="loop", reason=_CROWDED, lag_ms=seconds * 1e3)

    def uncrowded(self, seconds: float) -> None:
        """Tell that such a turn is over, and how long it lasted."""
        if self.emit is None:
            _log.warning("the turn of the loop with many short steps lasted %.2f s", seconds)
        self._say("loop.resumed", place="loop", reason=_CROWDED, lag_ms=seconds * 1e3)

    @property
    def is_recording(self) -> bool:
        """Whether results go into a run."""
        return self._record is not None

    def flush_record(self, timeout: float) -> bool:
        """Have all results recorded that there are until now; False if that takes too long."""
        return self._record is None or self._record.flush(timeout)

    def recorded(self) -> None:
        """Tell what was recorded in all, as the runtime is left."""
        if self._record is not None:
            for name, fields in self._record.news():
                self._say(name, **fields)
            self._say("run.ended", **self._record.described, **self._record.totals)

    def flush(self, timeout: float = _FLUSH) -> bool:
        """Have all events written that were told until now; False if that takes too long."""
        written = [sink.flush(timeout) for sink in self._sinks]
        return all(written)

    def rest(self) -> None:
        """Let go of threads and files until there is something to tell again."""
        for sink in self._sinks:
            if sink.flush(0.0):
                sink.close(0.0)

    def _say(self, event: str, **fields: Any) -> None:
        if self.emit is not None:
            self.emit(event, **fields)


def _sink_of(record: "Record", shown: "Shown") -> "RecordSink":
    from ._recorder import RecordSink  # not imported where nothing is recorded

    return RecordSink(record, shown)


def _shown(redact: "Redact | None") -> "Shown":
    from ._shown import Shown  # not imported where nobody listens

    return Shown(redact)


def _culprit(branch: Branch, place: str, seconds: float) -> dict[str, Any]:
    part = branch.part
    actor = part.actor
    function: Any = actor.supervisor.function
    config = part.case.config
    return {
        "experiment": actor.supervisor.name,
        "function": getattr(function, "__qualname__", type(function).__qualname__),
        "config_id": config.id,
        "label": actor.stage.label_of(config),
        "actor": actor.name,
        "call_id": actor.stage.name_of(branch.call_id),
        "branch_id": branch.name,
        "role": part.role,
        "place": place,
        "lag_ms": seconds * 1e3,
    }
