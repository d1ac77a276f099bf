"""Finding: list, get, find, best, compare; what they tell, print and hand on."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from understudy import runs
from understudy.runs import FilterError, Run, RunArgumentError, RunError, RunFolder, RunInfo, Runs


def make(
    prefix: str, project: str = "project", losses: tuple[float, ...] = (), **params: Any
) -> Run:
    with Run(prefix=prefix, project=project, capture=False, tags=[prefix[:1]]) as run:
        run.params.set(params)
        for step, loss in enumerate(losses):
            run.metrics("train").log(step=step, loss=loss)
    return run


def prefixes(found: Runs) -> list[str]:
    return [info.prefix for info in found]


class TestInfo:
    def test_it_tells_what_the_files_say(self) -> None:
        with pytest.raises(ValueError, match="diverged"), Run(
            prefix="train/1", project="vision", tags=["a"], bindrs=["gpu"], folder="x", description="first",
            capture=False,
        ) as run:  # fmt: skip
            run.params.set(model={"size": 3}, lr=float("nan"))
            run.metrics("train/loss").log(value=0.5)
            raise ValueError("diverged")
        info = RunInfo.of(run.read())
        assert (info.project, info.prefix, info.id) == ("vision", "train/1", run.id)
        assert (info.status, info.error, info.attempts) == ("FAILED", "ValueError: diverged", 1)
        assert (info.tags, info.bindrs, info.folder, info.description) == (
            ["a"],
            ["gpu"],
            "x",
            "first",
        )
        assert info.params["model.size"] == 3
        assert info.metrics["train/loss"]["value"].last == 0.5
        assert info.path == str(run.path)
        assert info.created is not None
        assert info.duration is not None
        assert 0 <= info.duration < 60

    def test_it_prints_as_a_small_table(self) -> None:
        params: dict[str, Any] = {"lr": 0.1, **{f"p{n}": n for n in range(30)}}
        make("first", losses=(1.0, 0.5), **params)
        lines = str(runs.best("train.loss", "min")).splitlines()
        assert [line.split() for line in (lines[0], lines[3], lines[4])] == [
            ["project/first", "COMPLETED"],
            ["tags", "f"],
            ["lr", "0.1"],
        ]
        assert lines[-2:] == ["train.loss     0.5", "... and 11 more"]
        assert not any(line.startswith("train.step") for line in lines)

    def test_side_by_side_there_are_no_steps(self) -> None:
        made = make("first", losses=(1.0, 0.5))
        printed = str(runs.compare(made, made))
        assert ("train.loss" in printed, "train.step" in printed) == (True, False)

    def test_a_run_that_runs_has_no_end_and_a_duration_that_grows(self) -> None:
        with Run(prefix="r", capture=False) as run:
            info = RunInfo.of(run.read())
        assert (info.status, info.ended) == ("RUNNING", None)
        first = info.duration
        assert first is not None
        assert (info.duration or 0) >= first

    @pytest.mark.parametrize(
        "said", ["[]", "{", '{"tags":3,"created":"x","status":7,"id":[],"description":{}}']
    )
    def test_a_run_json_of_another_kind_stops_nobody(self, said: str) -> None:
        make("good")
        path = Path("experiments/project/odd")
        path.mkdir()
        (path / "run.json").write_text(said)
        info = RunInfo.of(RunFolder(path))
        assert (info.prefix, info.tags, info.status, info.created) == ("odd", [], None, None)
        assert {*prefixes(runs.list())} == {"good", "odd"}


class TestList:
    def test_the_newest_come_first_and_the_rest_can_be_chosen(self) -> None:
        make("a")
        make("b", project="other")
        with Run(prefix="c", capture=False):
            assert prefixes(runs.list()) == ["c", "b", "a"]
            assert prefixes(runs.list(status="RUNNING")) == ["c"]
        assert prefixes(runs.list(project="other")) == ["b"]
        assert prefixes(runs.list(tags=["a"])) == ["a"]
        assert prefixes(runs.list(limit=2)) == ["c", "b"]
        assert prefixes(runs.list(sort="created")) == ["a", "b", "c"]
        assert prefixes(runs.list(sort="prefix", limit=1)) == ["a"]
        assert prefixes(runs.list(project="none")) == []

    def test_a_root_that_is_not_there_has_no_runs_and_is_not_made(self) -> None:
        assert len(runs.list("nowhere")) == 0
        assert not Path("nowhere").exists()
        assert str(runs.list("nowhere")) == "no runs"

    def test_those_without_what_is_sorted_by_come_last(self) -> None:
        make("none")
        make("low", losses=(3, 1, 2))
        make("high", losses=(5, 4))
        make("odd", lr="text")
        make("nan", lr=float("nan"))
        make("lr", lr=2)
        assert prefixes(runs.list(sort="metrics.train.loss.min"))[:2] == ["low", "high"]
        assert prefixes(runs.list(sort="-metrics.train.loss"))[:2] == ["high", "low"]
        assert prefixes(runs.list(sort="params.lr"))[:3] == ["lr", "nan", "odd"]

    @pytest.mark.parametrize(
        ("arguments", "error", "says"),
        [
            ({"status": "DONE"}, RunArgumentError, "one of 'RUNNING'"),
            ({"tags": "a"}, RunArgumentError, "a list of texts"),
            ({"sort": "loss"}, FilterError, "did you mean `params.loss`"),
            ({"sort": "1 < 2"}, FilterError, "it is no name"),
            ({"sort": ""}, RunArgumentError, "empty"),
        ],
    )  # fmt: skip
    def test_misuse_is_an_error(self, arguments: Any, error: type[Exception], says: str) -> None:
        with pytest.raises(error, match=says):
            runs.list(**arguments)

    def test_what_does_not_fit_into_the_index_is_listed_nevertheless(self) -> None:
        make("large", number=2**70, huge=10**400)
        for _ in range(2):
            (info,) = runs.list()
            assert info.params["number"] == 2**70
        assert prefixes(runs.find("params.number > 1e20")) == ["large"]
        assert prefixes(runs.list(project="other")) == prefixes(runs.list(status="FAILED")) == []

    @pytest.mark.parametrize(
        ("file", "text"),
        [
            ("run.json", '{"created": 1%s}' % ("0" * 400)),
            ("run.json", '{"a":' * 5_000),
            ("parameters.json", '{"a":' * 5_000),
            ("attempts/1.json", '{"a":' * 5_000),
            ("rewinds.jsonl", '{"step": 0, "sizes": {"train": 1%s}}\n' % ("0" * 400)),
            ("rewinds.jsonl", '{"step": 0, "sizes": {"train": 9000000000000000000}}\n'),
            ("metrics/train/data.jsonl", '{"loss": 1%s}\n' % ("0" * 400)),
        ],
    )
    def test_what_no_program_of_ours_wrote_into_one_hides_none(self, file: str, text: str) -> None:
        make("well", losses=(1.0,))
        broken = make("broken", losses=(2.0,))
        (broken.path / file).write_text(text)
        assert {*prefixes(runs.list(sort="metrics.train.loss"))} >= {"well"}
        assert [info.prefix for info in runs.list() if info.path == str(broken.path)]
        RunInfo.of(broken.read())

    def test_a_root_that_is_moved_with_its_index_tells_the_new_paths(self) -> None:
        make("a")
        assert runs.list()[0].path == str(Path("experiments/project/a").absolute())
        Path("experiments").rename("moved")
        assert runs.list("moved")[0].path == str(Path("moved/project/a").absolute())


class TestFind:
    def test_it_finds_what_a_filter_describes(self) -> None:
        make("a", losses=(3, 1), lr=0.1)
        make("b", losses=(2,), lr=0.2)
        make("c")
        assert prefixes(runs.find("metrics.train.loss <= 2 and params.lr > 0")) == ["b", "a"]
        assert prefixes(runs.find("metrics.train.loss <= 2", sort="prefix", limit=1)) == ["a"]
        assert prefixes(runs.find(runs.Filter("not has(params.lr)"))) == ["c"]
        with pytest.raises(FilterError):
            runs.find("params.lr >")


class TestGet:
    def test_a_run_is_found_by_its_name_and_its_id(self) -> None:
        first, _ = make("a"), make("deep/b/c", project="x/y")
        for name in ("project/a", "a", first.id, first.id[:20]):
            assert runs.get(name).path == first.path
        assert runs.get("x/y/deep/b/c").prefix == "deep/b/c"
        assert runs.get("deep/b/c").project == "x/y"

    def test_none_or_several_is_an_error_that_names_those_that_there_are(self) -> None:
        with pytest.raises(RunError, match="there is no run 'a' in .*: there are none"):
            runs.get("a")
        make("resnet", project="one")
        make("resnet", project="two")
        with pytest.raises(RunError, match="did you mean 'one/resnet'"):
            runs.get("one/resnte")
        with pytest.raises(
            RunError, match="2 runs are called 'resnet' in .*: one/resnet, two/resnet"
        ):
            runs.get("resnet")


def test_a_name_that_no_run_has_is_a_warning_once(caplog: pytest.LogCaptureFixture) -> None:
    make("first", losses=(1.0,), lr=1)
    for _ in range(2):
        assert (
            prefixes(runs.find("metrics.trian.loss < 2", root=Path("experiments").absolute())) == []
        )
    assert prefixes(runs.find("params.lr == 1", sort="metrics.train.loss")) == ["first"]
    (warned,) = caplog.messages
    assert warned.startswith("no run has metrics.trian: did you mean 'train'?")
    with pytest.raises(RunError, match="did you mean 'lr'"):
        runs.best("train.loss", "min", "params.lrr == 1")


class TestBest:
    @pytest.fixture(autouse=True)
    def some(self) -> None:
        make("a", losses=(3, 1, 2), lr=1)
        make("b", losses=(5, 1.5, 1.5), lr=2)
        with Run(prefix="c", capture=False) as run:
            run.metrics("val_loss").log(value=0.5, step=1)
            run.metrics("train/loss").log(value=7)
            run.metrics("broken").log(loss=float("nan"), text="x")
            run.metrics("v1.5").log(top1=3)

    @pytest.mark.parametrize(
        ("metric", "mode", "where", "prefix"),
        [
            ("train.loss", "min", None, "a"),
            ("train.loss", "max", None, "b"),
            ("train.loss", "min", "params.lr > 1", "b"),
            ("train.loss.last", "min", None, "b"),
            ("train", "min", None, "a"),
            ("val_loss", "min", None, "c"),
            ("train/loss", "min", None, "c"),
            ("v1.5.top1", "max", None, "c"),
            ("top1", "max", None, "c"),
        ],
    )
    def test_the_best_is_by_the_best_value_it_ever_had(
        self, metric: str, mode: Any, where: str | None, prefix: str
    ) -> None:
        assert runs.best(metric, mode, where).prefix == prefix

    @pytest.mark.parametrize(
        ("metric", "where", "says"),
        [
            ("train.los", None, "did you mean 'train.loss'"),
            ("broken.loss", None, "numbers of the metric 'broken.loss'"),
            ("broken.text", None, "'v1.5.top1'"),
            ("train.loss", "params.lr > 9", "no such runs"),
        ],
    )  # fmt: skip
    def test_that_none_has_it_is_an_error_that_names_what_there_is(
        self, metric: str, where: str | None, says: str
    ) -> None:
        with pytest.raises(RunError, match=says):
            runs.best(metric, "min", where)
        with pytest.raises(RunArgumentError, match="one of 'min', 'max'"):
            runs.best(metric, "least")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class TestCompare:
    def test_what_differs_is_told_apart(self) -> None:
        first = make("a", losses=(2,), lr=1, model="m", only=None)
        second = make("b", losses=(3, 1), lr=2, model="m")
        both = runs.compare(first, runs.get("b"))
        assert both.differing == {"lr": [1, 2], "only": [None, None]}
        assert both.params["model"] == ["m", "m"]
        assert both.metrics["train.loss"] == [2, 1]
        assert runs.compare("a", RunInfo.of(second.read())).params == both.params
        lines = str(both).splitlines()
        assert lines[0].split() == ["project/a", "project/b"]
        assert ["lr", "1", "2"] in [line.split() for line in lines]
        assert lines[-1] == "(1 more parameters are the same in all)"
        assert {
            "kind": "metric",
            "name": "train.loss",
            "differs": True,
            "values": [2, 1],
        } in both.to_dicts()
        assert both._repr_html_().startswith("<table>")
        assert repr(both) == "<2 runs, 2 parameters differ>"
        with pytest.raises(RunError, match="takes runs"):
            runs.compare()


class TestTables:
    def test_runs_are_a_sequence_that_prints_as_a_table(self) -> None:
        make("a", losses=(0.123456789,), lr=1)
        make("<b>", lr="x\ny")
        found = runs.list()
        assert (len(found), found[-1].prefix, prefixes(found[:1])) == (2, "a", ["<b>"])
        assert found[0] is found[0]
        lines = [line.split() for line in str(found).splitlines()]
        assert lines[0] == ["run", "status", "created", "took", "lr", "train.loss"]
        assert lines[1][0] == "project/<b>"
        assert lines[2][-2:] == ["1", "0.123457"]
        assert "project/&lt;b&gt;" in found._repr_html_()
        assert repr(found) == "<2 runs>"

    def test_a_long_table_is_cut(self) -> None:
        infos = [RunInfo(id=str(number), project="p", prefix="r" * 99, started=0.0, ended=1e9 * number) for number in range(40)]  # fmt: skip
        text = str(Runs(infos))
        assert text.splitlines()[-1] == "... and 10 more"
        assert max(map(len, text.splitlines())) < 120

    def test_they_become_frames(self) -> None:
        make("a", losses=(0.5,), lr=1, mixed=1)
        make("b", lr=0.5, mixed="x", dims=[1, 2])
        found = runs.list(sort="prefix")
        rows = found.to_dicts()
        assert rows[0].keys() == rows[1].keys()
        assert json.loads(json.dumps(rows)) == rows
        pandas = found.to_pandas()
        assert [*pandas["params.lr"]] == [1, 0.5]
        assert pandas["metrics.train.loss"].isna().tolist() == [False, True]
        polars = found.to_polars()
        assert polars["params.lr"].to_list() == [1, 0.5]
        assert polars["params.mixed"].to_list() == ["1", "x"]
        assert (
            runs.list("nowhere").to_pandas().shape
            == runs.list("nowhere").to_polars().shape
            == (0, 0)
        )

    @pytest.mark.parametrize("name", ["pandas", "polars"])
    def test_without_the_library_it_says_what_to_install(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(__import__("sys").modules, name, None)
        with pytest.raises(RunError, match=f"pip install {name}"):
            getattr(runs.list(), f"to_{name}")()


class TestWhatIsNotThere:
    @pytest.mark.parametrize(
        ("path", "says"),
        [
            ("experiments/project/none", "the folder does not exist$"),
            ("nowhere/project/none", "the folder does not exist, nor does .*nowhere/project$"),
            ("experiments/project", "it is a project, with the runs 'a'"),
            ("experiments", "it is a root, with the projects 'project'"),
            ("empty", "the folder is empty"),
            ("some", "in it are 'x.txt'"),
            ("some/x.txt", "it is a file"),
        ],
    )
    def test_a_folder_without_a_run_is_an_error_that_says_what_is_there(
        self, path: str, says: str
    ) -> None:
        make("a")
        Path("empty").mkdir()
        Path("some").mkdir()
        Path("some/x.txt").write_text("x")
        with pytest.raises(RunError, match=f"there is no run at .*: {says}"):
            RunFolder(path)

    @pytest.mark.parametrize(
        "name",
        ["parameters.json", "attempts/1.json", "logs/logs.jsonl", "metrics/train/data.jsonl"],
    )
    def test_a_run_from_elsewhere_needs_no_run_json(self, name: str) -> None:
        path = Path("experiments/project/old", name)
        path.parent.mkdir(parents=True)
        path.write_text("{}")
        assert RunFolder("experiments/project/old").status is None
        assert prefixes(runs.list()) == ["old"]

    def test_a_misspelt_metric_is_an_error_that_names_those_that_there_are(self) -> None:
        run = make("a", losses=(1,))
        with pytest.raises(RunError, match="there is no metric 'trian': did you mean 'train'"):
            run.read().metrics("trian")
        with pytest.raises(RunError, match="there is no metric 'x': there are none"):
            make("b").read().metrics("x")

    def test_a_metric_of_ones_own_run_that_has_no_points_yet_is_empty(self) -> None:
        with Run(prefix="a", capture=False) as run:
            assert run.metrics("train").read() == []
            assert run.last_step("train") is None
            assert run.last_step() is None


def test_who_starts_a_script_twice_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "understudy"):
        make("a")
        assert caplog.messages == []
        make("a")
    (message,) = caplog.messages
    assert "goes on with the run project/a, attempt 2" in message
