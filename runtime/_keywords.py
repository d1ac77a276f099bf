"""The keywords: what may be said of an experiment by name, for the type checkers."""

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from understudy.actors import StreamLimits
from understudy.strategies import MultiBranchStrategy, Strategy

if TYPE_CHECKING:
    from ._shown import Capture

AnyStrategy = Strategy | Callable[..., Any]
"""A strategy, a class of them, or a function `configs -> (main, variants)`."""
AllStrategy = MultiBranchStrategy | type[MultiBranchStrategy]
"""The strategy whose answer is all results."""
Overflow = Literal["wait", "reject"]
Nested = Literal["product", "independent"]


class OtherOptions(TypedDict, total=False):
    """What `options(...)` takes beside the strategy."""

    configs: Any
    timeout: float | None
    concurrency: int
    mailbox: int
    overflow: Overflow
    nested: Nested
    max_cases: int
    stream: StreamLimits
    key: Callable[..., Hashable] | Hashable


class OptionKeywords(OtherOptions, total=False):
    """What `options(...)` takes."""

    strategy: AnyStrategy


class OtherKeywords(OtherOptions, total=False):
    """What `experiment(...)` takes beside the strategy."""

    place: Literal["loop"]
    uses: Sequence[Callable[..., Any]]
    name: str | None
    capture: "bool | Capture | None"


class ExperimentKeywords(OtherKeywords, total=False):
    """What `experiment(...)` takes."""

    strategy: AnyStrategy
