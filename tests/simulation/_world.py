"""One simulated run: experiments, callers and faults drawn from a seed, over the real runtime."""

import asyncio
import functools
import hashlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from tests.laws import assert_event_laws, assert_laws
from understudy import (
    ActorStopped,
    Config,
    DeadlineExceeded,
    DeadlockError,
    ExperimentCaseResults,
    FunctionResult,
    MailboxFull,
    MemorySink,
    MultiBranchStrategy,
    RoundRobinStrategy,
    Runtime,
    ShadowStrategy,
    SingleConfigStrategy,
)
from understudy.actors import Branch, CaseActor, CircuitBreaker, current_branch

from ._loop import SimulatedLoop

EXPECTED = (
    ValueError,
    asyncio.CancelledError,
    DeadlineExceeded,
    DeadlockError,
    MailboxFull,
    ActorStopped,
)
MINE: ContextVar[int] = ContextVar("mine")
_configs = functools.cache(lambda count: tuple(Config(n=n) for n in range(count)))


class Moody:
    """A strategy that sometimes raises, answers nonsense, or names a config there is not."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def plan(self, call: Any, configs: Any) -> Any:
        mood = self._rng.random()
        if mood < 0.1:
            raise RuntimeError("in a mood")
        if mood < 0.15:
            return None
        if mood < 0.2:
            return ShadowStrategy().plan(call, (Config(n=99),))
        return ShadowStrategy().plan(call, self._rng.sample(configs, len(configs)))

    def observe(self, result: Any) -> None:
        if self._rng.random() < 0.05:
            raise RuntimeError("does not like it")


class World:
    """What one seed makes: some experiments that call each other, and some callers.

    With an odd seed no experiment calls itself, directly or through others: then nothing can
    deadlock, nothing may say so, and limits hold exactly.
    """

    def __init__(self, loop: SimulatedLoop, seed: int) -> None:
        self.loop = loop
        self.rng = random.Random(seed * 7919 + 1)
        self.is_acyclic = seed % 2 == 1
        self.trace: list[Any] = []
        self.results: list[FunctionResult[Any]] = []
        self.outcomes: Counter[str] = Counter()
        self.violations: list[str] = []
        self.choices: dict[tuple[int, int], str] = {}
        self.limits: dict[int, int | None] = {}
        self.functions: list[Any] = []
        self.left_behind: dict[asyncio.Task[Any], None] = {}
        self.cancelled: set[asyncio.Task[Any]] = set()
        self.running: Counter[CaseActor] = Counter()
        self.started: dict[CaseActor, list[int]] = {}
        self.sink = MemorySink() if self.rng.random() < 0.2 else None
        self.runtime = Runtime(
            events=self.sink,
            clock=loop.clock,
            drain_timeout=self.rng.choice([0.02, 1, 1000]),
            circuit=self.rng.choice([None, CircuitBreaker(failures=2, cooldown=0.05)]),
            max_restarts=self.rng.choice([0, 2, 1000]),
        )
        for place in range(self.rng.randrange(1, 5)):
            self.functions.append(self._experiment(place))

    def _experiment(self, place: int) -> Any:
        rng = self.rng

        async def body(x: int, depth: int, config: Config) -> int:
            branch = current_branch()
            assert branch is not None
            actor = branch.part.actor
            self.trace.append((round(self.loop.time(), 6), actor.name, x))
            self._begin(actor, branch)
            MINE.set(branch.id)
            try:
                return await self._play(place, x, depth)
            finally:
                self.running[actor] -= 1
                if MINE.get() != branch.id:
                    self.violations.append("somebody else wrote into the context of a branch")

        strategy = rng.choice(
            [
                SingleConfigStrategy(),
                RoundRobinStrategy(),
                MultiBranchStrategy(),
                ShadowStrategy(
                    sample=rng.choice([1.0, 0.5]),
                    seed=1,
                    limit=rng.choice([None, 1, 3]),
                    timeout=rng.choice([None, 0.004]),
                    after_primary=rng.random() < 0.3,
                    cancel_with_primary=rng.random() < 0.3,
                ),
                Moody(rng),
            ]
        )
        settings: dict[str, Any] = {
            "configs": _configs(rng.randrange(1, 4)),
            "strategy": strategy,
            "concurrency": rng.choice([1, 1, 2, 50]),
            "mailbox": rng.choice([0, 2, 1000]),
            "overflow": rng.choice(["wait", "reject"]),
            "timeout": rng.choice([None, None, 0.005, 1]),
            "nested": rng.choice(["product", "independent"]),
            "uses": rng.sample(self.functions, rng.randrange(2)) if self.functions else (),
            "max_cases": 1000,
            "name": f"f{place}",
        }
        decorated: Any = self.runtime.experiment(**settings)(body)
        self.limits[decorated.experiment.key] = getattr(strategy, "limit", None)
        return decorated

    def _begin(self, actor: CaseActor, branch: Branch) -> None:
        self.running[actor] += 1
        self._check_roles(actor, branch)
        if branch.part.reason not in ("forced", "pinned", "disabled"):
            place = (branch.root.id, actor.key)
            if self.choices.setdefault(place, actor.config.id) != actor.config.id:
                self.violations.append(f"{actor.name}: one branch, one experiment, two configs")
        if not self.is_acyclic:
            return
        limit = actor.mailbox.concurrency
        if self.running[actor] > limit:
            self.violations.append(f"{actor.name}: {self.running[actor]} > {limit}")
        order = self.started.setdefault(actor, [])
        if limit == 1 and order and order[-1] > branch.id:
            self.violations.append(f"{actor.name}: {branch.id} starts after {order[-1]}")
        order.append(branch.id)

    def _check_roles(self, actor: CaseActor, branch: Branch) -> None:
        parent = branch.parent
        if branch.part.role == "shadow" and parent is not None and parent.is_shadowed:
            self.violations.append(f"{actor.name}: a shadow inside a shadow")
        limit = self.limits.get(actor.key)
        if limit is not None and actor.shadows > limit:
            self.violations.append(f"{actor.name}: {actor.shadows} shadows")
        queue: Any = actor.mailbox._queue or ()
        waiting = [each for each in queue if not each.is_gone and hasattr(each, "branch")]
        shadows = [message for message in waiting if message.branch.part.role == "shadow"]
        if len(shadows) > actor.mailbox.capacity:
            self.violations.append(f"{actor.name}: {len(shadows)} shadows wait")

    async def _play(self, place: int, x: int, depth: int) -> int:
        """Sleep, call others in some way, fail, or return."""
        rng = self.rng
        for _ in range(rng.randrange(3)):
            try:
                await asyncio.sleep(rng.choice([0, 0, 0.001, 0.01]))
            except asyncio.CancelledError:
                if rng.random() < 0.9:
                    raise
                self.outcomes["swallowed"] += 1
        others = self.functions[:place] if self.is_acyclic else self.functions
        if depth and others:
            await self._call_others(others, x, depth - 1)
        if rng.random() < 0.1:
            raise ValueError(x)
        return x

    async def _call_others(self, others: list[Any], x: int, depth: int) -> None:
        rng = self.rng
        way = rng.random()
        if way < 0.4:
            await self._call(rng.choice(others), x, depth)
        elif way < 0.55:
            calls = [self._call(rng.choice(others), x, depth) for _ in range(2)]
            await asyncio.gather(*calls, return_exceptions=True)
        elif way < 0.65:
            task = asyncio.ensure_future(self._call(rng.choice(others), x, 0))
            task.add_done_callback(lambda task: task.cancelled() or task.exception())
            self.left_behind[task] = None
        elif way < 0.7:
            try:
                async with asyncio.timeout(0.002):
                    await self._call(rng.choice(others), x, depth)
            except TimeoutError:
                pass

    async def _call(self, function: Any, x: int, depth: int) -> Any:
        way = self.rng.random()
        if way < 0.15:
            return await self.runtime.collect(function, x, depth)
        if way < 0.25:
            return await function.options(timeout=self.rng.choice([0.001, 2]))(x, depth)
        return await self.runtime.call(function, x, depth)

    async def _caller(self, x: int) -> Any:
        function = self.rng.choice(self.functions)
        MINE.set(-1)
        try:
            if self.rng.random() < 0.1:
                with self.runtime.force(function, 0):
                    return await self._call(function, x, self.rng.randrange(4))
            return await self._call(function, x, self.rng.randrange(4))
        finally:
            task = asyncio.current_task()
            assert task is not None
            if MINE.get() != -1:
                self.violations.append("a branch wrote into the context of its caller")
            if task not in self.cancelled and task.cancelling():
                self.violations.append("a cancellation of ours stayed with the caller")

    async def run(self) -> None:
        """Let callers come, and faults happen; then look whether all is in order."""
        rng = self.rng
        self.runtime.subscribe(self._note_async) if rng.random() < 0.2 else None
        stage = self.runtime.stage_on(self.loop)
        stage.listeners.append(self.results.append)
        callers: list[asyncio.Task[Any]] = []
        for x in range(rng.randrange(1, 16)):
            callers.append(asyncio.create_task(self._caller(x)))
            if rng.random() < 0.4:
                await asyncio.sleep(rng.choice([0, 0, 0.001]))
            if rng.random() < 0.2:
                victim = rng.choice(callers)
                self.cancelled.add(victim)
                victim.cancel()
            if rng.random() < 0.03:
                rng.choice([self.runtime.disable, self.runtime.enable])()
            if rng.random() < 0.02:
                await self._interfere(rng.choice([self._drain, self.runtime.aclose]))
        ended = await asyncio.gather(*callers, return_exceptions=True)
        await self.runtime.aclose()
        while not stage.is_closed or not all(task.done() for task in self.left_behind):
            await asyncio.gather(*self.left_behind, return_exceptions=True)
            await self.runtime.aclose()
        for each in ended:
            assert isinstance(each, (int, ExperimentCaseResults, *EXPECTED)), repr(each)
            self.outcomes[type(each).__name__] += 1
        self._check(stage)

    async def _note_async(self, result: FunctionResult[Any]) -> None:
        await asyncio.sleep(0.001)
        if self.rng.random() < 0.02:
            raise RuntimeError("the subscriber is broken")

    async def _drain(self) -> Any:
        return await self.runtime.drain(self.rng.choice([0.001, 0.05]))

    async def _interfere(self, act: Callable[[], Awaitable[Any]]) -> None:
        await act()

    def _check(self, stage: Any) -> None:
        assert not self.violations, self.violations
        assert_laws(self.runtime)
        if self.sink is not None:
            assert_event_laws(self.sink.events)
        assert not stage.parked
        assert not stage.gathering
        assert not stage.playing
        assert not +self.running
        stage.alarms.rest()  # the timer of one that ended after the runtime did
        timers: Any = self.loop
        assert [timer for timer in timers._scheduled if not timer.cancelled()] == []
        for function in self.functions:
            experiment = function.experiment
            for supervisor in experiment.supervisors.values():
                for actor in supervisor.cases:
                    actor.mailbox.open()
                    assert actor.mailbox.permits == actor.mailbox.concurrency, actor.name
                    assert not actor.active, actor.name
        ids = [result.branch_id for result in self.results]
        assert len(ids) == len(set(ids)), "a branch ended twice"
        statistics = self.runtime.statistics()
        planned = sum(each.planned for each in statistics.experiments)
        assert planned == len(ids), f"{planned} planned, {len(ids)} ended"
        alarms = [each for each in self.results if isinstance(each.exception_info, DeadlockError)]
        assert not (self.is_acyclic and alarms), "a false alarm"
        self.outcomes["alarms"] += len(alarms)
        self.outcomes.update(result.status for result in self.results)


def simulate(seed: int) -> tuple[Counter[str], int, str]:
    """Play a seed; return what came of it, the steps it took, and a digest of what happened."""
    loop = SimulatedLoop(seed)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        world = World(loop, seed)
        runner.run(world.run())
    digest = hashlib.sha256(repr(world.trace).encode()).hexdigest()
    return world.outcomes, loop.steps, digest
