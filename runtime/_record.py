"""The Record: what a run has to be for results to be recorded into it; runs know nothing of us."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol, cast

from ._settings import ExperimentError

_NEEDED: Final = ("path", "project", "prefix", "id", "params", "log", "metrics")


class Results(Protocol):
    """Where the results of one experiment go."""

    def log_many(self, points: Iterable[Mapping[str, object]]) -> int:
        """Write some, and return how many of them are kept, the first ones; in any thread."""
        ...


class Parameters(Protocol):
    """Where the values of configs go."""

    def get(self) -> dict[str, Any]:
        """Return what was set until now."""
        ...

    def set(self, values: object = None, /) -> None:
        """Set some more, key by key."""
        ...


class Record(Protocol):
    """What `Runtime(record=...)` takes: a run of `understudy.runs`, or what does the same.

    Example:
        >>> import asyncio
        >>> from understudy import Runtime
        >>> from understudy.runs import Run
        >>> async def main(run: Run) -> None:
        ...     async with Runtime(record=run) as runtime:
        ...         @runtime.experiment(name="answer")
        ...         async def answer() -> int:
        ...             return 42
        ...         await answer()
        >>> with Run(prefix="recorded") as run:
        ...     asyncio.run(main(run))
        >>> [point["status"] for point in run.metrics("results/answer").read()]
        ['ok']
    """

    @property
    def path(self) -> os.PathLike[str]:
        """Its folder."""
        ...

    @property
    def project(self) -> str:
        """The project that it belongs to."""
        ...

    @property
    def prefix(self) -> str:
        """Its name."""
        ...

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def params(self) -> Parameters:
        """Its parameters."""
        ...

    @property
    def log(self) -> Callable[..., object]:
        """Its log, called with a message, `level=` and fields."""
        ...

    def metrics(self, name: str) -> Results:
        """Return the metric of a name."""
        ...


def check_record(record: Any) -> None:
    """Refuse what results cannot be recorded into.

    Raises:
        ExperimentError: it is none, or one that is only read.
        UnderstudyError: the run has not begun; it says so itself.
    """
    kind = cast("type[Any]", type(record))
    if not all(hasattr(kind, name) for name in _NEEDED):  # not of itself: not yet begun, it raises
        raise ExperimentError(
            f"record must be a Run(...) of understudy.runs that has begun, or None, not {record!r}"
        )
