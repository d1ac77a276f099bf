"""Misuse: what is done in a way that cannot work, each error saying what to write instead."""

import inspect
import logging
from asyncio.events import _get_running_loop
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from understudy.actors import current_branch

from ._settings import ExperimentError

if TYPE_CHECKING:
    from ._experiment import Experiment

_log = logging.getLogger("understudy")


def no_function(given: Any, way: str) -> ExperimentError:
    """Return the error for what was given to `call`, `collect`, ... and cannot be called.

    A coroutine among them is closed: nobody will await it.
    """
    if inspect.iscoroutine(given) or inspect.isgenerator(given) or inspect.isasyncgen(given):
        if inspect.iscoroutine(given) and inspect.getcoroutinestate(given) == inspect.CORO_CREATED:
            given.close()
        name = given.__name__
        what = f"what {name}(...) returned, before it played"
    else:
        name = "function"
        what = f"{given!r}, which is no function"
    return ExperimentError(
        f"runtime.{way} was given {what}: give the function and its arguments, {written(way, name)}"
    )


def not_by_name(way: str, given: Any) -> ExperimentError:
    """Return the error for a setting that was given without its name."""
    name = "strategy" if callable(getattr(given, "plan", None)) else "configs"
    if isinstance(given, int | float) or given is None:
        name = "timeout"
    takes = "a function, and settings" if way == "runtime.experiment" else "settings"
    return ExperimentError(
        f"{way}(...) takes {takes} by name, not {given!r}: say which, as in {name}=..."
    )


def blocked_loop(experiment: str, function: Callable[..., Any], way: str) -> ExperimentError:
    """Return the error for a call that would wait on the thread of a loop."""
    name = called(function)
    instead = f"`await {written('call', name)}`"
    if way == "run":
        instead = f"`async with {written('arun', name)} as runner:` and `await runner(...)`"
    return ExperimentError(
        f"{experiment}: this thread runs a loop, which waiting for the answer would block: "
        f"write {instead}"
    )


def written(way: str, name: str) -> str:
    """Return how a way of calling is written."""
    return f"runtime.{way}({name})" if way in ("run", "arun") else f"runtime.{way}({name}, ...)"


def called(function: Any) -> str:
    """Return how a function is called where it was written."""
    return str(getattr(function, "__name__", type(function).__name__))


def warn_of_left_behind(experiments: "Iterable[Experiment]") -> None:
    """Warn of what is in flight on the loop of this thread, which cannot be waited for here."""
    loop = _get_running_loop()
    if loop is None:
        return
    count = sum(
        actor.in_flight
        for experiment in experiments
        for stage, supervisor in experiment.supervisors.items()
        if stage.loop is loop
        for actor in supervisor.cases
    )
    branch = current_branch()
    while branch is not None:  # who closes it does not leave itself behind
        count -= branch.part.actor.stage.loop is loop and not branch.is_over
        branch = branch.parent
    if count > 0:
        _log.warning(
            "`with runtime:` (or runtime.close()) on the thread of a loop waits for nothing on it: "
            "%d still in flight there; `async with runtime:` or `await runtime.aclose()` waits",
            count,
        )
