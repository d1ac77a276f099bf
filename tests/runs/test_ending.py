"""How a run is, after all that can become of its process."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

from understudy.runs import Run, RunError, RunFolder, RunInfo
from understudy.runs._attempts import Attempt, Status, status_of  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.runs._process import Process, this_process  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

from .programs import begin, finish, kill, run

attempts_room: Any = import_module("understudy.runs._attempts")

R = Path("experiments/project/r")
OPEN = "run = Run(prefix='r', capture=False).start()"
WAIT = "print('ready', flush=True); sys.stdin.read()"


def waiting(tmp_path: Path, *parts: str) -> subprocess.Popen[str]:
    process = begin(OPEN, *parts, WAIT, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_whose_process_is_killed_is_lost_and_was_running(tmp_path: Path, sign: int) -> None:
    process = waiting(tmp_path)
    assert RunFolder(R).status == "RUNNING"
    kill(process, sign)
    assert RunFolder(R).status == "LOST"
    assert RunFolder(R).info["ended"] is None
    assert json.loads((R / "run.json").read_text())["status"] == "RUNNING"  # nobody wrote since


def test_a_process_that_nobody_has_waited_for_is_gone(tmp_path: Path) -> None:
    process = waiting(tmp_path)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it is dead, and not yet buried
    assert RunFolder(R).status == "LOST"
    process.communicate()


@pytest.mark.parametrize(
    ("end", "code", "status", "by"),
    [
        ("", 0, "COMPLETED", "exit"),
        ("raise ValueError('diverged')", 1, "FAILED", "exit"),
        ("raise KeyboardInterrupt", 130, "CANCELLED", "exit"),
        ("run.complete(); raise ValueError", 1, "COMPLETED", None),
        ("sys.exit(0)", 0, "COMPLETED", "exit"),
        ("os._exit(0)", 0, "LOST", None),
        ("with run: sys.exit(3)", 3, "FAILED", None),
        ("os.fork() or sys.exit(); os.wait(); print(run.status)", 0, "COMPLETED", "exit"),
    ],
)
def test_the_end_of_the_program_ends_its_run(
    tmp_path: Path, end: str, code: int, status: str, by: str | None
) -> None:
    process = begin(OPEN, end, cwd=tmp_path)
    out, errors = process.communicate(timeout=60)
    expected = (code, -signal.SIGINT) if "Keyboard" in end else (code,)
    assert process.returncode in expected, errors
    assert RunFolder(R).status == status
    assert RunFolder(R).attempts[-1].ended_by == by
    assert out == ("RUNNING\n" if "fork" in end else "")
    if "diverged" in end:
        assert RunFolder(R).attempts[-1].error.message == "diverged"  # type: ignore[union-attr]


def test_a_child_that_leaves_the_block_does_not_end_the_run_of_its_parent(tmp_path: Path) -> None:
    told = run(
        """
        with Run(prefix='r', capture=False) as run:
            child = os.fork()
            if not child:
                run.metrics('train').log(step=1, of='child')
                sys.exit(3)
            assert os.waitpid(child, 0)[1] >> 8 == 3
            run.metrics('train').log(step=2, of='parent')
            print(run.status)
        print(run.status, [point['of'] for point in run.metrics('train')])
        """,
        cwd=tmp_path,
    )
    assert told == "RUNNING\nCOMPLETED ['child', 'parent']\n"


def test_workers_of_a_pool_record_into_the_run_of_their_parent(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "from multiprocessing import get_context\n"
        "from understudy.runs import Run\n"
        "def work(step):\n"
        "    run.metrics('train').log(step=step)\n"
        "if __name__ == '__main__':\n"
        "    run = Run(prefix='r', capture=False).start()\n"
        "    with get_context('fork').Pool(3) as pool:\n"
        "        pool.map(work, range(50), chunksize=1)\n"
        "    run.complete()\n"
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "program.py"], cwd=tmp_path, check=True, timeout=60
    )
    assert {point["step"] for point in RunFolder(R).metrics("train")} == {*range(50)}
    assert RunFolder(R).status == "COMPLETED"


def elsewhere(pid: int = 1) -> Process:
    return Process(pid=pid, pid_started=1, boot="another", host="another")


def test_a_run_on_another_machine_lives_as_long_as_it_gives_signs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Run(prefix="r", capture=False) as run:
        folder = run.read()
    attempt = msgspec.structs.replace(
        folder.attempts[0], status="RUNNING", ended=None, process=elsewhere()
    )
    (R / "attempts/1.json").write_bytes(msgspec.json.encode(attempt))
    assert str(folder.status) == "RUNNING"
    old = time.time() - attempts_room.SILENT - 1
    os.utime(R / "heartbeat", (old, old))
    assert folder.status == "LOST"


def test_a_number_of_a_process_that_another_has_now_is_no_sign_of_life() -> None:
    with Run(prefix="r", capture=False) as run:
        folder = run.read()
    ours = this_process()
    others = [
        msgspec.structs.replace(ours, pid_started=(ours.pid_started or 0) - 1),
        msgspec.structs.replace(ours, boot="before the last start"),
        msgspec.structs.replace(ours, pid=2**22 + 1),
    ]
    for process in others:
        attempt = Attempt(n=1, started=1.0, process=process)
        (R / "attempts/1.json").write_bytes(msgspec.json.encode(attempt))
        assert folder.status == "LOST"
    (R / "attempts/1.json").write_bytes(
        msgspec.json.encode(Attempt(n=1, started=1.0, process=ours))
    )
    assert folder.status == "RUNNING"


@pytest.mark.parametrize(
    ("attempts", "status"),
    [
        ([("LOST", []), ("COMPLETED", [])], "COMPLETED"),
        ([("COMPLETED", []), ("LOST", [])], "LOST"),
        ([("FAILED", []), ("COMPLETED", [1])], "FAILED"),
        ([("LOST", []), ("FAILED", [1]), ("COMPLETED", [1, 2])], "LOST"),
        ([("RUNNING", []), ("COMPLETED", [])], "RUNNING"),
        ([("CANCELLED", []), ("COMPLETED", [1]), ("COMPLETED", [2])], "CANCELLED"),
        ([("FAILED", []), ("COMPLETED", []), ("COMPLETED", [2])], "COMPLETED"),
    ],
)
def test_the_last_attempt_counts_and_those_that_ran_beside_it(
    attempts: list[tuple[Any, list[int]]], status: str
) -> None:
    told = [
        Attempt(n=n, started=1.0, process=elsewhere(), status=each, beside=beside)
        for n, (each, beside) in enumerate(attempts, 1)
    ]
    assert status_of(told) == status


class TestResume:
    def test_a_run_goes_on_and_its_attempts_are_told_apart(self) -> None:
        for epoch in (1, 2):
            with Run(prefix="long-training", project="ml") as run:
                run.log("Starting" if run.attempt == 1 else "Resuming")
                assert run.last_step("train") == (None if epoch == 1 else 1)
                run.metrics("train").log(loss=1 / epoch, step=epoch)
                run.params.set({f"epoch_{epoch}": True})
        assert [p.get("attempt", 1) for p in run.metrics("train")] == [1, 2]
        assert [line.get("attempt", 1) for line in run.log.read()] == [1, 2]
        assert run.params.get() == {"epoch_1": True, "epoch_2": True}
        assert [each.status for each in run.attempts] == ["COMPLETED", "COMPLETED"]

    def test_one_that_was_killed_goes_on(self, tmp_path: Path) -> None:
        kill(waiting(tmp_path, "run.metrics('train').log(step=7)"))
        with Run(prefix="r") as again:
            assert (again.attempt, again.last_step()) == (2, 7)
            assert [each.status for each in again.attempts] == ["LOST", "RUNNING"]
        assert again.status == "COMPLETED"

    def test_never_refuses_what_exists(self) -> None:
        with Run(prefix="r", resume="never"):
            pass
        with pytest.raises(RunError, match="exists already"):
            Run(prefix="r", resume="never").start()
        assert len(RunFolder(R).attempts) == 1

    def test_must_insists_on_one_that_has_ended(self) -> None:
        with pytest.raises(RunError, match="no run to resume"):
            Run(prefix="r", resume="must").start()
        assert not R.exists()
        with Run(prefix="r"), pytest.raises(RunError, match="still running"):
            Run(prefix="r", resume="must").start()
        with Run(prefix="r", resume="must") as run:
            assert run.attempt == 2

    def test_new_begins_another_each_time(self) -> None:
        prefixes: list[str] = []
        for _ in range(3):
            with Run(prefix="r", resume="new") as run:
                prefixes.append(run.prefix)
                assert run.attempt == 1
        assert prefixes == ["r", "r-2", "r-3"]

    def test_a_running_run_may_be_joined(self) -> None:
        with Run(prefix="r") as one, Run(prefix="r") as two:
            assert (one.attempt, two.attempt) == (1, 2)
            assert one.id == two.id
            one.metrics("train").log(step=1)
            two.metrics("train").log(step=2)
            assert len(one.metrics("train")) == len(two.metrics("train")) == 2
        assert one.attempts[1].beside == [1]
        assert one.status == "COMPLETED"


class TestRewind:
    def test_points_behind_a_step_are_hidden_and_stay_in_the_file(self) -> None:
        with Run(prefix="r") as run:
            for step in range(10):
                run.metrics("train").log(step=step, loss=1.0)
            run.metrics("train").log(note="no step")
        with Run(prefix="r", rewind=4) as run:
            assert run.last_step("train") == 4
            assert run.metrics("train").summary()["step"].last == 4
            for step in range(5, 8):
                run.metrics("train").log(step=step, loss=2.0)
            seen = [(p.get("step"), p.get("loss")) for p in run.metrics("train")]
            assert seen == [
                *((s, 1.0) for s in range(5)),
                (None, None),
                *((s, 2.0) for s in range(5, 8)),
            ]
        with Run(prefix="r", rewind=2) as run:
            run.metrics("train").log(step=3, loss=3.0)
            assert [p["step"] for p in run.metrics("train").read(start=0)] == [0, 1, 2, 3]
            assert len(run.metrics("train")) == 5
        assert len((R / "metrics/train/data.jsonl").read_text().splitlines()) == 15

    def test_a_rewind_changes_what_was_kept_of_a_long_metric(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _lines: Any = import_module("understudy.runs._lines")
        _overview: Any = import_module("understudy.runs._overview")

        monkeypatch.setattr(_overview, "CHUNK", 2000)
        monkeypatch.setattr(_lines, "CHUNK", 2000)
        with Run(prefix="r") as run:
            for step in range(1000):
                run.metrics("train").log(step=step)
            assert run.metrics("train").summary()["step"].max == 999
            assert (R / "metrics/train/overview.msgpack").exists()
        with Run(prefix="r", rewind=500) as run:
            assert run.metrics("train").summary()["step"].max == 500
            assert run.metrics("train").read(max_points=20)[-1]["step"] == 500


class TestFork:
    def test_a_fork_begins_where_the_other_was(self) -> None:
        from understudy.runs import fork

        with Run(prefix="first", tags=["a"]) as first:
            first.params.set(lr=0.1)
            for step in range(10):
                first.metrics("train/loss").log(step=step, loss=float("nan"))
        with fork(first, prefix="second", step=4, tags=["b"]) as second:
            second.metrics("train/loss").log(step=5, loss=0.5)
            second.params.set(lr=0.2)
        assert [p["step"] for p in second.metrics("train/loss")] == [0, 1, 2, 3, 4, 5]
        assert len(first.metrics("train/loss")) == 10
        assert (first.params.get(), second.params.get()) == ({"lr": 0.1}, {"lr": 0.2})
        assert second.read().info["forked"] == {"path": str(first.path), "step": 4}
        assert first.id != second.id
        with pytest.raises(RunError, match="a run of its own"):
            fork(first.path, prefix="second").start()
        with fork(first.read(), prefix="third") as third:
            assert third.last_step() == 9


def test_many_that_begin_at_once_have_each_an_attempt_and_one_run(tmp_path: Path) -> None:
    program = """
    sys.stdin.readline()
    with Run(prefix='r', capture=False) as run:
        run.params.set({f'p{os.getpid()}': 1})
        for step in range(100):
            run.metrics('train').log(step=step, pid=os.getpid())
        print(run.id)
    """
    processes = [begin(program, cwd=tmp_path) for _ in range(4)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ids = {finish(process) for process in processes}
    assert len(ids) == 1
    folder = RunFolder(R)
    assert [attempt.n for attempt in folder.attempts] == [1, 2, 3, 4]
    points = folder.metrics("train").read()
    assert len({(p["pid"], p["step"]) for p in points}) == len(points) == 400
    assert len({p.get("attempt", 1) for p in points}) == 4
    assert folder.status == "COMPLETED"
    said = json.loads((R / "run.json").read_text())
    assert (said["status"], len(said["attempts"])) == ("COMPLETED", 4)
    assert len(json.loads((R / "parameters.json").read_text())) == 4


@pytest.mark.parametrize(
    ("attempts", "paused"),
    [
        ([("COMPLETED", 0.0, 10.0, None)], 0.0),
        ([("FAILED", 0.0, 10.0, None), ("COMPLETED", 100.0, 110.0, 10.0)], 90.0),
        ([("COMPLETED", 0.0, 50.0, None), ("COMPLETED", 10.0, 20.0, 9.0)], 0.0),
        (
            [
                ("COMPLETED", 0.0, 50.0, None),
                ("COMPLETED", 10.0, 20.0, 9.0),
                ("COMPLETED", 60.0, 70.0, 50.0),
            ],
            10.0,
        ),
        ([("LOST", 0.0, None, None), ("COMPLETED", 100.0, 110.0, 40.0)], 60.0),
        ([("LOST", 0.0, None, None), ("COMPLETED", 100.0, 110.0, None)], 0.0),
        ([("COMPLETED", 0.0, 10.0, None), ("RUNNING", 30.0, None, 10.0)], 20.0),
        ([("RUNNING", 0.0, None, None), ("COMPLETED", 30.0, 40.0, 29.0)], 0.0),
    ],
)
def test_what_lies_between_attempts_is_no_part_of_how_long_a_run_took(
    attempts: list[tuple[Status, float, float | None, float | None]], paused: float
) -> None:
    told = [
        Attempt(
            n=n, status=how, started=started, ended=ended, silent_since=beat, process=this_process()
        )
        for n, (how, started, ended, beat) in enumerate(attempts, start=1)
    ]
    rest: dict[str, Any] = {"run": {}, "params": {}, "metrics": {}, "git": {}}
    info = RunInfo.told(attempts=told, project="p", prefix="r", **rest)
    assert info.paused == paused
    if info.ended == 110.0:
        assert info.duration == 110.0 - paused


def test_a_run_that_goes_on_knows_when_those_before_were_alive_last() -> None:
    with Run(prefix="r", capture=False) as run:
        pass
    os.utime(run.path / "heartbeat", (5.0, 5.0))
    with Run(prefix="r", capture=False) as run:
        pass
    assert [each.silent_since for each in run.attempts] == [None, 5.0]
