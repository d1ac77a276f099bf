"""How many crashes, in how much time."""

from hypothesis import given
from hypothesis import strategies as st

from understudy.actors import Restarts

SECOND = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


def test_one_more_than_the_most_within_the_time_is_too_many() -> None:
    restarts = Restarts(most=3, within=5.0, clock=Clock())
    assert [restarts.is_forgiven() for _ in range(4)] == [True, True, True, False]
    assert restarts.count == 4


def test_a_crash_is_forgotten_when_the_time_is_over_and_not_before() -> None:
    clock = Clock()
    restarts = Restarts(most=1, within=5.0, clock=clock)
    assert restarts.is_forgiven()
    clock.now = 5 * SECOND + 1
    assert restarts.is_forgiven()
    clock.now += 5 * SECOND
    assert not restarts.is_forgiven()


def test_none_are_forgiven_when_none_may_be() -> None:
    assert not Restarts(most=0, within=5.0, clock=Clock()).is_forgiven()


def test_to_begin_afresh_forgives_what_was_but_goes_on_counting() -> None:
    restarts = Restarts(most=1, within=5.0, clock=Clock())
    assert restarts.is_forgiven()
    restarts.forget()
    assert restarts.is_forgiven()
    assert not restarts.is_forgiven()
    assert restarts.count == 3


@given(
    st.lists(st.integers(0, 3 * SECOND), max_size=40), st.integers(0, 4), st.integers(0, 4 * SECOND)
)
def test_a_crash_is_forgiven_if_and_only_if_few_enough_were_in_the_time_before(
    pauses: list[int], most: int, within: int
) -> None:
    clock = Clock()
    restarts = Restarts(most=most, within=within / SECOND, clock=clock)
    window = int(within / SECOND * 1e9)
    times: list[int] = []
    for pause in pauses:
        clock.now += pause
        times.append(clock.now)
        recent = [time for time in times if time >= clock.now - window]
        assert restarts.is_forgiven() == (len(recent) <= most)
    assert restarts.count == len(pauses)
