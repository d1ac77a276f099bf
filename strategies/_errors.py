"""What can go wrong with a strategy, and how what is wrong is named."""

from understudy.configs import UnderstudyError


class StrategyError(UnderstudyError, ValueError):
    """A strategy, an option of one or a plan it made is not what it should be.

    Example:
        >>> from understudy.strategies import ShadowStrategy, StrategyError
        >>> try:
        ...     ShadowStrategy(sample=50)
        ... except StrategyError as error:
        ...     print(error)
        ShadowStrategy(sample=50): it takes a rate from 0 to 1
    """

    __module__ = "understudy.strategies"


def name_of(value: object) -> str:
    """Name a function or class as it can be found: `module.name`; others by their repr."""
    name = getattr(value, "__qualname__", None)
    if not isinstance(name, str):
        return repr(value)
    module = getattr(value, "__module__", None)
    return f"{module}.{name}" if isinstance(module, str) else name
