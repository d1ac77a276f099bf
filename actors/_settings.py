"""What an experiment's calls are made with."""

from collections.abc import Callable, Hashable
from typing import Any, Literal

import msgspec

from understudy.configs import Config
from understudy.strategies import Strategy

from ._items import StreamLimits


class Settings(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What an experiment's calls are made with: what `experiment()` and `options()` take.

    Attributes:
        configs: the configs, the trusted one first.
        strategy: chooses among them.
        timeout: how many seconds a branch may take, waiting included.
        concurrency: how many branches of a config are played at a time.
        mailbox: how many may wait.
        overflow: what happens to a caller when as many wait already: it waits too, or is refused.
        nested: whether the experiments called inside are part of the plan (`"product"`), or each
            choose for themselves when they are called (`"independent"`).
        max_cases: how many cases one call may play.
        stream: how much of a stream that nobody reads is played, and kept.
        key: what a call is about, for strategies that choose by it: a function of the arguments.
    """

    configs: tuple[Config, ...]
    strategy: Strategy
    timeout: float | None = None
    concurrency: int = 256
    mailbox: int = 1024
    overflow: Literal["wait", "reject"] = "wait"
    nested: Literal["product", "independent"] = "product"
    max_cases: int = 64
    stream: StreamLimits = StreamLimits()
    key: Callable[..., Hashable] | Any = None
