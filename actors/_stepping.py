"""Stepping: a coroutine runs in the caller's task, but in a context of its own.

`Context.run` steps it to its first suspension. Most calls are over by then. Those that are not
are carried on by a generator, which hands what they await to the loop.
"""

import sys
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextvars import Context
from types import coroutine
from typing import Any, TypeVar

from ._branch import Branch

R = TypeVar("R")


@coroutine
def carry_on(
    branch: Branch,
    context: Context,
    suspended: Coroutine[Any, Any, R],
    awaited: Any,
) -> Generator[Any, Any, R]:
    """Step a suspended coroutine to its end, each step in its own context."""
    send = suspended.send
    stage = branch.part.actor.stage
    caller: Branch | None = None
    is_stepping = False
    try:
        while True:
            branch.waits_for = awaited
            try:
                sent = yield awaited
            except GeneratorExit:
                context.run(suspended.close)
                raise
            except BaseException as error:
                caller, stage.stepping, is_stepping = stage.stepping, branch, True
                awaited = context.run(suspended.throw, error)
            else:
                caller, stage.stepping, is_stepping = stage.stepping, branch, True
                awaited = context.run(send, sent)
            stage.stepping, is_stepping = caller, False
    except StopIteration as stop:
        value: R = stop.value
        return value
    finally:
        branch.waits_for = None
        if is_stepping:
            stage.stepping = caller


def first_of(branch: Branch, context: Context, begun: Coroutine[Any, Any, Any]) -> Any:
    """Step a coroutine for the first time, in the context of its branch."""
    stage = branch.part.actor.stage
    caller, stage.stepping = stage.stepping, branch
    try:
        return context.run(begun.send, None)
    finally:
        stage.stepping = caller


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
