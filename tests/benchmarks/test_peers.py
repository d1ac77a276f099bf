"""The benchmark of peers measures each cell or says why not, and leaves nothing running."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from xml.etree import ElementTree

import pytest

from benchmarks._command import QUICK_NS
from benchmarks.peers import _worker, bench_peers
from benchmarks.peers._contender import Contender, Ways
from benchmarks.peers._contenders import CONTENDERS, FLOORS, UNDERSTUDY, version_of, why_not
from benchmarks.peers._kinds import KINDS
from benchmarks.peers._measure import MARK, end_all, measure
from benchmarks.peers._plot import draw
from benchmarks.peers._report import PeersTold, as_markdown, gathered, render
from benchmarks.peers._worker import Measured, Task, Told, played

HERE = [key for key, each in CONTENDERS.items() if not each.distribution]
LOOPS = ("asyncio", "uvloop")


def task_of(contender: str, loop: str, *kinds: str) -> Task:
    can = tuple(key for key in kinds or KINDS if not why_not(CONTENDERS[contender], KINDS[key]))
    return Task(
        contender=contender,
        loop=loop,
        kinds=can,
        rounds=1,
        least_ns=QUICK_NS,
        patience=10,
        is_quick=True,
    )


@pytest.fixture(autouse=True)
def unpinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the CPUs of the tests' own process as they are."""
    monkeypatch.setattr(_worker, "_pin", lambda: None)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("contender", HERE)
def test_each_cell_is_measured_beside_the_floor_and_understudy(contender: str, loop: str) -> None:
    before = {*threading.enumerate()}
    told = [*played(task_of(contender, loop))]
    assert [each.problem for each in told] == [""] * len(told)
    assert {each.kind for each in told} == KINDS.keys() - CONTENDERS[contender].cannot.keys()
    for each in told:
        names = [row.contender for row in each.rows]
        assert names[0] == FLOORS.key
        assert {UNDERSTUDY.key, contender} <= {*names}
        assert all(row.median >= 0 for row in each.rows)
        assert each.is_wall == (KINDS[each.kind].is_wall or each.kind in CONTENDERS[contender].wall)
    for thread in {*threading.enumerate()} - before:
        thread.join(30)
        assert not thread.is_alive()


def test_a_reason_is_given_for_kinds_that_there_are_and_only_for_those() -> None:
    for contender in CONTENDERS.values():
        assert contender.cannot.keys() <= KINDS.keys()
        assert {*contender.wall} <= KINDS.keys()
        assert all(contender.cannot.values())
        assert contender.loops


def test_what_is_not_installed_says_so_in_every_table() -> None:
    told = gathered([*played(task_of("queue", "asyncio", "single"))])
    missing = [each.title for each in CONTENDERS.values() if version_of(each) is None]
    assert {told.kinds[0].empty[title] for title in missing} <= {"not installed"}
    assert all(told.versions[title] == "not installed" for title in missing)


@contextmanager
def open_wrong(loop: asyncio.AbstractEventLoop) -> Generator[Ways]:
    yield {"single": lambda calls: -1, "robin_4": lambda calls: calls - 1}


def test_a_wrong_answer_spoils_its_cell_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    cannot = {key: "it is wrong" for key in KINDS if key not in ("single", "robin_4")}
    wrong = Contender(key="wrong", title="Wrong", how="-", open=open_wrong, cannot=cannot)
    monkeypatch.setitem(CONTENDERS, "wrong", wrong)
    single, robin = played(task_of("wrong", "asyncio"))
    assert single.problem == "failed: ValueError: wrong answered -1 where 1 is right"
    assert single.rows == ()
    assert robin.problem == ""
    kinds = gathered([single, robin]).kinds
    assert kinds[0].empty["Wrong, asyncio"] == single.problem
    assert "Wrong" in [row.title for row in kinds[1].rows]


def test_a_contender_is_measured_in_a_process_of_its_own() -> None:
    told = bench_peers.told_by(1, is_quick=True, only=["to_thread"], kinds=["bridge"])
    (kind,) = told.kinds
    (row,) = kind.rows
    assert (row.title, row.is_wall) == ("asyncio.to_thread", True)
    assert {*row.cells} == {*LOOPS}


def test_a_process_that_fails_is_told_for_each_kind_it_did_not_come_to() -> None:
    (told,) = measure(
        Task(
            contender="nobody", loop="asyncio", kinds=("single",), rounds=1, least_ns=0, patience=1
        )
    )
    assert told.problem.startswith("its process ended with 1: KeyError: 'nobody'")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the environment of others")
def test_what_a_peer_leaves_running_is_ended() -> None:
    idle = [sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"]
    environment = {**os.environ, MARK: "a-test"}
    with subprocess.Popen(
        idle, env=environment, start_new_session=True, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        end_all("another-test")
        assert process.poll() is None
        end_all("a-test")
        assert process.wait(10) == -9


def some_told() -> PeersTold:
    rows = tuple(
        Measured(contender=name, median=median, ratio=ratio)
        for name, median, ratio in (("floors", 1e-6, 1.0), ("understudy", 2e-6, 2.0))
    )
    slow = (*rows, Measured(contender="queue", median=9e-6, ratio=9.0))
    told = [
        Told(contender=name, loop=loop, kind="single", is_wall=False, rows=found)
        for name, found in (("understudy", rows), ("queue", slow))
        for loop in LOOPS
    ]
    return gathered(told)


def test_ratios_are_told_to_the_floor_and_to_understudy() -> None:
    text, page = render(some_told()), as_markdown(some_told())
    assert "9 us             9.00                  4.50" in text
    assert "| asyncio.Queue + Future | CPU | 9 us | 9.00 | 4.50 | 9 us | 9.00 | 4.50 |" in page
    assert "- laboratory: " in page


def test_the_plot_is_an_svg_for_light_and_dark() -> None:
    text = draw(some_told())
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme: dark" in text
    assert not {"nan", "inf", "None"} & {*text.replace('"', " ").split()}
