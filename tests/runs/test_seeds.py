"""The blocks of the document that was asked for, as they are written there, with our names."""

from pathlib import Path

import pytest

from understudy.runs import Run, RunFolder, recorded


def found(project: str = "project", prefix: str = "my-experiment") -> RunFolder:
    return RunFolder(Path("experiments", project, prefix))


def test_context_manager() -> None:
    with Run(prefix="my-experiment", project="project",
        ).start() as experiment:  # fmt: skip
        experiment.log("Training started")
        experiment.params.set(learning_rate=0.001)
        # Experiment automatically closed on exit
    assert (found().status, found().params.get()) == ("COMPLETED", {"learning_rate": 0.001})


def test_decorator() -> None:
    def train_epoch() -> float:
        return 0.5

    @recorded(prefix="my-experiment", project="project")
    def train_model(run: Run) -> str:
        run.log("Training started")
        run.params.set(learning_rate=0.001)

        for epoch in range(10):
            loss = train_epoch()
            run.metrics("train").log(loss=loss, epoch=epoch)

        return "Training complete!"

    result = train_model()
    assert result == "Training complete!"
    assert len(found().metrics("train")) == 10


def test_direct() -> None:
    experiment = Run(prefix="my-experiment", project="project",
            )  # fmt: skip
    experiment.start()

    try:
        experiment.log("Training started")
        experiment.params.set(learning_rate=0.001)
    finally:
        experiment.complete()
    assert found().status == "COMPLETED"


def test_local_mode() -> None:
    with Run(
        prefix="my-experiment",
        project="project",
    ).start() as experiment:
        experiment.log("Using local storage")
    assert found().log.read()[0]["message"] == "Using local storage"


def test_remote_mode_keeps_all_locally() -> None:
    with Run(
        prefix="my-experiment",
        project="project",
        remote="https://api.dash.ml",
    ).start() as experiment:
        experiment.log("Using remote server")
    assert len(found().log.read()) == 1


def test_metadata() -> None:
    with Run(
        prefix="resnet50-imagenet",
        project="computer-vision",
        description="ResNet-50 training with new augmentation",
        tags=["resnet", "imagenet", "baseline"],
        bindrs=["gpu-cluster", "team-a"],
        folder="/experiments/2025/resnet",
    ).start() as experiment:
        experiment.log("Training started")
    info = found("computer-vision", "resnet50-imagenet").info
    assert info["description"] == "ResNet-50 training with new augmentation"
    assert info["tags"] == ["resnet", "imagenet", "baseline"]
    assert info["bindrs"] == ["gpu-cluster", "team-a"]
    assert info["folder"] == "/experiments/2025/resnet"


def test_automatic_status() -> None:
    with Run(prefix="training", project="ml",
            ).start() as experiment:  # fmt: skip
        experiment.log("Training...")
    assert experiment.status == "COMPLETED"

    with (
        pytest.raises(ValueError, match="Training failed!"),
        Run(prefix="training", project="ml").start() as experiment,
    ):
        experiment.log("Training...")
        raise ValueError("Training failed!")
    assert experiment.status == "FAILED"


@pytest.mark.parametrize(
    ("error", "status"),
    [(None, "COMPLETED"), (KeyboardInterrupt, "CANCELLED"), (ValueError, "FAILED")],
)
def test_manual_status(error: type[BaseException] | None, status: str) -> None:
    experiment = Run(prefix="training", project="ml")
    experiment.start()

    try:
        experiment.log("Training...")
        if error is not None:
            raise error
        experiment.complete()
    except KeyboardInterrupt:
        experiment.cancel()
    except Exception as e:  # noqa: BLE001 - as it is written there
        experiment.log(f"Error: {e}")
        experiment.fail()
    assert experiment.status == status


def test_resuming() -> None:
    # First run
    with Run(prefix="long-training", project="ml",
            ).start() as experiment:  # fmt: skip
        experiment.log("Starting epoch 1")
        experiment.metrics("train").log(loss=0.5, epoch=1)

    # Later - continues same experiment
    with Run(prefix="long-training", project="ml",
            ).start() as experiment:  # fmt: skip
        experiment.log("Resuming from checkpoint")
        experiment.metrics("train").log(loss=0.3, epoch=2)
    assert [point["epoch"] for point in found("ml", "long-training").metrics("train")] == [1, 2]


def test_available_operations() -> None:
    Path("model.pth").write_bytes(b"weights")
    with Run(prefix="demo", project="test",
            ).start() as experiment:  # fmt: skip
        # Logging
        experiment.log("Training started", level="info")

        # Parameters
        experiment.params.set(lr=0.001, batch_size=32)

        # Metrics tracking
        experiment.metrics("train").log(loss=0.5, epoch=1)

        # File uploads
        experiment.files("models").save("model.pth")
    run = found("test", "demo")
    assert run.files("models").load("model.pth") == b"weights"
    (saved,) = run.files("models").list()
    assert saved.path == run.path / "files/models" / saved.id / "model.pth"
