"""`understudy runs export` and `rm`: nothing is lost on the way, and nothing goes unasked."""

import csv
import io
import json
import math
import os
import re
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tests.dashboard.terminal import Terminal
from tests.runs.commands import Commands, make
from understudy import runs as recorded
from understudy.runs import Run, RunFolder

_export: Any = import_module("understudy.runs._export")
remove: Any = import_module("understudy.runs._removal").remove

WRITERS: dict[str, Callable[[list[RunFolder], BinaryIO], None]] = {
    "jsonl": lambda runs, file: _export.write_jsonl(runs, ["train"], file.write),
    "csv": lambda runs, file: _export.write_csv(runs, "train", file.write),
    "json": lambda runs, file: _export.write_json(runs, ["train"], file.write),
    "zip": _export.write_zip,
}
COMMAND = [sys.executable, "-m", "understudy", "runs"]


@pytest.fixture
def runs(capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(capsys)


@pytest.fixture
def live() -> Iterator[Run]:
    with Run(prefix="live", project="vision", capture=False) as run:
        run.metrics("train").log(step=1, loss=0.5)
        yield run


class TestExport:
    def test_each_point_is_a_line(self, runs: Commands) -> None:
        with Run(prefix="odd", capture=False) as run:
            run.metrics("a/b").log(step=1, loss=math.nan, run="x", metric=[1])
            run.metrics("c").log(step=2, loss=math.inf)
        lines = [json.loads(line) for line in runs("export", "odd").splitlines()]
        assert [line.pop("ts") > 0 for line in lines] == [True, True]
        nan, inf = {"$null": "nan"}, {"$null": "inf"}
        assert lines == [
            {"run": "project/odd", "metric": "a/b", "step": 1, "loss": nan, "$run": "x", "$metric": [1]},
            {"run": "project/odd", "metric": "c", "step": 2, "loss": inf},
        ]  # fmt: skip
        assert runs("export", "odd", "-m", "c").count("\n") == 1

    def test_csv_has_the_columns_of_all_and_what_is_no_number_as_itself(
        self, runs: Commands
    ) -> None:
        told: dict[str, list[dict[str, Any]]] = {
            "one": [{"step": 1, "loss": math.nan}, {"loss": -math.inf, "text": 'a,"b'}],
            "two": [{"step": 2, "lists": [1, None], "run": "r", "none": None, "yes": True}],
        }
        for prefix, points in told.items():
            with Run(prefix=prefix, capture=False) as run:
                run.metrics("train").log_many(points)
        text = runs("export", "project == 'project'", "-f", "csv")
        rows = sorted(csv.DictReader(io.StringIO(text)), key=lambda row: row["run"])
        assert [*rows[0]] == ["run", "ts", "step", "lists", "$run", "none", "yes", "loss", "text"]
        assert [row["loss"] for row in rows] == ["nan", "-inf", ""]
        assert [row["step"] for row in rows] == ["1", "", "2"]
        assert (rows[1]["text"], rows[2]["lists"], rows[2]["$run"]) == ('a,"b', "[1,null]", "r")
        assert (rows[2]["none"], rows[2]["yes"]) == ("", "True")

    def test_csv_of_several_metrics_goes_into_a_folder(self, runs: Commands) -> None:
        with Run(prefix="odd", capture=False) as run:
            run.metrics("a/b").log(step=1)
            run.metrics("c").log(step=2)
        assert "say which, --metric" in runs.refuses("export", "odd", "-f", "csv")
        told = runs.json("export", "odd", "-f", "csv", "-o", "points")
        names = [Path(file["path"]).name for file in told["files"]]
        assert sorted(names) == sorted(os.listdir("points")) == ["a%2Fb.csv", "c.csv"]
        code, out, err = runs.all("export", "odd", "-m", "c", "-o", "c.csv")
        assert (code, out) == (0, "")
        assert re.fullmatch(r"c\.csv: \d+ bytes\n", err)
        assert Path("c.csv").read_text() == Path("points/c.csv").read_text()

    def test_json_is_all_that_is_known(self, runs: Commands) -> None:
        make("first", lr=0.1)
        make("second", losses=0)
        told = runs.json("export", "first")
        assert told["params"]["lr"] == 0.1
        assert len(told["metrics"]["train"]) == 20
        assert next(line["message"] for line in told["log"]) == "began"
        both = runs.json("export", "status == 'COMPLETED'")
        assert [each["info"]["prefix"] for each in both] == ["second", "first"]
        assert both[0]["metrics"] == {}

    def test_a_zip_is_the_folder_whole(self, runs: Commands) -> None:
        run = make("first/" + "long" * 100)
        (run.path / "link").symlink_to("/etc/passwd")
        (run.path / ".half.new").write_text("half")
        (run.path / "old").write_text("old")
        os.utime(run.path / "old", (0, 0))
        runs.all("export", run.id, "-o", "run.zip")
        with zipfile.ZipFile("run.zip") as archive:
            assert archive.testzip() is None
            names = {name.partition(f"{run.path.name}/")[2] for name in archive.namelist()}
            archive.extractall("unpacked")
        there = {
            path.relative_to(run.path).as_posix() for path in run.path.rglob("*") if path.is_file()
        }
        assert names == there - {"link", ".half.new"}
        (info,) = recorded.list("unpacked")
        assert (info.id, info.prefix) == (run.id, run.prefix)

    def test_a_zip_can_go_through_a_pipe_but_not_to_a_terminal(self) -> None:
        make("first")
        asked = [*COMMAND, "export", "first", "-f", "zip"]
        done = subprocess.run(asked, capture_output=True, check=True)
        assert zipfile.ZipFile(io.BytesIO(done.stdout)).testzip() is None
        with Terminal("runs", "export", "first", "-f", "zip", width=120) as terminal:
            assert terminal.end() == 1
            assert "nothing for a terminal" in terminal.text

    def test_frames_can_read_it(self, runs: Commands) -> None:
        polars = pytest.importorskip("polars")
        make("first")
        make("second", losses=5)
        runs.all("export", "'f' in tags or 's' in tags", "-o", "points.parquet")
        frame = polars.read_parquet("points.parquet")
        assert len(frame) == 25
        assert {*frame.columns} == {"run", "metric", "ts", "step", "loss", "epoch"}

    def test_what_cannot_be_written_leaves_nothing(self, runs: Commands) -> None:
        make("first")
        Path("there.json").write_text("before")
        for asked, says in [
            (["first", "-o", "runs.tar"], "in which format"),
            (["first", "-o", "no/where.zip"], "there is no folder no"),
            (["first", "-m", "trian"], "did you mean 'train'"),
            (["status = 1"], "compare with =="),
            (["status == 'LOST'"], "no run is so"),
            (["frist"], "did you mean 'first'"),
            (["first", "-f", "zip", "-m", "train", "-o", "x.zip"], "leave --metric out"),
            (["first", "-f", "parquet"], "-o points.parquet"),
        ]:
            assert says in runs.refuses("export", *asked), asked
        assert {*os.listdir()} == {"experiments", "there.json"}
        assert Path("there.json").read_text() == "before"

    @pytest.mark.parametrize("kind", ["jsonl", "csv", "json", "zip"])
    def test_it_takes_no_more_memory_for_a_long_metric(self, kind: str) -> None:
        with Run(prefix="long", capture=False) as run:
            run.metrics("train").log(step=0, text="x" * 1_000)
        path = run.path / "metrics/train/data.jsonl"
        line = path.read_bytes()
        peaks: list[int] = []
        for count in (4_000, 16_000):
            path.write_bytes(line * count)
            with Path("out").open("wb") as file:
                tracemalloc.start()
                WRITERS[kind]([run.read()], file)
                peaks.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.stop()
                assert kind == "zip" or file.tell() > count * 1_000
        assert peaks[1] < peaks[0] * 1.2
        assert peaks[1] < 12_000_000

    def test_who_has_seen_enough_ends_it(self) -> None:
        make("first", losses=20_000)
        with Terminal("runs", "export", "first") as terminal:
            terminal.shows('"metric":"train"')
            terminal.type("\x03")
            assert terminal.end() == 130
            assert "Traceback" not in terminal.text

    def test_a_file_that_is_cut_short_is_not_there(
        self, runs: Commands, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make("first")
        Path("out.jsonl").write_text("before")

        def write_some(_: object, __: object, write: Callable[[bytes], object]) -> None:
            write(b"half a li")
            raise KeyboardInterrupt

        monkeypatch.setattr(_export, "write_jsonl", write_some)
        assert runs.all("export", "first", "-o", "out.jsonl") == (130, "", "")
        assert {*os.listdir()} == {"experiments", "out.jsonl"}
        assert Path("out.jsonl").read_text() == "before"

    def test_a_run_that_goes_on_is_written_as_it_is(self, runs: Commands, live: Run) -> None:
        with (live.path / "metrics/train/data.jsonl").open("ab") as file:
            file.write(b'{"step":2,"lo')
        assert runs("export", "live").count("\n") == 1
        assert runs("export", "live", "-f", "csv").count("\n") == 2


class TestRm:
    def test_with_yes_it_removes_at_once_and_says_what(self, runs: Commands) -> None:
        run, kept = make("first").read(), make("second").read()
        id, kept_id = run.id, kept.id
        runs("ls")
        told = runs.json("rm", "first", id, "--yes")
        assert told == {
            "removed": [{"id": id, "project": "vision", "prefix": "first", "path": str(run.path)}]
        }
        assert [info.id for info in recorded.list()] == [kept_id]
        assert os.listdir("experiments/vision") == ["second"]

    def test_on_a_terminal_it_asks(self) -> None:
        make("first")
        make("second")
        for answer, code, left in (("n\r", 1, 2), ("\x03", 130, 2), ("\x04", 1, 2), ("y\r", 0, 0)):
            with Terminal("runs", "rm", "first", "second") as terminal:
                terminal.shows("Remove these 2 runs for good? [y/N]")
                assert "COMPLETED  vision/first" in terminal.text
                terminal.type(answer)
                assert terminal.end() == code
            assert len(recorded.list()) == left

    def test_where_nobody_can_be_asked_it_removes_nothing(self) -> None:
        make("first")
        done = subprocess.run(
            [*COMMAND, "rm", "first"], capture_output=True, text=True, check=False, input="y\n"
        )
        assert done.returncode == 1
        assert "say --yes" in done.stderr
        assert len(recorded.list()) == 1

    def test_one_that_runs_stays_and_so_do_the_others(self, runs: Commands, live: Run) -> None:
        make("first")
        assert "vision/live is running" in runs.refuses("rm", "first", "live", "--yes")
        assert len(recorded.list()) == 2
        assert runs("rm", "live", "--yes", "--force") == "removed vision/live\n"
        assert [info.prefix for info in recorded.list()] == ["first"]

    def test_one_that_is_unknown_keeps_all(self, runs: Commands) -> None:
        make("first")
        assert "did you mean" in runs.refuses("rm", "first", "vision/firts", "--yes")
        assert len(recorded.list()) == 1

    def test_a_folder_that_only_looks_like_a_run_stays(
        self, runs: Commands, tmp_path: Path
    ) -> None:
        mine = tmp_path / "mine"
        mine.mkdir()
        (mine / "parameters.json").write_text("{}")
        assert "has no run.json" in runs.refuses("rm", str(mine), "--yes")
        assert mine.is_dir()

    def test_a_link_is_removed_not_what_it_leads_to(self, runs: Commands, tmp_path: Path) -> None:
        run = make("first")
        elsewhere = tmp_path / "elsewhere"
        run.path.rename(elsewhere)
        run.path.symlink_to(elsewhere)
        runs("rm", "vision/first", "--yes")
        assert not run.path.is_symlink()
        assert (elsewhere / "run.json").is_file()

    def test_one_that_was_cut_short_leaves_no_half_run(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = make("first"), make("second")

        def die(path: Path) -> None:
            os.remove(path / "run.json")
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr("understudy.runs._removal.shutil.rmtree", die)
            with pytest.raises(KeyboardInterrupt):
                remove(first.path)
        assert len(os.listdir("experiments/vision")) == 2
        assert [info.prefix for info in recorded.list()] == ["second"]
        remove(second.path)
        assert os.listdir("experiments/vision") == []
        make("first")
        assert len(recorded.list()) == 1
