"""The page of all benchmarks is written from what they told, and from nothing else."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import __main__ as command
from benchmarks._command import main
from benchmarks._harness import Case, Goal, Law, Table
from benchmarks._page import END
from benchmarks._performance import BEGIN, DOCS, GROWTH, PAGE, Record, read_json, write_page

SVG = "{http://www.w3.org/2000/svg}svg"


def tables() -> Any:
    """Three tables whose numbers are known."""
    now = 0

    def takes(nanoseconds: int) -> Any:
        def run() -> None:
            nonlocal now
            now += nanoseconds

        return run

    def clock() -> int:
        return now

    cases = [
        Case("base", takes(100)),
        Case("quick", takes(150), baseline="base", goal=Goal(2)),
        Case("slow", takes(300), baseline="base", goal=Goal(2)),
    ]
    yield Table("with goals", cases, clock, note="A note.")
    sizes = {1: "n: 1", 10: "n: 10"}
    grown = [Case("n: 1", takes(100)), Case("n: 10", takes(120), baseline="n: 1")]
    law = Law(of="things", sizes={"asyncio: single": sizes}, within=1.5)
    yield Table("that grows", grown, clock, law=law)


@pytest.fixture
def records(tmp_path: Path) -> list[Record]:
    file = tmp_path / "told.json"
    main(tables, arguments=["--quick", "--json", str(file)])
    module = '"module": "benchmarks.runtime.bench_x"'
    file.write_text(re.sub(r'"module": "[^"]*"', module, file.read_text()))
    return read_json(file)


def test_the_page_tells_goals_verdicts_and_what_it_was_measured_with(
    records: list[Record], tmp_path: Path
) -> None:
    (tmp_path / PAGE).write_text(f"# Before\n\n{BEGIN}\nwhat was\n{END}\n\nAfter.\n")
    write_page(records, tmp_path)
    page = (tmp_path / PAGE).read_text()
    assert page.startswith(f"# Before\n\n{BEGIN}\n\n- ")
    assert page.endswith(f"\n\n{END}\n\nAfter.\n")
    assert "what was\n" not in page
    assert "Goals reached: 1 of 2. Costs that are flat: 1 of 1." in page
    assert "| slow | 300 ns | 300 ns | 3.00 | 200 ns | <= 2 | missed |" in page
    assert "| quick | 150 ns | 150 ns | 1.50 | 50 ns | <= 2 | reached |" in page
    assert "single: flat, 1.20 times the first at most, up to 10 things" in page
    assert "**these numbers mean nothing**" in page
    assert "A note." in page
    assert "the load before each benchmark" in page
    plot = (tmp_path / GROWTH).read_text()
    assert ElementTree.fromstring(plot).tag == SVG
    assert "prefers-color-scheme: dark" in plot
    assert not {"nan", "inf", "None"} & {*plot.replace('"', " ").split()}


def test_the_page_of_the_docs_has_its_marks_and_plots_that_are_there() -> None:
    page = (DOCS / PAGE).read_text()
    assert page.count(BEGIN) == page.count(END) == 1
    plots = re.findall(r"\]\(([a-z-]+\.svg)\)", page)
    assert plots
    for plot in plots:
        assert ElementTree.parse(DOCS / plot).getroot().tag == SVG
    measured = page.partition(BEGIN)[2].partition(END)[0]
    for module in command.modules_of(""):
        assert f"`python -m {module}`" in measured


def test_all_benchmarks_are_run_but_for_the_one_that_has_a_page_of_its_own() -> None:
    modules = command.modules_of("")
    assert "benchmarks.peers.bench_peers" in modules
    assert not [module for module in modules if module.split(".")[1] in ("never_harm", "runs")]
    assert command.modules_of("never_harm") == ["benchmarks.never_harm.bench_never_harm"]
    assert {*command.modules_of("runtime")} < {*modules}


def test_a_page_of_a_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["configs", "--docs"])
    assert "the page tells of all benchmarks" in capsys.readouterr().err
