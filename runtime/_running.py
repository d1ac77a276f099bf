"""What `run` and `arun` give: a block in which there is a runner."""

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, NoReturn, final

from ._misuse import written
from ._settings import ExperimentError


@final
class Running(AbstractContextManager[Callable[..., Any]]):
    """Gives a runner to a `with` block.

    Args:
        runner: is called as the function is.
        name: how the function is called, for errors.

    Example:
        >>> from understudy import Runtime
        >>> Runtime().run(print)("hello")
        Traceback (most recent call last):
        ...
        understudy.ExperimentError: runtime.run(print) gives a runner to a `with` block, and calls \
nothing itself: write `with runtime.run(print) as runner:` and `runner(...)`
    """

    def __init__(self, runner: Callable[..., Any], name: str) -> None:
        self._runner = runner
        self._name = name

    def __enter__(self) -> Callable[..., Any]:
        return self._runner

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Say that it is the runner that is called.

        Raises:
            ExperimentError: always.
        """
        raise _no_runner(written("run", self._name), "with")


@final
class AsyncRunning(AbstractAsyncContextManager[Callable[..., Coroutine[Any, Any, Any]]]):
    """Gives a runner to an `async with` block.

    Args:
        runner: is called, and awaited, as an async function is.
        name: how the function is called, for errors.
    """

    def __init__(self, runner: Callable[..., Coroutine[Any, Any, Any]], name: str) -> None:
        self._runner = runner
        self._name = name

    async def __aenter__(self) -> Callable[..., Coroutine[Any, Any, Any]]:
        return self._runner

    async def __aexit__(self, *_: object) -> None:
        return None

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Say that it is the runner that is called.

        Raises:
            ExperimentError: always.
        """
        raise _no_runner(written("arun", self._name), "async with")


def _no_runner(run: str, block: str) -> ExperimentError:
    await_ = "await " if block == "async with" else ""
    return ExperimentError(
        f"{run} gives a runner to a `{block}` block, and calls nothing itself: "
        f"write `{block} {run} as runner:` and `{await_}runner(...)`"
    )
