"""The Experiment: a function, its configs and its strategy."""

import inspect
import itertools
import logging
import threading
import weakref
from collections.abc import (
    Callable,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import suppress
from typing import TYPE_CHECKING, Any, final

import msgspec

from understudy.actors import (
    ExperimentSupervisor,
    Kind,
    Settings,
    Stage,
    State,
    kind_of,
    ways_of,
)
from understudy.configs import Binder, Config

from ._archive import Archive
from ._hints import experiments_in
from ._settings import NO_CONFIG, ExperimentError
from ._view import View, mark_of

if TYPE_CHECKING:
    from ._runtime import Runtime
    from ._shown import Capture

_log = logging.getLogger("understudy")
_keys = itertools.count(1)
_SHOWN = 8


@final
class Experiment:
    """A function, its configs and its strategy; a decorated function keeps one.

    Attributes:
        name: how results and events call it.
        function: the user's function.
        settings: what its calls are made with.
    """

    def __init__(
        self,
        runtime: "Runtime",
        function: Callable[..., Any],
        settings: Settings,
        name: str | None = None,
        uses: Sequence[Any] = (),
        kind: Kind | None = None,
        capture: "Capture | None" = None,
    ) -> None:
        if isinstance(function, type):
            raise ExperimentError(
                f"{described(function)} cannot be an experiment: decorate a function that makes one"
            )
        self.kind: Kind = kind_of(function) if kind is None else kind
        self.runtime = runtime
        self.function = function
        self.name: str = name or name_of(function)
        self.key: int = next(_keys)
        self.settings: Settings = settings
        self.binder: Binder[Any] = Binder(function)
        self._uses = [*map(experiment_of, uses)]
        self._lock = threading.RLock()
        self._views: weakref.WeakSet[View] = weakref.WeakSet()
        self.view: View = View(self, settings)
        self.view.lasts = True
        self.archive: Archive = Archive()
        self._ways = ways_of(self._captured(capture, kind is not None), self.kind)
        self._supervisors: dict[Stage, ExperimentSupervisor] = {}
        self.binder.check(config for config in settings.configs if config is not NO_CONFIG)
        self.check_cases(settings)
        if not self.binder.injected and settings.configs != (NO_CONFIG,):
            self._warn_of_configs_not_taken(len(settings.configs))

    def _captured(self, capture: "Capture | None", is_handed: bool) -> Callable[..., Any]:
        """Return what is to be played: the function, or one that notes what it is given too."""
        if capture is None:
            return self.function
        from ._captured import captured

        injected = self.binder.injected
        return captured(self.function, self.kind, injected, capture, is_handed)

    def _warn_of_configs_not_taken(self, count: int) -> None:
        missed = self.binder.missed()
        if count == 1 and not any(each.is_likely for each in missed):
            return
        if experiment_of_or_none(self.function) is not None:
            _log.warning(
                "%s is an experiment already, and takes its own config: decorate it once, or "
                "declare it with configs=None",
                described(self.function),
            )
            return
        what = "configs and takes none of them, so that all play the same"
        _log.warning(
            "%s has %d %s: %s, or declare it with configs=None",
            described(self.function),
            count,
            "config and does not take it" if count == 1 else what,
            "; ".join(each.advice for each in missed) or "annotate a parameter as Config",
        )

    def use(self, configs: tuple[Config, ...]) -> None:
        """Use other configs from the next call on."""
        before = self.settings.configs
        for view in self.views():
            if view.settings.configs is before:
                view.renew(msgspec.structs.replace(view.settings, configs=configs))
        self.settings = self.view.settings

    def supervisor_on(self, stage: Stage) -> ExperimentSupervisor:
        """Return the supervisor on one loop; it is started at first use."""
        supervisor = self._supervisors.get(stage)
        if supervisor is None:
            self._let_go_of_closed_loops()
            supervisor = self._supervisors[stage] = ExperimentSupervisor(
                stage,
                self.name,
                self.key,
                self,
                self.function,
                self._ways,
                self.binder,
                self._fill_for,
                lambda actor: self.archive.add([actor]),
                breaker=self.runtime.circuit,
                max_restarts=self.runtime.max_restarts,
                within=self.runtime.within,
            )
        elif supervisor.state is State.STOPPED:
            supervisor.start_now()
        return supervisor

    def _let_go_of_closed_loops(self) -> None:
        with self._lock:
            for stage in [*self._supervisors]:
                if stage.loop.is_closed():
                    self.archive.add(self._supervisors.pop(stage).cases)

    def forget(self, stages: Collection[Stage]) -> None:
        """Let go of loops that stand still, in a forked child: there, only what ended counts."""
        self._lock = threading.RLock()
        self.archive.begin()
        for stage in stages:
            supervisor = self._supervisors.pop(stage, None)
            if supervisor is not None:
                self.archive.add(supervisor.cases, is_over=True)
        for view in self.views():
            view.forget(stages)

    @property
    def is_disabled(self) -> bool:
        """Whether only the first config is played."""
        return self.runtime.switches.has_disabled(self.key)

    @property
    def supervisors(self) -> Mapping[Stage, ExperimentSupervisor]:
        """The supervisors there are, one for each loop."""
        with self._lock:
            return {**self._supervisors}

    def add_view(self, view: View) -> None:
        """Know of one more set of settings."""
        with self._lock:
            self._views.add(view)

    def views(self) -> list[View]:
        """Return all that there are; other threads may be making some."""
        with self._lock:
            return [*self._views]

    def leave(self) -> None:
        """Have the next call look whether the actors must be started again."""
        for view in self.views():
            view.leave()

    def inner_experiments(self) -> list["Experiment"]:
        """Return the experiments known to be called inside: declared, or seen in the source."""
        if self.settings.nested == "independent":
            return []
        hinted = experiments_in(self.function, experiment_of_or_none)
        known = {inner.key: inner for inner in [*self._uses, *hinted]}
        known.pop(self.key, None)
        return [inner for inner in known.values() if inner.runtime is self.runtime]

    def all_inside(self, seen: set[int]) -> Iterator["Experiment"]:
        """Yield the experiments known to be called inside, and inside those."""
        for inner in self.inner_experiments():
            if inner.key not in seen:
                seen.add(inner.key)
                yield inner
                yield from inner.all_inside(seen)

    def __repr__(self) -> str:
        configs = self.settings.configs
        labels = [self.runtime.label_of(config) for config in configs[:_SHOWN]]
        if len(configs) > _SHOWN:
            labels.append(f"and {len(configs) - _SHOWN} more")
        return f"<Experiment {self.name}: {', '.join(labels)}>"

    def _fill_for(self, config: Config) -> Any:
        if not self.binder.injected:
            return None
        return self.binder.prepare(None if config is NO_CONFIG else config).fill

    def check_cases(self, settings: Settings) -> None:
        """Refuse a tree of experiments with more cases than allowed."""
        most, answers_all = _most(settings)
        if most == 1:
            return
        names: list[str] = []
        for inner in self.all_inside({self.key}):
            count, theirs = _most(inner.settings)
            if answers_all or not theirs:
                most *= count
                names.append(inner.name)
        if most > settings.max_cases:
            inside = ", ".join(names) or "none"
            raise ExperimentError(
                f"{self.name} has {most} cases with the experiments inside it ({inside}), and "
                f"max_cases is {settings.max_cases}: raise it, choose fewer configs, or let them "
                f"choose for themselves with nested='independent'"
            )


def experiment_of_or_none(function: object) -> Experiment | None:
    """Return the experiment that a decorated function keeps, or one around it; else None."""
    view = mark_of(function)
    return None if view is None else view.experiment


def experiment_of(function: object) -> Experiment:
    """Return the experiment that a decorated function keeps.

    Raises:
        ExperimentError: it is not one.
    """
    found = experiment_of_or_none(function)
    if found is None:
        raise ExperimentError(
            f"{described(function)} is not an experiment: decorate it with @runtime.experiment"
        )
    return found


def _most(settings: Settings) -> tuple[int, bool]:
    """Return how many configs a call may play, as far as is known, and whether it answers all."""
    fixed = getattr(settings.strategy, "fixed", None)
    if fixed is not None:
        plan = fixed(settings.configs)
        if plan is not None:
            return len(plan.configs), plan.answers_all
    call_one = getattr(settings.strategy, "plays_one", False)
    return (1 if call_one else len(settings.configs)), False


def described(function: Any) -> str:
    """Return what something is, where an experiment was wanted, and where it was written."""
    with suppress(ValueError):  # it is wrapped around itself
        function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    where = "" if code is None else f" ({code.co_filename}:{code.co_firstlineno})"
    if inspect.isasyncgenfunction(function):
        kind = "the async generator "
    elif inspect.isgeneratorfunction(function):
        kind = "the generator "
    else:
        kind = "the class " if isinstance(function, type) else ""
    return f"{kind}{name_of(function) if callable(function) else repr(function)}{where}"


def name_of(function: Callable[..., Any]) -> str:
    """Return how results and events call a function, unless told otherwise."""
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", type(function).__qualname__)
    short = name.replace("<locals>.", "")
    return short if module in (None, "__main__", "builtins") else f"{module}.{short}"
