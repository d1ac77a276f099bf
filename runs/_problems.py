"""What went wrong with recording: counted, told once of each kind, and raised only if asked."""

from collections.abc import Iterator, Mapping
from typing import Literal

from ._errors import RunError

Kind = Literal["value", "write", "file", "params", "state", "capture", "system", "remote"]


class Problems(Mapping[str, int]):
    """How often each kind of problem came up; empty if all went well.

    Args:
        is_strict: whether a problem is raised.

    Example:
        >>> from understudy.runs import Run
        >>> with Run(prefix="my-experiment") as run:
        ...     run.metrics("train").log(loss=0.5)
        >>> dict(run.problems)
        {}
    """

    __module__ = "understudy.runs"

    def __init__(self, is_strict: bool = False) -> None:
        self._is_strict = is_strict
        self._counts: dict[str, int] = {}

    def tell(self, kind: Kind, text: str, error: BaseException | None = None) -> None:
        """Count a problem; the first of its kind is a warning of the logger `understudy`."""
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        why = f"{text}: {type(error).__name__}: {error}" if error is not None else text
        if self._is_strict:
            raise RunError(why) from error
        if count == 1:
            import logging

            logging.getLogger("understudy").warning(
                "%s (further problems of the kind %r are only counted, in run.problems)", why, kind
            )

    def warn(self, kind: Kind, text: str) -> None:
        """Count a problem, and warn of it: it is never raised, and who calls does so rarely."""
        import logging

        self._counts[kind] = self._counts.get(kind, 0) + 1
        logging.getLogger("understudy").warning("%s", text)

    def __getitem__(self, kind: str) -> int:
        return self._counts[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts.copy())

    def __len__(self) -> int:
        return len(self._counts)

    def __repr__(self) -> str:
        return f"Problems({self._counts})"
