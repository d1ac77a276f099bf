"""The one thread of a run: looks at what surrounds it once, and gives signs of life."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic

from ._attempts import BEAT, beat
from ._problems import Kind, Problems


class Pulse:
    """A thread that does something once, and then little, every few seconds, until it is stopped.

    It is a daemon: it holds nobody up. A process that is forked off has none, and needs none.

    Args:
        run: the folder of the run.
        first: done at once.
        samples: what takes samples, if there is something, and every how many seconds.
        problems: told what goes wrong.
    """

    def __init__(
        self,
        run: Path,
        first: Callable[[], None],
        samples: tuple[Callable[[], None], float] | None,
        problems: Problems,
    ) -> None:
        self._run = run
        self._first = first
        self._samples = samples
        self._problems = problems
        self._pid = os.getpid()
        self._is_over = threading.Event()
        self._is_looked = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="understudy run", daemon=True)
        self._thread.start()

    def stop(self, patience: float) -> None:
        """End it; what it does first may take so many seconds more."""
        if os.getpid() == self._pid:
            self._is_looked.wait(patience)
            self._is_over.set()
            self._thread.join(patience)

    def _beat(self) -> None:
        self._do("capture", self._first)
        self._is_looked.set()
        take, every = self._samples or (None, BEAT)
        due = 0.0
        while True:
            if take is not None and monotonic() >= due:
                due = monotonic() + every
                self._do("system", take)
            with suppress(OSError):  # who looks from elsewhere will see that nothing comes
                beat(self._run)
            if self._is_over.wait(min(every, BEAT)):
                return

    def _do(self, kind: Kind, what: Callable[[], None]) -> None:
        try:
            what()
        except Exception as error:
            with suppress(Exception):  # in this thread there is nobody to raise to
                self._problems.tell(kind, f"{kind} failed", error)
