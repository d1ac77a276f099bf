"""The bridge: a sync function is played in a thread of the runtime's own, and awaited."""

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any, NamedTuple

from ._branch import CURRENT, Branch
from ._workers import Workers

_MOST = 64


class Crew(NamedTuple):
    """The threads of a runtime: shadows have theirs apart, so that they take none from a lead."""

    leads: Workers
    understudies: Workers

    @classmethod
    def of(cls, most: int = _MOST) -> "Crew":
        """Return a crew of so many threads of each kind, at most; none is started yet."""
        return cls(Workers("understudy lead", most), Workers("understudy shadow", most))

    def rest(self) -> None:
        """Have the threads that wait end now."""
        for workers in self:
            workers.rest()


def bridged(function: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Return an async function that plays a sync one in a thread, in the branch that runs.

    Cancelling it does not end the thread, as nothing can. The branch is over then, and what the
    function still brings is dropped; but it keeps its permit until it has ended, so that there are
    never more threads in a case than its limit says.
    """

    @functools.wraps(function)
    async def play(*args: Any, **kwargs: Any) -> Any:
        branch = CURRENT.get()
        assert branch is not None
        future: asyncio.Future[tuple[Any, BaseException | None]] = (
            asyncio.get_running_loop().create_future()
        )

        def done(value: Any, error: BaseException | None) -> None:
            _leave_thread(branch)
            if not future.done():
                future.set_result((value, error))

        crew = branch.part.actor.stage.crew
        workers = crew.understudies if branch.is_shadowed else crew.leads
        workers.post(functools.partial(copy_context().run, function, *args, **kwargs), done)
        branch.is_in_thread = True
        value, error = await future
        if error is not None:
            try:
                raise error
            finally:
                del error, future, done  # its traceback holds this frame: no cycle stays behind
        return await value if inspect.iscoroutine(value) else value

    return play


def _leave_thread(branch: Branch) -> None:
    branch.is_in_thread = False
    if branch.is_over and branch.holds_permit:
        branch.part.actor.mailbox.give_back()
