"""The contest in the hands of Spearmint, its tracing off."""

from typing import Any

from benchmarks._peers import load_spearmint

from ._cells import Way
from ._contest import Contest
from ._shadows import Shadow, lead_async, lead_sync


def contest(way: Way, shadow: Shadow | None) -> Contest:
    """Return a contest; it has no limits, knows of no drain and keeps no accounts."""
    spearmint = load_spearmint()
    roles = ["lead"] if shadow is None else ["lead", "shadow"]
    mint = spearmint.Spearmint(
        configs=[{"role": role} for role in roles], strategy=spearmint.strategies.ShadowStrategy
    )

    async def play_async(number: int, config: Any) -> object:
        if config["role"] == "lead" or shadow is None:
            return await lead_async(number)
        return await shadow.run_async()

    def play_sync(number: int, config: Any) -> object:
        if config["role"] == "lead" or shadow is None:
            return lead_sync(number)
        return shadow.run_sync()

    play: Any = play_async if way == "async" else play_sync
    play.__annotations__["config"] = spearmint.config.Config
    return Contest(ask=mint.experiment()(play))
