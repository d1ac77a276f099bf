"""What a decorated function is: a function like the one it was, that is an experiment."""

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Protocol

from understudy.actors import Kind, async_stream_of

from ._experiment import MARK, Experiment, View
from ._settings import make_settings


class Options(Protocol):
    """An experiment with other settings, for some calls.

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

    def __call__(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        """Call it."""
        ...


class Decorated(Protocol):
    """A function that is an experiment.

    It has the name, the docstring and the signature of the function it was, less what a config
    fills in.

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

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it: await the primary's value, or its own exception."""
        ...

    def options(self, **settings: Any) -> Options:
        """Return the experiment with other settings; the supervisor stays the same."""
        ...

    def disable(self) -> None:
        """Play the first config only: the kill switch."""
        ...

    def enable(self) -> None:
        """Let the strategy choose again."""
        ...


def decorate(experiment: Experiment) -> Decorated:
    """Return the function that plays an experiment."""
    view = experiment.view
    play: Any = experiment.binder.wraps(_player(view))

    def options(**settings: Any) -> Options:
        return _with_options(experiment, settings)

    decorated: Any = play
    setattr(decorated, MARK, view)
    view.face = decorated
    decorated.experiment = experiment
    decorated.options = options
    decorated.disable = lambda: experiment.runtime.disable(play)
    decorated.enable = lambda: experiment.runtime.enable(play)
    made: Decorated = decorated
    return made


def _with_options(experiment: Experiment, settings: dict[str, Any]) -> Options:
    view = View(experiment, make_settings(experiment.settings, settings))
    experiment.binder.check(view.settings.configs if "configs" in settings else ())
    experiment.check_cases(view.settings)

    optioned: Any = _player(view)
    setattr(optioned, MARK, view)
    view.face = optioned
    made: Callable[..., Coroutine[Any, Any, Any]] = optioned
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
