"""`understudy runs ls`, `show` and `diff`: what they say, on terminals and to programs."""

import doctest
import json
import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.dashboard.terminal import Terminal
from tests.runs.commands import Commands, make
from understudy.cli import main
from understudy.runs import Run

COMMAND = [sys.executable, "-m", "understudy", "runs"]


@pytest.fixture
def runs(capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(capsys)


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


class TestLs:
    def test_it_lists_the_newest_first_with_what_sets_them_apart(self, runs: Commands) -> None:
        make("first", lr=0.1)
        make("second", lr=0.2)
        head, *rows = words(runs("ls"))
        assert head == ["status", "run", "created", "took", "lr", "train.loss"]
        assert [(row[0], row[1], row[-2], row[-1]) for row in rows] == [
            ("COMPLETED", "vision/second", "0.2", "0.149569"),
            ("COMPLETED", "vision/first", "0.1", "0.149569"),
        ]

    @pytest.mark.parametrize(
        ("asked", "note"),
        [
            (["--sort", "metrics.trian.loss"], "no run has metrics.trian: did you mean 'train'?"),
            (["metrics.train.los < 1"], "no run has metrics.train.los: did you mean 'loss'?"),
            (["metrics.val > 1"], "say which field of metrics.val: there are 'f1', 'recall'"),
            (["has(params.lrr)", "--status", "completed"], "no run has params.lrr: did you mean"),
        ],
    )
    def test_a_name_that_no_run_has_is_told_beside_the_list(
        self, runs: Commands, asked: list[str], note: str
    ) -> None:
        make("first", lr=0.1)
        with Run(prefix="other", capture=False) as other:
            other.metrics("val").log(f1=1, recall=1)
        code, _, err = runs.all("ls", *asked)
        assert (code, err.startswith(f"understudy runs ls: {note}")) == (0, True)

    def test_a_name_that_another_run_has_is_not_told(self, runs: Commands) -> None:
        make("first", lr=0.1)
        make("second", project="speech")
        assert "first" not in runs("ls", "--project", "speech", "--sort", "params.lr")

    def test_it_takes_a_filter_and_everything_else_together(self, runs: Commands) -> None:
        for number in range(4):
            make(f"{'ab'[number % 2]}{number}", lr=number, seed=0)
        make("b9", project="other", lr=9)
        asked = (
            "ls",
            "params.lr > 0",
            "--project",
            "vision",
            "--tag",
            "b",
            "--status",
            "completed",
        )
        shown = runs(*asked, "--sort", "params.lr", "--columns", "params.lr, params.seed,duration")
        head, *rows = words(shown)
        assert head == ["status", "run", "lr", "seed", "duration"]
        assert [row[1:4] for row in rows] == [["vision/b1", "1", "0"], ["vision/b3", "3", "0"]]
        limited = words(runs(*asked, "--limit", "1", "--sort=-params.lr"))
        assert [row[1] for row in limited] == ["run", "vision/b3"]

    def test_list_and_compare_are_other_words_for_ls_and_diff(self, runs: Commands) -> None:
        make("first", lr=0.1)
        make("second", lr=0.2)
        assert runs("list", "params.lr > 0.1") == runs("ls", "params.lr > 0.1")
        assert runs("compare", "first", "second") == runs("diff", "first", "second")

    def test_as_json_it_is_an_array_of_all_that_is_known(self, runs: Commands) -> None:
        run = make("first", lr=float("nan"))
        (info,) = runs.json("ls")
        assert (info["id"], info["params"]["lr"]) == (run.id, {"$null": "nan"})
        assert info["metrics"]["train"]["loss"]["count"] == 20
        (some,) = runs.json("ls", "--columns", "metrics.train.loss.max,params.nothing")
        assert (some["prefix"], some["metrics.train.loss.max"]) == ("first", 1.0)
        assert some["params.nothing"] is None
        assert runs.json("ls", "--tag", "none") == []

    def test_of_metrics_the_numbers_are_columns(self, runs: Commands) -> None:
        with Run(prefix="live", capture=False) as run:
            run.metrics("results").log(config="small", value={"score": 1}, took=2.5)
        head, row = runs("ls").splitlines()
        assert head.split()[4:] == ["results.took"]
        assert row.split()[-1] == "2.5"

    @pytest.mark.parametrize("asked", [[], ["runs"]])
    def test_without_a_command_it_says_which_there_are(
        self, asked: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit, match="2"):
            main(asked)
        told = capsys.readouterr()
        assert told.out == ""
        assert re.search(r"^  +(ls \(list\)|runs) +Li?st", told.err, re.MULTILINE)

    def test_where_there_is_nothing_it_says_what_to_do(
        self, runs: Commands, tmp_path: Path
    ) -> None:
        code, out, err = runs.all("ls")
        assert (code, out) == (0, "")
        assert "no runs in" in err
        assert "--root" in err
        make("first")
        code, out, err = runs.all("ls", "params.lr > 1")
        assert (code, out) == (0, "")
        assert "shows all" in err
        assert "it is a project" in runs.all("ls", "--root", "experiments/vision")[2]

    @pytest.mark.parametrize(
        ("asked", "says"),
        [
            (["status = 'FAILED'"], "compare with =="),
            (["--columns", "parms.lr"], "did you mean `params`"),
            (["--sort", "1"], "it is no name"),
            (["--sort=-val.loss"], "the name is not understood: 'val' is not known"),
        ],
    )
    def test_what_is_not_understood_is_marked(
        self, runs: Commands, asked: list[str], says: str
    ) -> None:
        err = runs.refuses("ls", *asked)
        assert says in err
        assert "^" in err

    def test_rebuild_looks_at_all_anew(self, runs: Commands) -> None:
        make("first")
        runs("ls")
        index = Path("experiments/.understudy/index.sqlite")
        index.write_bytes(b"no index" * 1_000)
        assert "vision/first" in runs("ls", "--rebuild")
        assert index.read_bytes()[:6] == b"SQLite"

    def test_on_a_terminal_it_is_as_wide_as_that_and_coloured(self) -> None:
        make(f"a-very-{'long-' * 12}name", lr=0.1)
        make("short\x1b[2J", lr=0.2)
        with Terminal("runs", "ls", width=44) as terminal:
            assert terminal.end() == 0
            lines = [line for line in terminal.text.splitlines() if line]
            assert len(lines) == 3
            assert lines[0].startswith("status")
            assert b"\x1b[32mCOMPLETED\x1b[0m" in terminal.raw
            assert b"\x1b[2J" not in terminal.raw
            assert "…" in lines[2]
        with Terminal("runs", "ls", width=120, NO_COLOR="1") as terminal:
            assert terminal.end() == 0
            assert b"\x1b" not in terminal.raw
            assert "train.loss" in terminal.text

    def test_a_reader_who_has_seen_enough_is_no_error(self) -> None:
        for number in range(3):
            make(f"run-{number}" + "x" * 150)
        command = shlex.join([*COMMAND, "ls", "--json"])
        done = subprocess.run(
            ["bash", "-c", f"{command} | head -c 1; echo ${{PIPESTATUS[0]}}"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.startswith("[")
        assert done.stdout[1:].strip() in ("0", "141")
        assert done.stderr == ""

    def test_an_output_without_such_signs_gets_question_marks(self) -> None:
        make("日本")
        done = subprocess.run(
            [*COMMAND, "show", "日本"],
            capture_output=True,
            check=False,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
        )
        assert done.returncode == 0, done.stderr
        assert b"vision/??" in done.stdout


class TestShow:
    def test_it_shows_all_that_is_known(self, runs: Commands) -> None:
        with (
            pytest.raises(ValueError, match="diverged"),
            Run(prefix="first", capture=["command"], description="try \x1b[31m") as run,
        ):
            run.params.set(lr=0.1, model={"size": 3})
            run.metrics("train").log_many({"step": step, "loss": 9.0 - step} for step in range(9))
            run.metrics("val").log(note="a text")
            run.log("began", device="gpu-1")
            _ = run.files("models").save(b"x" * 1_234, to="model.pth")
            raise ValueError("diverged")
        shown = runs("show", "first")
        assert shown.startswith("FAILED  project/first\n")
        assert "\x1b" not in shown
        for told in [
            "ValueError: diverged",
            run.id,
            str(run.path),
            "model.size  3",
            "█▇▆▅▅▄▃▂▁",
            "models/model.pth  1,234",
            "info    began  device=gpu-1",
        ]:
            assert told in shown, shown
        assert "began" not in runs("show", "first", "--lines", "0")

    def test_as_json_it_is_one_document(self, runs: Commands) -> None:
        run = make("first", lr=0.1)
        _ = run.read()
        told = runs.json("show", "first", "--lines", "1")
        assert {*told} == {
            *("info", "run", "attempts", "params", "git", "environment", "files", "log"),
        }
        assert told["params"] == {"model": "resnet", "lr": 0.1}
        assert [line["level"] for line in told["log"]] == ["warning"]

    def test_a_run_is_named_in_many_ways(
        self, runs: Commands, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = make("first/try")
        make("first/try", project="other")
        by_path = (str(run.path), os.path.relpath(run.path))
        for name in ("vision/first/try", run.id, run.id[:-2], *by_path):
            assert runs.json("show", name)["info"]["id"] == run.id
        monkeypatch.chdir(run.path)
        assert runs.json("show", ".")["info"]["id"] == run.id

    def test_what_a_runtime_recorded_is_compared_config_by_config(self, runs: Commands) -> None:
        with Run(prefix="first", capture=False) as run:
            for config, value in (("large", 1.0), ("small\x1b", 0.25), ("small\x1b", 0.75)):
                run.metrics("results/answer").log(config=config, status="ok", value=value)
            run.metrics("results/by-hand").log(loss=1)
        shown = runs("show", "first")
        _, _, section = shown.partition("\nResults by config\n")
        assert [line.split() for line in section.splitlines()[:3]] == [
            ["answer", "results", "ok", "ms", "value"],
            ["large", "1", "1", "-", "1"],
            ["small\\x1b", "2", "2", "-", "0.5"],
        ]
        assert shown.count("Results by config") == 1

    def test_who_misspells_a_name_is_told_those_that_are_near(self, runs: Commands) -> None:
        make("first")
        make("first", project="other")
        assert "did you mean 'vision/first'" in runs.refuses("show", "vision/frist")
        err = runs.refuses("show", "first")
        assert "2 runs are called 'first'" in err
        assert "other/first, vision/first" in err

    def test_a_run_that_goes_on_is_shown_as_it_is(self, runs: Commands) -> None:
        with Run(prefix="live", capture=False) as run:
            run.metrics("train").log(step=1, loss=0.5)
            with (run.path / "metrics/train/data.jsonl").open("ab") as file:
                file.write(b'{"step":2,"lo')
            shown = runs("show", "live")
            assert shown.startswith("RUNNING  project/live\n")
            assert "runs for" in shown
            assert words(shown.partition("train.loss")[2])[0][:2] == ["▄", "1"]

    @pytest.mark.parametrize("width", [24, 60])
    def test_no_line_is_wider_than_the_terminal(self, width: int) -> None:
        run = make("a-" + "long-" * 20, lr=0.1, text="x" * 200)
        with Terminal("runs", "show", run.id, width=width, height=60) as terminal:
            assert terminal.end() == 0
            lines = terminal.raw.decode().split("\r\n")
            plain = [re.sub(r"\x1b\[\d*m", "", line) for line in lines]
            too_long = {line.split()[0] for line in plain if len(line) > width}
            assert len(plain) > 20
            assert too_long <= {"id", "path"}  # which are there to be copied


class TestDiff:
    def test_it_shows_what_differs_and_what_came_of_it(self, runs: Commands) -> None:
        make("first", lr=0.1)
        make("second", losses=5, lr=0.2, warmup=3)
        shown = runs("diff", "first", "second")
        assert ["lr", "0.1", "0.2"] in words(shown)
        assert ["warmup", "-", "3"] in words(shown)
        assert ["train.loss", "0.149569", "0.67032"] in words(shown)
        assert "resnet" not in shown
        assert "1 parameter is the same in all" in shown
        assert ["model", "resnet", "resnet"] in words(runs("diff", "first", "second", "--all"))

    def test_as_json_it_has_everything(self, runs: Commands) -> None:
        make("first", lr=0.1)
        make("second", project="other", lr=0.2)
        make("third", lr=0.2)
        told = runs.json("diff", "first", "second", "third")
        assert (told["params"]["lr"], told["differing"]) == ([0.1, 0.2, 0.2], ["lr"])
        assert [run["project"] for run in told["runs"]] == ["vision", "other", "vision"]
        assert "environment" not in told

    def test_packages_and_commits_that_differ_are_told(self, runs: Commands) -> None:
        paths = [make(prefix).path for prefix in ("first", "second")]
        for path, version in zip(paths, ("1.0", "2.0"), strict=True):
            said = {"python": "3.12", "packages": {"torch": version, "numpy": "2"}}
            (path / "environment.json").write_text(json.dumps(said))
            git = {"commit": f"abcdef0123456789{version}", "branch": "main", "is_dirty": True}
            (path / "git.json").write_text(json.dumps(git))
        assert "torch" not in runs("diff", "first", "second")
        shown = runs("diff", "first", "second", "--packages")
        assert ["torch", "1.0", "2.0"] in words(shown)
        assert "numpy" not in shown
        assert "abcdef012345 on main, with changes (diff.patch)" in shown
        told = runs.json("diff", "first", "second", "--packages")
        assert told["environment"] == {"torch": ["1.0", "2.0"]}

    def test_one_run_differs_from_nothing(self, runs: Commands) -> None:
        make("first")
        assert "needs two runs" in runs.refuses("diff", "first")
        assert "needs two runs" in runs.refuses("diff", "prefix == 'first'")
        assert "no run is so" in runs.refuses("diff", "first", "prefix == 'none'")


@pytest.mark.parametrize(
    "room",
    ["_chart", "_command", "_curves", "_removal", "_show_command", "_which"],
)
def test_the_examples_of_rooms_run(room: str) -> None:
    outcome = doctest.testmod(import_module(f"understudy.runs.{room}"))
    assert outcome.failed == 0
    assert outcome.attempted > 0


def test_whatever_was_logged_can_be_seen(runs: Commands) -> None:
    with Run(prefix="odd/a\nb\x1b[31m", capture=False) as run:
        run.params.set({"x" * 300: "y" * 1_000, "none": None, "list": [1, float("inf")], "no": {}})
        for value in (2.5, 10**400, 1e308, -1e308, True, {"a": 1}, None, "text", float("nan")):
            run.metrics("a.b/c").log(step=value, v=value, loss=1.0)
        run.log({"not": "text"}, level="\x1b[2J", more="\x07")
    with Run(prefix="empty", capture=False) as empty:
        pass
    for name in (run.id, empty.id):
        for asked in (["show", name], ["diff", name, run.id, "--all", "--packages"]):
            shown = runs(*asked)
            assert "\x1b" not in shown
            assert max(map(len, shown.splitlines())) < 300
            assert runs.json(*asked)
        assert runs.json("export", name)
    shown = runs("ls")
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) < 250
    for log in ([], ["--log", "--smooth", "0.5"]):
        assert "a.b/c.loss" in runs("plot", run.id, "-m", "a.b/c.loss", *log)
    assert runs("plot", run.id, "-m", "a.b/c.loss", "--x", "v", "-o", "odd.svg") == "odd.svg\n"
    assert "no metric has numbers" in runs.refuses("plot", empty.id)
    assert "there are no metrics" in runs.refuses("export", empty.id, "-f", "csv")
    assert runs("export", empty.id) == ""
