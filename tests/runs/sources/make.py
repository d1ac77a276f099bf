"""Makes the small sources that the importers are tried on, by the tools themselves.

    python -m venv v && v/bin/pip install ml-dash==0.11.0 'mlflow-skinny==3.*' wandb tensorboardX
    cd tests/runs/sources && ../../../v/bin/python make.py

What it makes is committed: made anew, it has other ids, times and hosts, and the tests hold as well.
"""

import os
import shutil
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.resolve()
IGNORED = shutil.ignore_patterns("*.lock", ".log_sequence", "latest-run", "debug*.log")
os.environ.update(
    ML_DASH_NO_VERSION_CHECK="1",
    MLFLOW_ALLOW_FILE_STORE="true",
    MLFLOW_TRACKING_URI="file:./mlruns",
    USER="somebody",
    USERNAME="somebody",
    LOGNAME="somebody",
    WANDB_MODE="offline",
    WANDB_SILENT="true",
    WANDB_DISABLE_GIT="true",
    WANDB_HOST="machine",
    HOSTNAME="machine",
)


def tool(name: str) -> Any:
    """Return a module of a tool, which is not installed where the tests run."""
    return import_module(name)


def weights() -> Path:
    """Return a file to be kept."""
    path = Path("weights.bin")
    path.write_bytes(b"weights" * 10)
    return path


def ml_dash() -> None:
    """Make a run of ml-dash."""
    experiment = tool("ml_dash").Experiment

    with experiment("somebody/vision/resnet", readme="the first", tags=["baseline"]).run as exp:
        exp.params.set(lr=0.1, model={"size": 256, "name": "resnet"})
        exp.log("Training started", level="info", device="gpu-1")
        for step in range(5):
            exp.metrics("train").log(loss=1 / (1 + step), step=step)
        exp.metrics("eval").log(accuracy=float("nan"), step=5)
        exp.files("models").upload(str(weights()))
        exp.log("It diverges", level="warn")


def mlflow() -> None:
    """Make runs of MLflow: one within another, and one that fails."""
    flow = tool("mlflow")

    flow.set_experiment("vision")
    with flow.start_run(run_name="resnet", tags={"baseline": "", "team": "a/b"}) as run:
        flow.log_params({"lr": 0.1, "model.size": 256, "opt/name": "sgd"})
        for step in range(5):
            flow.log_metric("train/loss", 1 / (1 + step), step=step)
        flow.log_metric("accuracy", float("nan"), step=5)
        flow.log_artifact(str(weights()), "models")
        flow.log_text("notes", "notes.txt")
        flow.set_tag("mlflow.note.content", "the first")
        flow.set_tag("mlflow.source.git.commit", "0123456789abcdef0123456789abcdef01234567")
        with flow.start_run(run_name="child", nested=True):
            flow.log_metric("loss", 3.0)
    assert run is not None
    try:
        with flow.start_run(run_name="fails"):
            raise ValueError("diverged")
    except ValueError:
        pass


def wandb() -> None:
    """Make a run of wandb, without a network."""
    bees = tool("wandb")

    run = bees.init(
        project="vision",
        name="resnet",
        notes="the first",
        tags=["baseline"],
        config={"lr": 0.1, "model": {"size": 256}},
        settings=bees.Settings(host="machine", x_disable_meta=True),
    )
    print("Training started")
    for step in range(5):
        run.log({"train/loss": 1 / (1 + step), "word": "good", "epoch": {"n": step}})
    run.log({"accuracy": float("nan")})
    run.config.update({"late": True})
    Path(run.dir, "weights.bin").write_bytes(b"weights" * 10)
    run.summary["best"] = 0.2
    run.finish(exit_code=1)
    bees.teardown()


def tensorboard() -> None:
    """Make event files: numbers in both encodings, a text, a histogram, parameters."""
    writer_of = tool("tensorboardX").SummaryWriter
    event_of = tool("tensorboardX.proto.event_pb2").Event
    summaries = tool("tensorboardX.proto.summary_pb2")
    tensor_of = tool("tensorboardX.proto.tensor_pb2").TensorProto

    with writer_of("runs/resnet") as writer:
        for step in range(5):
            writer.add_scalar("train/loss", 1 / (1 + step), step, walltime=1_700_000_000 + step)
        writer.add_scalar("accuracy", float("nan"), 5, walltime=1_700_000_005)
        writer.add_text("notes", "Training started", 0, walltime=1_700_000_000)
        writer.add_histogram("weights", [1.0, 2.0, 3.0], 0)
        for step in range(5):  # as TensorFlow and its like write numbers
            value = tensor_of(dtype="DT_FLOAT", float_val=[step * 2.0])
            told = summaries.SummaryMetadata(
                plugin_data=summaries.SummaryMetadata.PluginData(plugin_name="scalars")
            )
            each = summaries.Summary.Value(
                tag="tensor", tensor=value, metadata=told if not step else None
            )
            event = event_of(
                wall_time=1_700_000_000 + step, step=step, summary=summaries.Summary(value=[each])
            )
            writer.file_writer.event_writer.add_event(event)
        writer.add_hparams({"lr": 0.1, "opt": "sgd", "big": True}, {"best": 0.2}, name="trial")


def main() -> None:
    """Make each in a folder of its own, and keep what it left there."""
    for make, left in (
        (ml_dash, ".dash"),
        (mlflow, "mlruns"),
        (wandb, "wandb"),
        (tensorboard, "runs"),
    ):
        target = HERE / make.__name__
        shutil.rmtree(target, ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            make()
            os.chdir(HERE)
            shutil.copytree(Path(folder, left), target / left.lstrip("."), ignore=IGNORED)


if __name__ == "__main__":
    main()
