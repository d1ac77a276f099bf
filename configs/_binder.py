"""The Binder: what a config fills in for a function, found once and filled in on each call."""

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from types import NoneType
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar, cast, final

from ._config import Config, origin_of
from ._convert import converter
from ._errors import ConfigError, ConfigKeyError, ConfigTypeError, describe
from ._injection import Injection, Layout
from ._missed import Missed, find_missed
from ._paths import walk
from ._slots import find_slots

R = TypeVar("R")
W = TypeVar("W")
P = ParamSpec("P")

_MOST_PREPARED = 1024


class Given(NamedTuple):
    """What the caller itself passes of what a config would fill in: it wins.

    Attributes:
        names: the parameters.
        config: the Config, if one of them is a whole one.
    """

    names: tuple[str, ...]
    config: Config | None


@final
class Binder(Generic[R]):
    """Knows which parameters of a function a config fills in; looked up once, used on each call.

    Filled in are a parameter annotated `Config`, one annotated `Annotated[T, Bind("path")]`, and
    one named `config` that is annotated as a dict, a Mapping or a TypedDict or not at all. All
    others stay the caller's, and what the caller passes for a filled one wins.

    Args:
        function: any callable.

    Raises:
        ConfigError: an annotation with a Bind has a name that cannot be found.

    Example:
        >>> from understudy import Config
        >>> from understudy.configs import Binder
        >>> def answer(config: Config, prompt: str) -> str:
        ...     return f"{config['model']}: {prompt}"
        >>> binder = Binder(answer)
        >>> binder.bind(Config(model="large"), ("hello",), {})
        ((Config({'model': 'large'}), 'hello'), {})
        >>> print(binder.signature)
        (prompt: str) -> str
    """

    function: Callable[..., R]
    signature: inspect.Signature
    """The signature without the parameters that are filled in."""
    injected: tuple[str, ...]
    """The names of the parameters that are filled in."""

    def __init__(self, function: Callable[..., R]) -> None:
        self.function = function
        full = _signature(function)
        self._name = _name_of(function)
        slots = find_slots(function, full, self._name)
        self.signature = _without(full, slots)
        self._slots = {name: slot for name, slot in slots.items() if not _is_set(function, name)}
        self.injected = tuple(self._slots)
        takes_config = [name for name, slot in self._slots.items() if slot.takes_config]
        self._layout = Layout.of(full, self._slots, takes_config)
        self._prepared: dict[int, tuple[Config | None, Injection]] = {}

    def bind(
        self, config: Config | None, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """Return the arguments to call the function with, the config's filled in.

        Raises:
            ConfigError: the config does not have what a parameter needs.
        """
        if not self._slots:
            return args, kwargs
        prepared = self._prepared.get(id(config))
        if prepared is not None:
            return prepared[1].fill(args, kwargs)
        injection = self.prepare(config)
        if len(self._prepared) >= _MOST_PREPARED:  # a strategy may make a config for each call
            self._prepared.clear()
        kept_so_that_its_id_is_not_reused = config
        self._prepared[id(config)] = (kept_so_that_its_id_is_not_reused, injection)
        return injection.fill(args, kwargs)

    @property
    def room(self) -> int:
        """How many positional arguments a call may have before one can be what is filled in."""
        return self._layout.room

    def given(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Given | None:
        """Return what the caller itself passes of what a config would fill in; None if nothing.

        Raises:
            ConfigTypeError: something else is passed where a Config belongs.

        Example:
            >>> from understudy import Config
            >>> from understudy.configs import Binder
            >>> async def answer(prompt: str, config: Config) -> None: ...
            >>> Binder(answer).given(("hello",), {"config": Config(model="mine")})
            Given(names=('config',), config=Config({'model': 'mine'}))
        """
        passed: dict[str, Any] = {}
        if len(args) > self._layout.room and self._layout.are_for_all(args):
            passed = self._layout.passed(args)
        if kwargs:
            passed |= {name: kwargs[name] for name in self._slots if name in kwargs}
        if not passed:
            return None
        for name, value in passed.items():
            if self._slots[name].is_config and not isinstance(value, Config | None):
                raise ConfigTypeError(
                    f"{self._name}{self.signature} was given {describe(value)} as its {name!r}: "
                    f"leave that to the configs, or pass a Config"
                )
        whole = [value for name, value in passed.items() if not self._slots[name].keys]
        configs = [value for value in whole if isinstance(value, Config)]
        return Given(tuple(passed), configs[0] if configs else None)

    def call(self, config: Config | None, /, *args: Any, **kwargs: Any) -> R:
        """Call the function under a config.

        A coroutine function gives its coroutine, to be awaited.
        """
        args, filled = self.bind(config, args, kwargs)
        return self.function(*args, **filled)

    def check(self, configs: Config | Iterable[Config]) -> None:
        """Convert every part that is filled in, so that configs that do not fit fail now.

        Raises:
            ConfigError: which configs, where each was written, the path, and what was expected.
        """
        problems: list[ConfigError] = []
        for config in [configs] if isinstance(configs, Config) else configs:
            self._refuse_other(config)
            try:
                self.prepare(config)
            except ConfigError as error:
                problems.append(error)
        if len(problems) == 1:
            raise problems[0]
        if problems:
            told = "".join(f"\n  {problem}" for problem in problems)
            raise ConfigError(f"{len(problems)} configs do not fit:{told}")

    def prepare(self, config: Config | None) -> Injection:
        """Convert what one config fills in, for a caller that keeps the result beside the config.

        Raises:
            ConfigError: the config does not fit.
        """
        shared: dict[str, Any] = {}
        fresh: dict[str, Callable[[], Any]] = {}
        if config is None:
            required = [name for name, slot in self._slots.items() if slot.is_required]
            return Injection(self._name, self._layout, shared, fresh, required)
        self._refuse_other(config)
        for name, slot in self._slots.items():
            try:
                value = walk(config, slot.keys) if slot.keys else config
                shared[name], make = converter(value, slot.target, slot.keys)
            except ConfigKeyError as error:
                is_left_out = isinstance(walk(config, error.path), (Config, tuple, NoneType))
                if slot.is_required or not is_left_out:
                    raise self._unfit(error, config, name) from None
                continue
            except ConfigError as error:
                raise self._unfit(error, config, name) from None
            if make is not None:
                del shared[name]
                fresh[name] = make
        return Injection(self._name, self._layout, shared, fresh, ())

    def missed(self) -> list[Missed]:
        """Return the parameters that may be meant for a config, where nothing is filled in.

        Example:
            >>> from understudy.configs import Binder
            >>> class Settings: ...
            >>> def answer(prompt: str, config: Settings) -> None: ...
            >>> [missed.advice for missed in Binder(answer).missed()]  # doctest: +ELLIPSIS
            ["'config' is annotated as Settings: write Annotated[Settings, Bind()] ..."]
        """
        return [] if self._slots else [*find_missed(self.function, _signature(self.function))]

    def __repr__(self) -> str:
        return f"<Binder of {self._name}{self.signature}, filling in {', '.join(self.injected)}>"

    def wraps(self, wrapper: Callable[P, W]) -> Callable[P, W]:
        """Give a wrapper the name, docstring and signature of the function, less what is filled in.

        As `functools.wraps` does, but a web framework that reads the signature finds only what a
        client may send.
        """
        functools.update_wrapper(wrapper, self.function)
        dressed: Any = wrapper
        dressed.__signature__ = self.signature
        dressed.__annotations__ = {
            name: value
            for name, value in wrapper.__annotations__.items()
            if name not in self._slots
        }
        return wrapper

    def _refuse_other(self, config: object) -> None:
        if not isinstance(config, Config):
            raise ConfigTypeError(f"{self._name}: expected a Config first, got {describe(config)}")

    def _unfit(self, error: ConfigError, config: Config, name: str) -> ConfigError:
        problem = f"{error.problem}, for {name!r} of {self._name} (config {config.label!r})"
        return type(error)(problem, error.path, origin_of(config, error.path))


def _name_of(function: Callable[..., Any]) -> str:
    if isinstance(function, functools.partial):
        return _name_of(cast("functools.partial[Any]", function).func)
    return getattr(function, "__qualname__", None) or type(function).__qualname__


def _is_set(function: Callable[..., Any], name: str) -> bool:
    """Tell whether a partial has a parameter set already: what the caller passes wins."""
    return isinstance(function, functools.partial) and name in function.keywords


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except ValueError:  # some builtins do not tell: nothing of theirs is filled in
        return inspect.Signature()


def _without(signature: inspect.Signature, names: Iterable[str]) -> inspect.Signature:
    """Return a signature without some parameters."""
    hidden = set(names)
    kept = [parameter for name, parameter in signature.parameters.items() if name not in hidden]
    return signature.replace(parameters=kept)
