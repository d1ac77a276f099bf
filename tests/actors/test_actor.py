"""An actor: what it is told it does in order, and whoever asks gets an answer."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, cast

import pytest

from tests.loops import turns
from tests.simulation._loop import run_virtual
from understudy.actors import (
    Actor,
    ActorError,
    ActorStopped,
    DeadlineExceeded,
    DeadlockError,
    MailboxFull,
    State,
)

WHO: ContextVar[str] = ContextVar("who", default="nobody")


class Played(Actor[Any, Any]):
    """Does what a message says: a function is called, anything else is the answer.

    Notes in `log` what it began to handle, and in `ended` what it handled to the end.
    """

    def __init__(self, name: str = "played", **options: Any) -> None:
        super().__init__(name, **options)
        self.log: list[Any] = []
        self.ended: list[Any] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.emit = lambda event, /, **fields: self.events.append((event, fields))
        self.started_times = 0
        self.stopped_times = 0

    async def started(self) -> None:
        self.started_times += 1

    async def receive(self, message: Any) -> Any:
        self.log.append(message)
        answer: Any = await cast("Any", message)() if callable(message) else message
        self.ended.append(message)
        return answer

    async def stopped(self) -> None:
        self.stopped_times += 1

    def told(self, event: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.events if name == event]


class Gate:
    """A message that is handled until the gate is opened."""

    def __init__(self, *, is_stubborn: bool = False) -> None:
        self.opened = asyncio.Event()
        self.entered = asyncio.Event()
        self.interrupted = 0
        self._is_stubborn = is_stubborn

    async def __call__(self) -> str:
        self.entered.set()
        while True:
            try:
                await self.opened.wait()
            except asyncio.CancelledError:
                self.interrupted += 1
                if not self._is_stubborn:
                    raise
            else:
                return "through"


def ask(actor: Actor[Any, Any], message: Any, **options: Any) -> asyncio.Task[Any]:
    async def asking() -> Any:
        return await actor.ask(message, **options)

    return asyncio.get_running_loop().create_task(asking())


async def fails_with(error: BaseException) -> None:
    await asyncio.sleep(0)
    raise error


def raising(error: BaseException) -> Callable[[], Awaitable[None]]:
    return lambda: fails_with(error)


# Asking, telling, sending


async def test_whoever_asks_gets_what_receive_returns() -> None:
    async with Played() as actor:
        assert await actor.ask("hello") == "hello"
        assert await actor.ask(None) is None


async def test_messages_are_handled_one_at_a_time_in_the_order_they_came_in() -> None:
    async with Played() as actor:
        gate = Gate()
        first = ask(actor, gate)
        await gate.entered.wait()
        asked = ask(actor, 1)
        await turns()
        assert actor.tell(2)
        await actor.send(3)
        last = ask(actor, 4)
        await turns()
        assert actor.log == [gate]
        assert actor.mailbox.waiting == 4
        gate.opened.set()
        assert [await first, await asked, await last] == ["through", 1, 4]
        assert actor.ended == [gate, 1, 2, 3, 4]


@pytest.mark.parametrize("concurrency", [1, 2, 5])
async def test_no_more_than_concurrency_messages_are_handled_at_a_time(concurrency: int) -> None:
    running = most = 0

    async def run() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await turns(3)
        running -= 1

    async with Played(concurrency=concurrency) as actor:
        await asyncio.gather(*(actor.ask(run) for _ in range(20)))
    assert most == concurrency


async def test_sending_waits_while_the_mailbox_is_full() -> None:
    async with Played(mailbox=2) as actor:
        gates = [Gate() for _ in range(4)]
        for gate in gates[:3]:
            await actor.send(gate)
        sending = asyncio.create_task(actor.send(gates[3]))
        await turns()
        assert not sending.done()
        for gate in gates[:3]:
            await gate.entered.wait()
            assert not sending.done()
            gate.opened.set()
        await sending
        gates[3].opened.set()
        await actor.ask("last")
        assert actor.ended == [*gates, "last"]


async def test_one_who_sends_and_goes_away_takes_the_message_along() -> None:
    async with Played(mailbox=0) as actor:
        gate = Gate()
        await actor.send(gate)
        sending = asyncio.create_task(actor.send("withdrawn"))
        await turns()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        gate.opened.set()
        await actor.ask("last")
        assert actor.ended == [gate, "last"]


async def test_telling_never_waits_and_what_finds_no_room_is_a_dead_letter() -> None:
    async with Played(mailbox=1) as actor:
        gate = Gate()
        assert [actor.tell(gate), actor.tell("waits"), actor.tell("lost")] == [True, True, False]
        assert actor.dead_letters == 1
        assert [fields["reason"] for fields in actor.told("actor.dead_letter")] == ["mailbox_full"]
        gate.opened.set()
        assert await actor.ask("last") == "last"
        assert actor.ended == [gate, "waits", "last"]


async def test_an_actor_that_rejects_refuses_who_asks_while_its_mailbox_is_full() -> None:
    async with Played(mailbox=1, overflow="reject") as actor:
        gate = Gate()
        first, second = ask(actor, gate), ask(actor, "waits")
        await turns()
        with pytest.raises(MailboxFull, match="played: 1 messages wait already"):
            await actor.ask("rejected")
        gate.opened.set()
        assert [await first, await second] == ["through", "waits"]
        assert await actor.ask("later") == "later"
        assert "rejected" not in actor.log


async def test_an_idle_actor_in_whose_mailbox_nobody_may_wait_takes_one() -> None:
    async with Played(mailbox=0, overflow="reject") as actor:
        assert await actor.ask(1) == 1
        gate = Gate()
        assert actor.tell(gate)
        assert not actor.tell(2)
        with pytest.raises(MailboxFull):
            await actor.ask(3)
        gate.opened.set()


async def test_an_actor_that_asks_itself_is_told_instead_of_waiting_for_ever() -> None:
    async with Played() as actor:

        async def ask_itself() -> Any:
            return await actor.ask("inner")

        with pytest.raises(DeadlockError, match="played asks itself"):
            await actor.ask(ask_itself)
    assert actor.log == [ask_itself]


async def test_an_actor_that_handles_two_at_a_time_may_ask_itself() -> None:
    async with Played(concurrency=2) as actor:

        async def ask_itself() -> Any:
            return await actor.ask("inner")

        assert await actor.ask(ask_itself) == "inner"


async def test_an_actor_can_tell_itself_what_to_do_first_while_it_starts() -> None:
    class Early(Played):
        async def started(self) -> None:
            assert self.tell("first")
            with pytest.raises(DeadlockError, match="early asks itself"):
                await self.ask("itself")

    async with Early("early") as actor:
        assert await actor.ask("second") == "second"
        assert actor.ended == ["first", "second"]


# Deadlines and cancellation


def test_an_answer_that_comes_too_late_is_a_dead_letter_and_its_handler_runs_to_the_end() -> None:
    async def main() -> None:
        async with Played() as actor:
            gate = Gate()
            loop = asyncio.get_running_loop()
            began = loop.time()
            with pytest.raises(DeadlineExceeded, match=r"played: no answer within 2\.5 s"):
                await actor.ask(gate, timeout=2.5)
            assert loop.time() - began == pytest.approx(2.5)
            assert gate.interrupted == 0
            assert actor.mailbox.running == 1
            gate.opened.set()
            assert await actor.ask("next") == "next"
            assert actor.ended == [gate, "next"]
            assert actor.dead_letters == 1
            (letter,) = actor.told("actor.dead_letter")
            assert (letter["reason"], letter["message"]) == ("nobody_waits", "str")

    run_virtual(main())


def test_a_message_that_waits_longer_than_its_asker_is_not_handled() -> None:
    async def main() -> None:
        async with Played() as actor:
            gate = Gate()
            first = ask(actor, gate)
            await gate.entered.wait()
            with pytest.raises(TimeoutError):
                await actor.ask("late", timeout=1)
            assert actor.mailbox.waiting == 0
            gate.opened.set()
            assert await first == "through"
            assert await actor.ask("next", timeout=1) == "next"
            assert actor.log == [gate, "next"]
            assert actor.dead_letters == 0

    run_virtual(main())


async def test_a_timeout_that_the_handler_raises_itself_is_handed_over_as_it_is() -> None:
    error = TimeoutError("of the database")
    async with Played() as actor:
        with pytest.raises(TimeoutError) as caught:
            await actor.ask(raising(error), timeout=60)
        assert caught.value is error


async def test_cancelling_who_asks_withdraws_a_message_that_waits() -> None:
    async with Played() as actor:
        gate = Gate()
        first = ask(actor, gate)
        await gate.entered.wait()
        second, third = ask(actor, "withdrawn"), ask(actor, "third")
        await turns()
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert actor.mailbox.waiting == 1
        gate.opened.set()
        assert [await first, await third] == ["through", "third"]
        assert actor.log == [gate, "third"]


async def test_one_who_is_cancelled_just_before_the_hand_over_is_passed_by() -> None:
    async with Played() as actor:

        async def cancel_the_next() -> None:
            asyncio.get_running_loop().call_soon(second.cancel)

        first = ask(actor, cancel_the_next)
        second, third = ask(actor, "withdrawn"), ask(actor, "third")
        assert [await first, await third] == [None, "third"]
        assert second.cancelled()
        assert actor.log == [cancel_the_next, "third"]
        assert (actor.mailbox.waiting, actor.mailbox.running) == (0, 0)


@pytest.mark.parametrize("pause", range(6))
async def test_a_cancelled_asker_never_costs_a_permit(pause: int) -> None:
    async with Played() as actor:
        gate = Gate()
        first, second = ask(actor, gate), ask(actor, "second")
        await gate.entered.wait()
        await turns()
        gate.opened.set()
        await turns(pause)
        is_handled = second.done()
        second.cancel()
        await asyncio.wait([first, second])
        assert second.cancelled() != is_handled
        assert await actor.ask("next") == "next"
        assert actor.mailbox.waiting == 0


async def test_cancelling_who_asks_leaves_what_is_being_handled_alone() -> None:
    async with Played() as actor:
        gate = Gate()
        first = ask(actor, gate)
        await gate.entered.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert gate.interrupted == 0
        gate.opened.set()
        await actor.ask("next")
        assert actor.ended == [gate, "next"]
        assert actor.dead_letters == 1


# Starting and stopping


async def test_asking_before_the_start_and_after_the_end_is_refused_at_once() -> None:
    actor = Played()
    with pytest.raises(ActorStopped, match=r"played is not running \(new\)"):
        await actor.ask("early")
    with pytest.raises(ActorStopped):
        await actor.send("early")
    assert not actor.tell("early")
    async with actor:
        assert await actor.ask("hello") == "hello"
    with pytest.raises(ActorStopped, match=r"played is not running \(stopped\)"):
        await actor.ask("late")
    with pytest.raises(ActorStopped):
        await actor.send("late")
    assert not actor.tell("late")
    assert [fields["reason"] for fields in actor.told("actor.dead_letter")] == ["new", "stopped"]
    assert actor.log == ["hello"]


async def test_stopping_answers_everyone_who_waits_even_the_one_being_handled() -> None:
    actor = Played()
    await actor.start()
    gate = Gate()
    asked = [ask(actor, gate), ask(actor, "second"), ask(actor, "third")]
    await gate.entered.wait()
    await turns()
    await actor.stop()
    for each in asked:
        with pytest.raises(ActorStopped, match="played stopped before it answered"):
            await each
    assert (gate.interrupted, actor.log, actor.ended) == (1, [gate], [])
    assert actor.dead_letters == 2


async def test_stopping_sends_away_those_who_send() -> None:
    actor = Played(mailbox=0)
    await actor.start()
    await actor.send(Gate())
    sending = asyncio.create_task(actor.send("second"))
    await turns()
    await actor.stop()
    with pytest.raises(ActorStopped):
        await sending
    assert actor.mailbox.waiting == 0


def test_a_handler_that_ignores_its_cancellation_holds_up_neither_its_asker_nor_the_stop() -> None:
    async def main() -> None:
        actor = Played()
        await actor.start()
        gate = Gate(is_stubborn=True)
        loop = asyncio.get_running_loop()
        first = ask(actor, gate)
        await gate.entered.wait()
        began = loop.time()
        stopping = asyncio.create_task(actor.stop())
        with pytest.raises(ActorStopped):
            await first
        assert loop.time() == began
        await stopping
        assert loop.time() - began == pytest.approx(1.0)
        assert (actor.state, gate.interrupted) == (State.STOPPED, 1)
        gate.opened.set()
        await turns()
        assert actor.ended == [gate]
        assert actor.dead_letters == 1

    run_virtual(main())


def test_a_handler_that_outlives_a_stop_neither_crashes_the_actor_nor_runs_beside_others() -> None:
    async def main() -> None:
        gate = Gate(is_stubborn=True)

        async def fail_late() -> None:
            await gate()
            raise ValueError("from a former life")

        actor = Played()
        await actor.start()
        actor.tell(fail_late)
        await gate.entered.wait()
        await actor.stop()
        await actor.start()
        asked = ask(actor, "new life")
        await turns()
        assert actor.log == [fail_late]
        gate.opened.set()
        assert await asked == "new life"
        assert actor.state is State.RUNNING
        assert actor.told("actor.crashed") == []
        await actor.stop()

    run_virtual(main())


def test_draining_handles_what_waits_but_takes_nothing_more() -> None:
    async def main() -> None:
        actor = Played()
        await actor.start()

        async def nap() -> str:
            await asyncio.sleep(1)
            return "rested"

        asked = [ask(actor, nap) for _ in range(3)]
        await turns()
        stopping = asyncio.create_task(actor.stop(drain=10))
        await turns()
        assert actor.state is State.DRAINING
        with pytest.raises(ActorStopped, match="draining"):
            await actor.ask("late")
        assert not actor.tell("late")
        began = asyncio.get_running_loop().time()
        await stopping
        assert asyncio.get_running_loop().time() - began == pytest.approx(3)
        assert [await each for each in asked] == ["rested"] * 3

    run_virtual(main())


def test_a_drain_that_takes_too_long_ends_as_a_stop_does() -> None:
    async def main() -> None:
        actor = Played()
        await actor.start()
        gate = Gate()
        asked = [ask(actor, "quick"), ask(actor, gate), ask(actor, "third")]
        await gate.entered.wait()
        began = asyncio.get_running_loop().time()
        await actor.stop(drain=2)
        assert asyncio.get_running_loop().time() - began == pytest.approx(2)
        assert await asked[0] == "quick"
        for each in asked[1:]:
            with pytest.raises(ActorStopped):
                await each
        assert gate.interrupted == 1

    run_virtual(main())


async def test_one_who_does_not_wait_for_a_drain_any_more_ends_it() -> None:
    actor = Played()
    await actor.start()
    gate = Gate()
    asked = [ask(actor, gate), ask(actor, "second")]
    await gate.entered.wait()
    stopping = asyncio.create_task(actor.stop(drain=60))
    await turns()
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    for each in asked:
        with pytest.raises(ActorStopped):
            await each
    assert (actor.state, actor.stopped_times, actor.log) == (State.STOPPED, 1, [gate])


async def test_what_fails_during_a_drain_is_told_and_the_rest_is_handled() -> None:
    actor = Played()
    await actor.start()
    gate, error = Gate(), ValueError("while draining")

    async def fail() -> None:
        await gate()
        raise error

    asked = [ask(actor, fail), ask(actor, "second")]
    await gate.entered.wait()
    stopping = asyncio.create_task(actor.stop(drain=60))
    await turns()
    gate.opened.set()
    await stopping
    with pytest.raises(ValueError, match="while draining"):
        await asked[0]
    assert await asked[1] == "second"
    assert [fields["error"] for fields in actor.told("actor.crashed")] == [error]


async def test_stopping_twice_one_after_the_other_and_at_once_cleans_up_once() -> None:
    actor = Played()
    await actor.stop()
    assert actor.stopped_times == 0
    await actor.start()
    gate = Gate()
    asked = ask(actor, gate)
    await gate.entered.wait()
    await asyncio.gather(actor.stop(), actor.stop(drain=60), actor.stop())
    await actor.stop()
    with pytest.raises(ActorStopped):
        await asked
    assert (actor.state, actor.stopped_times) == (State.STOPPED, 1)
    assert len(actor.told("actor.stopped")) == 1


async def test_an_actor_may_stop_itself_while_it_handles_a_message() -> None:
    actor = Played()
    await actor.start()

    async def stop() -> str:
        await actor.stop(drain=60)
        return "stopped"

    asked, waiting = ask(actor, stop), ask(actor, "second")
    assert await asked == "stopped"
    with pytest.raises(ActorStopped):
        await waiting
    assert (actor.state, actor.stopped_times) == (State.STOPPED, 1)


async def test_an_actor_may_be_stopped_by_a_task_that_its_handler_waits_for() -> None:
    actor = Played()
    await actor.start()

    async def stop() -> None:
        await asyncio.gather(actor.stop())

    with pytest.raises(ActorStopped):
        await actor.ask(stop)
    await actor.stop()
    assert (actor.state, actor.stopped_times) == (State.STOPPED, 1)


async def test_an_actor_that_stopped_starts_again_with_an_empty_mailbox() -> None:
    actor = Played()
    await actor.start()
    gate = Gate()
    asked = [ask(actor, gate), ask(actor, "lost")]
    await gate.entered.wait()
    await actor.stop()
    await asyncio.wait(asked)
    assert all(isinstance(each.exception(), ActorStopped) for each in asked)
    async with actor:
        assert await actor.ask("again") == "again"
    assert actor.log == [gate, "again"]
    assert (actor.started_times, actor.stopped_times, actor.restarts) == (2, 2, 0)


async def test_starting_twice_is_as_good_as_once() -> None:
    async with Played() as actor:
        await actor.start()
        actor.start_now()
        assert actor.started_times == 1


async def test_an_actor_that_cannot_start_says_so_and_answers_those_who_asked_already() -> None:
    class Broken(Played):
        async def started(self) -> None:
            await turns()
            raise OSError("no such port")

    actor = Broken("broken")
    starting = asyncio.create_task(actor.start())
    await turns(2)
    asked = ask(actor, "early")
    with pytest.raises(OSError, match="no such port"):
        await starting
    with pytest.raises(ActorStopped):
        await asked
    assert (actor.state, actor.stopped_times) == (State.STOPPED, 0)


async def test_a_start_that_fails_while_somebody_stops_the_actor_leaves_nothing_to_clean_up() -> (
    None
):
    ready = asyncio.Event()

    class Broken(Played):
        async def started(self) -> None:
            await ready.wait()
            raise OSError("no such port")

    actor = Broken()
    starting = asyncio.create_task(actor.start())
    await turns(2)
    stopping = asyncio.create_task(actor.stop())
    await turns()
    ready.set()
    with pytest.raises(OSError, match="no such port"):
        await starting
    await stopping
    assert (actor.state, actor.stopped_times) == (State.STOPPED, 0)


async def test_what_comes_while_an_actor_starts_is_handled_when_it_has() -> None:
    ready = asyncio.Event()

    class Slow(Played):
        async def started(self) -> None:
            await ready.wait()

    actor = Slow()
    starting = asyncio.create_task(actor.start())
    await turns(2)
    asked = ask(actor, "early")
    await turns()
    assert actor.log == []
    ready.set()
    await starting
    assert await asked == "early"
    await actor.stop()


async def test_an_actor_that_is_stopped_while_it_starts_does_not_run_afterwards() -> None:
    ready = asyncio.Event()

    class Slow(Played):
        async def started(self) -> None:
            await ready.wait()

    actor = Slow("slow")
    starting = asyncio.create_task(actor.start())
    await turns(2)
    asked = ask(actor, "early")
    stopping = asyncio.create_task(actor.stop())
    await turns()
    ready.set()
    await stopping
    with pytest.raises(ActorStopped):
        await starting
    with pytest.raises(ActorStopped):
        await asked
    assert (actor.state, actor.stopped_times, actor.log) == (State.STOPPED, 1, [])


def test_a_start_that_hangs_does_not_hold_up_a_stop_for_ever() -> None:
    async def main() -> None:
        ready = asyncio.Event()

        class Hanging(Played):
            async def started(self) -> None:
                await ready.wait()

        actor = Hanging()
        starting = asyncio.create_task(actor.start())
        await turns(2)
        began = asyncio.get_running_loop().time()
        await actor.stop()
        assert asyncio.get_running_loop().time() - began == pytest.approx(1.0)
        assert actor.state is State.STOPPED
        ready.set()
        with pytest.raises(ActorStopped):
            await starting
        assert actor.told("actor.started") == []

    run_virtual(main())


async def test_an_actor_that_is_started_while_it_stops_starts_afterwards() -> None:
    actor = Played()
    await actor.start()
    gate = Gate()
    actor.tell(gate)
    await gate.entered.wait()
    stopping = asyncio.create_task(actor.stop(drain=60))
    await turns()
    with pytest.raises(ActorError, match="is being stopped"):
        actor.start_now()
    starting = asyncio.create_task(actor.start())
    await turns()
    gate.opened.set()
    await asyncio.gather(stopping, starting)
    assert await actor.ask("again") == "again"
    assert (actor.started_times, actor.stopped_times) == (2, 1)
    await actor.stop()


async def test_start_now_starts_an_actor_whose_start_does_not_wait() -> None:
    actor = Played()
    actor.start_now()
    assert (actor.state, actor.started_times) == (State.RUNNING, 1)
    assert await actor.ask("hello") == "hello"
    await actor.stop()
    assert actor.stopped_times == 1


async def test_start_now_refuses_an_actor_whose_start_waits() -> None:
    class Slow(Played):
        async def started(self) -> None:
            await asyncio.sleep(0)
            self.started_times += 1

    actor = Slow("slow")
    with pytest.raises(ActorError, match=r"slow: its `started` waits, so use `await actor\.start"):
        actor.start_now()
    assert actor.state is State.NEW
    async with actor:
        assert actor.started_times == 1


async def test_what_start_now_raises_leaves_the_actor_as_it_was() -> None:
    class Broken(Played):
        async def started(self) -> None:
            raise OSError("no such port")

    actor = Broken()
    with pytest.raises(OSError, match="no such port"):
        actor.start_now()
    assert actor.state is State.NEW
    assert actor.told("actor.started") == []


# What goes wrong


async def test_an_actor_without_a_supervisor_stops_when_it_crashes_and_cleans_up() -> None:
    actor = Played()
    await actor.start()
    error, gate = ValueError("mine"), Gate()

    async def fail() -> None:
        await gate()
        raise error

    asked = [ask(actor, fail), ask(actor, "second")]
    await gate.entered.wait()
    await turns()
    gate.opened.set()
    with pytest.raises(ValueError, match="mine") as caught:
        await asked[0]
    assert caught.value is error
    with pytest.raises(ActorStopped):
        await asked[1]
    with pytest.raises(ActorStopped):
        await actor.ask("late")
    await actor.stop()
    assert (actor.state, actor.stopped_times, actor.log) == (State.STOPPED, 1, [fail])
    assert [event for event, _ in actor.events if event != "actor.dead_letter"] == [
        "actor.started",
        "actor.crashed",
        "actor.stopped",
    ]
    assert actor.told("actor.stopped")[0]["reason"] == "crashed"
    async with actor:
        assert await actor.ask("again") == "again"


async def test_a_crash_just_before_the_loop_ends_leaves_an_actor_that_can_be_used_again() -> None:
    loop = asyncio.get_running_loop()
    before = asyncio.all_tasks()
    cancelled: list[bool] = []

    def cancel_all() -> None:  # as the end of a loop does
        cancelled.extend(task.cancel() for task in asyncio.all_tasks(loop) - before)

    def note(event: str, /, **_: Any) -> None:
        if event == "actor.crashed":
            loop.call_soon(cancel_all)

    actor = Played()
    actor.emit = note
    await actor.start()
    actor.tell(raising(ValueError("mine")))
    await turns()
    assert cancelled == [True]
    await actor.stop()
    assert actor.state is State.STOPPED
    async with actor:
        assert await actor.ask("again") == "again"


async def test_a_crash_interrupts_the_other_messages_that_are_being_handled() -> None:
    actor = Played(concurrency=2)
    await actor.start()
    gate = Gate()
    asked = ask(actor, gate)
    await gate.entered.wait()
    with pytest.raises(ValueError, match="mine"):
        await actor.ask(raising(ValueError("mine")))
    with pytest.raises(ActorStopped):
        await asked
    await actor.stop()
    assert gate.interrupted == 1


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
async def test_what_would_end_the_loop_ends_neither_it_nor_who_asked(error: BaseException) -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise error

    for post in (Played.ask, Played.send):
        actor = Played()
        await actor.start()
        posting = asyncio.create_task(post(actor, fail))
        await asyncio.wait([posting])
        if post is Played.ask:
            told = posting.exception()
            assert isinstance(told, ActorError)
            assert type(error).__name__ in str(told)
            assert told.__cause__ is error
        await turns()
        await actor.stop()
        assert [fields["error"] for fields in actor.told("actor.crashed")] == [error]


async def test_a_cancellation_that_comes_from_within_is_a_crash_and_does_not_cancel_who_asked() -> (
    None
):
    async def await_what_is_cancelled() -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    actor = Played()
    await actor.start()
    with pytest.raises(ActorError, match="CancelledError") as caught:
        await actor.ask(await_what_is_cancelled)
    assert not isinstance(caught.value, ActorStopped)
    await actor.stop()
    assert len(actor.told("actor.crashed")) == 1


async def test_an_answer_that_cannot_be_raised_in_who_asked_is_wrapped() -> None:
    class Plain(Actor[Any, Any]):
        def receive(self, message: Any) -> Any:
            raise StopIteration(message)

    actor = Plain("plain")
    await actor.start()
    with pytest.raises(ActorError, match="StopIteration"):
        await actor.ask("stop")
    await actor.stop()
    assert actor.mailbox.running == 0


async def test_an_actor_that_does_not_say_what_it_does_says_so_when_asked() -> None:
    async with Actor[str, str]("mute") as actor:
        with pytest.raises(NotImplementedError, match="Actor does not say what it does: 'hello'"):
            await actor.ask("hello")


async def test_an_actor_that_cannot_clean_up_has_stopped_all_the_same() -> None:
    class Dirty(Played):
        async def stopped(self) -> None:
            raise OSError("cannot close")

    actor = Dirty()
    await actor.start()
    gate = Gate()
    asked = ask(actor, gate)
    await gate.entered.wait()
    with pytest.raises(OSError, match="cannot close"):
        await actor.stop()
    with pytest.raises(ActorStopped):
        await asked
    assert actor.state is State.STOPPED
    await actor.start()
    with pytest.raises(OSError, match="cannot close"):
        await actor.stop()


# Contexts and events


async def test_a_handler_sees_the_context_of_who_sent_and_nothing_leaks_back() -> None:
    async def look() -> str:
        seen = WHO.get()
        WHO.set("the handler")
        await asyncio.sleep(0)
        return seen

    seen: list[str] = []

    async def look_and_note() -> None:
        seen.append(await look())

    async with Played() as actor:
        gate = Gate()
        actor.tell(gate)
        await gate.entered.wait()
        WHO.set("alice")
        asked = ask(actor, look)
        await turns()
        WHO.set("bob")
        actor.tell(look_and_note)
        WHO.set("carol")
        await actor.send(look_and_note)
        WHO.set("dave")
        gate.opened.set()
        assert await asked == "alice"
        assert await actor.ask(look) == "dave"
        assert seen == ["bob", "carol"]
        assert WHO.get() == "dave"


async def test_an_actor_tells_of_its_life_where_it_was_told_to() -> None:
    actor = Played("told")
    async with actor:
        await actor.ask("hello")
    assert actor.events == [
        ("actor.started", {"actor": "told", "state": "running"}),
        ("actor.stopped", {"actor": "told", "state": "stopped"}),
    ]


def test_an_actor_says_what_it_is() -> None:
    assert repr(Played("one")) == "<Played one, new>"
    assert Played(name="").name == "Played"
