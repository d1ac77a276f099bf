"""`understudy runs plot`, and `runs.plot`: curves in a terminal, and in files."""

import itertools
import json
import math
import struct
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.dashboard.terminal import Terminal
from tests.runs.commands import Commands, make
from understudy import runs as recorded
from understudy.configs import ExtraNotInstalledError
from understudy.runs import Run, RunArgumentError, RunError

DOTS = {chr(0x2800 + dots) for dots in range(1, 256)}


@pytest.fixture
def runs(capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(capsys)


def dots_of(row: str) -> int:
    return sum((ord(sign) - 0x2800).bit_count() for sign in row if sign in DOTS)


class TestInATerminal:
    def test_a_curve_goes_from_its_first_point_to_its_last(self, runs: Commands) -> None:
        make("first")
        name, *rows, axis, below, label = runs("plot", "first", "-m", "train.loss").splitlines()
        assert (name, label) == ("train.loss", "first")
        assert rows[0].split("┤")[0].strip() == "1"
        assert rows[-1].split("┤")[0].strip() == "0.1496"
        assert axis.strip().startswith("└─")
        assert below.split() == ["0", "step", "19"]
        columns = [row.replace("│", "┤").partition("┤")[2] for row in rows]
        assert columns[0][0] in DOTS
        assert len(columns[-1]) == max(map(len, columns))
        assert max(map(len, [name, *rows, axis, below])) <= 80

    def test_those_that_a_filter_describes_are_drawn_once(self, runs: Commands) -> None:
        for lr in (1, 2, 3):
            make(f"lr-{lr}", lr=lr)
        told = runs("plot", "lr-2", "params.lr < 3", "-m", "train.loss")
        assert [line[3:] for line in told.splitlines()[-2:]] == ["lr-2", "lr-1"]

    def test_without_colours_letters_tell_curves_apart(self, runs: Commands) -> None:
        make("first")
        make("second", losses=5)
        shown = runs("plot", "first", "second", "-m", "train.loss")
        assert shown.endswith("a  first\nb  second\n")
        assert not DOTS & {*shown}
        drawn = runs("plot", "first", "second", "-m", "train.loss", "--color", "always")
        assert "\x1b[34m── \x1b[0mfirst\n\x1b[31m── \x1b[0msecond\n" in drawn
        assert DOTS & {*drawn}

    def test_it_fits_the_terminal(self) -> None:
        make("first-" + "long-" * 20)
        make("second")
        for width, height in ((100, 30), (30, 12)):
            asked = ("runs", "plot", "second", "vision/first-" + "long-" * 20, "-m", "loss")
            with Terminal(*asked, width=width, height=height) as terminal:
                assert terminal.end() == 0
                lines = terminal.text.splitlines()
                assert lines[0] == "loss", terminal.text
                assert len(terminal.raw.split(b"\r\n")) <= height
                assert any("└──" in line for line in lines)
                assert sum(map(dots_of, lines)) > 20

    def test_what_is_no_number_is_a_gap(self, runs: Commands) -> None:
        with Run(prefix="gaps", capture=False) as run:
            run.metrics("train").log_many(
                {"step": step, "loss": loss}
                for step, loss in enumerate((1.0, 1.0, math.nan, math.inf, "text", 1.0, 1.0))
            )
        (row,) = [
            row
            for row in runs("plot", "gaps", "-m", "train.loss").splitlines()
            if row.startswith("1 ┤")
        ]
        assert "  " in row.partition("┤")[2].strip()
        told = runs.json("plot", "gaps", "-m", "train.loss")["curves"][0]
        assert told["x"] == [0, 1, 2, 3, 4, 5, 6]
        assert [each == 1.0 for each in told["y"]] == [True, True, False, False, False, True, True]

    def test_no_line_leads_back_where_steps_begin_again(self, runs: Commands) -> None:
        for _ in range(2):
            with Run(prefix="again", capture=False) as run:
                run.metrics("train").log_many({"step": n, "loss": n} for n in (1, 2))
        (curve,) = runs.json("plot", "again")["curves"]
        assert curve["x"] == [1, 2, 1, 1, 2]
        assert [each if isinstance(each, float) else None for each in curve["y"]] == [
            *(1.0, 2.0, None, 1.0, 2.0),
        ]

    def test_a_logarithmic_scale_is_even(self, runs: Commands) -> None:
        with Run(prefix="log", capture=False) as run:
            run.metrics("train").log_many({"step": n, "loss": 10.0**-n} for n in range(5))
            run.metrics("train").log(step=5, loss=0.0)
        ticks = [
            float(row.partition("┤")[0])
            for row in runs("plot", "log", "-m", "train.loss", "--log").splitlines()
            if "┤" in row
        ]
        assert (ticks[0], ticks[-1]) == (1.0, 0.0001)
        assert ticks == sorted(ticks, reverse=True)
        assert all(2 < high / low < 50 for high, low in itertools.pairwise(ticks))

    def test_any_field_may_be_to_the_right_and_times_have_a_unit(self, runs: Commands) -> None:
        make("first")
        assert runs.json("plot", "first", "-m", "train.loss", "--x", "epoch")["x_label"] == "epoch"
        lines = [{"ts": 1e9 + 600 * n, "loss": n} for n in range(7)]
        path = Path("experiments/vision/first/metrics/train/data.jsonl")
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        told = runs.json("plot", "first", "-m", "train.loss", "--x", "ts")
        assert told["x_label"] == "time since the first point [min]"
        assert told["curves"][0]["x"] == [0, 10, 20, 30, 40, 50, 60]
        counted = runs.json("plot", "first", "-m", "train.loss")
        assert (counted["x_label"], counted["curves"][0]["x"]) == ("point", [*range(7)])

    def test_a_long_curve_is_thinned_and_smoothed_by_all_of_its_points(
        self, runs: Commands
    ) -> None:
        with Run(prefix="long", capture=False) as run:
            run.metrics("train").log_many(
                {"step": step, "loss": 100.0 if step == 7_777 else step % 2}
                for step in range(10_000)
            )
        (curve,) = runs.json("plot", "long")["curves"]
        assert len(curve["x"]) <= 2_000
        assert max(curve["y"]) == 100
        (smooth,) = runs.json("plot", "long", "--smooth", "0.99")["curves"]
        assert len(smooth["x"]) <= 2_000
        assert max(smooth["raw"]) == 100
        assert smooth["y"][-1] == pytest.approx(0.5, abs=0.01)

    @pytest.mark.parametrize(
        ("asked", "says"),
        [
            (["first"], "say which metric"),
            (["first", "-m", "trian.loss"], "did you mean 'train.loss'"),
            (
                ["first", "-m", "train.loss", "--x", "nothing"],
                "nothing to plot: no point has a number of train.loss, and of 'nothing'",
            ),
            (["first", "-m", "train.loss", "-o", "plot.gif"], ".svg or .png"),
            (["first", "-m", "train.loss", "-o", "nowhere/plot.svg"], "there is no folder nowhere"),
            (["nothing"], "there is no run 'nothing'"),
        ],
    )
    def test_what_cannot_be_drawn_is_told(
        self, runs: Commands, asked: list[str], says: str
    ) -> None:
        run = make("first")
        with Run(prefix=run.prefix, project="vision", capture=False) as again:
            again.metrics("val").log(step=1, accuracy=0.5)
        assert says in runs.refuses("plot", *asked)
        assert [*Path().glob("*plot*")] == []


class TestInAFile:
    def test_the_same_runs_give_the_same_svg_byte_for_byte(self, runs: Commands) -> None:
        make("first")
        make("second", losses=30)
        asked = ("plot", "first", "second", "-m", "train.loss", "--smooth", "0.9")
        assert runs(*asked, "-o", "one.svg") == "one.svg\n"
        assert runs.json(*asked, "-o", "two.svg")["curves"] == 2
        assert Path("one.svg").read_bytes() == Path("two.svg").read_bytes()
        assert ET.parse("one.svg").getroot().tag.endswith("svg")
        assert b"date" not in Path("one.svg").read_bytes()

    def test_a_png_is_as_large_as_was_said(self) -> None:
        run = make("first")
        recorded.plot(run, metric="loss", output="plot.png", size=(4, 2))
        data = Path("plot.png").read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", data[16:24]) == (640, 320)

    def test_any_name_can_be_in_a_legend(self) -> None:
        names = ["_hidden", "$x$", "日本", "a\nb", "x" * 100, "<&>"]
        figure = recorded.plot(*map(make, names), metric="train.loss", output="names.svg")
        shown = [text.get_text() for text in figure.legends[0].get_texts()]
        assert shown[:4] == [" _hidden", "$x$", "日本", "a b"]
        assert len(shown[4]) < 60
        assert ET.parse("names.svg").getroot() is not None

    def test_axes_say_what_they_are_of(self) -> None:
        make("first")
        figure = recorded.plot("first", metric=["train.loss", "train.epoch"], x="ts", log=True)
        (axes,) = figure.axes
        assert axes.get_xlabel() == "time since the first point [s]"
        assert (axes.get_ylabel(), axes.get_yscale()) == ("train.loss, train.epoch", "log")
        assert [each.get_text() for each in figure.legends[0].get_texts()] == [
            "train.loss",
            "train.epoch",
        ]

    def test_a_logarithmic_scale_has_numbers_beside_it(self) -> None:
        make("first")
        (axes,) = recorded.plot("first", metric="train.loss", log=True, output="log.svg").axes
        shown = [label.get_text() for label in axes.get_yticklabels(which="both")]
        numbers = [float(text.replace("\N{MINUS SIGN}", "-")) for text in shown if text]
        assert len(numbers) > 1
        assert {0.1, 1.0} & {*numbers}

    def test_without_matplotlib_it_says_what_to_install(
        self, runs: Commands, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make("first")
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        monkeypatch.setitem(sys.modules, "matplotlib.style", None)
        err = runs.refuses("plot", "first", "-m", "loss", "-o", "plot.svg")
        assert "pip install matplotlib" in err
        assert not Path("plot.svg").exists()
        assert runs("plot", "first", "-m", "loss")
        with pytest.raises(ExtraNotInstalledError):
            recorded.plot("first", metric="loss")

    def test_misuse_is_told(self) -> None:
        make("first")
        with pytest.raises(RunArgumentError, match="smooth=1"):
            recorded.plot("first", metric="loss", smooth=1)
        with pytest.raises(RunArgumentError, match="a plot is of runs"):
            recorded.plot(metric="loss")
        with pytest.raises(RunError, match="no run has numbers of the metric 'los'"):
            recorded.plot("first", metric="los")

    def test_a_number_inside_a_value_can_be_plotted(self, runs: Commands) -> None:
        with Run(prefix="nested", capture=False) as run:
            for n in range(3):
                run.metrics("results/answer").log(step=n, value={"score": n / 2, "why": "so"})
        (curve,) = runs.json("plot", "nested", "-m", "results/answer.value.score")["curves"]
        assert (curve["x"], curve["y"]) == ([0.0, 1.0, 2.0], [0.0, 0.5, 1.0])
        err = runs.refuses("plot", "nested", "-m", "results/answer.value.why")
        assert "no run has numbers of the metric 'results/answer.value.why'" in err
