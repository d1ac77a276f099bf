"""The Experiment: a function, its configs and its strategy."""

import asyncio
import inspect
import itertools
import logging
import threading
import types
import weakref
from asyncio.events import _get_running_loop
from collections.abc import (
    Callable,
    Collection,
    Coroutine,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import suppress
from typing import TYPE_CHECKING, Any, final

import msgspec

from understudy.actors import (
    Branch,
    Casting,
    ExperimentSupervisor,
    Kind,
    Lineup,
    OffStageError,
    Settings,
    Stage,
    StageGone,
    State,
    Stream,
    answer_here,
    answer_whole_here,
    gather_here,
    kind_of,
    no_stream,
    stream_here,
    ways_of,
)
from understudy.configs import Binder, Config

from ._archive import Archive
from ._hints import experiments_in
from ._settings import NO_CONFIG, ExperimentError

if TYPE_CHECKING:
    from ._runtime import Runtime
    from ._shown import Capture

_log = logging.getLogger("understudy")
_keys = itertools.count(1)
_SHOWN = 8
MARK = "__understudy__"
"""Where a decorated function keeps the view of its experiment."""


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

    def add_view(self, view: "View") -> None:
        """Know of one more set of settings."""
        with self._lock:
            self._views.add(view)

    def views(self) -> "list[View]":
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
        labels = [config.label for config in configs[:_SHOWN]]
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


@final
class View:
    """An experiment under some settings: its own, or those of `options(...)`.

    It finds the actors on the loop that runs, and they make the call.
    """

    __slots__ = (
        "__weakref__",
        "_direct",
        "_here",
        "_lineup",
        "_lineups",
        "experiment",
        "face",
        "lasts",
        "runtime",
        "settings",
    )

    def __init__(self, experiment: Experiment, settings: Settings) -> None:
        self.experiment: Experiment = experiment
        self.runtime: Runtime = experiment.runtime
        self.settings: Settings = settings
        self._here: asyncio.AbstractEventLoop | None = None
        self._lineup: Lineup | None = None
        self._direct: Lineup | None = None
        self._lineups: dict[Stage, Lineup] = {}
        self.face: Any = None
        """The function that people call."""
        self.lasts: bool = False
        """Whether it lives as long as the experiment, so that a call need not keep it."""
        experiment.add_view(self)

    def call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Coroutine[Any, Any, Any]:
        """Return what is to be awaited for the answer to a call."""
        lineup = self._lineup
        loop = _get_running_loop()
        if lineup is None or self._here is not loop:
            if loop is None:
                return self.when_awaited(self.call, args, kwargs)
            lineup = self._arrive(loop)
        return lineup.first.supervisor.call(lineup, args, kwargs)

    def collect(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Coroutine[Any, Any, Any]:
        """Return what is to be awaited for the results of all branches."""
        loop = _get_running_loop()
        if loop is None:
            return self.when_awaited(self.collect, args, kwargs)
        lineup = self._arrive(loop)
        return lineup.first.supervisor.collect_all(lineup, args, kwargs)

    def call_whole(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Coroutine[Any, Any, Any]:
        """Return what is to be awaited for the result of the primary."""
        loop = _get_running_loop()
        if loop is None:
            return self.when_awaited(self.call_whole, args, kwargs)
        lineup = self._arrive(loop)
        return lineup.first.supervisor.call_whole(lineup, args, kwargs)

    def stream(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Stream:
        """Return the stream of the primary, which somebody on this loop is about to read."""
        loop = _get_running_loop()
        if loop is None:
            raise _no_loop(self.experiment.name)
        lineup = self._arrive(loop)
        return lineup.first.supervisor.stream(lineup, args, kwargs)

    # Calling a sync function directly, from any thread

    def call_here(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Play a sync function here and now, what is beside it elsewhere; return the answer."""
        while True:
            casting, caller = self._choose_here(args, kwargs)
            play = gather_here if casting.answers_all else answer_here
            try:
                return play(casting, caller, (args, kwargs))
            except StageGone:
                continue

    def stream_here(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Generator[Any, Any, Any]:
        """Give the items of a generator, played here and now."""
        while True:
            casting, caller = self._choose_here(args, kwargs)
            if casting.answers_all:
                raise no_stream(self.experiment.name)
            try:
                return (yield from stream_here(casting, caller, (args, kwargs)))
            except StageGone:
                continue

    def collect_here(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Play a sync function here and now, and wait for the results of all branches."""
        while True:
            casting, caller = self._choose_here(args, kwargs, is_whole=True)
            try:
                return gather_here(casting, caller, (args, kwargs))
            except StageGone:
                continue

    def call_whole_here(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Play a sync function here and now, and return the result of the primary."""
        while True:
            casting, caller = self._choose_here(args, kwargs, is_whole=True)
            play = gather_here if casting.answers_all else answer_whole_here
            try:
                return play(casting, caller, (args, kwargs))
            except StageGone:
                continue

    def _choose_here(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], is_whole: bool = False
    ) -> tuple[Casting, Branch | None]:
        lineup = self._direct
        if lineup is None or lineup.first.stage.is_gone:
            lineup = self._direct = self.runtime.stages.do_directly(self.lineup_on)
            if len(lineup.configs) > 1:  # a program may end at once, and then none can be started
                lineup.first.stage.crew.understudies.prepare()
        choose = lineup.first.supervisor.choose_here
        try:
            return choose(lineup, args, kwargs, is_whole)
        except OffStageError:
            return self.runtime.stages.do_directly(
                lambda stage: choose(self.lineup_on(stage), args, kwargs, is_whole)
            )

    async def when_awaited(
        self,
        call: Callable[[tuple[Any, ...], Mapping[str, Any]], Coroutine[Any, Any, Any]],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Any:
        """Make a call when it is awaited, and keep what it needs until then.

        There may be no loop before: `asyncio.run(runtime.call(answer))`.
        """
        if _get_running_loop() is None:
            raise _no_loop(self.experiment.name)
        return await call(args, kwargs)

    def _arrive(self, loop: asyncio.AbstractEventLoop) -> Lineup:
        """Find the actors on the loop that runs."""
        if self._lineup is None or self._here is not loop:
            stage = self.experiment.runtime.stage_on(loop)
            lineup = self.lineup_on(stage)
            self._here, self._lineup = loop, lineup
            return lineup
        return self._lineup

    def lineup_on(self, stage: Stage) -> Lineup:
        """Return the actors on one loop."""
        supervisor = self.experiment.supervisor_on(stage)
        lineup = self._lineups.get(stage)
        if lineup is None:
            for old in [*self._lineups]:
                if old.loop.is_closed():
                    self._lineups.pop(old, None)
            inner = self.experiment.inner_experiments()
            lineup = self._lineups[stage] = supervisor.lineup(
                self.settings,
                (lambda: [each.view.lineup_on(stage) for each in inner]) if inner else None,
            )
        return lineup

    def leave(self) -> None:
        """Have the next call look whether the actors must be started again."""
        self._here = self._lineup = self._direct = None

    def forget(self, stages: Collection[Stage]) -> None:
        """Never use the actors of some loops again."""
        for stage in stages:
            self._lineups.pop(stage, None)
        self.leave()

    def renew(self, settings: Settings) -> None:
        """Use other settings from the next call on."""
        self.settings = settings
        self._lineups.clear()
        self._here = self._lineup = self._direct = None


def _no_loop(name: str) -> ExperimentError:
    return ExperimentError(
        f"{name} is awaited where no loop of asyncio runs: understudy needs asyncio or uvloop "
        f"(for pytest with anyio: an `anyio_backend` of 'asyncio')"
    )


def experiment_of_or_none(function: object) -> Experiment | None:
    """Return the experiment that a decorated function keeps, or one around it; else None."""
    view = _mark_of(function)
    return None if view is None else view.experiment


def view_of(function: object) -> "View | None":
    """Return what makes the calls of a decorated function; None for anything else.

    What somebody wrapped around one, with `functools.wraps`, carries its mark: it is something
    else all the same, to be called as it is.
    """
    view = _mark_of(function)
    return view if view is not None and view.face is function else None


def _mark_of(function: object) -> "View | None":
    """Read the mark of a function; no code of others runs, as a proxy's `__getattr__` would."""
    if type(function) is types.MethodType:
        function = function.__func__
    mark = function.__dict__.get(MARK) if type(function) is types.FunctionType else None
    return mark if isinstance(mark, View) else None


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
