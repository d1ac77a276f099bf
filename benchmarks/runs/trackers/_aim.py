"""aim: a repository of RocksDB databases; a run is found when it has been indexed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._peers import load

from ._tracker import TEN, Tracker


class Aim(Tracker):
    """Runs without samples of the machine or what they print."""

    def __init__(self) -> None:
        self._aim: Any = load("aim")

    def begin(self, folder: Path, name: str) -> None:
        self._run = self._aim.Run(
            repo=str(folder),
            system_tracking_interval=None,
            log_system_params=False,
            capture_terminal_logs=False,
        )
        self._run.set_artifacts_uri(f"file://{folder}/artifacts")

    def end(self) -> None:
        self._run.close()

    def point(self, step: int) -> None:
        self._run.track(0.1 * step, name="loss", step=step)

    def point_of_ten(self, step: int) -> None:
        self._run.track(dict(TEN), step=step)

    def parameter(self, name: str, value: int) -> None:
        self._run[name] = value

    def file(self, path: Path) -> None:
        self._run.log_artifact(str(path), block=True)

    def fill(self, folder: Path, name: str, count: int) -> None:
        super().fill(folder, name, count)
        self._index(folder)

    def _index(self, folder: Path) -> None:
        """Index all runs; `aim up` does so too."""
        manager: Any = load("aim.sdk.index_manager").RepoIndexManager
        repository = self._aim.Repo.from_path(str(folder))
        indexer = manager.get_index_manager(repository)
        for run in repository.list_all_runs():
            indexer.index(run)

    def _sizes(self, folder: Path) -> Iterator[int]:
        repository = self._aim.Repo.from_path(str(folder))
        found = repository.query_metrics("metric.name == 'loss'", report_mode=0)
        for run in found.iter_runs():
            for metric in run:
                yield len(metric.values.sparse_numpy()[1])

    def read(self, folder: Path, name: str) -> int:
        return sum(self._sizes(folder))

    def stored(self, folder: Path) -> int:
        self._index(folder)
        return sum(self._sizes(folder))
