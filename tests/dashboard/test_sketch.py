"""A sketch tells quantiles within its error, and does not depend on the order."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.dashboard import Sketch

NUMBERS = st.lists(st.floats(min_value=0.0, max_value=1e9, allow_subnormal=False), max_size=200)
ANYTHING = st.lists(st.floats(), max_size=50)
SHARES = st.sampled_from([0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 1.0])


def sketched(numbers: list[float], most: int = 512) -> Sketch:
    sketch = Sketch(most=most)
    for number in numbers:
        sketch.add(number)
    return sketch


@given(NUMBERS, SHARES)
def test_a_quantile_is_within_a_hundredth_of_the_true_one(
    numbers: list[float], share: float
) -> None:
    told = sketched(numbers).quantile(share)
    if not numbers:
        assert told is None
        return
    true = sorted(numbers)[max(1, math.ceil(share * len(numbers))) - 1]
    assert told == pytest.approx(true, rel=0.0100001, abs=1e-8)


@given(NUMBERS)
def test_count_least_greatest_and_sum_are_exact(numbers: list[float]) -> None:
    sketch = sketched(numbers)
    assert sketch.count == len(numbers)
    if numbers:
        assert (sketch.low, sketch.high) == (min(numbers), max(numbers))
        assert sketch.mean == pytest.approx(sum(numbers) / len(numbers), rel=1e-9, abs=1e-6)


@given(ANYTHING, ANYTHING, st.sampled_from([3, 16, 512]))
def test_two_halves_merged_are_the_whole(a: list[float], b: list[float], most: int) -> None:
    merged = sketched(a, most)
    merged.merge(sketched(b, most))
    assert merged == sketched([*a, *b], most)
    assert merged == sketched([*b, *a], most)


@given(ANYTHING)
def test_what_is_no_number_is_not_counted_and_nothing_breaks_it(numbers: list[float]) -> None:
    sketch = sketched(numbers)
    assert sketch.count == sum(not math.isnan(number) for number in numbers)
    assert all(math.isfinite(sketch.quantile(share) or 0.0) for share in (0.0, 0.5, 1.0))
    for encoded in (msgspec.json, msgspec.msgpack):
        assert encoded.decode(encoded.encode(sketch), type=Sketch) == sketch


@given(st.lists(st.floats(1e-6, 1e9), min_size=20, max_size=200))
def test_it_holds_no_more_buckets_than_it_may_and_high_quantiles_stay_true(
    numbers: list[float],
) -> None:
    sketch = sketched(numbers, most=8)
    assert len(sketch.buckets) <= 8
    assert sum(sketch.buckets.values()) + sketch.zeros == len(numbers)
    assert sketch.quantile(1.0) == max(numbers)
    assert (sketch.quantile(0.0) or 0.0) >= min(numbers)


@given(NUMBERS)
def test_a_histogram_counts_all_in_forty_bars_at_most(numbers: list[float]) -> None:
    bars = sketched(numbers).histogram(40)
    assert len(bars) <= 40
    assert sum(count for _, count in bars) == len(numbers)
    assert [upper for upper, _ in bars] == sorted(upper for upper, _ in bars)
    if numbers:
        assert bars[-1][0] >= max(numbers) * 0.999 or max(numbers) < 1e-8


def test_sketches_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="make them alike"):
        Sketch().merge(Sketch(error=0.05))
