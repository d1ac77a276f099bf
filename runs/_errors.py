"""What a recorder raises: only when it is used wrongly at the start, or was asked to be strict."""

from understudy.configs import UnderstudyError


class RunError(UnderstudyError, ValueError):
    """A run cannot be started, read or used as it was asked to be.

    Example:
        >>> from understudy.runs import Run, RunError
        >>> try:
        ...     Run(prefix="my-experiment", resume="must").start()
        ... except RunError as error:
        ...     print(str(error).partition(":")[0])
        there is no run to resume
    """

    __module__ = "understudy.runs"


class RunArgumentError(RunError, TypeError):
    """An argument of a run is unknown, or of a kind that it cannot be.

    Example:
        >>> from understudy.runs import Run, RunArgumentError
        >>> try:
        ...     Run(prefix="my-experiment", descripton="first try")
        ... except RunArgumentError as error:
        ...     print(error)
        Run() has no argument 'descripton': did you mean 'description'?
    """

    __module__ = "understudy.runs"


class FilterError(RunError):
    """A filter is not understood: what it says tells where, and what is known.

    Example:
        >>> from understudy.runs import Filter, FilterError
        >>> try:
        ...     Filter("tag == 'baseline'")
        ... except FilterError as error:
        ...     print(str(error).partition("?")[0])
        the filter is not understood: 'tag' is not known: did you mean `tags`
    """

    __module__ = "understudy.runs"
