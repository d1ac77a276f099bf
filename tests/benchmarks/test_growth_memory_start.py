"""The benchmarks of growth, memory, starting and other calls give sane numbers for every case."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from benchmarks._command import QUICK_NS
from benchmarks._harness import Case, Law, Table, measure
from benchmarks._report import TableTold, render, told_of
from benchmarks.dashboard import _told as onlookers
from benchmarks.dashboard import bench_fold, bench_onlookers
from benchmarks.runtime import bench_growth, bench_memory, bench_other_calls, bench_start

Tables = Callable[..., Iterator[Table]]


def told_by(tables: Tables, quick: Mapping[str, Any]) -> list[TableTold]:
    """Measure each table once, with few operations."""
    return [told_of(table, measure(table, 1, QUICK_NS)) for table in tables(**quick)]


def check(told: TableTold) -> None:
    """Each case has numbers, and each goal says whether it is reached."""
    assert told.rows
    for row in told.rows:
        assert math.isfinite(row.median)
        assert (row.reached is None) == (not row.goal)
    text = render(told)
    with_goal = [line for line in text.splitlines() if "<=" in line]
    assert all(line.endswith(("reached", "missed")) for line in with_goal)


def test_growth_has_a_verdict_for_each_line() -> None:
    told = told_by(bench_growth.tables, bench_growth.QUICK)
    for table in told:
        check(table)
    names = [(curve.of, curve.name) for table in told for curve in table.curves]
    assert len(names) == len({*names}) == 12
    assert {of for of, _ in names} == {
        "configs",
        "experiments",
        "calls in flight",
        "levels",
        "branches",
    }
    for table in told:
        for curve in table.curves:
            assert len(curve.points) >= 2
            assert all(cost > 0 for _, cost in curve.points)
            assert curve.verdict in render(table)


@pytest.mark.parametrize(
    ("costs", "is_flat", "growth"), [((100, 140, 120), True, 1.4), ((100, 120, 200), False, 2.0)]
)
def test_a_cost_is_flat_if_none_is_much_more_than_the_first(
    costs: tuple[int, ...], is_flat: bool, growth: float
) -> None:
    now = 0

    def takes(nanoseconds: int) -> Callable[[], None]:
        def run() -> None:
            nonlocal now
            now += nanoseconds

        return run

    sizes = dict(zip((1, 10, 100), costs, strict=True))
    cases = [
        Case(f"n: {size}", takes(cost), baseline="" if size == 1 else "n: 1")
        for size, cost in sizes.items()
    ]
    law = Law(of="things", sizes={"n": {size: f"n: {size}" for size in sizes}}, within=1.5)
    table = Table("t", cases, lambda: now, law=law)
    told = told_of(table, measure(table, 1, QUICK_NS))
    (curve,) = told.curves
    assert (curve.is_flat, round(curve.growth, 6)) == (is_flat, growth)
    assert ("missed" in render(told)) is not is_flat


def test_memory_is_weighed_and_nothing_is_left_of_calls_that_are_drained() -> None:
    told = told_by(bench_memory.tables, bench_memory.QUICK)
    for table in told:
        check(table)
    assert len(told) == 5
    idle, in_flight, left, times, _ = told
    assert "<= 700 B on top" in render(idle)
    task, suspended, queued = in_flight.rows
    assert 0 < task.median < suspended.median
    assert task.median < queued.median
    assert abs(left.rows[0].median) < 1_000
    assert all(row.median > 0 for row in times.rows)


def test_beginning_and_idling_are_measured() -> None:
    told = told_by(bench_start.tables, {"seconds": 0.05})
    for table in told:
        check(table)
    titles = [table.title for table in told]
    assert [title for title in titles if title.startswith("idle")] == [
        "idle for 0.05 s: wake-ups",
        "idle for 0.05 s: CPU time",
        "idle for 0.05 s: threads",
    ]
    first = told[1].rows
    assert [row.name for row in first][-2:] == ["its first call", "its second call"]
    assert all(row.median > 0 for row in first)


def test_other_calls_are_measured_beside_floors_of_their_own() -> None:
    told = told_by(bench_other_calls.tables, bench_other_calls.QUICK)
    for table in told:
        check(table)
    assert [sum(bool(row.goal) for row in table.rows) for table in told] == [2, 1, 4, 2, 4, 0, 2]
    lags = told[-1].rows
    assert all(0 < row.median < 60 for row in lags)


def test_reading_logs_says_what_a_line_costs_and_how_much_is_kept() -> None:
    by_the_line, of_a_file, kept = told_by(bench_fold.tables, bench_fold.QUICK)
    check(by_the_line)
    check(of_a_file)
    check(kept)
    assert all(row.median > 0 for table in (by_the_line, of_a_file, kept) for row in table.rows)


def test_whoever_looks_on_no_request_is_lost_and_none_is_unknown_to_the_page() -> None:
    told = bench_onlookers.measure(1, bench_onlookers.QUICK)
    assert [*told.phases] == [way.name for way in bench_onlookers.WAYS]
    for way in bench_onlookers.WAYS:
        (phase,) = told.phases[way.name]
        assert (phase.requests, phase.lost, phase.behind) == (30, 0, 0)
        assert 0 < phase.p50 <= phase.p99 < math.inf
        assert (phase.patches > 0) == (way.clients > 0 and way.reads)
        assert way.name in onlookers.render(told)
