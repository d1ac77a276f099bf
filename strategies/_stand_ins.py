"""What strategies are tried with: configs, calls of every kind, and results of every kind."""

import random
from collections.abc import Iterator
from itertools import cycle, islice, product
from types import SimpleNamespace
from typing import Any

from understudy.configs import Config

from ._plan import Call, Plan

_STATUSES = ("ok", "error", "timeout", "cancelled", "shed", "skipped")
_ROLES = ("primary", "shadow", "branch")
_KEYS = (None, "user-7", 7, ("tenant", 7))


def trial_configs(size: int) -> list[Config]:
    """Make that many configs."""
    return [Config(name=f"config-{number}", number=number) for number in range(size)]


def trial_calls(count: int) -> Iterator[Call]:
    """Yield calls with and without arguments, with keys of several kinds and none, and a parent."""
    parent = SimpleNamespace(experiment="outer", config=Config(name="outer"))
    kinds = product((None, parent), _KEYS)
    for number, (case, key) in enumerate(islice(cycle(kinds), count)):
        args, kwargs = (([number, "text"],), {"options": {"number": number}}) if key else ((), {})
        yield Call(trial_calls, args, kwargs, key=key, parent=case)


def trial_results(configs: list[Config]) -> list[Any]:
    """Make results of every status and role, in disorder, some of a config nobody knows."""
    known = [*configs, Config(name="nobody knows it")]
    results = [
        SimpleNamespace(
            status=status,
            role=role,
            reason="static",
            result="value" if status == "ok" else None,
            exception_info=_exception(status),
            duration=0.0 if status in ("shed", "skipped") else 0.25,
            queue_time=0.0,
            experiment_case=SimpleNamespace(config=config),
        )
        for status, role, config in product(_STATUSES, _ROLES, known)
    ]
    random.Random(7).shuffle(results)
    return results


def outline(plan: Plan) -> tuple[Any, ...]:
    """Return what tells one plan from another: configs by their ids, and all the rest."""
    return (
        plan.primary.id,
        [config.id for config in plan.branches],
        [config.id for config in plan.shadows],
        [(config.id, reason) for config, reason in plan.skipped],
        plan.answers_all,
        plan.reason,
        plan.limit,
        plan.timeout,
        plan.after_primary,
        plan.cancel_with_primary,
    )


def _exception(status: str) -> BaseException | None:
    match status:
        case "error":
            return ValueError("a trial")
        case "timeout":
            return TimeoutError("a trial")
        case _:
            return None
