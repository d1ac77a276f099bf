"""`current_experiment_case`: which case is being played here."""

from typing import Any, overload

from ._branch import CURRENT, Branch
from ._case import ExperimentCase


def current_branch() -> Branch | None:
    """Return the branch that runs here; None outside of one.

    Example:
        >>> from understudy.actors import current_branch
        >>> print(current_branch())
        None
    """
    return CURRENT.get()


def playing_branch() -> Branch:
    """Return the branch that runs here, where there must be one."""
    branch = CURRENT.get()
    assert branch is not None
    return branch


def leave_branch() -> None:
    """Be outside of any branch from here on, in this context.

    Example:
        >>> from understudy.actors import current_branch, leave_branch
        >>> leave_branch()
        >>> print(current_branch())
        None
    """
    CURRENT.set(None)


_NONE_GIVEN = object()


class CurrentCase:
    """Reads the case of the branch that runs; there is one, `current_experiment_case`.

    Example:
        >>> import asyncio
        >>> from understudy import Config, Runtime, current_experiment_case
        >>> runtime = Runtime(configs=[{"model": "large"}])
        >>> @runtime.experiment()
        ... async def answer(config: Config):
        ...     return current_experiment_case.get().config.model
        >>> asyncio.run(answer())
        'large'
        >>> print(current_experiment_case.get(None))
        None
    """

    __slots__ = ()

    @overload
    def get(self) -> ExperimentCase: ...
    @overload
    def get(self, default: None) -> ExperimentCase | None: ...
    def get(self, default: Any = _NONE_GIVEN) -> Any:
        """Return the case; outside a branch the default, or else raise a LookupError."""
        branch = CURRENT.get()
        if branch is not None:
            return branch.case_now
        if default is _NONE_GIVEN:
            raise LookupError("no experiment is being played here")
        return default


current_experiment_case: CurrentCase = CurrentCase()
"""Reads the case of the branch that runs: `current_experiment_case.get().config.id`."""
