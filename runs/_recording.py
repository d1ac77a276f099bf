"""A run that is being recorded by this process: its files, its attempt, its end."""

from __future__ import annotations

import os
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

import msgspec

from ._attempts import Attempt, Status, begin_attempt, end_attempt
from ._capture import capture, command_line
from ._claim import claim, folder_of
from ._ending import failure_of
from ._errors import RunError
from ._log import Log
from ._manifest import publish
from ._metrics import Metric
from ._params import Params
from ._problems import Problems
from ._process import this_process
from ._pulse import Pulse
from ._settings import Origin, Settings

if TYPE_CHECKING:
    from ._files import Files
    from ._sender import Sender

_PATIENCE = 5.0
"""How many seconds the end waits for what is still looked up: git, the environment."""


class Recording:
    """A run that is being recorded by this process.

    Where the folder cannot be written, all goes on: nothing is kept, and that is counted.

    Args:
        settings: what was asked for.
        origin: the run that this one begins from, if it does.
        problems: told what goes wrong.

    Raises:
        RunError: the run exists and may not, or the other way round.
    """

    def __init__(self, settings: Settings, origin: Origin | None, problems: Problems) -> None:
        self._settings = settings
        self._problems = problems
        self._pid = os.getpid()
        self._pulse: Pulse | None = None
        self._sender: Sender | None = None
        self._turns = [True]
        """Whoever takes what is in it ends the run."""
        self.prefix = settings.prefix
        self.path = folder_of(settings, settings.prefix)
        self.attempt = Attempt(n=1, started=time(), process=this_process())
        try:
            self._begin(origin)
        except OSError as error:
            self._problems.tell("write", f"the run cannot be kept in {self.path}", error)
        synced, number = settings.is_synced, self.attempt.n
        self.metrics: dict[str, Metric] = {}
        self.log = Log(self.path, number, problems, synced)
        self.params = Params(self.path, number, problems, synced)
        self._files: dict[str, Files] = {}

    def metric(self, name: str) -> Metric:
        """Return a metric, the same one each time."""
        found = self.metrics.get(name)
        if found is None:
            found = self.metrics.setdefault(
                name,
                Metric(
                    self.path,
                    str(name),
                    self.attempt.n,
                    self._problems,
                    self._settings.is_synced,
                ),
            )
        return found

    def files(self, prefix: str) -> Files:
        """Return the files under a prefix."""
        found = self._files.get(prefix)
        if found is None:
            from ._files import Files

            found = self._files[prefix] = Files(
                self.path, str(prefix), self.attempt.n, self._problems, self._settings.is_synced
            )
        return found

    def update(self, changes: dict[str, Any]) -> None:
        """Say something else of the run."""
        try:
            publish(self.path, changes)
        except OSError as error:
            self._problems.tell("state", f"run.json is not up to date: {self.path}", error)

    def end(self, status: Status, error: BaseException | str | None, by: str | None) -> bool:
        """End the attempt of this process; False if it has ended, or is that of another process."""
        if os.getpid() != self._pid:
            return False  # forked off: the run is its parent's
        try:
            self._turns.pop()
        except IndexError:
            return False
        if self._pulse is not None:
            self._pulse.stop(_PATIENCE)
        try:
            failure = failure_of(error) if status == "FAILED" and error is not None else None
            self.attempt = msgspec.structs.replace(
                self.attempt, status=status, ended=time(), ended_by=by, error=failure
            )
            end_attempt(self.path, self.attempt)
            publish(self.path, {})
        except OSError as problem:
            self._problems.tell("state", f"how the run ended is not kept: {self.path}", problem)
        finally:
            for metric in [*self.metrics.values()]:
                metric.close()
            self.log.close()
            self.params.close()
        if self._sender is not None:
            from ._sender import patience

            self._sender.finish(patience())
        return True

    @property
    def is_over(self) -> bool:
        """Whether this process has ended its attempt."""
        return not self._turns

    def _begin(self, origin: Origin | None) -> None:
        settings = self._settings
        said: dict[str, Any] = dict(settings.described)
        if settings.remote is not None:
            said["remote"] = settings.remote.address
        if origin is not None:
            said["forked"] = {"path": str(origin.path), "step": origin.step}
        claimed = claim(settings, said)
        self.path, self.prefix = claimed.path, claimed.prefix
        if origin is not None:
            if not claimed.is_new:
                raise RunError(f"a fork is a run of its own, and there is one: {self.path}")
            from ._forking import copy_until

            copy_until(origin, self.path)
        command = command_line() if "command" in settings.aspects else None
        self.attempt = begin_attempt(self.path, command)
        if self.attempt.n > 1:  # who starts a script twice adds to the same metrics
            import logging

            logging.getLogger("understudy").info(
                "goes on with the run %s/%s, attempt %s: resume='new' begins another beside it",
                *(settings.project, self.prefix, self.attempt.n),
            )
        if settings.rewind is not None:
            from ._forking import hide_behind

            hide_behind(self.path, settings.rewind, self.attempt.n)
        publish(self.path, said if not claimed.is_new else {})
        self._pulse = Pulse(self.path, self._looker(), self._sampler(), self._problems)
        if settings.remote is not None:
            from ._sender import start_sender

            self._sender = start_sender(self.path, settings.remote, self._problems)

    def _looker(self) -> Any:
        run, aspects, folder = self.path, self._settings.aspects, Path.cwd()
        return lambda: capture(run, aspects, folder)

    def _sampler(self) -> Any:
        every = self._settings.system
        if every is None:
            return None
        from ._system import SystemSampler

        return SystemSampler(self.path, self.attempt.n), every
