"""What became of the branches, and how long they took."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from understudy.actors import Tally

SECOND = 1_000_000_000


@given(st.lists(st.integers(1, 9), max_size=600), st.lists(st.booleans(), max_size=600))
def test_the_latencies_are_those_of_the_latest_whatever_else_ended_meanwhile(
    durations: list[int], shed: list[bool]
) -> None:
    tally = Tally()
    for place, duration in enumerate(durations):
        if place < len(shed) and shed[place]:
            tally.shed += 1
        tally.took(duration)
        tally.ok += 1
    assert sorted(tally.durations) == sorted(durations[-256:])


def test_a_quantile_is_what_at_least_that_share_did_not_exceed() -> None:
    tally = Tally(durations=array("q", (second * SECOND for second in range(100, 0, -1))))
    assert tally.quantile(0.0) == 1.0
    assert tally.quantile(0.5) == 50.0
    assert tally.quantile(0.99) == 99.0
    assert tally.quantile(1.0) == 100.0
    assert Tally(durations=array("q", (SECOND, 2 * SECOND))).quantile(0.5) == 1.0
    assert Tally().quantile(0.5) is None


@given(*[st.lists(st.integers(0, 9), min_size=6, max_size=6) for _ in range(2)])
def test_the_sum_of_two_counts_what_both_counted(one: list[int], other: list[int]) -> None:
    def tally(counts: list[int]) -> Tally:
        ok, error, timeout, cancelled, shed, skipped = counts
        return Tally(sum(counts), ok, error, timeout, cancelled, shed, skipped)

    both = tally(one).plus(tally(other))
    assert (both.ok, both.error, both.timeout, both.cancelled, both.shed, both.skipped) == tuple(
        a + b for a, b in zip(one, other, strict=True)
    )
    assert both.planned == both.ended == sum(one) + sum(other)
