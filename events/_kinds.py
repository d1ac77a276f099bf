"""The kinds of events there are, in the order in which they are read about."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ._event import Level
from ._kind import Kind

_ERROR: Final = ("error_type", "error_message")
_ACTOR: Final = ("actor", "experiment", "state")
_CONFIG: Final = ("experiment", "config_id", "label", "actor")
_CALL: Final = (*_CONFIG, "call_id", "reason", "context", "trace_id", "span_id", "key_hash")
_BRANCH: Final = (*_CALL, "branch_id", "parent_branch_id", "inner_case", "role")
_ENDED: Final = (*_BRANCH, "status", "duration_ms", "queue_ms", *_ERROR)
_LAG: Final = (
    *("place", "lag_ms", "reason", "experiment", "function", "config_id", "label", "actor"),
    *("call_id", "branch_id", "role"),
)
_KEY: Final = ("key_hash",)
_RUN: Final = ("run", "project", "prefix", "path")

_ALL: Final = (
    Kind("runtime.started", "info", "The runtime runs on one more loop."),
    Kind("runtime.draining", "info", "It is being left, and waits for what is in flight."),
    Kind(
        "runtime.stopped",
        "info",
        "It has been left: `count` branches were waited for.",
        ("count",),
    ),
    Kind(
        "experiment.registered",
        "info",
        "A function became an experiment, with `count` configs and a strategy.",
        ("experiment", "count", "strategy"),
    ),
    Kind(
        "experiment.disabled",
        "warning",
        "The kill switch: only first configs play; without `experiment`, in all of them.",
        ("experiment", "reason"),
    ),
    Kind(
        "experiment.enabled",
        "info",
        "The strategies choose again; without `experiment`, in all of them.",
        ("experiment", "reason"),
    ),
    Kind(
        "experiment.pinned",
        "warning",
        "All calls of an experiment play one config from now on.",
        ("experiment", "config_id", "label", "reason"),
    ),
    Kind(
        "experiment.unpinned",
        "info",
        "The strategy chooses again.",
        ("experiment", "reason"),
    ),
    Kind(
        "config.loaded",
        "info",
        "Files have changed, and hold `count` configs.",
        ("source", "count"),
    ),
    Kind(
        "config.rejected",
        "error",
        "They cannot be used, and those before them stay.",
        ("source", *_ERROR),
    ),
    Kind(
        "config.activated",
        "info",
        "An experiment uses them from its next call on.",
        ("experiment", "source", "count"),
    ),
    Kind(
        "call.planned",
        "debug",
        "A call is about to be played by `count` branches; the config is that of the answer.",
        (*_CALL, "parent_branch_id", "count"),
        _KEY,
    ),
    Kind("branch.started", "debug", "A branch begins.", _BRANCH, _KEY),
    Kind(
        "branch.completed",
        "info",
        "It ended; `status` is `ok`, `error`, `timeout` or `cancelled`.",
        (*_ENDED, "items", "first_item_ms", "arguments", "result"),
        _KEY,
    ),
    Kind(
        "branch.shed",
        "warning",
        "It was not played, as there was more than could be: `reason` says of what.",
        (*_ENDED, "items", "first_item_ms"),
        _KEY,
    ),
    Kind(
        "branch.skipped",
        "info",
        "It never began; `status` is `skipped`, or how it ended before: `cancelled`, `timeout`, "
        "`error`.",
        (*_ENDED, "items", "first_item_ms"),
        _KEY,
    ),
    Kind(
        "breaker.opened",
        "warning",
        "A case failed too often as a shadow, and rests.",
        _CONFIG,
    ),
    Kind("breaker.half_opened", "info", "It is tried once more.", _CONFIG),
    Kind("breaker.closed", "info", "It is well again.", _CONFIG),
    Kind(
        "strategy.failed",
        "error",
        "A strategy raised, or planned what cannot be played: the first config answered.",
        (*_ACTOR, *_ERROR),
    ),
    Kind(
        "actor.started",
        "debug",
        "An actor runs; if it plays a config, `values` are those of it.",
        (*_ACTOR, "config_id", "label", "values"),
    ),
    Kind(
        "actor.sampled",
        "debug",
        "How busy a case is, once a second at most, and only if that has changed.",
        ("actor", "experiment", "config_id", "label", "waiting", "capacity", "in_flight"),
    ),
    Kind("actor.crashed", "error", "Code of its own raised.", (*_ACTOR, *_ERROR)),
    Kind(
        "actor.restarted",
        "warning",
        "It runs again, for the `restarts`-th time.",
        (*_ACTOR, "restarts"),
    ),
    Kind(
        "actor.gave_up",
        "error",
        "A supervisor restarts what crashes no more: it was more than `count` times.",
        (*_ACTOR, "reason", "count"),
    ),
    Kind("actor.stopped", "debug", "It has stopped.", (*_ACTOR, "reason")),
    Kind(
        "actor.dead_letter",
        "warning",
        "A message came that nobody took any more.",
        (*_ACTOR, "reason", "message"),
    ),
    Kind(
        "loop.lagged",
        "warning",
        "A branch holds the loop (or, from a thread, the interpreter), or many short steps do.",
        (*_LAG, "where"),
    ),
    Kind("loop.resumed", "info", "It has let go.", _LAG),
    Kind(
        "log.dropped",
        "warning",
        "`count` events are missing here: the sink could not keep up. Its `seq` is 0.",
        ("count",),
    ),
    Kind(
        "run.recording",
        "info",
        "Results are recorded into a run; of a config, `count` are until now, once a second at "
        "most, and only if that has changed.",
        (*_RUN, "experiment", "config_id", "label", "count", "dropped"),
    ),
    Kind(
        "run.ended",
        "info",
        "The runtime was left, and records no more: `count` results are in the run.",
        (*_RUN, "count", "dropped"),
    ),
    Kind(
        "compare.completed",
        "info",
        "The results of two branches were compared.",
        ("experiment", "call_id", "branch_id"),
        is_later=True,
    ),
    Kind(
        "compare.failed",
        "warning",
        "They could not be.",
        ("experiment", "call_id", "branch_id", *_ERROR),
        is_later=True,
    ),
    Kind(
        "score.completed",
        "info",
        "A result was given a score.",
        ("experiment", "call_id", "branch_id"),
        is_later=True,
    ),
    Kind(
        "score.failed",
        "warning",
        "It could not be.",
        ("experiment", "call_id", "branch_id", *_ERROR),
        is_later=True,
    ),
    Kind("run.started", "info", "A recorded execution begins.", ("run",), is_later=True),
    Kind(
        "run.completed",
        "info",
        "It ended.",
        ("run", "status", "duration_ms", *_ERROR),
        is_later=True,
    ),
    Kind("batch.started", "info", "Many runs begin.", ("batch", "count"), is_later=True),
    Kind(
        "batch.item_completed",
        "info",
        "One of them ended.",
        ("batch", "item", "run", "status", "count", *_ERROR),
        is_later=True,
    ),
    Kind(
        "batch.completed",
        "info",
        "All have.",
        ("batch", "status", "count", "duration_ms"),
        is_later=True,
    ),
)

KINDS: Final[Mapping[str, Kind]] = MappingProxyType({kind.name: kind for kind in _ALL})
"""All kinds of events, by name.  A name is never made up on the way."""

EVENTS: Final[Mapping[str, Level]] = MappingProxyType({kind.name: kind.level for kind in _ALL})
"""The names of all events, and how serious each is."""
