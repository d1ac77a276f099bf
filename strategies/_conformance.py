"""check_strategy: what every strategy keeps to, as a test for one of your own."""

from collections.abc import Callable
from typing import Any

from ._plan import Strategy


def check_strategy(make: Strategy | Callable[..., Any], *, calls: int = 200) -> None:
    """To be written."""
    raise NotImplementedError
