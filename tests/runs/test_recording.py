"""What a run records: metrics, parameters, logs, files."""

import hashlib
import json
import math
import os
from importlib import import_module
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from understudy import Config
from understudy.runs import Run, RunArgumentError, RunError, RunFolder

append_room: Any = import_module("understudy.runs._append")
lines_room: Any = import_module("understudy.runs._lines")


def text_of(run: Run, name: str) -> str:
    return (run.path / name).read_text()


def test_a_point_may_come_as_a_mapping_whose_names_are_no_words() -> None:
    fields = {"loss/val": 0.5, "lr": 1}
    with Run(prefix="r", capture=False) as run:
        run.metrics("train").log(fields, step=1, lr=2)
    (point,) = run.metrics("train").read()
    assert (point["loss/val"], point["step"], point["lr"]) == (0.5, 1, 2)
    assert fields == {"loss/val": 0.5, "lr": 1}


class TestMetrics:
    def test_a_point_is_one_line_of_json_with_its_time(self) -> None:
        with Run(prefix="r") as run:
            run.metrics("train").log(step=1, loss=0.5)
            (line,) = text_of(run, "metrics/train/data.jsonl").splitlines()
            assert {name: json.loads(line)[name] for name in ("step", "loss")} == {
                "step": 1,
                "loss": 0.5,
            }
            assert json.loads(line).keys() == {"step", "loss", "ts"}

    def test_any_field_can_be_logged(self) -> None:
        fields: dict[str, Any] = {
            "self": 1,
            "name": 2,
            "fields": 3,
            "level": 4,
            "message": 5,
            "$null": 6,
            "a b": 7,
            "é": 8,
        }
        with Run(prefix="r") as run:
            run.metrics("train").log(**fields)
            run.log("x", **{name: value for name, value in fields.items() if name != "level"})
            (point,) = run.metrics("train").read()
            assert {name: point[name] for name in fields} == fields
            (line,) = run.log.read()
            assert (line["message"], line["$message"], line["self"]) == ("x", 5, 1)
            assert dict(run.problems) == {}

    def test_many_points_are_one_write_and_each_is_a_line(self) -> None:
        with Run(prefix="r") as run:
            train = run.metrics("train")
            odd: list[dict[str, Any]] = [{"step": 1}, {"loss": math.nan}, {"ts": 5.0, "what": open}]
            assert train.log_many(odd) == 3
            assert train.log_many(iter([])) == 0
            train.log(step=2)
            assert [point.get("step") for point in train.read()] == [1, None, None, 2]
            assert math.isnan(train.read()[1]["loss"])
            assert train.read()[2]["ts"] == 5.0
            assert all("ts" in point for point in train.read())

    @pytest.mark.parametrize(("room", "kept"), [(0, 0), (5, 0), (9, 1), (12, 1), (18, 2), (99, 3)])
    def test_of_many_points_for_which_there_is_no_room_the_first_are_kept(
        self, room: int, kept: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rooms = [room]

        class Short(FileIO):
            def write(self, data: Any, /) -> int:
                return super().write(data[: rooms.pop()] if rooms else data)

        with Run(prefix="r", capture=False) as run:
            train = run.metrics("train")
            monkeypatch.setattr(append_room, "FileIO", Short)
            assert train.log_many({"ts": number} for number in range(3)) == kept
            assert run.problems.get("write", 0) == 3 - kept
            train.log(ts=7)
            assert [point["ts"] for point in train.read()] == [*range(kept), 7]

    def test_the_time_of_a_point_may_be_given(self) -> None:
        with Run(prefix="r") as run:
            run.metrics("train").log(ts=5.0, loss=1)
            run.metrics("train").log(ts="abc", loss=1)
            assert [point["ts"] for point in run.metrics("train")] == [5.0, "abc"]

    def test_a_metric_is_read_while_it_is_written_by_step_and_by_field(self) -> None:
        with Run(prefix="r") as run:
            train = run.metrics("train")
            for step in range(10):
                train.log(step=step, loss=10.0 - step, epoch=step // 5)
                assert len(train.read()) == step + 1
            train.log(loss=0.0)  # without a step
            assert [p["step"] for p in train.read(start=3, stop=5)] == [3, 4]
            assert [p["step"] for p in train.read(by="epoch", start=1)] == [5, 6, 7, 8, 9]
            assert [p["loss"] for p in train.read(limit=2)] == [10.0, 9.0]
            assert [p["loss"] for p in train.read(limit=-2)] == [1.0, 0.0]
            assert train.read(limit=0) == []
            assert {*train.read(fields=["loss"], limit=1)[0]} == {"ts", "step", "loss"}
            assert train.last_step == 9
            assert [*run.metrics("nothing").read()] == []
            assert run.metrics("nothing").last_step is None
            assert run.metric_names == ["train"]

    def test_the_summary_is_true_of_each_field(self) -> None:
        with Run(prefix="r") as run:
            train = run.metrics("train")
            for loss in (3.0, math.nan, 1.0, math.inf, 2):
                train.log(loss=loss, note="n", flag=True)
            told = train.summary()
            of = told["loss"]
            assert (of.count, of.first, of.last, of.min, of.max, of.mean) == (
                5,
                3.0,
                2,
                1.0,
                math.inf,
                math.inf,
            )
            assert (told["note"].count, told["note"].last, told["note"].min) == (5, "n", None)
            assert (told["flag"].last, told["flag"].max) == (True, None)
            assert "ts" not in told

    def test_a_million_points_are_looked_over_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with Run(prefix="r") as run:
            train = run.metrics("train")
            train.log(step=0, loss=0.0)
            path = train.path / "data.jsonl"
            many = 100_000
            with path.open("w") as file:
                for step in range(many):
                    loss = -1e9 if step == 777 else 1e9 if step == 50_001 else math.sin(step / 1e4)
                    file.write(f'{{"step":{step},"loss":{loss!r},"ts":1.0}}\n')
            first = train.read(max_points=200)
            summary = train.summary()["loss"]
            assert (summary.count, summary.min, summary.max) == (many, -1e9, 1e9)
            assert len(first) <= 200
            assert {777, 50_001, 0, many - 1} <= {point["step"] for point in first}
            assert [p["step"] for p in first] == sorted(p["step"] for p in first)

            read: list[int] = []
            decode = lines_room.decode_lines

            def noted(data: bytes) -> Any:
                read.append(len(data))
                return decode(data)

            monkeypatch.setattr(lines_room, "decode_lines", noted)
            train.log(step=many, loss=-2e9)
            assert train.summary()["loss"].min == -2e9
            assert train.read(max_points=200)[-1]["step"] == many
            assert len(train) == many + 1
            assert sum(read) < 3 * 2 * lines_room.CHUNK < path.stat().st_size * 2

            (train.path / "overview.msgpack").write_bytes(b"torn")
            assert train.read(max_points=200)[0] == first[0]
            assert train.summary()["loss"].count == many + 1

    def test_few_points_are_not_thinned(self) -> None:
        with Run(prefix="r") as run:
            for step in range(10):
                run.metrics("m").log(step=step, a=step, b=-step)
            assert len(run.metrics("m").read(max_points=10)) == 10
            assert len(run.metrics("m").read(max_points=5)) <= 5
            assert len(run.metrics("m").read(max_points=2)) == 2
            assert len(run.metrics("m").read(max_points=6, start=2)) <= 6
            with pytest.raises(RunArgumentError, match="2 points at least"):
                run.metrics("m").read(max_points=1)

    def test_each_point_waits_for_the_disk_if_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        synced: list[int] = []
        with Run(prefix="r", sync="always", capture=False) as run:
            monkeypatch.setattr(os, "fsync", synced.append)
            for step in range(3):
                run.metrics("m").log(step=step)
            run.log("x")
            assert len(synced) == 4
            assert len(run.metrics("m").read()) == 3
            monkeypatch.undo()


class TestParams:
    def test_parameters_are_nested_typed_and_laid_over_each_other(self) -> None:
        with Run(prefix="r") as run:
            run.params.set(lr=0.001, model={"size": 3, "layers": [1, 2]}, note=None)
            run.params.set({"model": {"depth": 2}, "a.b": 1}, lr=1)
            run.params.set(Config(seed=7))
            expected = {
                "lr": 1,
                "model": {"size": 3, "layers": [1, 2], "depth": 2},
                "note": None,
                "a.b": 1,
                "seed": 7,
            }
            assert run.params.get() == expected
            assert json.loads(text_of(run, "parameters.json")) == expected
            assert run.params.get(flat=True)["model.depth"] == 2
            assert [sorted(line["set"]) for line in run.params.history()] == [
                ["lr", "model", "note"],
                ["a.b", "lr", "model"],
                ["seed"],
            ]

    def test_a_parameter_may_have_any_name(self) -> None:
        with Run(prefix="r") as run:
            run.params.set(self=1, values=2, more=3)
            assert run.params.get() == {"self": 1, "values": 2, "more": 3}

    def test_nan_is_itself_again_and_valid_json_on_disk(self) -> None:
        with Run(prefix="r") as run:
            run.params.set(clip=math.inf, start=math.nan)
            assert json.loads(text_of(run, "parameters.json"))["clip"] == {"$null": "inf"}
            assert run.params.get()["clip"] == math.inf
            assert math.isnan(RunFolder(run.path).params.get()["start"])

    def test_what_has_no_fields_is_told_and_nothing_else_is_lost(self) -> None:
        with Run(prefix="r") as run:
            run.params.set(lr=1)
            run.params.set(3)
            run.params.set(object())
            assert run.params.get() == {"lr": 1}
            assert run.problems["params"] == 2

    def test_parameters_without_a_history_are_read(self) -> None:
        folder = Path("experiments/project/old")
        folder.mkdir(parents=True)
        (folder / "parameters.json").write_text('{"lr": 1}')
        assert RunFolder(folder).params.get() == {"lr": 1}


class TestLog:
    def test_a_message_has_a_level_and_fields(self) -> None:
        with Run(prefix="r") as run:
            run.log("Training started")
            run.log("slow", level="warning", seconds=3)
            run.log(ValueError("x"))
            run.log("line\nbreak é 🎉")
            lines = run.log.read()
            assert [line["level"] for line in lines] == ["info", "warning", "info", "info"]
            assert lines[1]["seconds"] == 3
            assert [line["message"] for line in lines] == [
                "Training started",
                "slow",
                "ValueError('x')",
                "line\nbreak é 🎉",
            ]
            assert [line["message"] for line in run.log.read(level="warning")] == ["slow"]
            assert [line["message"] for line in run.log.read(limit=-1)] == ["line\nbreak é 🎉"]
            assert len(run.log.read(limit=2)) == 2
            assert run.read().log.read() == lines


class TestFiles:
    def test_a_file_is_a_snapshot_with_a_checksum_and_its_source_is_only_read(
        self, tmp_path: Path
    ) -> None:
        source = tmp_path / "model.pth"
        source.write_bytes(b"first")
        before = source.stat().st_mtime_ns
        with Run(prefix="r") as run:
            models = run.files("models")
            saved = models.save(source)
            assert saved is not None
            assert source.stat().st_mtime_ns == before
            source.write_bytes(b"second")
            again = models.save(str(source))
            assert again is not None
            assert saved.path.read_bytes() == b"first"
            assert models.load(saved.id) == b"first"
            assert models.load("model.pth") == b"second"
            assert saved.sha256 == hashlib.sha256(b"first").hexdigest()
            assert [(file.name, file.size, file.kind) for file in models.list()] == [
                ("model.pth", 5, "file"),
                ("model.pth", 6, "file"),
            ]
            assert run.read().files("models").list() == models.list() == [saved, again]
            assert run.read().file_prefixes == ["models"]

    @pytest.mark.parametrize(
        ("what", "to", "name", "kind", "back"),
        [
            (b"abc", None, "data.bin", "bytes", b"abc"),
            (bytearray(b"abc"), "x.bin", "x.bin", "bytes", b"abc"),
            (memoryview(b"abc"), "x.bin", "x.bin", "bytes", b"abc"),
            ({"a": math.inf}, "a.json", "a.json", "json", {"a": math.inf}),
            ([1, 2], "a.json", "a.json", "json", [1, 2]),
            ({1, 2}, None, "object.pkl", "pickle", {1, 2}),
            (1 + 2j, "c.pkl", "c.pkl", "pickle", 1 + 2j),
            (b"", "empty", "empty", "bytes", b""),
        ],
    )
    def test_bytes_and_objects_come_back(
        self, what: Any, to: str | None, name: str, kind: str, back: Any
    ) -> None:
        with Run(prefix="r") as run:
            saved = run.files("f").save(what, to=to)
            assert saved is not None
            assert (saved.name, saved.kind) == (name, kind)
            assert run.files("f").load(name) == back

    def test_what_cannot_be_saved_is_told_and_leaves_nothing(self, tmp_path: Path) -> None:
        with Run(prefix="r") as run:
            assert run.files("f").save("nowhere.pth") is None
            assert run.files("f").save(tmp_path) is None
            assert run.files("f").save(lambda: None) is None
            assert run.problems["file"] == 3
            assert run.files("f").list() == []
            assert [*(run.path / "files/f").iterdir()] == []
        with Run(prefix="s", strict=True) as run, pytest.raises(RunError, match=r"nowhere\.pth"):
            run.files("f").save("nowhere.pth")

    def test_a_file_that_was_changed_on_disk_is_not_handed_out(self) -> None:
        with Run(prefix="r") as run:
            saved = run.files("f").save(b"abc", to="x")
            assert saved is not None
            saved.path.write_bytes(b"abd")
            with pytest.raises(RunError, match="checksum"):
                run.files("f").load("x")
            with pytest.raises(RunError, match="it has 'x'"):
                run.files("f").load("y")

    @pytest.mark.parametrize(
        "name", ["../../x", "/etc/x", "file.json", "a/b.pth", "🎉", "x" * 300, "CON", ".x", ""]
    )
    def test_any_name_stays_inside(self, name: str, tmp_path: Path) -> None:
        with Run(prefix="r") as run:
            saved = run.files(name).save(b"abc", to=name or "x")
            assert saved is not None
            assert run.path in saved.path.resolve().parents
            assert run.files(name).load(name or "x") == b"abc"
            assert run.read().file_prefixes == [name]
        assert {path.name for path in tmp_path.iterdir()} == {"experiments"}

    def test_what_a_crash_left_half_made_is_not_listed(self) -> None:
        with Run(prefix="r") as run:
            run.files("f").save(b"abc", to="x")
            half = run.path / "files/f/.0123"
            half.mkdir()
            (half / "x").write_bytes(b"a")
            empty = run.path / "files/f/0123"
            empty.mkdir()
            assert [file.name for file in run.files("f").list()] == ["x"]

    def test_the_thousandth_file_costs_what_the_first_did(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with Run(prefix="r", capture=False) as run:
            files = run.files("f")
            files.save(b"abc", to="x")

            def count_reads() -> int:
                opened: list[Any] = []
                with monkeypatch.context() as patched:
                    patched.setattr(os, "listdir", lambda *a: opened.append(a))
                    patched.setattr(os, "scandir", lambda *a: opened.append(a))
                    patched.setattr(Path, "read_bytes", lambda self: opened.append(self))
                    files.save(b"abc", to="x")
                return len(opened)

            assert count_reads() == 0
            for _ in range(50):
                files.save(b"abc", to="x")
            assert count_reads() == 0
            assert len(files.list()) == 53

    def test_a_file_that_changes_while_it_is_saved_is_copied_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = tmp_path / "model.pth"
        source.write_bytes(b"first")
        changes = iter([b"second", b"third"])
        room: Any = import_module("understudy.runs._files")

        chunks_of = room._chunks_of

        def chunks_and_change(file: Any) -> Any:
            yield from chunks_of(file)
            for change in changes:
                source.write_bytes(change + b"!" * 9)
                break

        monkeypatch.setattr(room, "_chunks_of", chunks_and_change)
        with Run(prefix="r") as run:
            saved = run.files("f").save(source)
            assert saved is not None
            assert saved.path.read_bytes() == b"third!!!!!!!!!"
            assert dict(run.problems) == {}
