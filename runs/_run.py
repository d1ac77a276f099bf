"""Run: the face of a run that is recorded."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Never, Self

from . import _arguments, _current
from ._arguments import Resume, Sync
from ._errors import RunError
from ._problems import Problems
from ._settings import METADATA, Origin, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from ._attempts import Attempt, Status
    from ._files import Files
    from ._log import Log
    from ._metrics import Metric
    from ._params import Params
    from ._reading import RunFolder
    from ._recording import Recording

ASPECTS = ("command", "diff", "environment", "git")
EVERY = 10.0


class Run:
    """A recorded execution: its log, parameters, metrics and files, as plain files on disk.

    What is logged is on disk when the call returns: `kill -9` cannot lose it. Nothing that goes
    wrong with recording is raised where something is logged; it is a warning, and counted in
    `problems`. Any threads and processes may record into one run.

    Args:
        prefix: the name of the run within its project.
        project: what it belongs to.
        root: the folder that all is in; else `UNDERSTUDY_ROOT` of the environment, or
            `experiments`.
        description: what it is about, for people.
        tags: words to find it by.
        bindrs: the resources or teams that it belongs to.
        folder: where a dashboard shows it.
        readme: more about it, in Markdown.
        remote: the server that it is sent to as well, while it is recorded: `http://host:8780`.
        token: what that server lets us in with; else `UNDERSTUDY_TOKEN` of the environment, or
            what `~/.config/understudy/tokens.json` has for its address. It is kept nowhere.
        resume: what to do if the run exists: `allow` continues it, as a further attempt; `never`
            refuses; `must` insists on one that is not running; `new` begins another, `-2`.
        rewind: hide the points behind this step before going on; nothing is deleted.
        sync: `always` waits with each line until the disk has it, which a loss of power cannot
            take; some 0.2 ms or more a line.
        capture: what is looked up around the run, out of your way: `command`, `git`, `diff`,
            `environment`; or all, or nothing.
        system: whether samples of processor, memory and graphics cards are taken, or every how
            many seconds.
        strict: whether problems are raised as a RunError.

    Raises:
        RunArgumentError: an argument is unknown, or no such thing.

    Example:
        >>> from understudy.runs import Run
        >>> with Run(prefix="my-experiment", project="project").start() as run:
        ...     run.log("Training started")
        ...     run.params.set(learning_rate=0.001)
        ...     for epoch in range(3):
        ...         run.metrics("train").log(loss=1 / (1 + epoch), epoch=epoch)
        >>> run.status, run.metrics("train").summary()["loss"].last
        ('COMPLETED', 0.3333333333333333)
    """

    __module__ = "understudy.runs"

    @_arguments.by_name
    def __init__(
        self,
        *,
        prefix: str,
        project: str = "project",
        root: str | os.PathLike[str] | None = None,
        description: str | None = None,
        tags: Iterable[str] | None = None,
        bindrs: Iterable[str] | None = None,
        folder: str | None = None,
        readme: str | None = None,
        remote: str | None = None,
        token: str | None = None,
        resume: Resume = "allow",
        rewind: float | None = None,
        sync: Sync = "process",
        capture: bool | Iterable[str] = True,
        system: bool | float = False,
        strict: bool = False,
        **unknown: Never,
    ) -> None:
        _arguments.check_unknown("Run()", unknown, _KNOWN)
        given = {
            "description": _arguments.text_or_none("description", description),
            "tags": _arguments.texts("tags", tags) if tags is not None else None,
            "bindrs": _arguments.texts("bindrs", bindrs) if bindrs is not None else None,
            "folder": _arguments.text_or_none("folder", folder),
            "readme": _arguments.text_or_none("readme", readme),
        }
        self._settings = Settings(
            prefix=_arguments.text("prefix", prefix),
            project=_arguments.text("project", project),
            root=_arguments.root(root),
            described={name: value for name, value in given.items() if value is not None},
            remote=_arguments.server_or_none(remote, token),
            resume=_arguments.one_of("resume", resume, _arguments.RESUME),
            rewind=_arguments.step_or_none("rewind", rewind),
            is_synced=_arguments.one_of("sync", sync, _arguments.SYNC) == "always",
            aspects=_arguments.aspects(capture, ASPECTS),
            system=_arguments.seconds("system", system, EVERY),
            is_strict=bool(strict),
        )
        self._origin: Origin | None = None
        self._recording: Recording | None = None
        self._metrics: dict[str, Metric] = {}
        self.problems: Problems = Problems(self._settings.is_strict)

    def start(self) -> Self:
        """Begin, or continue; return the run, which can be used with `with` or ended by hand.

        A run that has begun goes on as it is. One that has ended begins a further attempt.

        Raises:
            RunError: the run exists and may not (`resume="never"`), or the other way round.

        Example:
            >>> from understudy.runs import Run
            >>> run = Run(prefix="my-experiment").start()
            >>> run.status
            'RUNNING'
            >>> run.complete()
            >>> run.status
            'COMPLETED'
        """
        if self._begin():
            _current.enter(self)
        return self

    def complete(self) -> None:
        """End it well. Once it has ended, this and the others change nothing."""
        self._end("COMPLETED")

    def fail(self, error: BaseException | str | None = None) -> None:
        """End it as failed.

        Args:
            error: why; the exception that is just handled, if it is not said.

        Example:
            >>> from understudy.runs import Run
            >>> run = Run(prefix="my-experiment").start()
            >>> try:
            ...     1 / 0
            ... except ZeroDivisionError:
            ...     run.fail()
            >>> run.status, run.attempts[-1].error.type
            ('FAILED', 'ZeroDivisionError')
        """
        import sys

        self._end("FAILED", error if error is not None else sys.exception())

    def cancel(self) -> None:
        """End it as cancelled."""
        self._end("CANCELLED")

    @property
    def log(self) -> Log:
        """The log: `run.log("Training started", lr=0.1)`, and `run.log.read()`."""
        return self._begun.log

    @property
    def params(self) -> Params:
        """The parameters: `run.params.set(lr=0.1)`, and `run.params.get()`."""
        return self._begun.params

    def metrics(self, name: str) -> Metric:
        """Return a metric: `run.metrics("train").log(loss=0.5)`; any text is a name.

        Example:
            >>> from understudy.runs import Run
            >>> with Run(prefix="my-experiment") as run:
            ...     run.metrics("train/loss").log(value=0.5, step=1)
            ...     run.metrics("train/loss").last_step, run.metric_names
            (1, ['train/loss'])
        """
        metric = self._metrics.get(name)
        return self._begun.metric(name) if metric is None else metric

    def files(self, prefix: str) -> Files:
        """Return the files under a prefix: `run.files("models").save("model.pth")`."""
        return self._begun.files(prefix)

    def update(
        self,
        *,
        description: str | None = None,
        tags: Iterable[str] | None = None,
        bindrs: Iterable[str] | None = None,
        folder: str | None = None,
        readme: str | None = None,
    ) -> None:
        """Describe the run anew; what is not given stays.

        Example:
            >>> from understudy.runs import Run
            >>> with Run(prefix="my-experiment", tags=["baseline"]) as run:
            ...     run.update(description="the best so far")
            >>> run.read().info["tags"], run.read().info["description"]
            (['baseline'], 'the best so far')
        """
        given = {
            "description": _arguments.text_or_none("description", description),
            "tags": _arguments.texts("tags", tags) if tags is not None else None,
            "bindrs": _arguments.texts("bindrs", bindrs) if bindrs is not None else None,
            "folder": _arguments.text_or_none("folder", folder),
            "readme": _arguments.text_or_none("readme", readme),
        }
        self._begun.update({name: value for name, value in given.items() if value is not None})

    def read(self) -> RunFolder:
        """Return what is on disk of the run, of all its attempts."""
        from ._reading import RunFolder

        return RunFolder(self._begun.path)

    @property
    def path(self) -> Path:
        """The folder of the run."""
        return self._begun.path

    @property
    def id(self) -> str:
        """The id of the run, that of no other."""
        return self.read().id

    @property
    def project(self) -> str:
        """The project that it belongs to."""
        return self._settings.project

    @property
    def prefix(self) -> str:
        """Its name; with `resume="new"` it may have got a number when it began."""
        return self._settings.prefix if self._recording is None else self._recording.prefix

    @property
    def attempt(self) -> int:
        """The number of this attempt: 1 if the run was begun by this one."""
        return self._begun.attempt.n

    @property
    def attempts(self) -> list[Attempt]:
        """All attempts, in order: the processes that recorded into it."""
        return self.read().attempts

    @property
    def status(self) -> Status | None:
        """How it is: RUNNING, COMPLETED, FAILED, CANCELLED or LOST; None before it begins."""
        if self._recording is None:
            return None
        found = self._kept
        return self._recording.attempt.status if found is None else found.status

    @property
    def metric_names(self) -> list[str]:
        """The names of its metrics, sorted."""
        found = self._kept
        return [] if found is None else found.metric_names

    def last_step(self, metric: str | None = None) -> int | float | None:
        """Return the step of the last point of a metric; of all, the greatest, if none is named.

        Example:
            >>> from understudy.runs import Run
            >>> with Run(prefix="long-training") as run:
            ...     run.metrics("train").log(step=41, loss=0.5)
            >>> with Run(prefix="long-training") as run:
            ...     run.attempt, run.last_step("train")
            (2, 41)
        """
        if metric is not None:
            return self.metrics(metric).last_step
        found = self._kept
        return None if found is None else found.last_step()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._leave(error)

    async def __aenter__(self) -> Self:
        from anyio import to_thread

        if await to_thread.run_sync(self._begin):
            _current.enter(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        from anyio import CancelScope, to_thread

        with CancelScope(shield=True):
            await to_thread.run_sync(self._leave, error)
        _current.leave(self)

    def __repr__(self) -> str:
        return f"<Run {self.project}/{self.prefix}: {self.status or 'not begun'}>"

    @classmethod
    def forked(cls, origin: Origin, **arguments: Any) -> Self:
        """Return a run that begins from another: `fork` says how."""
        run = cls(**arguments)
        run._origin = origin
        return run

    @property
    def _begun(self) -> Recording:
        if self._recording is None:
            raise RunError(
                "the run has not begun: `with Run(...) as run:`, or `run.start()` before"
            )
        return self._recording

    @property
    def _kept(self) -> RunFolder | None:
        """What is on disk; None if there was no room for it anywhere."""
        from ._reading import RunFolder

        path = self._begun.path
        try:
            return RunFolder(path)
        except RunError:
            return None

    def _begin(self) -> bool:
        """Begin to record; False if we do already."""
        if self._recording is not None and not self._recording.is_over:
            return False
        from ._ending import end_at_exit
        from ._recording import Recording

        self._recording = Recording(self._settings, self._origin, self.problems)
        self._metrics = self._recording.metrics
        end_at_exit(self)
        return True

    def _leave(self, error: BaseException | None) -> None:
        """End as what left the block says."""
        from ._ending import status_after

        self._end(status_after(error), error)

    def _end(
        self, status: Status, error: BaseException | str | None = None, by: str | None = None
    ) -> None:
        from ._ending import has_ended

        if self._begun.end(status, error, by):
            has_ended(self)
            _current.leave(self)


_KNOWN = (
    *("prefix", "project", "root", *METADATA, "remote", "token", "resume", "rewind"),
    *("sync", "capture", "system", "strict"),
)
