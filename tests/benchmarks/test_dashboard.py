"""The benchmarks of the dashboard give sane numbers, and a page is written of them."""

import math
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks._command import QUICK_NS
from benchmarks._harness import measure
from benchmarks._page import END
from benchmarks._performance import DOCS
from benchmarks._report import told_of
from benchmarks.dashboard import __main__ as dashboard
from benchmarks.dashboard import bench_telling


def test_what_telling_costs_is_measured_beside_silence() -> None:
    tables = bench_telling.tables(**bench_telling.QUICK)
    (told,) = [told_of(table, measure(table, 1, QUICK_NS)) for table in tables]
    rows = told.rows
    assert all(math.isfinite(row.median) for row in rows)
    assert [bool(row.goal) for row in rows] == [False, True] * 4


def test_a_page_is_written_of_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "MODULES", ("bench_fold", "bench_onlookers"))
    page = tmp_path / dashboard.PAGE
    page.write_text(f"before\n{dashboard.BEGIN}\n{END}\nafter\n")
    assert dashboard.main(["--quick", "--docs"], tmp_path) == 0
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "these numbers mean nothing" in text
    assert "#### A log of 7,000 events" in text
    assert "| 50 that never read |" in text


def test_the_page_tells_of_each_of_them() -> None:
    page = (DOCS / dashboard.PAGE).read_text()
    assert page.count(dashboard.BEGIN) == page.count(END) == 1
    measured = page.partition(dashboard.BEGIN)[2].partition(END)[0]
    modules = command.modules_of("dashboard")
    assert {name.rpartition(".")[2] for name in modules} == {*dashboard.MODULES}
    for module in modules:
        assert f"`python -m {module}`" in measured
    assert "#### A log of 1,000,000 events" in measured
    assert "these numbers mean nothing" not in measured
