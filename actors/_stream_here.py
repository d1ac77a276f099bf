"""A stream called directly: a sync lead makes its items in its reader's own thread."""

import threading
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from ._branch import CURRENT, Branch
from ._casting import Casting
from ._consume import items_to_read
from ._here import Arguments, begin_here, cast_here, end_here, enter_here, on_loop


def stream_here(
    casting: Casting, parent: Branch | None, arguments: Arguments
) -> Generator[Any, Any, Any]:
    """Play all, and give the items of the primary, made here and now."""
    part = casting.primary
    cast = None if casting.is_single else cast_here(casting, parent, arguments)
    branch = begin_here(part, parent, cast)
    value = error = None
    try:
        args, kwargs = enter_here(branch, arguments, cast)
        play = part.actor.supervisor.ways.stepped
        assert play is not None
        value = yield from read_here(branch, play(*args, **kwargs))
    except BaseException as raised:
        error = raised
    if cast is not None:
        closed = GeneratorExit() if isinstance(error, GeneratorExit) else None
        on_loop(cast, partial(cast.end_stream, closed, branch.has_begun))
    try:
        return end_here(branch, value, error, whole=False)
    finally:
        error = None  # its traceback holds this frame: no cycle must stay behind


def read_here(branch: Branch, generator: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Give the items of a generator; it plays in its branch, its reader does not."""
    branch.items = items_to_read(branch)
    try:
        item = _step(branch, generator.send, None)
        while True:
            try:
                sent = yield item
            except GeneratorExit:
                _within(branch, generator.close)
                raise
            except BaseException as error:
                item = _step(branch, generator.throw, error)
            else:
                item = _step(branch, generator.send, sent)
    except StopIteration as stop:
        return stop.value


def _step(branch: Branch, advance: Callable[[Any], Any], argument: Any) -> Any:
    item = _within(branch, advance, argument)
    assert branch.items is not None
    branch.items.add(item, branch.part.actor.stage.clock)
    return item


def _within(branch: Branch, act: Callable[..., Any], *args: Any) -> Any:
    token = CURRENT.set(branch)
    branch.thread = threading.get_ident()
    try:
        return act(*args)
    finally:
        branch.thread = 0
        CURRENT.reset(token)
