"""ExperimentSupervisor: applies the strategy, casts branches, routes nested calls."""

import weakref
from asyncio.events import _get_running_loop
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, final

from understudy.configs import Binder, Config
from understudy.strategies import Call, Plan

from ._actor import Actor
from ._branch import CURRENT, Branch
from ._case import Choice, ExperimentCase
from ._case_actor import CaseActor, Fill
from ._cast import Cast
from ._casting import Casting, cast_alone, cast_plan, only_primary
from ._circuit import CircuitBreaker
from ._errors import ActorError
from ._lineup import Inners, Lineup
from ._product import inner_choices
from ._results import FunctionResult
from ._settings import Settings
from ._stage import Stage
from ._state import Emit
from ._strategy_actor import StrategyActor
from ._stream import Stream
from ._supervisor import Supervisor
from ._ways import Ways

_FEW = 64


class OffStageError(Exception):
    """This has to be done on the loop of the stage."""


def _caller() -> Branch | None:
    """Return the branch that calls, whether it still runs or left a task behind."""
    branch = CURRENT.get()
    if branch is not None and branch.is_over:
        branch.outlive()
    return branch


def no_stream(name: str) -> ActorError:
    """Return the error of one who wants to read a stream where all are to answer."""
    return ActorError(
        f"{name} is a stream whose strategy has all branches answer, and there is no one stream "
        f"of them: `await runtime.collect(...)` it, for the items of each"
    )


@final
class ExperimentSupervisor(Supervisor):
    """The supervisor of one experiment on one loop; its children are its strategy and its cases.

    Its turns never wait, so the loop runs them one after the other: what it knows is touched by
    itself alone, and a call costs no queue.

    Args:
        stage: what the actors of the runtime share on this loop.
        name: the experiment's name.
        key: what tells experiments apart, even those of one name.
        owner: the experiment, which may have supervisors on other loops.
        function: the user's function.
        ways: how it is played: here, on the loop, as a stream.
        binder: knows which parameters of the function a config fills in.
        fill_for: for a config, what lays its values into the arguments of a call.
        archive: keeps what a case actor has done, when it is let go.
        breaker: when a case that fails is given a rest; None for never.
        max_restarts: how many crashes of a strategy are forgiven,
        within: in how many seconds.
    """

    def __init__(
        self,
        stage: Stage,
        name: str,
        key: int,
        owner: object,
        function: Callable[..., Any],
        ways: Ways,
        binder: Binder[Any],
        fill_for: Callable[[Config], Fill | None],
        archive: Callable[[CaseActor], object],
        *,
        breaker: CircuitBreaker | None,
        max_restarts: int,
        within: float,
    ) -> None:
        super().__init__(name=name, max_restarts=max_restarts, within=within, clock=stage.clock)
        self.stage = stage
        self._switches = stage.switches
        self.key = key
        self._owner = owner
        self.function = function
        self.ways = ways
        self.breaker = breaker
        self._given = binder.given
        self._room = binder.room
        self._fill_for = fill_for
        self._archive = archive
        self._actors: dict[tuple[str, Config, int, int], CaseActor] = {}
        self._strategies: dict[Any, StrategyActor] = {}
        self._lineups: weakref.WeakSet[Lineup] = weakref.WeakSet()
        self._most_children = _FEW
        self.emit: Emit | None = stage.emit
        stage.supervisors[key] = self
        self._run()
        self._tell_event("actor.started")

    # Who plays

    def lineup(self, settings: Settings, inners: Inners | None = None) -> Lineup:
        """Put together the actors for some settings; those that are there already stay."""
        self._retire()
        cases = [self._actor(config, settings) for config in settings.configs]
        strategy = self._strategy(settings.strategy)
        lineup = Lineup(settings, cases, strategy, inners)
        self._lineups.add(lineup)
        plan = lineup.plan = strategy.fixed(lineup.configs, lineup.known)
        lineup.answers_all = plan is not None and plan.answers_all
        if plan is not None and (inners is None or len(plan.configs) == 1):
            lineup.fixed = lineup.cast(plan)
        return lineup

    def _strategy(self, given: Any) -> StrategyActor:
        """Return what keeps a strategy: one for all settings that name an equal one."""
        key: Any = given
        try:
            hash(key)
        except Exception:  # an unhashable one, or a hash that fails
            key = id(given)
        strategy = self._strategies.get(key)
        if strategy is None:
            strategy = self._strategies[key] = StrategyActor(
                f"{self.name}/strategy", given, self._owner, self.stage.label_of
            )
            self._adopt(strategy)
            strategy.start_now()
            self.children.insert(0, strategy)
            if strategy.observes and self.stage.on_detached is not None:
                self.stage.on_detached()
        return strategy

    def _actor(self, config: Config, settings: Settings) -> CaseActor:
        place = (config.id, config, settings.concurrency, settings.mailbox)
        actor = self._actors.get(place)
        if actor is None:
            if self.stage.is_shared and _get_running_loop() is not self.stage.loop:
                raise OffStageError
            actor = self._actors[place] = CaseActor(
                self,
                config,
                self._fill_for(config),
                concurrency=settings.concurrency,
                mailbox=settings.mailbox,
            )
            self._adopt(actor)
            self.children.append(actor)
        return actor

    def _retire(self) -> None:
        """Let go of those that play in no lineup any more, and have nothing to do.

        `options(...)` makes lineups, which live as long as somebody holds them. This is done when
        there are twice as many children as after the last time, so it costs next to nothing.
        """
        if len(self.children) < self._most_children:
            return
        needed: set[Actor[Any, Any]] = set()
        for lineup in self._lineups:
            needed.update(lineup.cases.values())
            needed.add(lineup.strategy)
        for place, actor in [*self._actors.items()]:
            if actor not in needed and not actor.in_flight:
                self._archive(actor)
                del self._actors[place]
                self._forget(actor)
        for key, strategy in [*self._strategies.items()]:
            if strategy not in needed and not strategy.is_busy:
                del self._strategies[key]
                self._forget(strategy)
        self._most_children = max(_FEW, 2 * len(self.children))

    @property
    def _experiment(self) -> str:
        return self.name

    @property
    def cases(self) -> Sequence[CaseActor]:
        """All case actors."""
        return [*self._actors.values()]

    @property
    def shadows(self) -> int:
        """How many shadows are in flight."""
        return sum(actor.shadows for actor in self.cases)

    @property
    def strategies(self) -> Sequence[StrategyActor]:
        """All strategies."""
        return [*self._strategies.values()]

    # A call

    def call(
        self, lineup: Lineup, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Coroutine[Any, Any, Any]:
        """Return what is to be awaited for the answer to a call."""
        caller = CURRENT.get()
        if caller is not None and caller.is_over:
            caller.outlive()
        casting = lineup.fixed
        if (kwargs or len(args) > self._room) and self._given(args, kwargs):
            casting = self._choose(lineup, caller, args, kwargs)
        elif casting is None or caller is not None or self._switches.are_set:
            casting = self._choose_freely(lineup, caller, args, kwargs)
        if casting.is_single:
            part = casting.primary
            return part.actor.play(part, caller, args, kwargs)
        cast = Cast(self.stage, casting, caller, args, kwargs)
        return cast.gather() if casting.answers_all else cast.answer()

    def collect_all(
        self, lineup: Lineup, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Coroutine[Any, Any, Any]:
        """Return what is to be awaited for the results of all branches of a call."""
        caller = _caller()
        casting = self._choose(lineup, caller, args, kwargs)
        return Cast(self.stage, casting, caller, args, kwargs).gather()

    def call_whole(
        self, lineup: Lineup, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Coroutine[Any, Any, Any]:
        """Return what is to be awaited for the result of the primary, its shadows beside it."""
        caller = _caller()
        casting = self._choose(lineup, caller, args, kwargs)
        cast = Cast(self.stage, casting, caller, args, kwargs)
        return cast.gather() if casting.answers_all else cast.answer_whole()

    def stream(self, lineup: Lineup, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Stream:
        """Return the stream of the primary, which somebody is about to read.

        Raises:
            ActorError: the answer is to be the results of all.
        """
        caller = _caller()
        casting = self._choose(lineup, caller, args, kwargs)
        if casting.answers_all:
            raise no_stream(self.name)
        cast = None if casting.is_single else Cast(self.stage, casting, caller, args, kwargs)
        return Stream(casting.primary, caller, args, kwargs, cast)

    # A direct call, from any thread

    def choose_here(
        self, lineup: Lineup, args: tuple[Any, ...], kwargs: Mapping[str, Any], is_whole: bool
    ) -> tuple[Casting, Branch | None]:
        """Choose who plays; strategies are asked one at a time.

        Raises:
            OffStageError: actors may have to be started for that, which only the loop can do.
        """
        caller = CURRENT.get()
        if caller is not None and caller.is_over:
            caller.outlive()
        casting = lineup.fixed
        if (
            is_whole
            or casting is None
            or caller is not None
            or self._switches.are_set
            or ((kwargs or len(args) > self._room) and self._given(args, kwargs))
        ):
            if lineup.inners is not None and _get_running_loop() is not self.stage.loop:
                raise OffStageError
            with self.stage.lock:
                casting = self._choose(lineup, caller, args, kwargs)
        return casting, caller

    def _choose(
        self,
        lineup: Lineup,
        caller: Branch | None,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Casting:
        """Choose who plays; what the caller itself passes of a config wins, and plays alone."""
        given = self._given(args, kwargs) if kwargs or len(args) > self._room else None
        if given is None:
            return self._choose_freely(lineup, caller, args, kwargs)
        if given.config is None:
            return only_primary(self._choose_freely(lineup, caller, args, kwargs), "given")
        actor = lineup.cases.get(given.config.id, lineup.first)
        if actor.config == given.config:
            return self._only(lineup, actor, "given", caller)
        return self._only(lineup, lineup.first, "given", caller, given.config)

    def _choose_freely(
        self,
        lineup: Lineup,
        caller: Branch | None,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Casting:
        """Choose who plays: the kill switch, a pin, the case, or else the strategy says."""
        switches = self._switches
        if switches.are_set:
            if switches.are_off_for(self.key):
                return self._only(lineup, lineup.first, "disabled", caller)
            pinned = lineup.pinned
            if pinned is not None:
                return self._only(lineup, pinned, switches.why_forced(self.key), caller)
        if caller is None:
            plan = lineup.plan or self._plan(lineup, None, args, kwargs)
            if plan is None:
                return self._only(lineup, lineup.first, "error", None)
            if lineup.inners is None:
                return lineup.cast(plan)
            return self._cast(lineup, plan, None, is_shadowed=False)
        root = caller.root if caller.part.joins else caller
        outer = root.grown_case or root.part.case
        known = lineup.inside.get((id(outer), caller.is_shadowed))
        if known is not None:
            casting = known.casting
        else:
            casting = self._choose_inside(lineup, caller, outer, args, kwargs)
        if casting.grown is not None:
            if (root.grown_case or root.part.case) is outer:
                root.grown_case = casting.grown
            else:  # another thread has chosen something else while this was planned
                for choice in casting.grown.choices[len(outer.choices) :]:
                    root.join(choice)
        return casting

    def _choose_inside(
        self,
        lineup: Lineup,
        caller: Branch,
        outer: ExperimentCase,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Casting:
        """Choose who plays inside a branch: its case says, or else the strategy."""
        is_shadowed = caller.is_shadowed
        assigned = outer.config_for(self.key)
        if assigned is not None:
            player = self._player(lineup, assigned)
            casting = lineup.cast_alone(player, "case", joins=True)
            is_kept = lineup.cases.get(assigned.id) is player
        else:
            plan = lineup.plan or self._plan(lineup, outer, args, kwargs)
            if plan is None:
                return self._only(lineup, lineup.first, "error", caller)
            casting = self._cast(lineup, plan, outer, is_shadowed=is_shadowed)
            is_kept = lineup.fixed is not None
        if is_kept:
            lineup.keep_inside(outer, is_shadowed, casting)
        return casting

    def _cast(
        self, lineup: Lineup, plan: Plan, outer: ExperimentCase | None, *, is_shadowed: bool
    ) -> Casting:
        """Find the actors for a plan, and for what may be chosen inside."""
        if lineup.inners is not None and len(plan.configs) > 1:
            inners = inner_choices(lineup, plan, outer)
            return cast_plan(lineup, plan, outer, is_shadowed, inners)
        return lineup.cast(plan, outer, is_shadowed)

    def _player(self, lineup: Lineup, config: Config) -> CaseActor:
        """Return who plays a config of the case; it may come from other settings than these."""
        actor = lineup.cases.get(config.id)
        if actor is not None and actor.config == config:
            return actor
        return self._actor(config, lineup.settings)

    def _only(
        self,
        lineup: Lineup,
        actor: CaseActor,
        reason: str,
        caller: Branch | None,
        foreign: Config | None = None,
    ) -> Casting:
        """Cast one actor alone; the call answers in the shape that its strategy gives it.

        A `foreign` config is one that the caller brings along, for this call alone: the actor
        lends it a permit.
        """
        joins = caller is not None
        if caller is None and foreign is None:
            return lineup.cast_alone(actor, reason, joins=False)
        if foreign is not None:
            choice = Choice(self.key, self.name, foreign)
            case = ExperimentCase(self.name, foreign, (choice,), self.key)
            return cast_alone(lineup, actor, case, reason, joins=joins)
        if caller is not None and caller.root.case_now.config_for(self.key) is None:
            caller.join(actor.choice)
        return lineup.cast_alone(actor, reason, joins=joins)

    def _plan(
        self,
        lineup: Lineup,
        outer: ExperimentCase | None,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Plan | None:
        key = lineup.settings.key
        if callable(key):
            try:
                key = key(*args, **kwargs)
            except BaseException as error:
                self._tell_event("strategy.failed", error=error)
                return None
        call = Call(self.function, args, kwargs, key, outer)
        return lineup.strategy.plan(call, lineup.configs, lineup.known)

    # What comes of it

    @property
    def is_disabled(self) -> bool:
        """Whether only the first config is to be played."""
        return self._switches.are_off_for(self.key)

    def collect(self, result: FunctionResult[Any], observer: StrategyActor | None) -> None:
        """Hand a result on to those who want to know; none of them is waited for."""
        if observer is not None:
            observer.tell(result)
        for listener in self.stage.listeners:
            listener(result)

    async def _give_up(self, child: Actor[Any, Any], error: BaseException) -> None:
        """Stop the one that keeps crashing; the first config goes on answering."""
        self._tell_event("actor.gave_up", reason="max_restarts", count=self._intensity.most)
        await child.stop()
