"""One run, read from its folder: one that goes on, one that ended, one that crashed."""

import os
from pathlib import Path
from typing import Any

from ._attempts import Attempt, Status, read_attempts, status_of
from ._errors import RunError
from ._files import SavedFiles
from ._lines import Line, read_lines
from ._log import Messages
from ._manifest import FILE, read_manifest
from ._missing import is_run, told_known, what_is_at
from ._names import name_of
from ._params import Parameters
from ._points import Points
from ._state import read_state


class RunFolder:
    """A run, as it is on disk; reading changes nothing of it.

    Args:
        path: the folder: `experiments/project/my-experiment`.

    Raises:
        RunError: there is no run.

    Example:
        >>> from understudy.runs import Run, RunFolder
        >>> with Run(prefix="my-experiment", tags=["baseline"]) as run:
        ...     run.params.set(lr=0.1)
        ...     run.metrics("train").log(step=1, loss=0.5)
        >>> found = RunFolder(run.path)
        >>> found.status, found.info["tags"], found.params.get(), found.metric_names
        ('COMPLETED', ['baseline'], {'lr': 0.1}, ['train'])
        >>> found.metrics("train").summary()["loss"].last
        0.5
    """

    __module__ = "understudy.runs"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: Path = Path(path).absolute()
        if not is_run(self.path):
            raise RunError(f"there is no run at {self.path}: {what_is_at(self.path)}")

    @property
    def info(self) -> dict[str, Any]:
        """What run.json says: id, project, prefix, tags and so on, and how the run is now."""
        return read_manifest(self.path)

    @property
    def id(self) -> str:
        """The id of the run."""
        return str(read_state(self.path / FILE).get("id", ""))

    @property
    def project(self) -> str:
        """The project that it belongs to."""
        return str(read_state(self.path / FILE).get("project") or name_of(self.path.parent))

    @property
    def prefix(self) -> str:
        """The name of the run within the project."""
        return str(read_state(self.path / FILE).get("prefix") or name_of(self.path))

    @property
    def status(self) -> Status | None:
        """How it is; None if nobody ever said, as with one that was brought from elsewhere."""
        return status_of(self.attempts) or self.info.get("status")

    @property
    def attempts(self) -> list[Attempt]:
        """The processes that recorded into it, in order."""
        return read_attempts(self.path)

    @property
    def metric_names(self) -> list[str]:
        """The names of its metrics, sorted."""
        return _names_in(self.path / "metrics")

    @property
    def file_prefixes(self) -> list[str]:
        """The prefixes that it has files under, sorted."""
        return _names_in(self.path / "files")

    @property
    def log(self) -> Messages:
        """Its log."""
        return Messages(self.path)

    @property
    def params(self) -> Parameters:
        """Its parameters."""
        return Parameters(self.path)

    @property
    def system(self) -> list[Line]:
        """The samples of the machine, if some were taken."""
        lots = read_lines(self.path / "system" / "data.jsonl")
        return [line for lines in lots for line in lines]

    @property
    def git(self) -> dict[str, Any]:
        """The commit that the code was at: `commit`, `branch`, `is_dirty`; the diff is a file."""
        return read_state(self.path / "git.json")

    @property
    def environment(self) -> dict[str, Any]:
        """Python, the machine, the packages that were installed."""
        return read_state(self.path / "environment.json")

    def metrics(self, name: str) -> Points:
        """Return the points of a metric.

        Raises:
            RunError: there is none of that name, so far; it says which there are.

        Example:
            >>> from understudy.runs import Run, RunError
            >>> with Run(prefix="my-experiment") as run:
            ...     run.metrics("train").log(loss=0.5)
            >>> try:
            ...     run.read().metrics("trian")
            ... except RunError as error:
            ...     print(str(error).partition(" in ")[0])
            there is no metric 'trian': did you mean 'train'? There are 'train',
        """
        points = Points(self.path, name)
        if not points.path.is_dir():
            names = self.metric_names
            raise RunError(f"there is no metric {name!r}{told_known(name, names)}, in {self.path}")
        return points

    def files(self, prefix: str) -> SavedFiles:
        """Return the files under a prefix."""
        return SavedFiles(self.path, prefix)

    def last_step(self, metric: str | None = None) -> int | float | None:
        """Return the step of the last point of a metric; of all, the greatest, if none is named.

        Example:
            >>> from understudy.runs import Run, RunFolder
            >>> with Run(prefix="my-experiment") as run:
            ...     run.metrics("train").log(step=7, loss=0.5)
            >>> RunFolder(run.path).last_step()
            7
        """
        names = self.metric_names if metric is None else [metric]
        steps = [Points(self.path, name).last_step for name in names]
        return max((step for step in steps if step is not None), default=None)

    def __repr__(self) -> str:
        return f"<the run {self.project}/{self.prefix} in {self.path}>"


def _names_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as found:
            entries = [entry.name for entry in found if entry.is_dir()]
    except OSError:
        return []
    return sorted(name_of(folder / name) for name in entries if not name.startswith("."))
