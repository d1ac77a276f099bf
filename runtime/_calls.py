"""The ways to call an experiment."""

# Where overloads overlap, the first that fits is meant.
# pyright: reportOverlappingOverload=false
# mypy: disable-error-code=overload-overlap

from abc import ABC, abstractmethod
from asyncio.events import _get_running_loop
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
)
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, ParamSpec, TypeVar, overload

from understudy.actors import ExperimentCaseResults, async_stream_of

from ._misuse import blocked_loop, called, no_function
from ._running import AsyncRunning, Running
from ._settings import ExperimentError
from ._stages import Stages
from ._view import MARK, View

P = ParamSpec("P")
T = TypeVar("T")

# What a function gives, for the type checkers: all results, a value to be awaited, or items.
GivesAll = Callable[P, ExperimentCaseResults[T] | Awaitable[ExperimentCaseResults[T]]]
GivesLater = Callable[P, Awaitable[T]]
GivesItems = Callable[P, AsyncIterator[T] | Iterator[T]]
# What `run` and `arun` give.
Runner = Callable[P, ExperimentCaseResults[T]]
AsyncRunner = Callable[P, Coroutine[Any, Any, ExperimentCaseResults[T]]]


class Calls(ABC):
    """What calls experiments: with `await` and without, for one answer, for all, for items.

    Attributes:
        stages: the life of the runtime on each of its loops.
    """

    stages: Stages

    @abstractmethod
    def _view(
        self, function: Callable[..., Any], args: tuple[Any, ...], way: str
    ) -> tuple[View, tuple[Any, ...]]:
        """Find what makes the calls of a function, and the arguments with a method's object.

        Raises:
            ExperimentError: it is no function; `way` is what it was given to.
        """

    @overload
    def call(
        self, function: GivesLater[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, T]: ...
    @overload
    def call(
        self, function: GivesItems[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, list[T]]: ...
    @overload
    def call(
        self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, T]: ...
    def call(
        self, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Coroutine[Any, Any, Any]:
        """Call an experiment; await the primary's value, or its own exception.

        The value of a stream is the list of its items. A function that is not an experiment is
        one without configs: it just runs, supervised.
        """
        view: View | None = getattr(function, MARK, None)
        if view is not None and view.face is function and view.runtime is self and view.lasts:
            return view.call(args, kwargs)
        view, args = self._view(function, args, "call")
        return view.when_awaited(view.call, args, kwargs)

    @overload
    async def collect(
        self, function: GivesAll[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> ExperimentCaseResults[T]: ...
    @overload
    async def collect(
        self, function: GivesLater[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> ExperimentCaseResults[T]: ...
    @overload
    async def collect(
        self, function: GivesItems[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> ExperimentCaseResults[list[T]]: ...
    @overload
    async def collect(
        self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> ExperimentCaseResults[T]: ...
    async def collect(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call an experiment; await the results of all its branches, under any strategy.

        What the primary raises is raised, when all have ended; nothing a variant does is. One that
        hangs is waited for until its timeout; without one, for ever.
        """
        view, args = self._view(function, args, "collect")
        return await view.collect(args, kwargs)

    def stream(
        self, function: GivesItems[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> AsyncGenerator[T, Any]:
        """Call an experiment that gives items, and read those of the primary as they come.

        An async generator is played on the loop, a generator in threads, step by step. Shadows are
        played to their end in the background, or to a limit (`StreamLimits`).

        Example:
            >>> import asyncio
            >>> from understudy import Config, Runtime
            >>> runtime = Runtime(configs=[{"model": "large"}])
            >>> @runtime.experiment
            ... async def answer(prompt: str, config: Config):
            ...     for word in prompt.split():
            ...         yield f"{config.model}: {word}"
            >>> async def main():
            ...     return [item async for item in runtime.stream(answer, "how are you")]
            >>> asyncio.run(main())
            ['large: how', 'large: are', 'large: you']
        """
        view, given = self._view(function, args, "stream")
        if not view.experiment.kind.is_stream:
            raise ExperimentError(
                f"{view.experiment.name} gives one value, and no stream: `await` it, or call it "
                f"by runtime.call(...)"
            )
        return async_stream_of(view.stream)(*given, **kwargs)

    @overload
    def arun(
        self, function: GivesAll[P, T], await_variants: bool = False
    ) -> AbstractAsyncContextManager[AsyncRunner[P, T]]: ...
    @overload
    def arun(
        self, function: GivesLater[P, T], await_variants: bool = False
    ) -> AbstractAsyncContextManager[AsyncRunner[P, T]]: ...
    @overload
    def arun(
        self, function: GivesItems[P, T], await_variants: bool = False
    ) -> AbstractAsyncContextManager[AsyncRunner[P, list[T]]]: ...
    @overload
    def arun(
        self, function: Callable[P, T], await_variants: bool = False
    ) -> AbstractAsyncContextManager[AsyncRunner[P, T]]: ...
    def arun(
        self, function: Callable[..., Any], await_variants: bool = False
    ) -> AbstractAsyncContextManager[AsyncRunner[..., Any]]:
        """Give a runner: it is called as the function is, and gives `ExperimentCaseResults`.

        Args:
            function: an experiment.
            await_variants: whether to wait for the variants too; else `variant_results` is empty.

        Example:
            >>> import asyncio
            >>> from understudy import Config, Runtime
            >>> runtime = Runtime(configs=[{"model": "large"}])
            >>> @runtime.experiment
            ... async def answer(prompt: str, config: Config) -> str:
            ...     return f"{config.model}: {prompt}"
            >>> async def main():
            ...     async with runtime.arun(answer) as runner:
            ...         return (await runner("hello")).main_result.result
            >>> asyncio.run(main())
            'large: hello'
        """
        if not callable(function):
            raise no_function(function, "arun")

        async def runner(*args: Any, **kwargs: Any) -> Any:
            view, args = self._view(function, args, "arun")
            call = view.collect if await_variants else view.call_whole
            return await call(args, kwargs)

        return AsyncRunning(runner, called(function))

    @overload
    def run(
        self, function: GivesAll[P, T], await_variants: bool = False
    ) -> AbstractContextManager[Runner[P, T]]: ...
    @overload
    def run(
        self, function: GivesLater[P, T], await_variants: bool = False
    ) -> AbstractContextManager[Runner[P, T]]: ...
    @overload
    def run(
        self, function: GivesItems[P, T], await_variants: bool = False
    ) -> AbstractContextManager[Runner[P, list[T]]]: ...
    @overload
    def run(
        self, function: Callable[P, T], await_variants: bool = False
    ) -> AbstractContextManager[Runner[P, T]]: ...
    def run(
        self, function: Callable[..., Any], await_variants: bool = False
    ) -> AbstractContextManager[Runner[..., Any]]:
        """Give a runner, as `arun` does, that is called without `await`, from any thread.

        Args:
            function: an experiment; an async one is played on a loop of the runtime's own.
            await_variants: whether to wait for the variants too; else `variant_results` is empty.

        Example:
            >>> from understudy import Config, Runtime
            >>> runtime = Runtime(configs=[{"model": "large"}])
            >>> @runtime.experiment
            ... def answer(prompt: str, config: Config) -> str:
            ...     return f"{config.model}: {prompt}"
            >>> with runtime, runtime.run(answer) as runner:
            ...     runner("hello").main_result.result
            'large: hello'
        """
        if not callable(function):
            raise no_function(function, "run")

        def runner(*args: Any, **kwargs: Any) -> Any:
            view, args = self._view(function, args, "run")
            if not view.experiment.kind.is_async:
                here = view.collect_here if await_variants else view.call_whole_here
                return self.stages.await_blocking(here(args, kwargs))
            if _get_running_loop() is not None:
                raise blocked_loop(view.experiment.name, function, "run")
            call = view.collect if await_variants else view.call_whole
            return self.stages.play(call, args, kwargs)

        return Running(runner, called(function))

    @overload
    def call_blocking(
        self, function: GivesLater[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    @overload
    def call_blocking(
        self, function: GivesItems[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> list[T]: ...
    @overload
    def call_blocking(
        self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    def call_blocking(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call an experiment from a thread that runs no loop, and wait for the answer.

        A sync one is played here and now, an async one on a loop of the runtime's own.

        Raises:
            ExperimentError: this thread runs a loop, which waiting would block: `await` instead.

        Example:
            >>> from understudy import Config, Runtime
            >>> runtime = Runtime(configs=[{"model": "large"}])
            >>> @runtime.experiment
            ... async def answer(prompt: str, config: Config) -> str:
            ...     return f"{config.model}: {prompt}"
            >>> with runtime:
            ...     runtime.call_blocking(answer, "hello")
            'large: hello'
        """
        view, args = self._view(function, args, "call_blocking")
        if not view.experiment.kind.is_async:
            return self.stages.await_blocking(view.call_here(args, kwargs))
        if _get_running_loop() is not None:
            raise blocked_loop(view.experiment.name, function, "call_blocking")
        return self.stages.play(view.call, args, kwargs)
