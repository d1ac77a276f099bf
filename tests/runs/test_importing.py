"""Importing: what other tools recorded comes whole, once, and confined, whatever its state."""

import hashlib
import json
import math
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runs.foreign import Logged, event_file, field, history, scalar, wandb_file
from understudy.cli import main
from understudy.runs import (
    ImportedRun,
    Run,
    RunArgumentError,
    RunError,
    RunFolder,
    best,
    import_from,
)

SOURCES = Path(__file__).parent / "sources"
KINDS = ("ml-dash", "mlflow", "wandb", "tensorboard")
LOSSES = [1 / (1 + step) for step in range(5)]

Write = Callable[[Path, list[Logged]], Path]


def snapshot(folder: Path) -> dict[str, tuple[int, str]]:
    """Return what is in a folder: the times and the bytes."""
    return {
        str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def only(found: list[ImportedRun]) -> RunFolder:
    (run,) = found
    assert run.path is not None
    return RunFolder(run.path)


def named(found: list[ImportedRun], prefix: str) -> RunFolder:
    return only([run for run in found if run.prefix == prefix])


def points_of(run: RunFolder) -> list[tuple[str, Any, Any, Any]]:
    return [
        (name, point["ts"], point.get("step"), repr(point.get("value")))
        for name in run.metric_names
        for point in run.metrics(name)
    ]


def expected(points: list[Logged]) -> list[tuple[str, Any, Any, Any]]:
    names = sorted({point[0] for point in points})
    return [(*point[:3], repr(point[3])) for name in names for point in points if point[0] == name]


def write_ml_dash(folder: Path, points: list[Logged]) -> Path:
    for place, (name, ts, step, value) in enumerate(points):
        number = sorted({point[0] for point in points}).index(name)
        metric = folder / "metrics" / str(number)
        metric.mkdir(parents=True, exist_ok=True)
        (metric / "metadata.json").write_text(json.dumps({"name": name}))
        data = {"value": value, "step": step, "_ts": ts}
        with (metric / "data.jsonl").open("a") as file:
            file.write(json.dumps({"index": place, "data": data}) + "\n")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "experiment.json").write_text("{}")
    return folder


def write_mlflow(folder: Path, points: list[Logged]) -> Path:
    for number, name in enumerate(sorted({point[0] for point in points})):
        lines = [f"{int(ts * 1000)} {v!r} {step}\n" for n, ts, step, v in points if n == name]
        (folder / "metrics").mkdir(parents=True, exist_ok=True)
        (folder / "metrics" / name).write_text("".join(lines))
        assert number < 10
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tags").mkdir(exist_ok=True)
    (folder / "meta.yaml").write_text("{run_name: law, status: 3}")
    return folder


def write_wandb(folder: Path, points: list[Logged]) -> Path:
    wandb_file(folder / "run-law.wandb", [history(point) for point in points])
    return folder


def write_events(folder: Path, points: list[Logged]) -> Path:
    event_file(folder / "events.out.tfevents.1.host", [scalar(point) for point in points])
    return folder


WRITERS: dict[str, Write] = {
    "ml-dash": write_ml_dash,
    "mlflow": write_mlflow,
    "wandb": write_wandb,
    "tensorboard": write_events,
}
VALUES = st.one_of(st.floats(width=32), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0]))
POINTS = st.lists(
    st.tuples(
        st.sampled_from(["loss", "Loss", "val loss", "acc.top5", "x" * 120]),
        st.integers(0, 10**10).map(lambda tenths: tenths / 8),
        st.integers(0, 2**40),
        VALUES,
    ),
    max_size=30,
)
BINARY = {"wandb": "run-law.wandb", "tensorboard": "events.out.tfevents.1.host"}


@pytest.fixture
def places() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder)


def test_a_run_of_ml_dash_comes_whole() -> None:
    run = only(import_from(SOURCES / "ml_dash"))
    assert (run.project, run.prefix, run.status) == ("vision", "resnet", None)
    assert run.info["description"] == "the first"
    assert run.info["tags"] == ["baseline"]
    assert run.params.get() == {"lr": 0.1, "model.size": 256, "model.name": "resnet"}
    source = next((SOURCES / "ml_dash").rglob("metrics/train/data.jsonl"))
    wanted = [json.loads(line)["data"] for line in source.read_text().splitlines()]
    assert [(p["step"], p["loss"], p["ts"]) for p in run.metrics("train")] == [
        (p["step"], p["loss"], p["_ts"]) for p in wanted
    ]
    assert [p["loss"] for p in run.metrics("train")] == LOSSES
    assert math.isnan(run.metrics("eval").read()[0]["accuracy"])
    first, second = run.log.read()
    assert (first["message"], first["level"], first["device"]) == (
        "Training started",
        "info",
        "gpu-1",
    )
    assert (second["message"], second["level"]) == ("It diverges", "warn")
    assert run.files("models").load("weights.bin") == b"weights" * 10
    assert run.info["started"] <= first["ts"] <= run.info["ended"]


def test_a_run_laid_out_as_in_the_seed_of_ml_dash_comes_whole() -> None:
    folder = Path("elsewhere/project/my-experiment")
    for part in ("logs", "metrics/train", "files/models/7218065541365719"):
        (folder / part).mkdir(parents=True)
    (folder / "logs/logs.jsonl").write_text('{"timestamp": 5.0, "message": "Training started"}\n')
    (folder / "metrics/train/data.jsonl").write_text('{"loss": 0.5, "step": 3, "timestamp": 6.0}\n')
    (folder / "parameters.json").write_text('{"learning_rate": 0.001}')
    (folder / "files/models/7218065541365719/model.pth").write_bytes(b"weights")
    run = only(import_from("elsewhere"))
    assert (run.project, run.prefix) == ("project", "my-experiment")
    assert run.metrics("train").read() == [{"loss": 0.5, "step": 3, "ts": 6.0}]
    assert run.params.get() == {"learning_rate": 0.001}
    assert run.log.read()[0]["message"] == "Training started"
    assert run.files("models").load("model.pth") == b"weights"
    assert (run.info["started"], run.info["ended"]) == (5.0, 6.0)


def test_runs_of_mlflow_come_whole() -> None:
    found = import_from(SOURCES / "mlflow")
    assert sorted((run.project, run.prefix) for run in found) == [
        ("vision", "child"),
        ("vision", "fails"),
        ("vision", "resnet"),
    ]
    run = named(found, "resnet")
    assert run.status == "COMPLETED"
    assert run.info["description"] == "the first"
    assert run.info["tags"] == ["baseline", "team=a/b"]
    assert run.params.get() == {"lr": 0.1, "model.size": 256, "opt/name": "sgd"}
    source = next((SOURCES / "mlflow").rglob("train/loss")).read_text().splitlines()
    assert [(p["ts"], p["value"], p["step"]) for p in run.metrics("train/loss")] == [
        (int(ts) / 1000, float(value), int(step)) for ts, value, step in map(str.split, source)
    ]
    assert [p["value"] for p in run.metrics("train/loss")] == LOSSES
    assert math.isnan(run.metrics("accuracy").read()[0]["value"])
    assert run.git["commit"] == "0123456789abcdef0123456789abcdef01234567"
    assert run.files("artifacts/models").load("weights.bin") == b"weights" * 10
    assert run.files("artifacts").load("notes.txt") == b"notes"
    assert named(found, "fails").status == "FAILED"
    assert named(found, "child").info["imported"]["parent"] == run.info["imported"]["id"]


def test_a_run_of_wandb_comes_whole() -> None:
    run = only(import_from(SOURCES / "wandb"))
    assert (run.project, run.prefix, run.status) == ("vision", "resnet", "FAILED")
    assert run.info["description"] == "the first"
    assert run.info["tags"] == ["baseline"]
    assert run.params.get() == {"lr": 0.1, "model": {"size": 256}, "late": True}
    assert [p["value"] for p in run.metrics("train/loss")] == LOSSES
    assert [p["step"] for p in run.metrics("train/loss")] == [0, 1, 2, 3, 4]
    assert [p["value"] for p in run.metrics("epoch.n")] == [0, 1, 2, 3, 4]
    assert {p["value"] for p in run.metrics("word")} == {"good"}
    assert math.isnan(run.metrics("accuracy").read()[0]["value"])
    assert run.metrics("summary").read()[0]["best"] == 0.2
    assert [line["message"] for line in run.log.read()] == ["Training started"]
    assert run.files("files").load("weights.bin") == b"weights" * 10
    assert run.system[0]["memory_percent"] > 0
    times = [p["ts"] for p in run.metrics("train/loss")]
    assert times == sorted(times)
    assert run.info["started"] < times[0] <= run.info["ended"]


def test_what_surrounded_a_run_of_wandb_comes_without_its_secrets() -> None:
    git = field(9, field(1, "https://host/repository") + field(2, "abc"))
    told = field(1, "Linux") + field(2, "3.11") + field(5, "--token=abc") + field(5, "--lr") + git
    wandb_file(Path("wandb/offline-run-1-a/run-a.wandb"), [field(26, told), field(18, b"")])
    run = only(import_from("wandb"))
    assert run.environment == {
        "platform": "Linux",
        "python": "3.11",
        "arguments": ["--token=***", "--lr"],
    }
    assert run.git == {"commit": "abc", "remote": "https://host/repository"}
    assert run.status == "COMPLETED"


def test_event_files_come_whole() -> None:
    found = import_from(SOURCES / "tensorboard" / "runs")
    run = named(found, "resnet")
    assert (run.project, run.status) == ("runs", None)
    floats = [struct.unpack("<f", struct.pack("<f", loss))[0] for loss in LOSSES]
    assert [(p["ts"], p["step"], p["value"]) for p in run.metrics("train/loss")] == [
        (1_700_000_000.0 + step, step, value) for step, value in enumerate(floats)
    ]
    assert [p["value"] for p in run.metrics("tensor")] == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert math.isnan(run.metrics("accuracy").read()[0]["value"])
    (line,) = run.log.read()
    assert (line["message"], line["tag"], line["ts"]) == (
        "Training started",
        "notes",
        1_700_000_000.0,
    )
    assert run.info["imported"]["left_out"] == ["a histogram"]
    assert named(found, "resnet/trial").params.get() == {"lr": 0.1, "opt": "sgd", "big": True}


@pytest.mark.parametrize(
    ("kind", "tensor", "value"),
    [
        (1, field(4, struct.pack("<f", 0.5)), 0.5),
        (2, field(4, struct.pack("<d", 0.1)), 0.1),
        (2, field(6, struct.pack("<d", 0.1)), 0.1),
        (9, field(10, 7), 7),
        (9, field(10, b"\xac\x02"), 300),
        (9, field(4, struct.pack("<q", -7)), -7),
        (10, field(11, b"\x01"), True),
        (14, field(4, b"\x80\x3f"), 1.0),
    ],
)
def test_a_tensor_of_one_number_is_a_point(kind: int, tensor: bytes, value: float) -> None:
    told = field(1, "x") + field(8, field(1, kind) + tensor)
    event_file(Path("runs/a/events.out.tfevents.1"), [field(1, 1.0) + field(5, field(1, told))])
    assert [p["value"] for p in only(import_from("runs")).metrics("x")] == [value]


def test_a_tensor_of_several_numbers_is_told_as_left_out() -> None:
    for number, tensor in enumerate(
        (field(5, struct.pack("<3f", 1, 2, 3)), field(10, b"\x01\x02"), field(4, bytes(8)))
    ):
        told = field(1, "x") + field(8, field(1, 1) + tensor)
        path = Path(f"runs/{number}/events.out.tfevents.1")
        event_file(path, [field(1, 1.0) + field(5, field(1, told))])
    for run in import_from("runs"):
        assert run.points == 0
        assert run.left_out == ["a tensor of more than one number"]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12)
@given(points=POINTS)
def test_a_run_has_exactly_the_points_of_its_source(kind: str, points: list[Logged]) -> None:
    with TemporaryDirectory() as folder:
        source = WRITERS[kind](Path(folder, "top", "law"), points)
        run = only(import_from(source, root=Path(folder, "root")))
        given = points
        if kind == "mlflow":  # it keeps milliseconds
            given = [(n, int(ts * 1000) / 1000, step, value) for n, ts, step, value in points]
        assert points_of(run) == expected(given)
        assert run.info["imported"]["left_out"] == []
        assert run.info["imported"]["from"] == kind


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_comes_twice(kind: str) -> None:
    source = SOURCES / kind.replace("-", "_")
    before = snapshot(source)
    first = import_from(source)
    there = snapshot(Path("experiments"))
    again = import_from(source)
    assert {run.how for run in first} == {"added"}
    assert {run.how for run in again} == {"known"}
    assert [run.path for run in again] == [run.path for run in first]
    assert snapshot(Path("experiments")) == there
    assert snapshot(source) == before  # which is only read


def test_all_that_lies_in_a_folder_is_found_and_our_own_runs_are_not() -> None:
    shutil.copytree(SOURCES, "all", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    with Run(prefix="ours", root="all/experiments") as run:
        run.metrics("train").log(loss=1.0)
    found = import_from("all")
    assert sorted({run.kind for run in found}) == sorted(KINDS)
    assert len(found) == 7
    assert {run.kind for run in import_from("all", "wandb", root="other")} == {"wandb"}


def test_a_source_that_has_changed_is_imported_anew_in_its_place() -> None:
    points: list[Logged] = [("loss", 1.0, 1, 0.5)]
    source = write_events(Path("runs/a"), points)
    first = import_from(source)
    points.append(("loss", 2.0, 2, 0.25))
    write_events(Path("runs/a"), points)
    (second,) = import_from(source)
    assert (second.how, second.path) == ("updated", first[0].path)
    assert points_of(only([second])) == expected(points)
    assert {path.name for path in Path("experiments").iterdir()} == {"runs", ".understudy"}


def test_a_run_that_was_continued_here_is_kept_as_it_is() -> None:
    source = write_events(Path("runs/a"), [("loss", 1.0, 1, 0.5)])
    first = only(import_from(source))
    with Run(prefix=first.prefix, project=first.project, resume="must") as run:
        assert run.last_step("loss") == 1
        run.params.set(lr=0.1)
        run.metrics("loss").log(step=2, value=0.25)
    write_events(Path("runs/a"), [("loss", 1.0, 1, 0.5), ("loss", 2.0, 2, 0.3)])
    (again,) = import_from(source)
    assert again.how == "left out"
    assert "has been continued" in again.left_out[0]
    assert [p["value"] for p in first.metrics("loss")] == [0.5, 0.25]


def test_a_name_that_is_taken_gets_a_number() -> None:
    with Run(prefix="a", project="runs") as ours:
        ours.log("here first")
    found = only(import_from(write_events(Path("runs/a"), [("loss", 1.0, 1, 0.5)])))
    assert found.prefix == found.info["prefix"] == "a-2"
    assert [line["message"] for line in ours.log.read()] == ["here first"]


def test_what_was_imported_is_found_beside_what_was_recorded() -> None:
    with Run(prefix="ours", project="runs") as ours:
        ours.metrics("loss").log(value=0.7, step=1)
    assert best("loss", "min").prefix == "ours"
    import_from(write_events(Path("runs/a"), [("loss", 1.0, 1, 0.5)]))
    assert best("loss", "min").prefix == "a"


def test_a_project_may_be_said() -> None:
    source = write_events(Path("runs/a"), [("loss", 1.0, 1, 0.5)])
    assert only(import_from(source, project="mine")).project == "mine"
    assert [run.how for run in import_from(source, project="mine")] == ["known"]


@pytest.mark.parametrize("kind", ["wandb", "tensorboard"])
@settings(max_examples=15)
@given(data=st.data(), points=POINTS)
def test_of_a_torn_source_comes_what_is_whole(
    kind: str, data: st.DataObject, points: list[Logged]
) -> None:
    with TemporaryDirectory() as folder:
        source = WRITERS[kind](Path(folder, "top", "law"), points)
        path = source / BINARY[kind]
        written = path.read_bytes()
        path.write_bytes(written[: data.draw(st.integers(0, len(written) - 1))])
        (found,) = import_from(source, root=Path(folder, "root"))
        count = found.points
        assert count <= len(points)
        assert points_of(only([found])) == expected(points[:count])
        assert len(found.left_out) <= 1
        if points:
            assert count < len(points)


@pytest.mark.parametrize("kind", ["wandb", "tensorboard"])
@settings(max_examples=15)
@given(data=st.data(), points=POINTS)
def test_of_a_garbled_source_comes_nothing_that_was_not_there(
    kind: str, data: st.DataObject, points: list[Logged]
) -> None:
    with TemporaryDirectory() as folder:
        source = WRITERS[kind](Path(folder, "top", "law"), points)
        path = source / BINARY[kind]
        written = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            written[data.draw(st.integers(0, len(written) - 1))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(written)
        run = only(import_from(source, root=Path(folder, "root")))
        assert {*points_of(run)} <= {*expected(points)}


@pytest.mark.parametrize("kind", ["wandb", "tensorboard"])
@settings(max_examples=20)
@given(records=st.lists(st.binary(max_size=80), max_size=8))
def test_records_of_any_bytes_do_no_harm(kind: str, records: list[bytes]) -> None:
    deeper = [field(number, record) for number in (2, 5, 13, 17, 26) for record in records]
    with TemporaryDirectory() as folder:
        if kind == "wandb":
            wandb_file(Path(folder, "top", BINARY[kind]), records + deeper)
        else:
            event_file(Path(folder, "top", BINARY[kind]), records + deeper)
        (found,) = import_from(Path(folder, "top"), root=Path(folder, "root"))
        assert found.how == "added"


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10)
@given(data=st.data())
def test_files_of_any_bytes_do_no_harm(kind: str, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        source = Path(folder, "top")
        shutil.copytree(SOURCES / kind.replace("-", "_"), source)
        paths = sorted(path for path in source.rglob("*") if path.is_file())
        for path in data.draw(st.lists(st.sampled_from(paths), max_size=5)):
            path.write_bytes(data.draw(st.binary(max_size=300)))
        for found in import_from(source, root=Path(folder, "root")):
            assert found.how in ("added", "left out")


def test_a_long_file_of_wandb_is_read_across_its_blocks() -> None:
    points: list[Logged] = [("loss" * 400, float(step), step, 0.5) for step in range(200)]
    found = only(import_from(write_wandb(Path("wandb/offline-run-1-a"), points)))
    assert points_of(found) == expected(points)


def test_a_block_of_wandb_that_is_garbled_costs_only_itself() -> None:
    points: list[Logged] = [("loss", float(step), step, 0.5) for step in range(3000)]
    path = write_wandb(Path("wandb/offline-run-1-a"), points) / "run-law.wandb"
    written = bytearray(path.read_bytes())
    written[40_000] ^= 1
    path.write_bytes(written)
    (found,) = import_from("wandb")
    assert found.left_out == ["a block that is garbled"]
    steps = [point["step"] for point in only([found]).metrics("loss")]
    assert 2000 < len(steps) < 3000
    assert (steps[0], steps[-1]) == (0, 2999)


def test_lines_that_are_torn_are_told_and_the_rest_comes() -> None:
    source = write_ml_dash(Path(".dash/law"), [("loss", 1.0, 1, 0.5), ("loss", 2.0, 2, 0.25)])
    with (source / "metrics/0/data.jsonl").open("a") as file:
        file.write('{"index": 2, "data": {"val')
    (source / "parameters.json").write_text('{"version": 2, "data": {"lr": 0.1, ')
    (found,) = import_from(".dash")
    assert found.points == 2
    assert [line.partition(" (")[0] for line in found.left_out] == [
        "parameters.json",
        "a line of 0/data.jsonl",
    ]


def test_a_step_of_mlflow_that_may_be_cut_off_is_left_out() -> None:
    source = write_mlflow(Path("mlruns/0") / ("a" * 32), [("loss", 1.0, 1, 0.5)])
    with (source / "metrics/loss").open("a") as file:
        file.write("2000 0.25 12")
    (found,) = import_from("mlruns")
    assert (found.points, found.left_out) == (1, ["a line of a metric"])


def test_a_run_of_mlflow_that_was_deleted_is_left_out() -> None:
    source = write_mlflow(Path("mlruns/0") / ("a" * 32), [("loss", 1.0, 1, 0.5)])
    (source / "meta.yaml").write_text("{lifecycle_stage: deleted}")
    (found,) = import_from("mlruns")
    assert (found.how, found.path) == ("left out", None)
    assert [*Path("experiments").rglob("*")] == []


@pytest.mark.parametrize("status", ["status: 1", "status: [1]", "status: {a: 1}", "x: 1"])
def test_a_run_that_nobody_saw_end_has_no_status(status: str) -> None:
    source = write_mlflow(Path("mlruns/0") / ("a" * 32), [("loss", 1.0, 1, 0.5)])
    (source / "meta.yaml").write_text(status)
    assert only(import_from("mlruns")).status is None


@pytest.mark.parametrize(
    "name", ["../../x", "/etc/passwd", "..", ".", "a\\b", "\x00", "\n", "🎉" * 90, "x" * 3000, "~~"]
)
def test_names_stay_within_the_root(name: str) -> None:
    said = field(3, name) + field(8, name) + field(10, name)
    wandb_file(
        Path("in/offline-run-1-a/run-a.wandb"),
        [field(17, said), history((name, 1.0, 1, 0.5)), field(5, field(1, field(1, name)))],
    )
    source = Path("dash/law")
    write_ml_dash(source, [(name, 1.0, 1, 0.5)])
    about = {"project": name, "prefix": name, "tags": [name]}
    (source / "experiment.json").write_text(json.dumps(about))
    for place in ("in", "dash"):
        run = only(import_from(place))
        assert run.path.resolve().parent.parent == Path("experiments").resolve()
        assert (run.project, run.prefix.removesuffix("-2")) == (name, name)
        assert run.metric_names == [name]
    outside = {path.name for path in Path().iterdir()}
    assert outside == {"in", "dash", "experiments"}


def test_links_and_what_is_no_file_are_left_out() -> None:
    Path("secret").write_text("secret")
    source = write_mlflow(Path("mlruns/0") / ("a" * 32), [("loss", 1.0, 1, 0.5)])
    (source / "artifacts").mkdir()
    (source / "artifacts/link").symlink_to(Path("secret").absolute())
    (source / "artifacts/folder").symlink_to(Path().absolute())
    (source / "params").mkdir()
    (source / "params/link").symlink_to(Path("secret").absolute())
    os.mkfifo(source / "artifacts/pipe")
    (found,) = import_from("mlruns")
    assert sorted(found.left_out) == [
        "2 times a link to a file",
        "a file that cannot be read",
        "a link to a folder",
    ]
    run = only([found])
    assert (run.file_prefixes, run.params.get()) == ([], {})
    assert all(b"secret" not in each.read_bytes() for each in run.path.rglob("*") if each.is_file())


def test_an_import_that_is_interrupted_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("understudy.runs._from_tensorboard.event_records", interrupted)
    with pytest.raises(KeyboardInterrupt):
        import_from(write_events(Path("runs/a"), [("loss", 1.0, 1, 0.5)]))
    assert [*Path("experiments").iterdir()] == []


def test_a_disk_that_is_full_is_an_error_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("understudy.runs._append.Appender.append_all", full)
    with pytest.raises(RunError, match="no room for the points of 'loss'"):
        import_from(write_events(Path("runs/a"), [("loss", 1.0, 1, 0.5)]))
    assert [*Path("experiments").iterdir()] == []


def test_misuse_is_an_error_that_says_what_there_is() -> None:
    Path("empty").mkdir()
    with pytest.raises(RunError, match="there is no run of ml-dash, mlflow, wandb, tensorboard in"):
        import_from("empty")
    with pytest.raises(RunError, match="there is nothing at"):
        import_from("nowhere")
    with pytest.raises(RunArgumentError, match="did you mean 'mlflow'"):
        import_from("empty", "mflow")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_the_command_tells_of_each_run(capsys: pytest.CaptureFixture[str]) -> None:
    source = str(SOURCES / "tensorboard" / "runs")
    assert main(["runs", "import", source]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "added     tensorboard  runs/resnet, 11 points -- left out: a histogram",
        "added     tensorboard  runs/resnet/trial, 1 points",
    ]
    assert main(["runs", "import", source, "--json", "--from", "tensorboard"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["how"], line["prefix"]) for line in lines] == [
        ("known", "resnet"),
        ("known", "resnet/trial"),
    ]
    assert main(["runs", "import", "nowhere"]) == 1
    assert "there is nothing at" in capsys.readouterr().err


def test_the_command_fails_if_a_run_was_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    source = write_mlflow(Path("mlruns/0") / ("a" * 32), [])
    (source / "meta.yaml").write_text("{lifecycle_stage: deleted}")
    assert main(["runs", "import", "mlruns", "--root", "r", "--project", "p"]) == 1
    assert "left out" in capsys.readouterr().out
