"""A supervisor: starts in order, restarts what crashes, stops in reverse."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.simulation._loop import SimulatedLoop, run_virtual
from understudy.actors import Actor, ActorStopped, DeadlineExceeded, State, Supervisor


class Boom(Exception):
    """What a child raises when it is told to."""


class Child(Actor[Any, Any]):
    """Does what it is told, and notes in a log that all share when it starts and stops."""

    def __init__(self, name: str, log: list[str] | None = None, **options: Any) -> None:
        super().__init__(name, **options)
        self.log: list[str] = [] if log is None else log
        self.handled: list[Any] = []
        self.fail_to_start: list[BaseException] = []
        self.wait_to_start: asyncio.Event | None = None
        self.do_to_start: Callable[[], Awaitable[Any]] | None = None
        self.fail_to_stop: BaseException | None = None

    async def started(self) -> None:
        self.log.append(f"start {self.name}")
        if self.wait_to_start is not None:
            await self.wait_to_start.wait()
        if self.do_to_start is not None:
            await self.do_to_start()
        if self.fail_to_start:
            raise self.fail_to_start.pop(0)

    async def receive(self, message: Any) -> Any:
        self.handled.append(message)
        if isinstance(message, BaseException):
            raise message
        return await cast("Any", message)() if callable(message) else message

    async def stopped(self) -> None:
        self.log.append(f"stop {self.name}")
        if self.fail_to_stop is not None:
            raise self.fail_to_stop

    async def crash(self) -> None:
        """Be made to crash; return when the supervisor has done what it does then."""
        with pytest.raises(Boom):
            await self.ask(Boom(self.name))
        await settled()


class Family:
    """Some children, their supervisor, and the log that they share."""

    def __init__(self, names: str = "abc", **options: Any) -> None:
        self.log: list[str] = []
        self.children = [Child(name, self.log) for name in names]
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.supervisor = Supervisor(self.children, name="family", **options)
        self.supervisor.emit = lambda event, /, **fields: self.events.append((event, fields))

    def told(self, event: str) -> list[str]:
        return [fields["actor"] for name, fields in self.events if name == event]

    def states(self) -> list[State]:
        return [child.state for child in self.children]


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def until_stopped(actor: Actor[Any, Any]) -> None:
    for _ in range(100):
        if actor.state is State.STOPPED:
            return
        await asyncio.sleep(0)
    raise AssertionError(f"{actor} does not stop")


def ask(actor: Actor[Any, Any], message: Any, **options: Any) -> asyncio.Task[Any]:
    async def asking() -> Any:
        return await actor.ask(message, **options)

    return asyncio.get_running_loop().create_task(asking())


# Starting and stopping


async def test_children_start_in_order_and_stop_in_reverse() -> None:
    family = Family()
    async with family.supervisor:
        assert family.log == ["start a", "start b", "start c"]
        family.log.clear()
    assert family.log == ["stop c", "stop b", "stop a"]
    assert family.told("actor.started") == ["a", "b", "c", "family"]
    assert family.told("actor.stopped") == ["c", "b", "a", "family"]


async def test_a_child_that_cannot_start_stops_those_before_it_in_reverse() -> None:
    family = Family("abcd")
    family.children[2].fail_to_start = [Boom("c")]
    with pytest.raises(Boom, match="c"):
        await family.supervisor.start()
    assert family.log == ["start a", "start b", "start c", "stop b", "stop a"]
    assert family.supervisor.state is State.STOPPED
    async with family.supervisor:
        assert family.states() == [State.RUNNING] * 4


async def test_a_start_that_is_cancelled_leaves_nothing_running() -> None:
    family = Family()
    family.children[1].wait_to_start = asyncio.Event()
    starting = asyncio.create_task(family.supervisor.start())
    await settled()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert family.log == ["start a", "start b", "stop a"]
    assert family.states() == [State.STOPPED, State.STOPPED, State.NEW]


def test_a_supervisor_can_be_stopped_while_a_child_hangs_in_its_start() -> None:
    async def main() -> None:
        family = Family()
        waited_for = family.children[1].wait_to_start = asyncio.Event()
        starting = asyncio.create_task(family.supervisor.start())
        await settled()
        await family.supervisor.stop()
        assert family.states() == [State.STOPPED] * 3
        waited_for.set()
        with pytest.raises(ActorStopped):
            await starting
        assert family.states() == [State.STOPPED] * 3
        assert "start c" not in family.log

    run_virtual(main())


async def test_a_child_that_cannot_clean_up_does_not_keep_the_others_from_stopping() -> None:
    family = Family()
    family.children[2].fail_to_stop = Boom("c")
    family.children[1].fail_to_stop = Boom("b")
    await family.supervisor.start()
    family.log.clear()
    with pytest.raises(Boom, match="c"):
        await family.supervisor.stop()
    assert family.log == ["stop c", "stop b", "stop a"]
    assert family.supervisor.state is State.STOPPED
    assert family.told("actor.crashed") == ["c", "b"]


def test_children_share_the_time_of_a_drain() -> None:
    async def main() -> None:
        family = Family("ab")
        await family.supervisor.start()

        async def nap() -> str:
            await asyncio.sleep(3)
            return "rested"

        async def sleep() -> None:
            await asyncio.sleep(60)

        rested, slept = ask(family.children[1], nap), ask(family.children[0], sleep)
        await settled()
        began = asyncio.get_running_loop().time()
        await family.supervisor.stop(drain=5)
        assert asyncio.get_running_loop().time() - began == pytest.approx(5)
        assert await rested == "rested"
        with pytest.raises(ActorStopped):
            await slept

    run_virtual(main())


async def test_who_does_not_wait_for_a_drain_any_more_stops_all_children() -> None:
    family = Family()
    await family.supervisor.start()
    asked = [ask(child, asyncio.Event().wait) for child in family.children]
    await settled()
    stopping = asyncio.create_task(family.supervisor.stop(drain=60))
    await settled()
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    for each in asked:
        with pytest.raises(ActorStopped):
            await each
    assert family.log[3:] == ["stop c", "stop b", "stop a"]


async def test_a_supervisor_starts_again_after_it_stopped() -> None:
    family = Family("ab")
    for _ in range(2):
        async with family.supervisor:
            assert await family.children[0].ask(1) == 1
            await family.children[1].crash()
            assert await family.children[1].ask(2) == 2
    assert family.log.count("stop a") == 2


# Restarting


@pytest.mark.parametrize(
    ("restart", "restarted"),
    [
        ("one_for_one", ["start b"]),
        ("one_for_all", ["start a", "start b", "start c"]),
        ("rest_for_one", ["start b", "start c"]),
    ],
)
async def test_a_crash_restarts_those_that_the_way_of_restarting_says_in_order(
    restart: Any, restarted: list[str]
) -> None:
    family = Family(restart=restart)
    async with family.supervisor:
        family.log.clear()
        await family.children[1].crash()
        assert [line for line in family.log if line.startswith("start")] == restarted
        assert family.states() == [State.RUNNING] * 3
        assert [child.restarts for child in family.children] == [
            f"start {child.name}" in restarted for child in family.children
        ]
        assert [await child.ask(child.name) for child in family.children] == ["a", "b", "c"]
    assert family.told("actor.crashed") == ["b"]
    assert family.told("actor.restarted") == [line.removeprefix("start ") for line in restarted]


async def test_a_child_keeps_its_mailbox_over_a_restart() -> None:
    family = Family("a")
    async with family.supervisor:
        child = family.children[0]
        error = Boom("first")
        asked = [ask(child, message) for message in (error, 2, 3)]
        await settled()
        with pytest.raises(Boom, match="first"):
            await asked[0]
        assert [await each for each in asked[1:]] == [2, 3]
        assert child.handled == [error, 2, 3]
        assert child.restarts == 1


async def test_what_comes_while_a_child_restarts_waits_for_it() -> None:
    family = Family("a")
    async with family.supervisor:
        (child,) = family.children
        ready = child.wait_to_start = asyncio.Event()
        await child.crash()
        assert child.state is State.RESTARTED
        asked = ask(child, "hello")
        await settled()
        assert not asked.done()
        ready.set()
        assert await asked == "hello"


async def test_those_whose_actor_is_restarted_with_another_are_told() -> None:
    family = Family("ab", restart="one_for_all")
    async with family.supervisor:
        handled, waiting = ask(family.children[0], asyncio.Event().wait), None
        await settled()
        waiting = ask(family.children[0], "waits")
        await settled()
        await family.children[1].crash()
        with pytest.raises(ActorStopped, match="a was restarted before it answered"):
            await handled
        assert await waiting == "waits"


async def test_a_child_that_crashes_while_the_ones_before_it_still_start_is_restarted() -> None:
    family = Family("ab")
    first, second = family.children
    ready = second.wait_to_start = asyncio.Event()
    starting = asyncio.create_task(family.supervisor.start())
    await settled()
    await first.crash()
    assert first.state is State.CRASHED
    ready.set()
    await starting
    assert await first.ask("hello") == "hello"
    assert first.restarts == 1
    await family.supervisor.stop()


async def test_a_child_that_crashes_while_another_restarts_is_restarted_after_it() -> None:
    family = Family("ab")
    async with family.supervisor:
        first, second = family.children
        ready = first.wait_to_start = asyncio.Event()
        await first.crash()
        await second.crash()
        assert family.states() == [State.RESTARTED, State.CRASHED]
        ready.set()
        assert [await child.ask("hello") for child in family.children] == ["hello", "hello"]
        assert [child.restarts for child in family.children] == [1, 1]


async def test_a_child_that_crashed_and_was_restarted_with_another_is_not_restarted_again() -> None:
    family = Family("ab", restart="one_for_all")
    async with family.supervisor:
        first, second = family.children
        ready = first.wait_to_start = asyncio.Event()
        await first.crash()
        await second.crash()
        ready.set()
        assert await second.ask("hello") == "hello"
        await settled()
        assert [child.restarts for child in family.children] == [1, 1]


async def test_a_child_that_cannot_start_again_has_crashed_once_more() -> None:
    family = Family("a")
    async with family.supervisor:
        (child,) = family.children
        child.fail_to_start = [Boom("second"), Boom("third")]
        await child.crash()
        assert await child.ask("hello") == "hello"
        assert child.restarts == 1
    assert family.told("actor.crashed") == ["a", "a", "a"]


@pytest.mark.parametrize("restart", ["one_for_all", "rest_for_one"])
async def test_one_that_cannot_start_again_with_another_is_restarted_too(restart: Any) -> None:
    family = Family(restart=restart)
    async with family.supervisor:
        family.children[1].fail_to_start = [Boom("b")]
        await family.children[0].crash()
        assert [await asyncio.wait_for(child.ask(1), 60) for child in family.children] == [1, 1, 1]
    assert family.told("actor.crashed") == ["a", "b"]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()])
async def test_what_would_end_the_loop_is_a_crash_when_a_child_starts_again(
    error: BaseException,
) -> None:
    family = Family("a")
    async with family.supervisor:
        (child,) = family.children
        child.fail_to_start = [error]
        await child.crash()
        assert await child.ask("hello") == "hello"
        assert family.supervisor.state is State.RUNNING
    assert family.told("actor.crashed") == ["a", "a"]


# How often


def test_more_crashes_than_are_forgiven_within_the_time_are_too_many() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimulatedLoop)
        family = Family("ab", max_restarts=2, within=5, clock=loop.clock)
        await family.supervisor.start()
        first, second = family.children
        for _ in range(6):
            await first.crash()
            await asyncio.sleep(2.6)
        assert family.states() == [State.RUNNING] * 2
        await second.crash()
        assert family.states() == [State.RUNNING] * 2
        family.log.clear()
        waiting = [ask(first, Boom("once more")), ask(first, 2), ask(second, 3)]
        await until_stopped(family.supervisor)
        assert family.states() == [State.STOPPED] * 2
        assert family.log == ["stop b", "stop a"]
        assert family.told("actor.gave_up") == ["family"]
        with pytest.raises(Boom):
            await waiting[0]
        with pytest.raises(ActorStopped):
            await waiting[1]
        assert await waiting[2] == 3
        with pytest.raises(ActorStopped):
            await first.ask("late")
        async with family.supervisor:  # what was before the start does not count
            await first.crash()
            assert await first.ask("again") == "again"

    run_virtual(main())


async def test_a_supervisor_that_gives_up_has_its_own_supervisor_restart_the_whole_family() -> None:
    family = Family("ab", max_restarts=0)
    top = Supervisor([family.supervisor, Child("c", family.log)], name="top", max_restarts=5)
    async with top:
        family.log.clear()
        await family.children[1].crash()
        assert family.log == ["stop b", "stop a", "start a", "start b"]
        assert family.states() == [State.RUNNING] * 2
        assert await family.children[0].ask("hello") == "hello"
        assert (family.supervisor.restarts, top.restarts) == (1, 0)
        await family.children[1].crash()  # and the count begins afresh each time
        assert await family.children[1].ask("hello") == "hello"
        assert family.supervisor.restarts == 2


async def test_a_family_that_is_restarted_with_another_starts_afresh_as_a_whole() -> None:
    family = Family("ab")
    other = Child("c")
    async with Supervisor([other, family.supervisor], restart="rest_for_one"):
        family.log.clear()
        await other.crash()
        assert family.log == ["stop b", "stop a", "start a", "start b"]
        assert await family.children[1].ask("hello") == "hello"
        await family.children[1].crash()
        assert await family.children[1].ask("hello") == "hello"
        assert (family.supervisor.restarts, other.restarts) == (1, 1)


async def test_giving_up_goes_all_the_way_up() -> None:
    family = Family("ab", max_restarts=0)
    middle = Supervisor([family.supervisor], name="middle", max_restarts=0)
    top = Supervisor([middle, Child("c", family.log)], name="top", max_restarts=0)
    await top.start()
    family.log.clear()
    await family.children[0].crash()
    await until_stopped(top)
    assert family.log == ["stop b", "stop a", "stop c"]
    states = [actor.state for actor in (family.supervisor, middle, *family.children)]
    assert states == [State.STOPPED] * 4


# Children that come and go


async def test_a_child_can_be_taken_on_and_is_restarted_and_stopped_as_the_others() -> None:
    family = Family("a")
    late = Child("late", family.log)
    async with family.supervisor:
        await family.supervisor.supervise(late)
        await late.crash()
        assert await late.ask("hello") == "hello"
        family.log.clear()
    assert family.log == ["stop late", "stop a"]


async def test_a_child_that_cannot_start_is_not_taken_on() -> None:
    family = Family("a")
    late = Child("late")
    late.fail_to_start = [Boom("late")]
    async with family.supervisor:
        with pytest.raises(Boom, match="late"):
            await family.supervisor.supervise(late)
        assert family.supervisor.children == family.children
        await late.start()
        await late.crash()
        assert late.state is State.STOPPED  # nobody restarts it, and nobody waits for that


async def test_a_supervisor_that_does_not_run_takes_nobody_on() -> None:
    supervisor, late = Supervisor(name="idle"), Child("late")
    with pytest.raises(ActorStopped, match=r"idle is not running \(new\)"):
        await supervisor.supervise(late)
    assert late.state is State.NEW


async def test_a_child_that_is_taken_on_while_its_supervisor_stops_is_stopped_too() -> None:
    family = Family("a")
    late = Child("late")
    ready = late.wait_to_start = asyncio.Event()
    await family.supervisor.start()
    taking_on = asyncio.create_task(family.supervisor.supervise(late))
    await settled()
    stopping = asyncio.create_task(family.supervisor.stop())
    await settled()
    ready.set()
    await stopping
    with pytest.raises(ActorStopped):
        await taking_on
    assert late.state is State.STOPPED


async def test_a_child_that_is_dismissed_is_stopped_and_not_restarted_any_more() -> None:
    family = Family("ab", restart="one_for_all")
    async with family.supervisor:
        first, second = family.children
        await family.supervisor.dismiss(second)
        assert second.state is State.STOPPED
        await first.crash()
        assert (first.state, second.state) == (State.RUNNING, State.STOPPED)
        await second.start()
        await second.crash()
        assert second.state is State.STOPPED
        assert first.restarts == 1


async def test_a_child_that_waits_for_its_restart_can_be_dismissed() -> None:
    family = Family("ab")
    async with family.supervisor:
        first, second = family.children
        ready = first.wait_to_start = asyncio.Event()
        await first.crash()
        await second.crash()
        asked = ask(second, "waits")
        await settled()
        await family.supervisor.dismiss(second)
        with pytest.raises(ActorStopped):
            await asked
        ready.set()
        assert await first.ask("hello") == "hello"
        assert second.state is State.STOPPED


async def test_a_child_that_stopped_itself_stays_stopped_when_others_are_restarted() -> None:
    family = Family("ab", restart="one_for_all")
    async with family.supervisor:
        await family.children[1].ask(family.children[1].stop)
        await family.children[0].crash()
        assert family.states() == [State.RUNNING, State.STOPPED]


# Stopping and crashing at once


async def test_a_child_that_crashes_while_another_is_drained_handles_what_waits() -> None:
    family = Family("ab")
    await family.supervisor.start()
    first, second = family.children
    drained = asyncio.Event()
    slow = ask(second, drained.wait)
    await settled()
    stopping = asyncio.create_task(family.supervisor.stop(drain=60))
    await settled()
    assert family.states() == [State.RUNNING, State.DRAINING]
    asked = [ask(first, Boom("a")), ask(first, "after it")]
    await settled()
    with pytest.raises(Boom):
        await asked[0]
    assert await asked[1] == "after it"
    drained.set()
    assert await slow is True
    await stopping
    assert first.restarts == 1
    assert family.states() == [State.STOPPED] * 2


async def test_a_child_that_is_drained_is_not_restarted_with_another() -> None:
    family = Family("ab", restart="one_for_all")
    await family.supervisor.start()
    first, second = family.children
    drained = asyncio.Event()
    slow = ask(second, drained.wait)
    await settled()
    stopping = asyncio.create_task(family.supervisor.stop(drain=60))
    await settled()
    await first.crash()
    assert family.states() == [State.RUNNING, State.DRAINING]
    drained.set()
    assert await slow is True
    await stopping
    assert family.states() == [State.STOPPED] * 2
    assert second.restarts == 0


async def test_a_child_is_not_brought_back_by_a_restart_that_was_under_way_when_it_stopped() -> (
    None
):
    family = Family("ab")
    await family.supervisor.start()
    first, _ = family.children
    ready = first.wait_to_start = asyncio.Event()
    await first.crash()
    asked = ask(first, "waits")
    stopping = asyncio.create_task(first.stop())
    await settled()
    ready.set()
    await stopping
    with pytest.raises(ActorStopped):
        await asked
    await settled()
    assert first.state is State.STOPPED
    await family.supervisor.stop()


def test_a_child_that_is_stopped_while_its_restart_waits_for_a_handler_does_not_start() -> None:
    async def main() -> None:
        family = Family("ab", restart="one_for_all")
        await family.supervisor.start()
        first, second = family.children
        stubborn = Numbered(1, "stubborn")
        first.tell(stubborn)
        await settled()
        await second.crash()
        assert first.state is State.RESTARTED
        family.log.clear()
        await first.stop()
        await asyncio.sleep(2)
        assert family.log == ["start b", "stop a"]
        assert family.states() == [State.STOPPED, State.RUNNING]
        await family.supervisor.stop()

    run_virtual(main())


async def test_a_restart_that_is_interrupted_from_above_is_no_crash_of_the_child() -> None:
    family, other = Family("a"), Child("other")
    async with Supervisor([other, family.supervisor], restart="rest_for_one"):
        (child,) = family.children
        child.wait_to_start = asyncio.Event()
        await child.crash()
        assert child.state is State.RESTARTED
        child.wait_to_start = None
        await other.crash()
        assert await child.ask("hello") == "hello"
        assert family.told("actor.crashed") == ["a"]


def test_a_child_that_crashes_when_its_supervisor_has_all_but_stopped_is_not_forgotten() -> None:
    async def main() -> None:
        family = Family("ab")
        await family.supervisor.start()
        first, second = family.children
        await hang_in_its_restart(first)
        stopping = asyncio.create_task(family.supervisor.stop())
        await asyncio.sleep(1.5)  # it has stopped its children, and waits for the restart to end
        assert family.states() == [State.STOPPED] * 2
        await second.start()
        await second.crash()
        assert second.state is State.STOPPED
        await stopping

    run_virtual(main())


async def hang_in_its_restart(child: Child) -> None:
    """Crash, and take three seconds to start again, whatever comes."""
    child.do_to_start = Numbered(0, "stubborn", seconds=3)
    await child.crash()
    child.do_to_start = None
    assert child.state is State.RESTARTED


async def test_stopping_a_supervisor_ends_the_restart_that_is_under_way() -> None:
    family = Family("ab")
    await family.supervisor.start()
    first, second = family.children
    ready = first.wait_to_start = asyncio.Event()
    await first.crash()
    await second.crash()
    asked = [ask(first, 1), ask(second, 2)]
    await settled()
    stopping = asyncio.create_task(family.supervisor.stop())
    await settled()
    ready.set()
    await stopping
    for each in asked:
        with pytest.raises(ActorStopped):
            await each
    assert family.states() == [State.STOPPED] * 2


async def test_a_child_may_stop_its_supervisor_while_it_handles_a_message() -> None:
    family = Family()
    await family.supervisor.start()

    async def stop() -> str:
        await family.supervisor.stop()
        return "stopped"

    assert await family.children[1].ask(stop) == "stopped"
    assert family.states() == [State.STOPPED] * 3


# Anything, in any order


class Numbered:
    """A message that answers, fails, takes its time, or does not obey a cancellation."""

    KINDS = ("answer", "fail", "slow", "slow to fail", "stubborn")

    def __init__(self, number: int, kind: str, seconds: float = 0.5) -> None:
        self.number = number
        self.kind = kind
        self.seconds = seconds

    async def __call__(self) -> int:
        if self.kind == "stubborn":
            until = asyncio.get_running_loop().time() + self.seconds
            while (left := until - asyncio.get_running_loop().time()) > 0:
                try:
                    await asyncio.sleep(left)
                except asyncio.CancelledError:
                    continue
        elif self.kind.startswith("slow"):
            await asyncio.sleep(0.4)
        if self.kind.endswith("fail"):
            raise Boom(self.number)
        return self.number


class StormMachine(RuleBasedStateMachine):
    """Whatever is done to a family, in virtual time, with every order of what is ready."""

    @initialize(
        seed=st.none() | st.integers(0, 1000),
        restart=st.sampled_from(["one_for_one", "one_for_all", "rest_for_one"]),
        most=st.integers(0, 3),
        within=st.integers(1, 4),
    )
    def begin(self, seed: int | None, restart: Any, most: int, within: int) -> None:
        self.runner = asyncio.Runner(loop_factory=lambda: SimulatedLoop(seed))
        self.most, self.within = most, within
        self.family = Family(
            restart=restart, max_restarts=most, within=within, clock=self._time_of_a_crash
        )
        self.asked: list[tuple[asyncio.Task[Any], Numbered]] = []
        self.stopping: list[asyncio.Task[None]] = []
        self.posted: dict[str, list[int]] = {child.name: [] for child in self.family.children}
        self.crashes: list[int] = []
        self.last = 0
        self.runner.run(self.family.supervisor.start())

    def _time_of_a_crash(self) -> int:
        # The supervisor asks for the time once for each crash that it counts.
        loop = asyncio.get_running_loop()
        self.crashes.append(int(loop.time() * 1e9))
        return self.crashes[-1]

    def _post(self, place: int, kind: str) -> tuple[Child, Numbered]:
        self.last += 1
        return self.family.children[place], Numbered(self.last, kind)

    @rule(
        place=st.integers(0, 2),
        kind=st.sampled_from(Numbered.KINDS),
        timeout=st.sampled_from([None, 0.5, 2.0]),
    )
    def ask(self, place: int, kind: str, timeout: float | None) -> None:
        child, message = self._post(place, kind)

        async def asking() -> Any:
            self.posted[child.name].append(message.number)
            return await child.ask(message, timeout=timeout)

        task = self.runner.get_loop().create_task(asking())
        self.asked.append((task, message))

    @rule(place=st.integers(0, 2), kind=st.sampled_from(Numbered.KINDS))
    def tell(self, place: int, kind: str) -> None:
        child, message = self._post(place, kind)

        async def telling() -> None:
            self.posted[child.name].append(message.number)
            child.tell(message)

        self.runner.run(telling())

    @rule(place=st.integers(0, 100))
    def cancel_an_ask(self, place: int) -> None:
        if self.asked:
            self.asked[place % len(self.asked)][0].cancel()

    @rule(place=st.integers(0, 2))
    def let_it_fail_to_start(self, place: int) -> None:
        self.family.children[place].fail_to_start.append(Boom("start"))

    @rule(place=st.integers(0, 2), drain=st.sampled_from([0.0, 0.3]))
    def stop_a_child(self, place: int, drain: float) -> None:
        child = self.family.children[place]
        self.stopping.append(self.runner.get_loop().create_task(child.stop(drain=drain)))

    @rule(drain=st.sampled_from([0.0, 1.0]))
    def stop_them_all(self, drain: float) -> None:
        stop = self.family.supervisor.stop(drain=drain)
        self.stopping.append(self.runner.get_loop().create_task(stop))

    @rule(seconds=st.sampled_from([0.0, 0.2, 0.7, 1.5]))
    def wait(self, seconds: float) -> None:
        self.runner.run(asyncio.sleep(seconds))

    @invariant()
    def each_handles_one_at_a_time_and_in_order(self) -> None:
        for child in self.family.children:
            assert child.mailbox.running <= 1
            posted = iter(self.posted[child.name])
            handled = [message.number for message in child.handled]
            assert all(number in posted for number in handled), (handled, self.posted)

    @invariant()
    def it_gives_up_at_the_first_crash_too_many_and_not_before(self) -> None:
        within = self.within * 1_000_000_000
        recent = [
            sum(time - within <= earlier for earlier in self.crashes[: place + 1])
            for place, time in enumerate(self.crashes)
        ]
        gave_up = self.family.told("actor.gave_up")
        assert [count > self.most for count in recent] == [
            bool(gave_up) and place == len(recent) - 1 for place in range(len(recent))
        ]
        assert all(child.restarts <= len(self.crashes) for child in self.family.children)

    async def _end(self) -> None:
        await asyncio.wait_for(self.family.supervisor.stop(drain=0.2), 60)
        await asyncio.gather(*self.stopping)
        if self.asked:
            _, hanging = await asyncio.wait([asked for asked, _ in self.asked], timeout=5)
            assert not hanging
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    def teardown(self) -> None:
        """Nothing hangs, each ask ended in a way that can be, and nothing is left."""
        if not hasattr(self, "runner"):
            return
        with self.runner:
            self.runner.run(self._end())
        for asked, message in self.asked:
            if asked.cancelled():
                continue
            error = asked.exception()
            if error is None:
                assert asked.result() == message.number
                assert not message.kind.endswith("fail")
            elif isinstance(error, Boom):
                assert error.args == (message.number,)
                assert message.kind.endswith("fail")
            else:
                assert isinstance(error, (ActorStopped, DeadlineExceeded))
        self.each_handles_one_at_a_time_and_in_order()
        self.it_gives_up_at_the_first_crash_too_many_and_not_before()
        for child in self.family.children:
            assert (child.state, child.mailbox.waiting) == (State.STOPPED, 0)


TestStormMachine = StormMachine.TestCase
TestStormMachine.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
