"""The wait-for graph: would a call that is about to wait ever be answered?

A case actor moves on if any branch that holds one of its permits does, or if it has one left. A
branch moves on if what it is suspended on does: a place in another mailbox (that actor), all
branches of a call (every one of them), a task or a gather (those). Whatever else it waits for
counts as able to move, so there are no false alarms. Only calls that find no permit look here.
"""

import asyncio
from asyncio.events import _get_running_loop
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ._branch import Branch

if TYPE_CHECKING:
    from ._stage import Stage


def chain_of(branch: Branch | None) -> str:
    """Return the names of the actors that wait for each other already, the outermost first."""
    names: list[str] = []
    while branch is not None:
        names.append(branch.part.actor.name)
        branch = branch.parent
    return " -> ".join(reversed(names))


def find_cycle(stage: "Stage", goal: Any, caller: Branch) -> str | None:
    """Return the actors that a call by `caller` would wait for in vain, or None.

    Args:
        stage: knows who waits for what.
        goal: what it is about to wait for: a case actor, or the future of a gathering.
        caller: the branch that makes the call.
    """
    graph = _Graph(stage, goal, caller)
    graph.explore()
    if graph.can_move(goal):
        return None
    return " -> ".join(graph.actors)


class _Graph:
    """What is reachable from a goal: who needs how many of whom to move on."""

    def __init__(self, stage: "Stage", goal: Any, caller: Branch) -> None:
        self._stage = stage
        self._goal = goal
        self._me = asyncio.current_task() if _get_running_loop() is not None else None
        self._callers: set[Branch] = set()
        branch: Branch | None = caller
        while branch is not None:
            self._callers.add(branch)
            branch = branch.parent
        self._needed: dict[Any, int] = {}
        self._users: dict[Any, list[Any]] = {}
        self._free: list[Any] = []
        self.actors: list[str] = []

    def explore(self) -> None:
        todo = [self._goal]
        while todo:
            node = todo.pop()
            if node in self._needed:
                continue
            needed, depends_on = self._edges(node)
            self._needed[node] = needed
            if needed == 0:
                self._free.append(node)
                continue
            for other in depends_on:
                self._users.setdefault(other, []).append(node)
                todo.append(other)

    def can_move(self, goal: Any) -> bool:
        """Whether the goal moves on because somebody else does."""
        while self._free:
            node = self._free.pop()
            if node is goal:
                return True
            for user in self._users.get(node, ()):
                self._needed[user] -= 1
                if self._needed[user] == 0:
                    self._free.append(user)
        return False

    def _edges(self, node: Any) -> tuple[int, list[Any]]:
        """Return how many of which others a node needs; none of any means it moves by itself."""
        from ._case_actor import CaseActor

        if isinstance(node, CaseActor):
            return self._of_actor(node)
        if node in self._stage.parked:
            return 1, [self._stage.parked[node]]
        if node in self._stage.gathering:
            return _all(self._stage.gathering[node].awaited())
        if asyncio.isfuture(node) and not node.done():
            if node is self._me:
                return 1, [self._goal]
            if isinstance(node, asyncio.Task):
                return _all([_awaited_by(node)])
            children: Iterable[Any] = getattr(node, "_children", ())  # those of a gather
            return _all(child for child in children if not child.done())
        return 0, []

    def _of_actor(self, actor: Any) -> tuple[int, list[Any]]:
        holders = {branch for branch in actor.active if branch.holds_permit}
        holders |= {
            branch
            for branch in self._callers
            if branch.part.actor is actor and branch.holds_permit and not branch.is_over
        }
        self.actors.append(actor.name)
        if len(holders) < actor.mailbox.concurrency or not actor.mailbox.is_open:
            return 0, []
        depends_on: list[Any] = []
        for holder in holders - self._callers:  # the callers wait for us
            awaited = holder.waits_for
            if holder.paused is not None and holder.reader is not None:
                awaited = holder.reader()  # it goes on when its reader does
            if awaited is None and holder.task is not None:
                awaited = _awaited_by(holder.task)
            if awaited is None:
                return 0, []
            depends_on.append(awaited)
        return 1, depends_on


def _all(nodes: Iterable[Any]) -> tuple[int, list[Any]]:
    """Need every one of some nodes; none at all means that it moves by itself."""
    found = list(nodes)
    return (0, []) if None in found else (len(found), found)


def _awaited_by(task: "asyncio.Task[Any]") -> Any:
    return getattr(task, "_fut_waiter", None)
