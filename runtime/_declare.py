"""Declare: what the type checkers make of a function that becomes an experiment.

A checker drops the config from a signature where it can tell which parameter it is: the first one,
or the one after `self`. For a function that takes it elsewhere any arguments pass; what the call
returns is known all the same.
"""

# Where overloads overlap, the first that fits is meant.
# pyright: reportOverlappingOverload=false
# mypy: disable-error-code=overload-overlap

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

from understudy.actors import ExperimentCaseResults
from understudy.configs import Config

from ._decorated import Decorated, Loose

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

Wide = Callable[Concatenate[Mapping[str, Any], ...], R]
"""A function whose first parameter takes any mapping, and so a Config: it does not ask for one."""
First = Callable[Concatenate[Config, P], R]
"""A function whose first parameter takes the config."""
Second = Callable[Concatenate[Any, Config, P], R]
"""A function whose second parameter takes the config: a method, perhaps."""
All = ExperimentCaseResults[T]
Later = Coroutine[Any, Any, T]


class Declare(Protocol):
    """What `experiment(...)` returns: it makes a function an experiment."""

    @overload
    def __call__(self, function: Wide[R], /) -> Loose[..., R]: ...
    @overload
    def __call__(self, function: First[P, R], /) -> Decorated[P, R]: ...
    @overload
    def __call__(self, function: Second[P, R], /) -> Loose[P, R]: ...
    @overload
    def __call__(self, function: Callable[..., R], /) -> Loose[..., R]: ...
    def __call__(self, function: Any, /) -> Any:
        """Declare a function to be an experiment."""
        ...


class DeclareAll(Protocol):
    """What `experiment(strategy=MultiBranchStrategy())` returns: the answer is all results."""

    @overload
    def __call__(self, function: Wide[Later[T]], /) -> Loose[..., Later[All[T]]]: ...
    @overload
    def __call__(self, function: Wide[T], /) -> Loose[..., All[T]]: ...
    @overload
    def __call__(self, function: First[P, Later[T]], /) -> Decorated[P, Later[All[T]]]: ...
    @overload
    def __call__(self, function: First[P, T], /) -> Decorated[P, All[T]]: ...
    @overload
    def __call__(self, function: Second[P, Later[T]], /) -> Loose[P, Later[All[T]]]: ...
    @overload
    def __call__(self, function: Second[P, T], /) -> Loose[P, All[T]]: ...
    @overload
    def __call__(self, function: Callable[..., Later[T]], /) -> Loose[..., Later[All[T]]]: ...
    @overload
    def __call__(self, function: Callable[..., T], /) -> Loose[..., All[T]]: ...
    def __call__(self, function: Any, /) -> Any:
        """Declare a function to be an experiment."""
        ...
