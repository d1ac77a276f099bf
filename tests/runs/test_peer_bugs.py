"""What the recorders that people use get wrong, each right here."""

import asyncio
import hashlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from understudy.runs import Run, RunArgumentError, RunFolder, recorded

from .programs import begin, kill, run
from .servers import TOKEN, Mood, Server, compare

R = Path("experiments/project/r")


class TestDataLost:
    def test_saving_a_file_under_the_temporary_folder_deletes_it(self, tmp_path: Path) -> None:
        import tempfile

        with tempfile.TemporaryDirectory() as folder, Run(prefix="r") as recorder:
            source = Path(folder, "x/model.pth")
            source.parent.mkdir()
            source.write_bytes(b"weights")
            recorder.files("models").save(source)
            assert source.read_bytes() == b"weights"
            assert recorder.files("models").load("model.pth") == b"weights"

    @pytest.mark.parametrize("value", [Path("/x"), np.float32(1), object()])
    def test_one_odd_parameter_destroys_all(self, value: Any) -> None:
        with Run(prefix="r") as recorder:
            recorder.params.set(lr=0.1)
            recorder.params.set(odd=value)
            recorder.params.set(seed=1)
            assert {"lr": 0.1, "seed": 1}.items() <= recorder.params.get().items()
            json.loads((R / "parameters.json").read_text())

    def test_a_disk_that_is_full_cuts_all_parameters_short(self, tmp_path: Path) -> None:
        told = run(
            """
            import logging, resource, signal
            logging.disable()
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            with Run(prefix='r', capture=False) as run:
                run.params.set(lr=0.1)
                sizes = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (60, sizes[1]))
                run.params.set(long='x' * 1000)
                resource.setrlimit(resource.RLIMIT_FSIZE, sizes)
                print(run.params.get(), len(run.problems))
            """,
            cwd=tmp_path,
        )
        assert told == "{'lr': 0.1} 1\n"
        assert json.loads((R / "parameters.json").read_text()) == {"lr": 0.1}

    @pytest.mark.parametrize(
        "odd",
        [datetime.now(), np.float32(1), np.int64(1), np.ones(3), object()],
        ids=["datetime", "float32", "int64", "array", "object"],
    )
    def test_one_odd_value_loses_a_whole_batch(self, odd: Any) -> None:
        with Run(prefix="r") as recorder:
            for step in range(1000):
                recorder.metrics("train").log(step=step, odd=odd if step == 500 else 0)
        assert [p["step"] for p in recorder.metrics("train")] == [*range(1000)]

    @pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
    def test_a_signal_loses_what_was_not_flushed(self, sign: int, tmp_path: Path) -> None:
        process = begin(
            """
            run = Run(prefix='r', capture=False).start()
            for step in range(100):
                run.metrics('train').log(step=step)
            print('ready', flush=True)
            sys.stdin.read()
            """,
            cwd=tmp_path,
        )
        assert process.stdout is not None
        process.stdout.readline()
        kill(process, sign)
        assert len(RunFolder(R).metrics("train")) == 100

    def test_a_metric_with_a_slash_loses_every_point(self) -> None:
        with Run(prefix="r") as recorder:
            recorder.metrics("train/loss").log(value=1)
            recorder.metrics("train").log(value=2)
            assert recorder.metric_names == ["train", "train/loss"]
            assert recorder.metrics("train/loss").read()[0]["value"] == 1

    def test_the_points_of_a_forked_child_vanish(self, tmp_path: Path) -> None:
        run(
            """
            run = Run(prefix='r', capture=False).start()
            run.metrics('train').log(step=0)
            if not os.fork():
                for step in range(1, 11):
                    run.metrics('train').log(step=step)
                os._exit(0)
            os.wait()
            """,
            cwd=tmp_path,
        )
        assert [p["step"] for p in RunFolder(R).metrics("train")] == [*range(11)]

    def test_a_line_that_cannot_be_written_goes_unnoticed(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with Run(prefix="r") as recorder:
            (R / "logs").write_text("a file where the folder should be")
            recorder.log("one")
            recorder.log("two")
        assert recorder.problems["write"] == 2
        assert len(caplog.records) == 1
        assert "'one'" in caplog.text

    def test_a_point_logged_after_the_end_is_accepted_and_lost(self) -> None:
        with Run(prefix="r") as recorder:
            train = recorder.metrics("train")
        train.log(step=1)
        train.close()
        assert len(train.read()) == 1

    def test_a_file_changed_after_it_was_saved_spoils_its_checksum(self, tmp_path: Path) -> None:
        source = tmp_path / "model.pth"
        source.write_bytes(b"old")
        with Run(prefix="r") as recorder:
            saved = recorder.files("models").save(source)
            source.write_bytes(b"new")
            assert recorder.files("models").load("model.pth") == b"old"
            assert saved is not None
            assert saved.sha256 == hashlib.sha256(b"old").hexdigest()

    def test_a_server_that_is_away_takes_the_local_files_with_it(self) -> None:
        with Run(prefix="r", remote="http://127.0.0.1:9") as recorder:
            for step in range(50):
                recorder.metrics("train").log(step=step)
            recorder.log("x")
        assert (len(recorder.metrics("train")), len(recorder.log.read())) == (50, 1)

    def test_a_server_that_is_away_blocks_whoever_trains(self) -> None:
        with Run(prefix="r", remote="http://127.0.0.1:9") as recorder:
            for step in range(2_000):
                recorder.metrics("train").log(step=step)
            ours = [each for each in threading.enumerate() if each.name.startswith("understudy")]
            assert len(ours) <= 1
        assert len(recorder.metrics("train")) == 2_000

    def test_two_projects_with_one_prefix_share_a_folder(self) -> None:
        with Run(prefix="r", project="a") as one, Run(prefix="r", project="b") as two:
            one.params.set(of="a")
            two.params.set(of="b")
            assert one.path != two.path
            assert (one.params.get(), two.params.get()) == ({"of": "a"}, {"of": "b"})


class TestWrongOrUnsafe:
    @pytest.mark.parametrize("name", ["../../x", "/nowhere/x", "..", "a/../../b", "..\\x", "C:x"])
    def test_a_name_leads_out_of_the_folder(self, name: str, tmp_path: Path) -> None:
        with Run(prefix=name, project=name, root=tmp_path / "root") as recorder:
            recorder.metrics(name).log(x=1)
            recorder.files(name).save(b"x", to=name)
            assert recorder.path.resolve().parent.parent == tmp_path / "root"
            assert recorder.metric_names == recorder.read().file_prefixes == [name]
        assert [path.name for path in tmp_path.iterdir()] == ["root"]
        assert not Path("/nowhere").exists()

    def test_two_names_are_one_file(self) -> None:
        names = ["a/b", "a_b", "a.b", "A/B", "None", "none"]
        with Run(prefix="r", capture=False) as recorder:
            for number, name in enumerate(names):
                recorder.metrics(name).log(number=number)
            assert recorder.metric_names == sorted(names)
            for number, name in enumerate(names):
                assert [p["number"] for p in recorder.metrics(name)] == [number]

    def test_nan_is_written_as_something_that_is_no_json(self) -> None:
        def refuse(name: str) -> None:
            raise AssertionError(name)

        with Run(prefix="r") as recorder:
            recorder.metrics("train").log(loss=math.nan, best=math.inf)
            (line,) = (R / "metrics/train/data.jsonl").read_text().splitlines()
            json.loads(line, parse_constant=refuse)
            (point,) = recorder.metrics("train").read()
            assert math.isnan(point["loss"])
            assert point["best"] == math.inf

    def test_crashed_and_finished_runs_look_alike(self, tmp_path: Path) -> None:
        run("Run(prefix='r', capture=False).start(); os._exit(1)", cwd=tmp_path, code=1)
        assert RunFolder(R).status == "LOST"
        with Run(prefix="r") as recorder:
            assert str(recorder.status) == "RUNNING"
        assert recorder.status == "COMPLETED"

    def test_a_keyboard_interrupt_is_a_failure(self) -> None:
        with pytest.raises(KeyboardInterrupt), Run(prefix="r") as recorder:
            raise KeyboardInterrupt
        assert recorder.status == "CANCELLED"

    def test_what_was_just_logged_cannot_be_read(self) -> None:
        with Run(prefix="r") as recorder:
            for _ in range(10):
                recorder.metrics("train").log(loss=1)
            recorder.files("models").save(b"x", to="x")
            assert len(recorder.metrics("train").read()) == 10
            assert recorder.metrics("train").summary()["loss"].count == 10
            assert len(recorder.files("models").list()) == 1

    def test_a_parameter_beside_one_with_a_dot_cannot_be_read(self) -> None:
        with Run(prefix="r") as recorder:
            recorder.params.set({"model": 1, "model.lr": 2}, self=3)
            assert recorder.params.get() == {"model": 1, "model.lr": 2, "self": 3}
            recorder.log("x", message="y", self=1)
            assert recorder.log.read()[0]["$message"] == "y"

    def test_a_field_called_ts_raises(self) -> None:
        with Run(prefix="r") as recorder:
            recorder.metrics("train").log(_ts="abc", ts="abc", loss=1)
            assert recorder.metrics("train").read()[0]["_ts"] == "abc"

    def test_saving_the_thousandth_file_rewrites_a_list_of_all(self) -> None:
        with Run(prefix="r", capture=False) as recorder:
            for _ in range(30):
                recorder.files("models").save(b"x", to="x")
            told = [path.stat().st_size for path in R.glob("files/models/*/file.json")]
            assert len(told) == 30
            assert max(told) - min(told) < 10

    def test_a_run_within_a_run_mixes_with_its_data(self) -> None:
        with Run(prefix="r") as outer, Run(prefix="r/metrics") as inner:
            inner.metrics("train").log(x=1)
            assert outer.metric_names == []
            assert inner.path.parent == outer.path.parent

    def test_an_import_asks_the_network_and_brings_the_world(self) -> None:
        code = (
            "import sys; before = {*sys.modules}; from understudy.runs import Run; "
            "print(*({*sys.modules} - before))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        loaded = {name.partition(".")[0] for name in done.stdout.split()}
        assert not loaded & NEVER_WITH_IMPORT
        recording = (
            "import sys; from understudy.runs import Run\n"
            "with Run(prefix='r') as run:\n"
            "    run.metrics('train').log(loss=1); run.params.set(a=1); run.log('x')\n"
            "print(*sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", recording], capture_output=True, text=True, check=True
        )
        assert not {name.partition(".")[0] for name in done.stdout.split()} & NEVER

    def test_where_there_is_no_fcntl_it_cannot_be_imported(self, tmp_path: Path) -> None:
        told = run(
            """
            print(*[RunFolder('experiments/project/r').metrics('m').read()[0]['x']])
            """,
            cwd=self._recorded_without(tmp_path, "fcntl", "resource", "pwd", "grp", "termios"),
        )
        assert told == "1\n"

    def _recorded_without(self, folder: Path, *modules: str) -> Path:
        """Record a run where some modules of Unix are not there."""
        code = (
            f"import sys; sys.modules.update(dict.fromkeys({modules!r}))\n"
            "from understudy.runs import Run\n"
            "with Run(prefix='r') as run:\n"
            "    run.metrics('m').log(x=1); run.params.set(a=1); run.log('x')\n"
            "    run.files('f').save(b'x', to='x'); assert not run.problems, run.problems\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True, cwd=folder)
        return folder

    def test_a_thread_of_its_own_stalls_whoever_logs(self) -> None:
        before = threading.active_count()
        with Run(prefix="r", capture=False) as recorder:
            for name in "abc":
                recorder.metrics(name).log(x=1)
            assert threading.active_count() <= before + 1  # for the signs of life, every 5 s

    def test_unknown_arguments_are_swallowed(self) -> None:
        with pytest.raises(RunArgumentError):
            Run(prefix="r", totally_bogus=1)  # type: ignore[arg-type]  # pyright: ignore

    async def test_a_coroutine_is_recorded_before_it_runs(self) -> None:
        @recorded(prefix="r")
        async def train(run: Run) -> None:
            await asyncio.sleep(0)
            run.metrics("train").log(x=1)

        await train()
        assert len(RunFolder(R).metrics("train")) == 1

    def test_a_generator_is_recorded_before_its_first_item(self) -> None:
        @recorded(prefix="r")
        def train(run: Run) -> Iterator[int]:
            for epoch in range(3):
                run.metrics("train").log(epoch=epoch)
                yield epoch

        assert [*train()] == [0, 1, 2]
        assert len(RunFolder(R).metrics("train")) == 3
        assert RunFolder(R).status == "COMPLETED"

    def test_to_open_a_run_for_reading_changes_it(self) -> None:
        with Run(prefix="r", capture=False) as recorder:
            recorder.metrics("train").log(step=1)
        before = {path: path.stat().st_mtime_ns for path in R.rglob("*") if path.is_file()}
        assert RunFolder(R).metrics("train").read()[0]["step"] == 1
        assert RunFolder(R).params.get() == {}
        after = {path: path.stat().st_mtime_ns for path in R.rglob("*") if path.is_file()}
        assert after == before

    def test_to_set_a_parameter_again_forgets_when_the_first_was_set(self) -> None:
        with Run(prefix="r") as recorder:
            recorder.params.set(lr=0.1)
            recorder.params.set(lr=0.2)
            assert recorder.params.get() == {"lr": 0.2}
        lines = (R / "parameters.jsonl").read_text().splitlines()
        assert [json.loads(line)["set"] for line in lines] == [{"lr": 0.1}, {"lr": 0.2}]

    def test_anything_is_printed(self, capfd: pytest.CaptureFixture[str]) -> None:
        with Run(prefix="r") as recorder:
            recorder.log("quiet")
        assert capfd.readouterr() == ("", "")


class TestSent:
    """What goes wrong when a server is told."""

    @pytest.fixture
    def server(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
        monkeypatch.setattr("understudy.runs._sender._EVERY", 0.01)
        monkeypatch.setattr("understudy.runs._sender._FIRST_WAIT", 0.02)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with Server() as server:
            yield server

    def test_a_server_that_says_503_takes_the_local_files_with_it(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("UNDERSTUDY_SYNC_PATIENCE", "0")
        away: list[Mood] = ["503"]
        server.moods.extend(away * 1000)
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as recorder:
            for step in range(50):
                recorder.metrics("train").log(step=step)
            recorder.log("x")
        assert (len(recorder.metrics("train")), len(recorder.log.read())) == (50, 1)
        assert recorder.status == "COMPLETED"

    def test_a_name_is_not_quoted_and_its_points_go_elsewhere(self, server: Server) -> None:
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as recorder:
            for name in ("a/b?x#y", "a/b", "None", "100 %"):
                recorder.metrics(name).log(name=name)
        compare(recorder.path, server.kept)
        assert len([path for path in server.kept.lines if path.startswith("metrics/")]) == 4

    def test_a_loss_that_is_nan_ends_the_run(self, server: Server) -> None:
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as recorder:
            recorder.metrics("train").log(loss=math.nan)
        compare(recorder.path, server.kept)
        assert (recorder.status, server.kept.is_ended) == ("COMPLETED", True)

    def test_a_reply_that_is_lost_has_points_arrive_twice(self, server: Server) -> None:
        server.moods.extend(["well", "well", "midway", "midway"])
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as recorder:
            for step in range(100):
                recorder.metrics("train").log(step=step)
        compare(recorder.path, server.kept)
        (lines,) = [data for path, data in server.kept.lines.items() if path.startswith("metrics")]
        assert len(lines.splitlines()) == 100


NEVER = {"sqlite3", "structlog", "uvloop", "numpy", "httpx", "requests", "ssl", "http"}
NEVER_WITH_IMPORT = NEVER | {"asyncio", "subprocess", "threading", "logging", "inspect", "socket"}


class TestTrouble:
    """Nothing that goes wrong with recording is raised into what is recorded."""

    def test_a_root_that_cannot_be_made(self, caplog: pytest.LogCaptureFixture) -> None:
        Path("file").write_text("")
        with Run(prefix="r", root="file/root") as recorder:
            recorder.log("x")
            recorder.params.set(a=1)
            recorder.metrics("train").log(x=1)
            assert recorder.files("f").save(b"x", to="x") is None
            assert recorder.metrics("train").read() == []
            assert recorder.log.read() == []
            assert recorder.params.get() == {}
            assert str(recorder.status) == "RUNNING"
        assert recorder.status == "COMPLETED"
        assert {*recorder.problems} == {"write", "params", "file", "state"}
        assert len(caplog.records) == 4

    def test_a_folder_that_may_only_be_read(self, tmp_path: Path) -> None:
        with Run(prefix="r") as recorder:
            recorder.metrics("train").log(x=1)
        (tmp_path / "program.py").write_text(
            "import logging, os, sys\nlogging.disable()\n"
            "from understudy.runs import Run\n"
            "def record(root):\n"
            "    with Run(prefix='r', root=root, capture=False) as run:\n"
            "        run.log('x'); run.metrics('train').log(x=2); run.metrics('new').log(x=2)\n"
            "        run.params.set(a=1); run.files('f').save(b'x', to='x')\n"
            "    return len(run.metrics('train').read()), sorted(run.problems)\n"
            "assert record('warm') == (1, [])  # all is imported while Python may be read\n"
            "if os.getuid() == 0:\n    os.setgid(65534); os.setuid(65534)\n"
            "print(*record('experiments'))\n"
        )
        folders = [tmp_path, *tmp_path.parents]
        modes = {path: path.stat().st_mode for path in folders[:3]}
        for path in modes:
            path.chmod(0o755)
        for path in [R, *R.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            done = subprocess.run(
                [sys.executable, "program.py"],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
        finally:
            for path in [R, *R.rglob("*")]:
                path.chmod(0o755 if path.is_dir() else 0o644)
            for path, mode in modes.items():
                path.chmod(mode)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "1 ['file', 'params', 'state', 'write']\n"

    def test_a_disk_that_is_full_and_has_room_again(self) -> None:
        with Run(prefix="r", capture=False) as recorder:
            folder = R / "metrics/train"
            folder.mkdir(parents=True)
            (folder / "data.jsonl").symlink_to("/dev/full")
            train = recorder.metrics("train")
            train.log(step=1)
            assert recorder.problems["write"] == 1
            train.close()
            (folder / "data.jsonl").unlink()
            train.log(step=2)
            assert [p["step"] for p in train] == [2]

    def test_strict_raises_what_else_is_only_counted(self) -> None:
        Path("file").write_text("")
        with pytest.raises(ValueError, match="cannot be kept in"):
            Run(prefix="r", root="file/root", strict=True).start()
        with (
            Run(prefix="r", strict=True) as recorder,
            pytest.raises(ValueError, match="a point of the metric 'm'"),
        ):
            (R / "metrics").write_text("")
            recorder.metrics("m").log(x=1)

    def test_the_end_is_quick_though_what_is_looked_up_takes_for_ever(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _recording: Any = import_module("understudy.runs._recording")

        released = threading.Event()
        monkeypatch.setattr(_recording, "_PATIENCE", 0.01)
        monkeypatch.setattr(_recording, "capture", lambda *given: released.wait(20))
        begun = time.monotonic()
        with Run(prefix="r") as recorder:
            recorder.log("x")
        assert time.monotonic() - begun < 15
        assert recorder.status == "COMPLETED"
        thread = next(each for each in threading.enumerate() if each.name == "understudy run")
        released.set()
        thread.join(10)
        assert not thread.is_alive()


def test_nothing_is_open_when_runs_have_ended() -> None:
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for number in range(20):
        with Run(prefix=f"r{number}", capture=False) as recorder:
            for name in "abc":
                recorder.metrics(name).log(x=1)
            recorder.log("x")
            recorder.params.set(a=1)
    after = len(os.listdir("/proc/self/fd")) if before else 0
    assert after <= before + 1
