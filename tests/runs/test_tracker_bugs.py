"""What users of MLflow, wandb, aim, trackio, TensorBoard and sacred complain of, each right here."""

import math
import signal
from pathlib import Path

import pytest

from understudy.runs import Run, RunFolder

from .programs import begin, finish, kill, run

R = Path("experiments/project/r")


class TestMlflow:
    def test_processes_that_begin_at_once_race_for_a_new_store(self, tmp_path: Path) -> None:
        """aim fails with its LOCK, and trackio's database is locked, where MLflow migrates."""
        program = """
        sys.stdin.readline()
        with Run(prefix=sys.stdin.readline().strip(), capture=False) as run:
            for step in range(50):
                run.metrics('train').log(step=step)
        """
        processes = [begin(program, cwd=tmp_path) for _ in range(4)]
        for number, process in enumerate(processes):
            assert process.stdin is not None
            process.stdin.write(f"go\nr{number}\n")
            process.stdin.flush()
        assert [finish(process) for process in processes] == [""] * 4
        for number in range(4):
            folder = RunFolder(R.with_name(f"r{number}"))
            assert (folder.status, len(folder.metrics("train"))) == ("COMPLETED", 50)

    def test_a_parameter_cannot_be_changed_when_a_run_goes_on(self) -> None:
        for lr in (0.1, 0.2):
            with Run(prefix="r") as recorder:
                recorder.params.set(lr=lr)
        assert RunFolder(R).params.get() == {"lr": 0.2}

    def test_infinity_comes_back_as_the_largest_number(self) -> None:
        with Run(prefix="r") as recorder:
            recorder.metrics("train").log(up=math.inf, down=-math.inf)
            (point,) = recorder.metrics("train").read()
            assert (point["up"], point["down"]) == (math.inf, -math.inf)

    def test_nan_breaks_whoever_looks_at_the_metric(self) -> None:
        with Run(prefix="r") as recorder:
            for step, loss in enumerate((3.0, math.nan, 1.0)):
                recorder.metrics("train").log(step=step, loss=loss)
            found = recorder.metrics("train").summary()["loss"]
            assert (found.min, found.max, found.last) == (1.0, 3.0, 1.0)
            assert len(recorder.metrics("train").read(max_points=2)) <= 3


class TestWandb:
    def test_what_was_recorded_offline_cannot_be_read_here(self, tmp_path: Path) -> None:
        """Nor, in aim, before it was indexed: here another process reads it while it is live."""
        with Run(prefix="r", capture=False) as recorder:
            recorder.metrics("train").log(step=1, loss=0.5)
            told = run(
                f"""
                folder = RunFolder({str(recorder.path)!r})
                print(folder.status, folder.metrics('train').read()[0]['loss'])
                """,
                cwd=tmp_path,
            )
        assert told == "RUNNING 0.5\n"

    def test_what_was_before_a_crash_is_gone_when_an_offline_run_goes_on(
        self, tmp_path: Path
    ) -> None:
        program = """
        run = Run(prefix='r', capture=False).start()
        first = (run.last_step('train') or 0) + 1
        for step in range(first, first + 10):
            run.metrics('train').log(step=step)
        print('ready', flush=True)
        sys.stdin.read()
        """
        for _ in range(3):
            process = begin(program, cwd=tmp_path)
            assert process.stdout is not None
            process.stdout.readline()
            kill(process)
        assert [p["step"] for p in RunFolder(R).metrics("train")] == [*range(1, 31)]
        assert [each.status for each in RunFolder(R).attempts] == ["LOST"] * 3

    def test_an_earlier_step_is_refused(self) -> None:
        with Run(prefix="r") as recorder:
            for step in (1, 5, 3, 5):
                recorder.metrics("train").log(step=step)
            assert [p["step"] for p in recorder.metrics("train")] == [1, 5, 3, 5]

    def test_nothing_can_be_added_to_a_run_that_has_ended(self) -> None:
        with Run(prefix="r") as recorder:
            recorder.metrics("train").log(step=1)
        with Run(prefix="r") as again:
            again.metrics("test").log(accuracy=0.9)
            again.update(tags=["tested"])
        assert RunFolder(R).metric_names == ["test", "train"]
        assert RunFolder(R).info["tags"] == ["tested"]


class TestAim:
    def test_a_run_that_was_killed_is_in_progress_for_ever(self, tmp_path: Path) -> None:
        process = begin(
            """
            run = Run(prefix='r', capture=False).start()
            print('ready', flush=True)
            sys.stdin.read()
            """,
            cwd=tmp_path,
        )
        assert process.stdout is not None
        process.stdout.readline()
        assert RunFolder(R).status == "RUNNING"
        kill(process)
        assert RunFolder(R).status == "LOST"


class TestSacred:
    @pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
    def test_what_no_heartbeat_has_written_is_lost(self, sign: int, tmp_path: Path) -> None:
        """trackio, wandb, tensorboardX and MLflow's asynchronous calls lose some of it as well."""
        process = begin(
            """
            run = Run(prefix='r', capture=False).start()
            step = 0
            while True:
                run.metrics('train').log(step=step)
                run.log('step', step=step)
                step += 1
                print(step, flush=True)
            """,
            cwd=tmp_path,
        )
        assert process.stdout is not None
        for _ in range(50):
            process.stdout.readline()
        told = [line for line in kill(process, sign).splitlines(keepends=True) if line[-1] == "\n"]
        acknowledged = int(told[-1]) if told else 50
        assert len(RunFolder(R).metrics("train")) >= acknowledged
        assert len(RunFolder(R).log.read()) >= acknowledged
