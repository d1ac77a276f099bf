"""The View: an experiment under some settings, and what makes its calls."""

import asyncio
import types
from asyncio.events import _get_running_loop
from collections.abc import Callable, Collection, Coroutine, Generator, Mapping
from typing import TYPE_CHECKING, Any, final

from understudy.actors import (
    Branch,
    Casting,
    Lineup,
    OffStageError,
    Settings,
    Stage,
    StageGone,
    Stream,
    answer_here,
    answer_whole_here,
    gather_here,
    no_stream,
    stream_here,
)

from ._settings import ExperimentError

if TYPE_CHECKING:
    from ._experiment import Experiment
    from ._runtime import Runtime

MARK = "__understudy__"
"""Where a decorated function keeps the view of its experiment."""


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

    def __init__(self, experiment: "Experiment", settings: Settings) -> None:
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


def view_of(function: object) -> View | None:
    """Return what makes the calls of a decorated function; None for anything else.

    What somebody wrapped around one, with `functools.wraps`, carries its mark: it is something
    else all the same, to be called as it is.
    """
    view = mark_of(function)
    return view if view is not None and view.face is function else None


def mark_of(function: object) -> View | None:
    """Read the mark of a function; no code of others runs, as a proxy's `__getattr__` would."""
    if type(function) is types.MethodType:
        function = function.__func__
    mark = function.__dict__.get(MARK) if type(function) is types.FunctionType else None
    return mark if isinstance(mark, View) else None
