"""Kept: what is made of the configs once, and made again when other configs come."""

from collections.abc import Callable, Sequence
from operator import is_
from typing import Generic, TypeVar

from understudy.configs import Config

T = TypeVar("T")


class Kept(Generic[T]):
    """Makes something of a sequence of configs, and keeps it until another sequence comes.

    A tuple that comes again is known by its identity; of any other sequence the items are
    compared, for it may have been changed in between. What is kept is replaced in one piece: a
    thread that looks at it meanwhile finds the old or the new.

    Args:
        make: called with the configs, as a tuple.
    """

    __slots__ = ("_kept", "_make")

    _kept: tuple[tuple[Config, ...], T] | None

    def __init__(self, make: Callable[[tuple[Config, ...]], T]) -> None:
        self._make = make
        self._kept = None

    def __call__(self, configs: Sequence[Config]) -> T:
        kept = self._kept
        if kept is not None and kept[0] is configs:
            return kept[1]
        items = tuple(configs)
        if kept is not None and len(kept[0]) == len(items) and all(map(is_, kept[0], items)):
            return kept[1]
        made = self._make(items)
        self._kept = (items, made)
        return made
