"""What a decorated function is: a function like the one it was, that is an experiment."""

# Where overloads overlap, the first that fits is meant.
# pyright: reportOverlappingOverload=false
# mypy: disable-error-code=overload-overlap

from collections.abc import Callable, Coroutine, Generator
from typing import Any, ParamSpec, Protocol, TypeVar, Unpack, overload

from understudy.actors import ExperimentCaseResults, Kind, async_stream_of

from ._experiment import Experiment
from ._keywords import AllStrategy, AnyStrategy, OptionKeywords, OtherOptions
from ._misuse import called, not_by_name
from ._settings import make_settings
from ._view import MARK, View

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")

All = ExperimentCaseResults[T]
Later = Coroutine[Any, Any, T]


class Options(Protocol[P, R_co]):
    """An experiment with other settings, for some calls.

    It is called as the experiment is: `P` are its parameters, `R_co` is what a call returns.

    Example:
        >>> import asyncio
        >>> from understudy import Config, Runtime
        >>> runtime = Runtime(configs=[{"model": "large"}])
        >>> @runtime.experiment
        ... async def slow(config: Config):
        ...     await asyncio.sleep(60)
        >>> try:
        ...     asyncio.run(slow.options(timeout=0.01)())
        ... except TimeoutError as error:
        ...     print(error)
        slow[large]: no answer within 0.01 s
    """

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call it."""
        ...


class Decorated(Protocol[P, R_co]):
    """A function that is an experiment.

    It has the name, the docstring and the signature of the function it was, less what a config
    fills in. Type checkers know that signature if the config comes first, or right after `self`:
    `P` are the parameters after it. Elsewhere they let any arguments pass. `R_co` is what a call
    returns: the function's own value, or all results if it was declared with MultiBranchStrategy.

    Example:
        >>> from understudy import Config, Runtime
        >>> runtime = Runtime(configs=[{"model": "large"}])
        >>> @runtime.experiment
        ... async def answer(prompt: str, config: Config) -> str:
        ...     return f"{config.model}: {prompt}"
        >>> answer.experiment.name
        'answer'
    """

    experiment: Experiment
    __name__: str

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call it: the primary's value, or its own exception; to be awaited if it is async."""
        ...

    @overload  # all results, whatever it was
    def options(
        self: "Decorated[P, Later[All[T]]]",
        *,
        strategy: AllStrategy,
        **settings: Unpack[OtherOptions],
    ) -> Options[P, Later[All[T]]]: ...
    @overload
    def options(
        self: "Decorated[P, All[T]]", *, strategy: AllStrategy, **settings: Unpack[OtherOptions]
    ) -> Options[P, All[T]]: ...
    @overload
    def options(
        self: "Decorated[P, Later[T]]", *, strategy: AllStrategy, **settings: Unpack[OtherOptions]
    ) -> Options[P, Later[All[T]]]: ...
    @overload
    def options(
        self: "Decorated[P, T]", *, strategy: AllStrategy, **settings: Unpack[OtherOptions]
    ) -> Options[P, All[T]]: ...
    @overload  # one value, where it was all results
    def options(
        self: "Decorated[P, Later[All[T]]]",
        *,
        strategy: AnyStrategy,
        **settings: Unpack[OtherOptions],
    ) -> Options[P, Later[T]]: ...
    @overload
    def options(
        self: "Decorated[P, All[T]]", *, strategy: AnyStrategy, **settings: Unpack[OtherOptions]
    ) -> Options[P, T]: ...
    @overload  # what it was
    def options(self, **settings: Unpack[OptionKeywords]) -> Options[P, R_co]: ...
    def options(self, **settings: Any) -> Any:
        """Return the experiment with other settings; the supervisor stays the same."""
        ...

    def disable(self) -> None:
        """Play the first config only: the kill switch."""
        ...

    def enable(self) -> None:
        """Let the strategy choose again."""
        ...


class Loose(Decorated[..., R_co], Protocol[P, R_co]):
    """A function that is an experiment, whose config does not come first: any arguments pass.

    As a method whose config comes right after `self`, it takes exactly `P`.
    """

    @overload
    def __get__(self, instance: None, owner: type, /) -> "Loose[P, R_co]": ...
    @overload
    def __get__(self, instance: object, owner: type, /) -> Callable[P, R_co]: ...
    def __get__(self, instance: object, owner: type, /) -> Any:
        """Bind it to an instance, as any function."""
        ...


def decorate(experiment: Experiment) -> Decorated[..., Any]:
    """Return the function that plays an experiment."""
    view = experiment.view
    play: Any = experiment.binder.wraps(_player(view))

    def options(*unnamed: Any, **settings: Any) -> Options[..., Any]:
        if unnamed:
            raise not_by_name(f"{called(experiment.function)}.options", unnamed[0])
        return _with_options(experiment, settings)

    decorated: Any = play
    setattr(decorated, MARK, view)
    view.face = decorated
    decorated.experiment = experiment
    decorated.options = options
    decorated.disable = lambda: experiment.runtime.disable(play)
    decorated.enable = lambda: experiment.runtime.enable(play)
    made: Decorated[..., Any] = decorated
    return made


def _with_options(experiment: Experiment, settings: dict[str, Any]) -> Options[..., Any]:
    view = View(experiment, make_settings(experiment.settings, settings))
    experiment.binder.check(view.settings.configs if "configs" in settings else ())
    experiment.check_cases(view.settings)

    optioned: Any = _player(view)
    setattr(optioned, MARK, view)
    view.face = optioned
    made: Options[..., Any] = optioned
    return made


def _player(view: View) -> Callable[..., Any]:
    """Return a function of the kind that the experiment's is, which makes the calls of a view."""

    async def play_async(*args: Any, **kwargs: Any) -> Any:
        return await view.call(args, kwargs)

    def play_here(*args: Any, **kwargs: Any) -> Any:
        return view.call_here(args, kwargs)

    def stream_here(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        return (yield from view.stream_here(args, kwargs))

    players: dict[Kind, Callable[..., Any]] = {
        Kind.ASYNC: play_async,
        Kind.SYNC: play_here,
        Kind.STREAM: stream_here,
        Kind.ASYNC_STREAM: async_stream_of(view.stream),
    }
    return players[view.experiment.kind]
