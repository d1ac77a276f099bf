"""Where an actor is in its life."""

from enum import StrEnum
from typing import Any, Protocol


class State(StrEnum):
    """Where an actor is in its life: new, starting, running, draining, stopped, or crashed.

    A crashed actor is restarted by its supervisor (then it is `restarted` until it runs again), or
    stopped.

    Example:
        >>> from understudy.actors import State
        >>> print(State.RUNNING)
        running
    """

    NEW = "new"
    STARTING = "starting"
    RUNNING = "running"
    DRAINING = "draining"
    CRASHED = "crashed"
    RESTARTED = "restarted"
    STOPPED = "stopped"


class Emit(Protocol):
    """Where actors tell what happens: called with the name of an event and its fields."""

    def __call__(self, event: str, /, **fields: Any) -> None:
        """Take one event; it neither waits nor raises."""
        ...
