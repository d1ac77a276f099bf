"""Captured: a function as it was, that also notes what it is called with, and what it gives."""

import functools
import inspect
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from functools import partial
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Final, final

from understudy.actors import Branch, Kind, current_branch

from ._plain import plain
from ._settings import ExperimentError
from ._shown import Capture

_GOES_ON: Final = (AsyncGeneratorType, CoroutineType, GeneratorType)
"""What stands for a value, and is none."""
_ITSELF: Final = ("self", "cls")


def as_capture(given: Any) -> Capture | None:
    """Return what is to be captured: nothing, all, or what somebody says.

    Raises:
        ExperimentError: it says nothing of the kind.
    """
    if given is None or given is False:
        return None
    capture = Capture() if given is True else given
    if not isinstance(capture, Capture):
        raise ExperimentError(f"capture must be True, False or Capture(...), not {given!r}")
    limit: Any = capture.limit
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise ExperimentError(f"limit must be a whole number of bytes from 1 on, not {limit!r}")
    return capture


def captured(
    function: Callable[..., Any],
    kind: Kind,
    injected: tuple[str, ...],
    capture: Capture,
    is_handed: bool = False,
) -> Callable[..., Any]:
    """Return a function that does as another one does, and notes it.

    What it is called with is copied before it begins, as far as it is told: later it may differ.

    Args:
        function: the other one.
        kind: what kind of function it is.
        injected: the names of the parameters that configs fill in; they are no arguments.
        capture: how much is noted, if anybody listens.
        is_handed: whether the function that is meant comes first among the arguments.
    """
    note = _Noting(None if is_handed else function, injected, capture)

    @functools.wraps(function)
    async def play_async(*args: Any, **kwargs: Any) -> Any:
        branch = note.begin(args, kwargs)
        value = await function(*args, **kwargs)
        note.end(branch, value)
        return value

    @functools.wraps(function)
    def play_here(*args: Any, **kwargs: Any) -> Any:
        branch = note.begin(args, kwargs)
        value = function(*args, **kwargs)
        note.end(branch, value)
        return value

    @functools.wraps(function)
    def step_here(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        note.begin_stream(args, kwargs)
        items: Generator[Any, Any, Any] = function(*args, **kwargs)
        return (yield from items)

    @functools.wraps(function)
    def step(*args: Any, **kwargs: Any) -> Any:
        note.begin_stream(args, kwargs)
        return function(*args, **kwargs)

    ways: dict[Kind, Callable[..., Any]] = {
        Kind.ASYNC: play_async,
        Kind.SYNC: play_here,
        Kind.STREAM: step_here,
        Kind.ASYNC_STREAM: step,
    }
    return ways[kind]


@final
class _Noting:
    """Notes the calls of one function; nothing that goes wrong with that is anybody's business."""

    def __init__(
        self,
        function: Callable[..., Any] | None,
        injected: tuple[str, ...],
        capture: Capture,
    ) -> None:
        self._injected = frozenset((*injected, *_ITSELF))
        self._names = None if function is None else _names_of(function)
        self._capture = capture

    def begin(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Branch | None:
        """Note what a branch is called with; return it, if it is one that is told of."""
        branch = current_branch()
        if branch is None or branch.part.actor.stage.notes is None:
            return None
        if self._capture.arguments:
            with suppress(Exception):
                self._put(branch, "arguments", self._named(args, kwargs))
        return branch

    def begin_stream(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Note what a stream is called with, and have its items noted when it has ended."""
        branch = self.begin(args, kwargs)
        if branch is not None and self._capture.result:
            stage = branch.part.actor.stage
            if stage.notes is not None:
                stage.notes.streams[stage.prefix, branch.id] = partial(self.end, branch)
            if branch.items is not None:
                branch.items.is_kept = True

    def end(self, branch: Branch | None, value: Any) -> None:
        """Note what a branch gave."""
        if branch is not None and self._capture.result and not isinstance(value, _GOES_ON):
            with suppress(Exception):
                self._put(branch, "result", value)

    def _named(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        if self._names is None:
            names, rest = _names_of(args[0])
            args = args[1:]
        else:
            names, rest = self._names
        arguments = dict(zip(names, args, strict=False))
        if len(args) > len(names):
            arguments[rest] = args[len(names) :]
        arguments |= kwargs
        return {name: each for name, each in arguments.items() if name not in self._injected}

    def _put(self, branch: Branch, what: str, value: Any) -> None:
        stage = branch.part.actor.stage
        limit = self._capture.limit
        copy = plain(value, limit)
        if stage.notes is not None:
            now = stage.clock()
            stage.notes.put(("captured", now, stage.prefix, branch.id, what, copy, limit))


def _names_of(function: Callable[..., Any]) -> tuple[list[str], str]:
    """Return the names that arguments have by their place, and that of all further ones."""
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):  # a function of C that does not say
        return [], "args"
    placed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [each.name for each in parameters if each.kind in placed]
    rest = [each.name for each in parameters if each.kind is inspect.Parameter.VAR_POSITIONAL]
    return names, rest[0] if rest else "args"
