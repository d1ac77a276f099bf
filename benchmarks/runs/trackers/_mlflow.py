"""MLflow, with its file store and with its sqlite store, which is what it begins with now."""

import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from benchmarks._peers import load

from ._tracker import TEN, Tracker

_EXPERIMENT: Final = "benchmark"
_AT_ONCE: Final = 1_000


class _Mlflow(Tracker):
    def __init__(self) -> None:
        os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # it is refused else
        self._mlflow: Any = load("mlflow")
        logging.getLogger("mlflow").setLevel(logging.ERROR)

    def _store(self, folder: Path) -> str:
        raise NotImplementedError

    def begin(self, folder: Path, name: str) -> None:
        self._mlflow.set_tracking_uri(self._store(folder))
        self._mlflow.set_experiment(_EXPERIMENT)
        self._run = self._mlflow.start_run(run_name=name)

    def end(self) -> None:
        self._mlflow.end_run()

    def point(self, step: int) -> None:
        self._mlflow.log_metric("loss", 0.1 * step, step=step)

    def point_of_ten(self, step: int) -> None:
        self._mlflow.log_metrics(TEN, step=step)

    def parameter(self, name: str, value: int) -> None:
        self._mlflow.log_param(name, value)

    def file(self, path: Path) -> None:
        self._mlflow.log_artifact(str(path))

    def fill(self, folder: Path, name: str, count: int) -> None:
        """In batches: one by one it would take minutes."""
        self.begin(folder, name)
        metric: Any = load("mlflow.entities").Metric
        client = self._mlflow.MlflowClient()
        for first in range(0, count, _AT_ONCE):
            steps = range(first, min(first + _AT_ONCE, count))
            points = [metric("loss", 0.1 * step, 1_700_000_000_000 + step, step) for step in steps]
            client.log_batch(self._run.info.run_id, metrics=points)
        self.end()

    def read(self, folder: Path, name: str) -> int:
        client = self._mlflow.MlflowClient(self._store(folder))
        experiment = client.get_experiment_by_name(_EXPERIMENT)
        (run,) = client.search_runs(
            [experiment.experiment_id], f"attributes.run_name = '{name}'", max_results=1
        )
        return len(client.get_metric_history(run.info.run_id, "loss"))


class MlflowFile(_Mlflow):
    """Folders of text."""

    def _store(self, folder: Path) -> str:
        return f"file://{folder}/mlruns"

    def stored(self, folder: Path) -> int:
        return sum(path.read_bytes().count(b"\n") for path in folder.rglob("metrics/loss"))


class MlflowSqlite(_Mlflow):
    """One sqlite database."""

    def _store(self, folder: Path) -> str:
        return f"sqlite:///{folder}/mlflow.db"

    def stored(self, folder: Path) -> int:
        with closing(sqlite3.connect(folder / "mlflow.db")) as opened:
            (count,) = opened.execute("select count(*) from metrics where key = 'loss'").fetchone()
        return int(count)
