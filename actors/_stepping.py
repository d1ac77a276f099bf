"""Stepping: a coroutine runs in the caller's task, but in a context of its own.

`Context.run` steps it to its first suspension. Most calls are over by then. Those that are not
are carried on by a generator, which hands what they await to the loop.
"""

import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

from ._branch import Branch
from ._seen import steps

R = TypeVar("R")


@steps
@coroutine
def carry_on(
    branch: Branch,
    run: Callable[..., Any],
    suspended: Coroutine[Any, Any, R],
    awaited: Any,
) -> Generator[Any, Any, R]:
    """Step a suspended coroutine to its end, each step in its own context."""
    send, throw = suspended.send, suspended.throw
    try:
        while True:
            branch.waits_for = awaited
            try:
                sent = yield awaited
            except GeneratorExit:
                run(suspended.close)
                raise
            except BaseException as error:
                awaited = run(throw, error)
            else:
                awaited = run(send, sent)
    except StopIteration as stop:
        value: R = stop.value
        return value
    finally:
        branch.waits_for = None


def first_step(generator: AsyncGenerator[R, Any]) -> Coroutine[Any, Any, R]:
    """Return the first step of an async generator that another one closes.

    The loop does not get to know of it: at its end it closes all that it knows, at once, and the
    other one would find this one busy.
    """
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        return generator.asend(None)
    finally:
        sys.set_asyncgen_hooks(*hooks)
