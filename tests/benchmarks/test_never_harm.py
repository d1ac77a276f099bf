"""The harness of never-harm loses nothing, accounts for all, and sees the harm there is."""

import asyncio
import selectors
import sys
import threading
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks._page import END, write_into
from benchmarks.never_harm import _load, _phase
from benchmarks.never_harm._cells import CASES, SINKS, Cell, Way, cells, cells_of_sinks
from benchmarks.never_harm._contest import Accounts, Contest, Limits
from benchmarks.never_harm._load import Load, offer_async, offer_sync, quantile, schedule
from benchmarks.never_harm._measure import measure
from benchmarks.never_harm._page import BEGIN, BEGIN_OF_SINKS, measured
from benchmarks.never_harm._phase import Phase, play
from benchmarks.never_harm._plot import draw
from benchmarks.never_harm._shadows import Shadow, answer_to, lead_async, lead_sync
from benchmarks.never_harm._table import Report, append_json, read_json, render
from benchmarks.never_harm._verdict import verdict_of

DOCS = Path(__file__).parents[2] / "docs"
OURS = [*cells(rounds=1, seconds=0.05, rate=400, memory=2**28, libraries=("understudy",))]

SINKS_OF_OURS = [*cells_of_sinks(rounds=1, seconds=0.05, rate=400, memory=2**28)]


def cell_of(case: str, way: Way = "async", library: str = "test") -> Cell:
    return Cell(library=library, way=way, case=case, rounds=1, seconds=0.05, rate=400, memory=2**28)


def phase_of(p99: float | None = 0.01, *, shadow: bool = True, **given: Any) -> Phase:
    return Phase(has_shadow=shadow, requests=10, asked=10, p50=p99, p99=p99, **given)


def accounts_of(**given: int) -> Accounts:
    names = ("planned", "ok", "error", "timeout", "cancelled", "shed", "skipped")
    numbers = {name: given.get(name, 0) for name in (*names, "lead_ok", "unfinished")}
    return Accounts(**numbers)


ALONE = phase_of(0.010, shadow=False, accounts=accounts_of(planned=10, ok=10, lead_ok=10))
EXACT = accounts_of(planned=20, ok=10, error=4, shed=6, lead_ok=10)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no answer be late for a machine that is busy with something else."""
    monkeypatch.setattr(_load, "PATIENCE", 60.0)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Let a test be a library of its own, called `test`."""
    contests: dict[str, Any] = {**_phase._CONTESTS}
    monkeypatch.setattr(_phase, "_CONTESTS", contests)
    monkeypatch.setattr(_load, "PATIENCE", 0.2)
    return contests


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("cell", OURS, ids=lambda cell: f"{cell.way}-{cell.case}")
def test_nothing_is_lost_and_all_is_accounted_for_whatever_the_shadow_does(cell: Cell) -> None:
    alone, beside = play(cell, False, 1), play(cell, True, 1)
    verdict = verdict_of(cell, [alone, beside])
    assert {*verdict.harm} <= {"late"}  # what the machine does beside is no matter of a test
    assert verdict.lost == verdict.lost_alone == 0
    assert verdict.accounts == "exact"
    assert (verdict.played > 0) == (cell.case != "nothing")


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("cell", SINKS_OF_OURS, ids=lambda cell: f"{cell.way}-{cell.sink}")
def test_nothing_is_lost_but_events_whatever_becomes_of_a_sink(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy._telling._FLUSH", 0.05)
    alone, beside = play(cell, False, 1), play(cell, True, 1)
    verdict = verdict_of(cell, [alone, beside])
    assert {*verdict.harm} <= {"late"}
    assert verdict.lost == verdict.lost_alone == 0
    assert verdict.accounts == "exact"
    if cell.sink in ("file", "full", "raises"):  # the others wait for a while
        assert (verdict.dropped > 0) == (cell.sink != "file")
    told = render(Report.of_this_run([verdict]))
    assert f"{SINKS[cell.sink]}  " in told


@pytest.mark.parametrize("way", ["async", "sync"])
def test_a_shadow_that_is_played_in_the_leads_place_is_seen_as_harm(
    library: dict[str, Any], way: Way
) -> None:
    async def ask_async(shadow: Shadow | None, number: int) -> int:
        if shadow is not None:
            await shadow.run_async()
        return await lead_async(number)

    def ask_sync(shadow: Shadow | None, number: int) -> int:
        if shadow is not None:
            shadow.run_sync()
        return lead_sync(number)

    ask: Any = ask_async if way == "async" else ask_sync
    library["test"] = lambda way, shadow: Contest(ask=lambda number: ask(shadow, number))
    cell = cell_of("hangs", way)
    beside = play(cell, True, 1)
    assert beside.lost == beside.requests == 20
    assert beside.failures == {"unanswered": 20}
    assert {"lost", "late"} <= {*verdict_of(cell, [ALONE, beside]).harm}


def test_an_error_of_the_shadow_that_reaches_the_caller_is_a_lost_request(
    library: dict[str, Any],
) -> None:
    library["test"] = lambda way, shadow: Contest(ask=lambda number: shadow.run_sync())
    beside = play(cell_of("exits", "sync"), True, 1)
    assert (beside.lost, beside.failures) == (20, {"raised SystemExit": 20})


def test_a_wrong_answer_is_a_lost_request(library: dict[str, Any]) -> None:
    library["test"] = lambda way, shadow: Contest(ask=lambda number: answer_to(number) + 1)
    beside = play(cell_of("raises", "sync"), True, 1)
    assert (beside.lost, beside.failures) == (20, {"a wrong answer": 20})


def test_an_exit_that_ends_the_loop_is_told_with_all_that_was_on_it(
    library: dict[str, Any],
) -> None:
    async def ask(number: int) -> int:
        asyncio.get_running_loop().call_soon(sys.exit, 1)
        return await lead_async(number)

    library["test"] = lambda way, shadow: Contest(ask=ask)
    beside = play(cell_of("exits"), True, 1)
    assert beside.ended_by == "SystemExit"
    assert beside.lost == 20
    assert "SystemExit ended the process" in verdict_of(cell_of("exits"), [ALONE, beside]).harm


@pytest.mark.parametrize(
    ("beside", "harm"),
    [
        (phase_of(0.0114, accounts=EXACT), ()),
        (phase_of(0.0116, accounts=EXACT), ("late",)),
        (phase_of(None, lost=3, accounts=EXACT), ("lost", "late")),
        (phase_of(accounts=accounts_of(planned=20, ok=19, lead_ok=10)), ("accounts wrong",)),
        (phase_of(accounts=accounts_of(planned=19, ok=19, lead_ok=10)), ("accounts wrong",)),
        (phase_of(accounts=accounts_of(planned=20, ok=20, lead_ok=9)), ("accounts wrong",)),
        (phase_of(at_once=3, limits=Limits(at_once=2, threads=9)), ("over its limits",)),
        (phase_of(threads=9, limits=Limits(at_once=2, threads=9)), ()),
        (phase_of(threads=10, limits=Limits(at_once=2, threads=9)), ("over its limits",)),
    ],
)
def test_the_promise_is_held_to_the_letter(beside: Phase, harm: tuple[str, ...]) -> None:
    assert verdict_of(cell_of("raises"), [ALONE, beside]).harm == harm


def test_the_median_of_the_rounds_is_what_counts() -> None:
    late, well = phase_of(0.5, accounts=EXACT), phase_of(0.01, accounts=EXACT)
    assert verdict_of(cell_of("raises"), [ALONE, well, ALONE, late, well, ALONE]).harm == ()
    assert verdict_of(cell_of("raises"), [ALONE, late, late, well]).harm == ("late",)


def test_a_process_that_ends_before_its_time_is_harm_and_so_is_one_without_a_word() -> None:
    verdict = verdict_of(cell_of("allocates"), [], "the process ended with -9")
    assert verdict.harm == ("the process ended with -9", "late")


def test_a_latency_counts_from_the_schedule_however_late_somebody_takes_the_request() -> None:
    load = Load([0.0, 0.001, 0.002])
    clock = 100.0

    class Selector(selectors.DefaultSelector):
        def select(self, timeout: float | None = None) -> Any:
            nonlocal clock
            clock += timeout or 0.0
            return super().select(0)

    class Loop(asyncio.SelectorEventLoop):
        def __init__(self) -> None:
            super().__init__(Selector())

        def time(self) -> float:
            return clock

    async def ask(number: int) -> int:
        nonlocal clock
        clock += 0.5  # it holds up the loop
        return answer_to(number)

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(offer_async(ask, load))
    assert load.lost == 0
    assert [round(latency, 1) for latency in sorted(load.latencies)] == [0.5, 1.0, 1.5]


def test_a_request_that_finds_all_threads_taken_is_late_from_its_schedule_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_load, "POOL", 1)
    load = Load([0.0, 0.0, 0.0])
    ended = list[float]()

    def ask(number: int) -> int:
        answer = lead_sync(number)
        ended.append(answer)
        return answer

    for thread in offer_sync(ask, load):
        thread.join()
    assert load.asked == 3
    assert min(load.latencies) >= 0.005
    assert max(load.latencies) >= 0.015


def test_a_schedule_is_as_long_as_asked_for_and_the_same_for_both_phases_of_a_round() -> None:
    arrivals = schedule(200, 1.5, seed=7)
    assert len(arrivals) == 300
    assert arrivals == sorted(arrivals) == schedule(200, 1.5, seed=7)
    assert arrivals != schedule(200, 1.5, seed=8)
    assert 0 <= arrivals[0] < arrivals[-1] <= 1.5


def test_the_p99_is_what_one_in_a_hundred_exceeds() -> None:
    assert quantile([*range(1, 301)], 0.99) == 297
    assert quantile([1.0], 0.99) == 1.0


def test_a_shadow_counts_how_often_it_plays_and_how_often_at_once() -> None:
    shadow = Shadow("hangs")
    threads = [threading.Thread(target=shadow.run_sync) for _ in range(3)]
    for thread in threads:
        thread.start()
    shadow.over.set()
    for thread in threads:
        thread.join()
    assert shadow.played == 3
    assert 1 <= shadow.most <= 3


def test_each_misdeed_has_its_functions() -> None:
    for case in CASES:
        if case != "nothing":
            assert callable(Shadow(case).play_async)


def test_a_cell_is_measured_in_a_process_of_its_own_and_told(tmp_path: Path) -> None:
    verdict = measure(cell_of("exits", library="understudy"))
    assert (verdict.lost, verdict.accounts, verdict.requests) == (0, "exact", 20)
    assert {*verdict.harm} <= {"late"}
    report = Report.of_this_run([verdict])
    file = tmp_path / "told.json"
    append_json(file, report)
    assert read_json(file) == report
    (line,) = [line for line in render(report).splitlines() if "calls sys.exit" in line]
    assert "exact" in line
    assert "laboratory: not installed" in render(report)


def some_report() -> Report:
    lost = phase_of(None, lost=10, failures={"unanswered": 10})
    verdicts = [
        verdict_of(cell_of("hangs", "sync", "understudy"), [ALONE, phase_of(accounts=EXACT)]),
        verdict_of(cell_of("hangs", "sync", "laboratory"), [phase_of(shadow=False), lost]),
        verdict_of(cell_of("burns", "async", "understudy"), [ALONE, phase_of(2.0)]),
    ]
    return Report.of_this_run(verdicts)


def test_the_plot_is_an_svg_for_light_and_dark_that_says_what_is_lost() -> None:
    text = draw(some_report())
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme: dark" in text
    told = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "100% lost" in told
    assert "(burns CPU in a thread)" in told
    assert not {"nan", "inf", "None"} & {*text.replace('"', " ").split()}


def test_the_page_is_written_between_its_marks_and_nowhere_else() -> None:
    page = f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter.\n"
    written = write_into(page, BEGIN, measured(some_report()))
    assert written.startswith(f"# Before\n\n{BEGIN}\n\n- ")
    assert written.endswith(f"\n\n{END}\n\nAfter.\n")
    assert "old" not in written
    assert "| hangs | laboratory | never | never | 10.0 ms | 10 of 10 | none |" in written
    with pytest.raises(ValueError, match="the page has no part between"):
        write_into("# Before\n", BEGIN, "new")


def test_the_page_of_the_docs_has_its_marks_and_its_plot() -> None:
    page = (DOCS / "never-harm.md").read_text()
    assert (page.count(BEGIN), page.count(BEGIN_OF_SINKS), page.count(END)) == (1, 1, 2)
    assert "](never-harm.svg)" in page
    told = page.partition(BEGIN)[2].partition(END)[0]
    assert all(f"| {title} |" in told for title in CASES.values())
    told = page.partition(BEGIN_OF_SINKS)[2].partition(END)[0]
    assert all(f"| {title} |" in told for title in SINKS.values())
    assert ElementTree.parse(DOCS / "never-harm.svg").getroot().tag.endswith("svg")
