"""A Contender: a library, or a few lines without one, and the ways it has to make calls."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import msgspec

Way = Callable[[int], Any]
"""Makes so many calls, with 0, 1, 2 ..., and returns what the last one answered.

It is a function or a coroutine function, and does not end before all its work is done, also the
work of shadows.
"""
Ways = Mapping[str, Way]
"""Ways by the key of their kind; a second one of a kind is called `key: in words`."""
Open = Callable[[asyncio.AbstractEventLoop], AbstractContextManager[Ways]]
"""Gives the ways to make calls, on a loop or without it, and cleans up."""


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """What takes part."""

    key: str
    title: str
    how: str
    """How it is used: what its own documentation says is best for this."""
    open: Open
    cannot: Mapping[str, str] = {}
    """Why it has no way for a kind of call."""
    distribution: str = ""
    """What to install; nothing, if it is here anyway."""
    loops: tuple[str, ...] = ("asyncio", "uvloop")
    """The loops it is measured on; one, if it does not use any."""
    is_loopless: bool = False
    """Whether it does its work without a loop."""
    wall: tuple[str, ...] = ()
    """The kinds that are told in wall time, as threads or processes of its own play in them."""
    is_pinned: bool = True
    """Whether it has one CPU, where the system can do that: threads that hand work to each other
    do so fastest. Processes have all of them."""
    calls: int = 1_000
    """How many calls it makes in one run at most: fewer, if each takes long."""
