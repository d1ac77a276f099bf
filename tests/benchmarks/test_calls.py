"""The benchmarks of calls run to their end, and say of each goal whether it is reached."""

from collections.abc import Callable, Iterator

import pytest

from benchmarks._command import QUICK_NS
from benchmarks._harness import Case, Goal, Table, measure
from benchmarks._report import render, told_of
from benchmarks.runtime import bench_calls
from benchmarks.runtime._stand import stands


def measured(tables: Iterator[Table]) -> list[str]:
    """Measure each table once, and return the lines that are printed."""
    told = [told_of(table, measure(table, 1, QUICK_NS)) for table in tables]
    return [line for table in told for line in render(table).splitlines()]


def test_all_kinds_of_calls_are_measured_on_both_loops() -> None:
    lines = measured(bench_calls.tables(calls=20, calls_of_four=20))
    cases = {
        loop: [line.split(": ", 1)[1][:40] for line in lines if line.lstrip().startswith(loop)]
        for loop in ("asyncio: ", "uvloop: ")
    }
    names = [case.split("  ")[0] for case in cases["asyncio: "]]
    assert names == [case.split("  ")[0] for case in cases["uvloop: "]]
    assert {"single", "kill switch on", "multi-branch of 4", "nested, 3 deep"} < {*names}
    with_goal = [line for line in lines if "<=" in line]
    assert len(with_goal) == 2 * 13
    assert all(line.endswith(("reached", "missed")) for line in with_goal)


def test_a_branch_that_fails_spoils_the_measurement() -> None:
    with (
        pytest.raises(RuntimeError, match="not everything was measured"),
        stands(1, "t") as made,
    ):
        runtime = made[0].runtime()

        @runtime.experiment
        async def fails() -> None:
            raise ValueError("mine")

        with pytest.raises(ValueError, match="mine"):
            made[0].loop.run_until_complete(fails())


@pytest.mark.parametrize(("most", "told"), [(0.5, "missed"), (1.5, "reached")])
def test_a_goal_over_another_case_is_for_what_is_added(most: float, told: str) -> None:
    now = 0

    def takes(nanoseconds: int) -> Callable[[], None]:
        def run() -> None:
            nonlocal now
            now += nanoseconds

        return run

    cases = [
        Case("base", takes(100)),
        Case("plain", takes(300), baseline="base"),
        Case("more", takes(400), baseline="base", goal=Goal(most, over="plain")),
    ]
    (line,) = [line for line in measured(iter([Table("t", cases, lambda: now)])) if "more" in line]
    assert "4.00 (+1.00)" in line
    assert line.endswith(told)
