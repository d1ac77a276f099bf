"""Alarms: one timer for many deadlines, most of which never come."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulation import SimulatedLoop, run_virtual
from understudy.actors import Alarms

SECOND = 1_000_000_000


def timers_of(loop: Any) -> list[Any]:
    return [timer for timer in loop._scheduled if not timer.cancelled()]


def with_alarms(check: Callable[[SimulatedLoop, Alarms, list[Any]], Any]) -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        await check(loop, Alarms(loop, loop.clock), [])

    run_virtual(main())


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 50), st.none() | st.integers(0, 50)),
        max_size=200,
    )
)
def test_each_alarm_rings_once_at_its_moment_unless_it_was_cancelled_before(
    given: list[tuple[int, int, int | None]],
) -> None:
    async def check(loop: SimulatedLoop, alarms: Alarms, rung: list[Any]) -> None:
        begin = loop.clock()

        def ring(number: int) -> None:
            rung.append((loop.clock() - begin, number))

        def set_one(number: int, after: int, cancelled_at: int | None) -> None:
            alarm = alarms.at(loop.clock() + after * SECOND, ring, number)
            if cancelled_at is not None:
                loop.call_later(cancelled_at + 0.5, alarm.cancel)

        expected: list[tuple[int, int]] = []
        for number, (at, after, cancelled_at) in enumerate(given):
            loop.call_later(at, set_one, number, after, cancelled_at)
            if cancelled_at is None or after < cancelled_at + 0.5:
                expected.append(((at + after) * SECOND, number))
        await asyncio.sleep(200)
        assert sorted(rung) == sorted(expected)
        assert [moment for moment, _ in rung] == sorted(moment for moment, _ in expected)
        assert not timers_of(loop)

    with_alarms(check)


def test_the_loop_has_one_timer_however_many_alarms_there_are() -> None:
    async def check(loop: SimulatedLoop, alarms: Alarms, rung: list[Any]) -> None:
        for seconds in (5, 3, 9, 1, 7):
            alarms.at(loop.clock() + seconds * SECOND, rung.append, seconds)
        assert len(timers_of(loop)) == 1
        await asyncio.sleep(4)
        assert rung == [1, 3]
        assert len(timers_of(loop)) == 1

    with_alarms(check)


def test_cancelled_alarms_do_not_pile_up() -> None:
    async def check(loop: SimulatedLoop, alarms: Alarms, rung: list[Any]) -> None:
        kept = alarms.at(loop.clock() + 5 * SECOND, rung.append, "kept")
        for _ in range(10_000):
            alarms.at(loop.clock() + 9 * SECOND, rung.append, "cancelled").cancel()
        assert len(alarms) < 100
        assert len(timers_of(loop)) == 1
        kept.cancel()
        alarms.rest()
        assert not timers_of(loop)
        assert len(alarms) == 0

    with_alarms(check)


def test_resting_leaves_an_alarm_that_is_still_to_ring() -> None:
    async def check(loop: SimulatedLoop, alarms: Alarms, rung: list[Any]) -> None:
        alarms.at(loop.clock() + SECOND, rung.append, 1)
        alarms.rest()
        await asyncio.sleep(2)
        assert rung == [1]

    with_alarms(check)


def test_an_alarm_that_raises_does_not_keep_the_others_from_ringing() -> None:
    async def check(loop: SimulatedLoop, alarms: Alarms, rung: list[Any]) -> None:
        told: list[Any] = []
        loop.set_exception_handler(lambda _, context: told.append(context["exception"]))

        def fail(problem: str) -> None:
            raise ValueError(problem)

        alarms.at(loop.clock() + SECOND, fail, "no")
        alarms.at(loop.clock() + SECOND, rung.append, 1)
        alarms.at(loop.clock() + 2 * SECOND, rung.append, 2)
        await asyncio.sleep(3)
        assert rung == [1, 2]
        assert [str(error) for error in told] == ["no"]

    with_alarms(check)


def test_an_alarm_may_set_another_one_as_it_rings() -> None:
    async def check(loop: SimulatedLoop, alarms: Alarms, rung: list[Any]) -> None:
        def again(left: int) -> None:
            rung.append(left)
            if left:
                alarms.at(loop.clock() + SECOND, again, left - 1)

        alarms.at(loop.clock() + SECOND, again, 2)
        await asyncio.sleep(5)
        assert rung == [2, 1, 0]
        assert not timers_of(loop)

    with_alarms(check)


@pytest.mark.parametrize("ahead", [-SECOND, 0, SECOND])
def test_a_clock_that_does_not_agree_with_the_loop_delays_no_alarm(ahead: int) -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        rung: list[Any] = []
        stands_still = loop.clock() + ahead
        alarms = Alarms(loop, lambda: stands_still)
        alarms.at(stands_still + SECOND, rung.append, 1)
        alarms.at(stands_still + 2 * SECOND, rung.append, 2)
        await asyncio.sleep(1.5)
        assert rung == [1]
        await asyncio.sleep(2)
        assert rung == [1, 2]

    run_virtual(main())
