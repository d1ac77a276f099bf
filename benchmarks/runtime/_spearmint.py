"""The same calls by Spearmint, where it is installed."""

import asyncio
from collections.abc import Iterator
from typing import Any

from benchmarks._harness import Case
from benchmarks._peers import silenced

from ._stand import Stand

_PEER_CALLS = 20


def spearmint_cases(
    stand: Stand, spearmint: Any, one: list[dict[str, Any]], four: list[dict[str, Any]]
) -> Iterator[Case]:
    """Yield the calls that Spearmint can make too, with one config and with four."""
    played = 0

    async def answer(x: int, config: Any) -> int:
        nonlocal played
        played += 1
        return x

    answer.__annotations__["config"] = spearmint.config.Config
    strategies = spearmint.strategies
    for name, branches, configs, strategy in (
        ("single", 1, one, strategies.SingleConfigStrategy),
        ("round-robin over 4", 1, four, strategies.RoundRobinStrategy),
        ("multi-branch of 4", 4, four, strategies.MultiBranchStrategy),
        ("shadow with 3, all drained", 4, four, strategies.ShadowStrategy),
    ):
        mint = spearmint.Spearmint(configs=configs, strategy=strategy)
        call = mint.experiment()(answer)

        async def many(call: Any = call, branches: int = branches) -> None:
            nonlocal played
            played = 0
            for number in range(_PEER_CALLS):
                await call(number)
            while played < branches * _PEER_CALLS:  # noqa: ASYNC110  # it knows of no drain
                await asyncio.sleep(0)

        run = silenced(stand.run(many))
        yield stand.case(f"Spearmint (tracing off): {name}", run, calls=_PEER_CALLS)
