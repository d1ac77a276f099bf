"""The benchmarks of recorded runs give sane numbers for every case."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks._command import QUICK_NS
from benchmarks._harness import Table, measure
from benchmarks._page import END
from benchmarks._performance import DOCS
from benchmarks._report import render, told_of
from benchmarks.runs import __main__ as runs
from benchmarks.runs import bench_beginning, bench_finding, bench_reading, bench_recording


@pytest.mark.parametrize(
    ("tables", "quick", "goals"),
    [
        (bench_recording.tables, bench_recording.QUICK, 7),
        (bench_reading.tables, bench_reading.QUICK, 2),
        (bench_beginning.tables, bench_beginning.QUICK, 2),
        (bench_finding.tables, bench_finding.QUICK, 2),
    ],
    ids=["recording", "reading", "beginning", "finding"],
)
def test_every_case_is_measured(
    tables: Callable[..., Iterator[Table]], quick: Mapping[str, Any], goals: int
) -> None:
    told = [told_of(table, measure(table, 1, QUICK_NS)) for table in tables(**quick)]
    rows = [row for table in told for row in table.rows]
    assert all(math.isfinite(row.median) for row in rows)
    assert sum(bool(row.goal) for row in rows) == goals
    assert all(render(table) for table in told)


def test_processes_that_begin_at_once_fail_never() -> None:
    _, at_once = bench_beginning.tables(**bench_beginning.QUICK)
    (row,) = told_of(at_once, measure(at_once, 1, QUICK_NS)).rows
    assert (row.median, row.reached) == (0, True)


def test_the_page_tells_of_each_of_them() -> None:
    page = (DOCS / runs.PAGE).read_text()
    modules = {name.rpartition(".")[2]: name for name in command.modules_of("runs")}
    assert modules.keys() == {*runs.MODULES, *runs.PEERS}
    assert page.count(END) == 2
    for begin, told in ((runs.BEGIN, runs.MODULES), (runs.BEGIN_OF_PEERS, runs.PEERS)):
        assert page.count(begin) == 1
        measured = page.partition(begin)[2].partition(END)[0]
        for name in told:
            assert f"`python -m {modules[name]}`" in measured
        assert "these numbers mean nothing" not in measured
