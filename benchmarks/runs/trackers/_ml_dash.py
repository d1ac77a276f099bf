"""ml-dash, in its local mode; its lines are written by a thread, every 5 s or 1,000 points."""

from pathlib import Path
from typing import Any

from benchmarks._peers import load

from ._tracker import TEN, Tracker


class MlDash(Tracker):
    """An experiment under `dash_root`."""

    def __init__(self) -> None:
        self._ml_dash: Any = load("ml_dash")

    def _experiment(self, folder: Path, name: str) -> Any:
        prefix = f"owner/project/{name}"
        return self._ml_dash.Experiment(prefix=prefix, dash_root=str(folder)).run.start()

    def begin(self, folder: Path, name: str) -> None:
        self._run = self._experiment(folder, name)
        self._train = self._run.metrics("train")
        self._ten = self._run.metrics("ten")

    def end(self) -> None:
        self._run.run.complete()

    def point(self, step: int) -> None:
        self._train.log(step=step, loss=0.1 * step)

    def point_of_ten(self, step: int) -> None:
        self._ten.log(step=step, **TEN)

    def parameter(self, name: str, value: int) -> None:
        self._run.params.set(**{name: value})

    def file(self, path: Path) -> None:
        self._run.files("models").upload(str(path))

    def read(self, folder: Path, name: str) -> int:
        points = self._experiment(folder, name).metrics("train").read(0, 10**9)
        return len(points["data"])

    def stored(self, folder: Path) -> int:
        files = folder.rglob("metrics/train/data.jsonl")
        return sum(path.read_bytes().count(b"\n") for path in files)
