"""The contest in the hands of understudy."""

import asyncio
from typing import Any, Final

from understudy import Config, Runtime, ShadowStrategy

from ._cells import Way
from ._contest import Accounts, Contest, Limits
from ._shadows import Shadow, lead_async, lead_sync

_LEAD: Final = {"role": "lead"}
_SHADOW: Final = {"role": "shadow"}
_DRAIN: Final = 0.25
_THREADS_OF_A_KIND: Final = 64
"""How many a runtime has at most for leads, and for shadows."""
_BACKSTAGE: Final = 1
_OF_SINKS: Final = 2
"""Our sink has one, and what reads from it another."""


def contest(way: Way, shadow: Shadow | None, events: Any = None) -> Contest:
    """Return a contest, all limits as they are if nothing is said.

    Only the circuit is switched off: it would give a shadow that fails a rest after ten times.
    """
    runtime = Runtime(
        configs=[_LEAD] if shadow is None else [_LEAD, _SHADOW],
        strategy=ShadowStrategy(),
        circuit=None,
        drain_timeout=_DRAIN,
        events=events,
    )

    async def play_async(number: int, config: Config) -> object:
        if config["role"] == "lead" or shadow is None:
            return await lead_async(number)
        return await shadow.run_async()

    def play_sync(number: int, config: Config) -> object:
        if config["role"] == "lead" or shadow is None:
            return lead_sync(number)
        return shadow.run_sync()

    answer = runtime.experiment(play_async if way == "async" else play_sync)

    def ask_for(number: int) -> Any:
        return runtime.call(answer, number)

    async def drain() -> Accounts:
        if way == "sync":
            await asyncio.to_thread(runtime.close)
        else:
            await runtime.aclose()
        return _accounts(runtime)

    limits = Limits(
        at_once=runtime.settings.concurrency if way == "async" else _THREADS_OF_A_KIND,
        threads=2 * _THREADS_OF_A_KIND + _BACKSTAGE + _OF_SINKS,
    )
    return Contest(ask=answer if way == "sync" else ask_for, drain=drain, limits=limits)


def _accounts(runtime: Runtime) -> Accounts:
    (experiment,) = runtime.statistics().experiments
    cases = experiment.cases

    def sum_of(name: str) -> int:
        return sum(getattr(case, name) for case in cases)

    return Accounts(
        planned=sum_of("planned"),
        ok=sum_of("ok"),
        error=sum_of("error"),
        timeout=sum_of("timeout"),
        cancelled=sum_of("cancelled"),
        shed=sum_of("shed"),
        skipped=sum_of("skipped"),
        lead_ok=cases[0].ok,
        unfinished=sum_of("in_flight") + sum_of("waiting"),
        events_dropped=runtime.statistics().events_dropped,
    )
