"""The calls in the hands of laboratory, GitHub's Scientist in Python."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from benchmarks._peers import load

from ._contender import Contender, Ways
from ._kinds import KINDS
from ._ways import called, fn_sync


@contextmanager
def _laboratory(loop: asyncio.AbstractEventLoop) -> Generator[Ways]:
    laboratory = load("laboratory")

    def conduct(x: int) -> Any:
        experiment = laboratory.Experiment()
        experiment.control(fn_sync, args=[x])
        return experiment.conduct()

    def conduct_both(x: int) -> Any:
        experiment = laboratory.Experiment()
        experiment.control(fn_sync, args=[x])
        experiment.candidate(fn_sync, args=[x])
        return experiment.conduct()

    yield {"sync_direct": called(conduct), "sync_shadow": called(conduct_both)}


_CAN: Final = ("sync_direct", "sync_shadow")

CONTENDER = Contender(
    key="laboratory",
    title="laboratory",
    how="its candidate plays in the caller's thread, before the lead or after it",
    open=_laboratory,
    cannot={
        key: "it calls functions and awaits nothing: all comes back unplayed"
        for key in KINDS
        if key not in _CAN
    },
    distribution="laboratory",
    loops=("asyncio",),
    is_loopless=True,
)
