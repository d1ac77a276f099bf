"""Filling in arguments: where the caller's go, and where the config's."""

import inspect
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from ._config import Config
from ._errors import ConfigError

_Parameter = inspect.Parameter
_NOTHING: Mapping[str, Any] = {}
_POSITIONAL = (_Parameter.POSITIONAL_ONLY, _Parameter.POSITIONAL_OR_KEYWORD)


class Layout(NamedTuple):
    """The positions of a function's parameters, as far as filling in needs them."""

    positional: tuple[inspect.Parameter, ...]
    takes_more: bool
    """Whether there is a `*args`."""
    room: int
    """How many positional arguments stand before the first that is filled in; -1 where one
    that is filled in can only be passed by position."""
    public: int
    """How many positional parameters are the caller's."""
    places: tuple[tuple[int, inspect.Parameter], ...]
    """The positional parameters that are filled in, each with its place."""
    names: tuple[str, ...]
    """What those are called."""
    config_places: tuple[int, ...]
    """The places of those that get a whole Config."""

    @classmethod
    def of(
        cls, signature: inspect.Signature, injected: Collection[str], takes_config: Collection[str]
    ) -> "Layout":
        """Read the layout off a signature."""
        parameters = signature.parameters.values()
        positional = tuple(parameter for parameter in parameters if parameter.kind in _POSITIONAL)
        places = [item for item in enumerate(positional) if item[1].name in injected]
        has_only = any(parameter.kind is _Parameter.POSITIONAL_ONLY for _, parameter in places)
        return cls(
            positional,
            any(parameter.kind is _Parameter.VAR_POSITIONAL for parameter in parameters),
            -1 if has_only else places[0][0] if places else sys.maxsize,
            len(positional) - len(places),
            tuple(places),
            tuple(parameter.name for _, parameter in places),
            tuple(place for place, parameter in places if parameter.name in takes_config),
        )

    def are_for_all(self, args: tuple[Any, ...]) -> bool:
        """Tell whether positional arguments are meant for all parameters, in their order.

        They are when there are more of them than the caller's own parameters can take, and when
        a Config stands where a parameter for one does. Otherwise they are for the caller's own.
        """
        for place in self.config_places:
            if place < len(args) and type(args[place]) is Config:
                return True
        return len(args) > self.public and not self.takes_more

    def passed(self, args: tuple[Any, ...]) -> dict[str, Any]:
        """Return what would be filled in but was passed by position."""
        if not self.are_for_all(args):
            return {}
        return {
            parameter.name: args[place] for place, parameter in self.places if place < len(args)
        }


class Injection:
    """What one config fills in for one function, ready to be laid into any call."""

    __slots__ = (
        "_fresh",
        "_is_insertion",
        "_layout",
        "_name",
        "_only_place",
        "_only_value",
        "_required",
        "_shared",
    )

    def __init__(
        self,
        name: str,
        layout: Layout,
        shared: Mapping[str, Any],
        fresh: Mapping[str, Callable[[], Any]],
        required: Collection[str],
    ) -> None:
        self._name = name
        self._layout = layout
        self._shared = shared
        self._fresh = fresh or _NOTHING
        self._required = required
        self._is_insertion = not fresh and set(shared) == set(layout.names)
        """Whether values that go in by position are all there is to fill in."""
        self._only_place, self._only_value = (sys.maxsize, None)
        if self._is_insertion and len(layout.names) == 1:
            self._only_place, self._only_value = layout.places[0][0], shared[layout.names[0]]

    def fill(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """Return the arguments with the config's filled in; what the caller passes wins."""
        place = self._only_place
        count = len(args)
        if count == place and not kwargs:
            return (*args, self._only_value), kwargs
        if place < count <= self._layout.public and not kwargs and type(args[place]) is not Config:
            return (*args[:place], self._only_value, *args[place:]), kwargs
        if self._required and not self._is_complete(args, kwargs):
            needed = ", ".join(self._required)
            raise ConfigError(
                f"{self._name} needs a config for {needed}, and has none: give it one"
            )
        if len(args) > self._layout.room:
            inserted = None if kwargs else self._inserted(args)
            return self._by_position(args, kwargs) if inserted is None else (inserted, kwargs)
        if self._fresh:
            filled = {**self._shared, **kwargs}
            for name, make in self._fresh.items():
                if name not in filled:
                    filled[name] = make()
            return args, filled
        return args, {**self._shared, **kwargs}

    def _is_complete(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        passed = self._layout.passed(args)
        return all(name in kwargs or name in passed for name in self._required)

    def _inserted(self, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Return the arguments, all of them by position; None where that cannot be."""
        if not self._is_insertion or self._layout.are_for_all(args):
            return None
        laid = list(args)
        for place, parameter in self._layout.places:
            if place > len(laid):
                return None
            laid.insert(place, self._shared[parameter.name])
        return tuple(laid)

    def _by_position(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """Lay in what the caller's positional arguments would otherwise push aside."""
        passed = self._layout.passed(args)
        keywords = dict(kwargs)
        own = dict(self._shared)
        for name, make in self._fresh.items():
            own[name] = make()
        laid = list(args)
        for place, parameter in self._layout.places:
            name = parameter.name
            if name in passed:
                own.pop(name, None)
                continue
            by_position_only = parameter.kind is _Parameter.POSITIONAL_ONLY
            if place > len(laid):
                if not by_position_only:
                    break
                laid += [before.default for before in self._layout.positional[len(laid) : place]]
            value = own.pop(name, parameter.default)
            laid.insert(place, value if by_position_only else keywords.pop(name, value))
        if _Parameter.empty in laid:  # the call lacks an argument, and Python will say so
            return args, kwargs
        return tuple(laid), {**own, **keywords}
