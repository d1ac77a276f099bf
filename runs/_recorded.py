"""The decorator: each call of a function is a run."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from functools import wraps
from typing import Any, TypeVar, cast

from . import _current
from ._errors import RunArgumentError
from ._run import Run

R = TypeVar("R")

_PARAMETER = "run"


def recorded(
    function: None = None, /, *, prefix: str | None = None, **arguments: Any
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Make each call of a function a run, which its parameter `run` gets, if it has one.

    Functions of every colour: sync and async, generators and async generators, whose run lasts
    until the last item, or until nobody wants more. A call continues the run of that name; give
    `resume="new"` if each is to have its own.

    Args:
        function: nothing: it is called with parentheses.
        prefix: the name of the run; that of the function, if it is not given.
        arguments: what else a Run takes.

    Raises:
        RunArgumentError: an argument is unknown, or no such thing.

    Example:
        >>> from understudy.runs import recorded
        >>> @recorded(prefix="my-experiment", project="project")
        ... def train_model(epochs, run):
        ...     for epoch in range(epochs):
        ...         run.metrics("train").log(loss=1 / (1 + epoch), epoch=epoch)
        ...     return "Training complete!"
        >>> train_model(2)
        'Training complete!'
    """
    if function is not None:
        raise RunArgumentError("it is called with parentheses: @recorded(prefix=...)")
    Run(prefix=prefix or "name", **arguments)  # whoever misspells an argument hears of it here

    def decorate(function: Callable[..., R]) -> Callable[..., R]:
        signature = inspect.signature(function)
        takes = signature.parameters.get(_PARAMETER)
        if takes is not None and takes.kind is takes.POSITIONAL_ONLY:
            raise RunArgumentError(f"{function.__qualname__}: `run` is given by name, not by place")

        def make() -> Run:
            return Run(prefix=prefix or function.__name__, **arguments)

        played: Any = _played(function, make, takes is not None)
        kept = [each for name, each in signature.parameters.items() if name != _PARAMETER]
        played.__signature__ = signature.replace(parameters=kept)
        return cast("Callable[..., R]", played)

    return decorate


def _played(function: Callable[..., Any], make: Callable[[], Run], takes: bool) -> Any:
    def named(run: Run) -> dict[str, Run]:
        return {_PARAMETER: run} if takes else {}

    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def play_async(*args: Any, **kwargs: Any) -> Any:
            async with make() as run:
                return await function(*args, **kwargs, **named(run))

        return play_async

    if inspect.isasyncgenfunction(function):

        @wraps(function)
        async def play_items(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            async with make() as run:
                _current.leave(run)  # between two items others are at work
                items = function(*args, **kwargs, **named(run))
                sent, error = None, None
                try:
                    while True:
                        with _current.during(run):
                            try:
                                item = await (
                                    items.asend(sent) if error is None else items.athrow(error)
                                )
                            except StopAsyncIteration:
                                return
                        try:
                            sent, error = (yield item), None
                        except GeneratorExit:
                            raise
                        except BaseException as thrown:
                            sent, error = None, thrown
                finally:
                    with _current.during(run):
                        await items.aclose()

        return play_items

    if inspect.isgeneratorfunction(function):

        @wraps(function)
        def play_each(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            with make() as run:
                _current.leave(run)  # between two items others are at work
                items = function(*args, **kwargs, **named(run))
                sent, error = None, None
                try:
                    while True:
                        with _current.during(run):
                            try:
                                item = items.send(sent) if error is None else items.throw(error)
                            except StopIteration as end:
                                return end.value
                        try:
                            sent, error = (yield item), None
                        except GeneratorExit:
                            raise
                        except BaseException as thrown:
                            sent, error = None, thrown
                finally:
                    with _current.during(run):
                        items.close()

        return play_each

    @wraps(function)
    def play(*args: Any, **kwargs: Any) -> Any:
        with make() as run:
            return function(*args, **kwargs, **named(run))

    return play
