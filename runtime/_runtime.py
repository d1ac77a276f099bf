"""The Runtime: where experiments are declared, called, watched and drained."""

# Where overloads overlap, the first that fits is meant.
# pyright: reportOverlappingOverload=false
# mypy: disable-error-code=overload-overlap

import asyncio
import os
import time
import types
import weakref
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, Unpack, cast, final, overload

from understudy.actors import (
    CircuitBreaker,
    Kind,
    Settings,
    Stage,
    StreamLimits,
    Switches,
    kind_of,
)
from understudy.configs import Config
from understudy.strategies import SingleConfigStrategy

from ._calls import Calls
from ._choosing import Choosing
from ._declare import Declare, DeclareAll, First, Second, Wide
from ._decorated import Decorated, Loose, decorate
from ._drain import DrainReport
from ._experiment import Experiment, experiment_of, name_of
from ._keywords import AllStrategy, AnyStrategy, ExperimentKeywords, Nested, OtherKeywords, Overflow
from ._misuse import no_function, not_by_name, warn_of_left_behind
from ._settings import (
    NO_CONFIG,
    ONLY_DECLARED,
    ExperimentError,
    check_buffer,
    check_name,
    check_place,
    check_runtime,
    check_uses,
    make_settings,
)
from ._stages import Stages
from ._subscription import Subscription
from ._telling import Telling
from ._view import View, view_of

if TYPE_CHECKING:  # imported when first used, so that the runtime is there sooner
    from ._dashboard import AsgiApplication, Showing
    from ._record import Record
    from ._reload import Follower
    from ._shown import Capture, Redact
    from ._statistics import RuntimeStatistics

P = ParamSpec("P")
R = TypeVar("R")


@final
class Runtime(Calls):
    """Runs functions under many configs: one answers, the others play beside it.

    It can be made anywhere, without a loop, and starts nothing. `async with runtime:` starts it
    and drains it; without that it starts at the first call, on the loop that runs, and drains
    when that loop's tasks are cancelled at its end.

    Args:
        configs: the configs of experiments that say none themselves: anything `parse_configs`
            takes, the trusted one first.
        strategy: chooses among them: a strategy, or a function `configs -> (main, variants)`. Type
            checkers look for MultiBranchStrategy, and its answer, at the experiment, not here.
        events: where structured events go: a path, a structlog logger, a callable, a list.
        capture: whether arguments and results are told too, to events (`branch.completed`) and to
            the record: True, or a Capture that says of which how much.
        record: a run of `understudy.runs` that has begun: every result is recorded into it.
        redact: called with a key and a value that events are to tell, says whether it is hidden,
            as passwords are anyway; with the key `error.message` for the messages of errors.
        timeout: how many seconds a branch may take.
        concurrency: how many branches of one config are played at a time.
        mailbox: how many may wait for that.
        overflow: whether a caller waits when as many wait already (`"wait"`), or is refused.
        nested: whether experiments known to be called inside are part of a plan (`"product"`).
        max_cases: how many cases one call may play.
        stream: how much of a shadow's stream is played, and how much of any is kept.
        drain_timeout: how many seconds leaving waits for what is in flight.
        circuit: when a case that fails as a shadow is given a rest; None for never.
        max_restarts: how many crashes of a strategy or subscriber are forgiven,
        within: in how many seconds.
        lag: after how many seconds a case that holds the loop, or from a thread the interpreter, is
            told of (`loop.lagged`) and counted; None or 0 for never. With a `clock=`, never.
        service: the name of the service, for the events.
        watch: whether experiments follow the files of `configs` while the runtime is entered;
            a change is taken over whole or not at all (the extra `watch`).
        clock: tells the time, in nanoseconds; for tests with a time of their own.

    Example:
        >>> import asyncio
        >>> from understudy import Config, Runtime, ShadowStrategy
        >>> runtime = Runtime(configs=[{"model": "large"}, {"model": "small"}],
        ...                   strategy=ShadowStrategy())
        >>> @runtime.experiment()
        ... async def answer(prompt: str, config: Config) -> str:
        ...     return f"{config.model}: {prompt}"
        >>> async def main():
        ...     async with runtime:
        ...         print(await answer("hello"))
        ...         print([each.result for each in await runtime.collect(answer, "hi")])
        >>> asyncio.run(main())
        large: hello
        ['large: hi', 'small: hi']
    """

    def __init__(
        self,
        configs: Any = None,
        strategy: AnyStrategy | None = None,
        *,
        events: Any = None,
        record: "Record | None" = None,
        capture: "bool | Capture | None" = None,
        redact: "Redact | None" = None,
        timeout: float | None = None,
        concurrency: int = 256,
        mailbox: int = 1024,
        overflow: Overflow = "wait",
        nested: Nested = "product",
        max_cases: int = 64,
        stream: StreamLimits = StreamLimits(),  # noqa: B008  # it is frozen
        drain_timeout: float = 10.0,
        circuit: CircuitBreaker | None = CircuitBreaker(),  # noqa: B008  # it is frozen
        max_restarts: int = 3,
        within: float = 5.0,
        lag: float | None = 0.5,
        service: str | None = None,
        watch: bool = False,
        clock: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        base = Settings(configs=(NO_CONFIG,), strategy=SingleConfigStrategy())
        given = {
            "configs": configs,
            "strategy": SingleConfigStrategy() if strategy is None else strategy,
            "timeout": timeout,
            "concurrency": concurrency,
            "mailbox": mailbox,
            "overflow": overflow,
            "nested": nested,
            "max_cases": max_cases,
            "stream": stream,
        }
        self.settings: Settings = make_settings(base, given)
        check_runtime(
            {
                "circuit": circuit,
                "max_restarts": max_restarts,
                "within": within,
                "drain_timeout": drain_timeout,
                "lag": lag,
                "service": service,
                "redact": redact,
                "clock": clock,
            }
        )
        self.id: str = os.urandom(4).hex()
        self.circuit = circuit
        self.max_restarts = max_restarts
        self.within = within
        self._telling = Telling(events, service, self.id, clock, redact, record)
        self._capture = _capture_of(capture)
        self.switches: Switches = Switches()
        self._choosing = Choosing(self.switches, self._telling)
        self._follower = self._follower_of(configs) if watch else None
        self._experiments = weakref.WeakValueDictionary[int, Experiment]()
        self._plain: dict[tuple[str, Kind], Experiment] = {}
        self._showing: Showing | None = None
        self.stages: Stages = Stages(
            self.id,
            clock,
            self._telling,
            self.switches,
            drain_timeout,
            None if clock is not time.perf_counter_ns else lag,
            self._all_experiments,
        )

    # Declaring

    @overload
    def experiment(self, function: Wide[R], /) -> Loose[..., R]: ...
    @overload
    def experiment(self, function: First[P, R], /) -> Decorated[P, R]: ...
    @overload
    def experiment(self, function: Second[P, R], /) -> Loose[P, R]: ...
    @overload
    def experiment(self, function: Callable[..., R], /) -> Loose[..., R]: ...
    @overload
    def experiment(
        self, /, *, strategy: AllStrategy, **given: Unpack[OtherKeywords]
    ) -> DeclareAll: ...
    @overload
    def experiment(self, /, **given: Unpack[ExperimentKeywords]) -> Declare: ...
    def experiment(self, function: Any = None, /, **given: Any) -> Any:
        """Declare a function to be an experiment; with parentheses or without.

        It takes what the Runtime takes of `configs`, `strategy`, `timeout`, `concurrency`,
        `mailbox`, `overflow`, `nested`, `max_cases` and `stream`, for this function alone, and:

        Args:
            function: the function, when there are no parentheses.
            given: `place`: where it runs: `"loop"`. `uses`: experiments that it calls inside.
                `key`: what a call is about: a function of its arguments. `name`: how results and
                events call it. `capture`: what events tell of its arguments and results.
        """
        if function is not None:
            return self._declare(function, {})

        def declare(function: Callable[..., Any]) -> Decorated[..., Any]:
            return self._declare(function, given)

        return declare

    def _declare(self, function: Callable[..., Any], given: dict[str, Any]) -> Decorated[..., Any]:
        if isinstance(function, staticmethod | classmethod):
            bound: Any = cast("Any", function)
            rebound: Decorated[..., Any] = type(bound)(self._declare(bound.__func__, given))
            return rebound
        if not callable(function):
            raise not_by_name("runtime.experiment", function)
        given = dict(given)
        name, uses = check_name(given.pop("name", None)), check_uses(given.pop("uses", ()))
        check_place(given.pop("place", "loop"))
        capture = _capture_of(given.pop("capture", self._capture))
        settings = make_settings(self.settings, given, ONLY_DECLARED)
        experiment = Experiment(self, function, settings, name, uses, capture=capture)
        self._experiments[experiment.key] = experiment
        self._telling.experiment_registered(experiment)
        return decorate(experiment)

    def _view(
        self, function: Callable[..., Any], args: tuple[Any, ...], way: str
    ) -> tuple[View, tuple[Any, ...]]:
        """Find what makes the calls of a function, and the arguments with a method's object."""
        if isinstance(function, types.MethodType):
            args = (function.__self__, *args)
            function = function.__func__
        view = view_of(function)
        if view is not None and view.runtime is self:
            return view, args
        if not callable(function):
            raise no_function(function, way)
        kind = kind_of(function)
        name = name_of(function)
        plain = self._plain.get((name, kind))
        if plain is None:
            settings = make_settings(
                self.settings, {"configs": None, "strategy": SingleConfigStrategy()}
            )
            plain = self._plain[name, kind] = Experiment(
                self, _play_plain, settings, name, kind=kind, capture=self._capture
            )
            self._experiments[plain.key] = plain
        return plain.view, (function, *args)

    # Choosing by hand

    @contextmanager
    def force(self, function: Callable[..., Any], config: str | int) -> Generator[None]:
        """Pin a config for an experiment, in this context: its id, its label or its place.

        Raises:
            ExperimentError: the experiment has no such config.
        """
        experiment = self._own(function)
        pinned = find_config(experiment, config)
        with self.switches.force(experiment.key, pinned):
            yield

    def pin(self, function: Callable[..., Any], config: str | int) -> None:
        """Pin a config for all calls of an experiment, wherever they come from.

        A `force` and the kill switch are stronger.

        Raises:
            ExperimentError: the experiment has no such config.
        """
        experiment = self._own(function)
        self._choosing.pin(experiment, find_config(experiment, config))

    def unpin(self, function: Callable[..., Any]) -> None:
        """Let the strategy choose again, for all calls that `pin` was for."""
        self._choosing.pin(self._own(function), None)

    def disable(self, function: Callable[..., Any] | None = None) -> None:
        """Play the first config only, of one experiment or of all: the kill switch."""
        self._disable(function, True)

    def enable(self, function: Callable[..., Any] | None = None) -> None:
        """Let the strategy choose again."""
        self._disable(function, False)

    def _disable(self, function: Callable[..., Any] | None, is_disabled: bool) -> None:
        self._choosing.switch(None if function is None else self._own(function), is_disabled)

    def _own(self, function: Callable[..., Any]) -> Experiment:
        """Return the experiment of a function, if it is one of this runtime's."""
        experiment = experiment_of(function)
        if experiment.runtime is not self:
            raise ExperimentError(
                f"{experiment.name} is an experiment of another runtime ({experiment.runtime}), "
                f"and not of this one ({self}): ask that one"
            )
        return experiment

    # Watching

    def subscribe(
        self,
        callback: Callable[..., Any],
        *,
        experiment: Callable[..., Any] | None = None,
        buffer: int = 1024,
    ) -> Subscription:
        """Have a function told every FunctionResult, out of everybody's way.

        An async function is run on the loop of the result, by an actor of its own; another one in
        a thread of its own. What does not fit into its buffer is dropped and counted. The items of
        a long stream are kept up to `StreamLimits`, also of the primary's: its `items` says how
        many there were.

        Args:
            callback: the function.
            experiment: tell the results of this experiment only.
            buffer: how many results may wait for it.
        """
        if not callable(callback):
            raise ExperimentError(f"subscribe to results with a function, not {callback!r}")
        check_buffer(buffer)
        key = None if experiment is None else self._own(experiment).key
        subscription = Subscription(
            self.stages, callback, key, buffer, self._telling, (self.max_restarts, self.within)
        )
        self.stages.subscribe(subscription)
        return subscription

    def dashboard(
        self, *, token: str | None = None, hosts: Collection[str] | None = None
    ) -> "AsgiApplication":
        """Make a page of what this runtime does: an ASGI application to mount in a service.

        It needs the extra `dash`. What it shows comes from events alone, and begins with those of
        the first time this is called.

        Args:
            token: whoever has it may disable, enable, pin and unpin from the page; else nobody may.
            hosts: the names under which it may be asked for; all of them if left out.

        Raises:
            ExperimentError: it has begun already, and nobody listened: nobody can from now on.
            ExtraNotInstalledError: Starlette is not installed.

        Example:
            >>> from fastapi import FastAPI
            >>> from understudy import Runtime
            >>> runtime = Runtime()
            >>> service = FastAPI()
            >>> service.mount("/_experiments", runtime.dashboard())
        """
        from ._dashboard import Showing  # it needs what few have installed

        if self._showing is None:
            if self._telling.emit is None and self.stages.have_begun:
                raise ExperimentError(
                    "runtime.dashboard() shows events, and this runtime has begun already and told "
                    "none: ask for it before `async with` and before the first call, or give the "
                    "runtime events="
                )
            self._showing = Showing(
                self.id, self._choosing, self._all_experiments, self._telling.service
            )
            self._telling.add(self._showing.sink)
        return self._showing.page(token, hosts)

    def statistics(self) -> "RuntimeStatistics":
        """Return a snapshot of every supervisor and case."""
        from ._statistics import statistics_of

        return statistics_of(self._all_experiments(), self._telling.dropped, self.label_of)

    def label_of(self, config: Config) -> str:
        """Return the label of a config, as far as it may be told: `redact` may hide it."""
        return self._telling.label_of(config)

    # Living

    def stage_on(self, loop: asyncio.AbstractEventLoop) -> Stage:
        """Return what the actors share on a loop; it is set up at first use."""
        return self.stages.on(loop)

    async def __aenter__(self) -> Self:
        self.stage_on(asyncio.get_running_loop())
        if self._follower is not None:
            self._follower.start(self._use)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._follower is not None:
            await self._follower.stop()
        await self.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> DrainReport:
        """Drain what was called without `await`, and end the threads; wait for it.

        It may be called again, and start again. Without it the interpreter does so at its end. What
        is in flight on the loop of this thread goes on, with a warning: only `aclose` waits for it.
        """
        warn_of_left_behind(self._all_experiments())
        return self.stages.close_backstage()

    async def drain(self, timeout: float | None = None) -> DrainReport:
        """Wait until nothing is in flight on this loop; cancel what still is after `timeout`.

        Args:
            timeout: how many seconds; `drain_timeout` if None.
        """
        return await self.stages.drain(self.stages.drain_timeout if timeout is None else timeout)

    async def aclose(self) -> DrainReport:
        """Drain, and stop all actors on this loop; it may be called again, and start again."""
        return await self.stages.close()

    def _all_experiments(self) -> list[Experiment]:
        """Return the experiments there are; other threads may be making some.

        Without a lock: a forked child asks too, where one might be held by a thread that is gone.
        """
        found = (reference() for reference in self._experiments.valuerefs())
        return [experiment for experiment in found if experiment is not None]

    def _follower_of(self, sources: Any) -> "Follower":
        from ._reload import Follower

        return Follower(sources, lambda: self.settings.configs, self._followers, self._telling.emit)

    def _followers(self) -> list[Experiment]:
        """Return the experiments that have no configs of their own."""
        mine = self.settings.configs
        return [each for each in self._all_experiments() if each.settings.configs is mine]

    def _use(self, configs: tuple[Config, ...]) -> tuple[Config, ...]:
        self.settings = make_settings(self.settings, {"configs": configs})
        return self.settings.configs

    def __repr__(self) -> str:
        return f"<Runtime {self.id} with {len(self._experiments)} experiments>"


def _capture_of(given: Any) -> "Capture | None":
    if given is None or given is False:
        return None
    from ._captured import as_capture

    return as_capture(given)


def _play_plain(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Play a function that is not an experiment."""
    return function(*args, **kwargs)


def find_config(experiment: Experiment, config: str | int) -> str:
    """Return the id of a config of an experiment, by its id, label or place.

    Raises:
        ExperimentError: there is none, or more than one.
    """
    configs = experiment.settings.configs
    if isinstance(config, int):
        found = [configs[config]] if -len(configs) <= config < len(configs) else []
    else:
        found = [each for each in configs if each.id == config]
        found = found or [each for each in configs if each.label == config]
    if len(found) == 1:
        return found[0].id
    known = ", ".join(repr(experiment.runtime.label_of(each)) for each in configs)
    count = f"{len(found)} configs" if found else "no config"
    raise ExperimentError(f"{experiment.name} has {count} {config!r}; there are {known}")
