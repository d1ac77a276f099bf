"""A service that was never there: the events of some minutes of it, the same ones each time.

`python -m tests.dashboard.sample FILE` writes them to a file, the last ones as they happen, until
it is stopped: something for the dashboard to look at.
"""

import asyncio
import heapq
import itertools
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from understudy.events import EVENTS, Event

Fields = dict[str, Any]


class Case(NamedTuple):
    """A config of the demo: how long it takes, and how often it fails."""

    label: str
    values: Fields
    milliseconds: float
    failing: float = 0.0
    hanging: float = 0.0

    @property
    def config_id(self) -> str:
        return f"{random.Random(self.label).getrandbits(64):016x}"


class Play(NamedTuple):
    """An experiment of the demo: the first case answers, the others are its shadows."""

    name: str
    strategy: str
    per_second: float
    cases: list[Case]


PLAYS = [
    Play(
        "answer",
        "ShadowStrategy",
        14.0,
        [
            Case("model=trusted", _v := {"model": "trusted", "temperature": 0.2, "retries": 2}, 42),
            Case("model=quicker", {**_v, "model": "quicker"}, 17),
            Case("model=failing", {**_v, "model": "failing", "retries": 0}, 9, failing=0.4),
            Case("model=hanging", {**_v, "model": "hanging"}, 60, hanging=0.2),
        ],
    ),
    Play(
        "search/rank",
        "WeightedStrategy",
        9.0,
        [
            Case("top_k=10", {"top_k": 10, "index": {"kind": "flat"}, "cache": True}, 6),
            Case("top_k=50", {"top_k": 50, "index": {"kind": "flat"}, "cache": True}, 13),
            Case("top_k=50,index.kind=hnsw", {"top_k": 50, "index": {"kind": "hnsw"}}, 4, 0.01),
        ],
    ),
    Play(
        "translate",
        "MultiBranchStrategy",
        2.0,
        [
            Case("tone=dry", {"tone": "dry", "max_tokens": 400}, 120),
            Case("tone=warm", {"tone": "warm", "max_tokens": 400}, 140, failing=0.03),
        ],
    ),
    Play("checkout", "FixedStrategy", 1.0, [Case("v2", {"version": 2}, 25)]),
]
REWRITE = Play(
    "rewrite",
    "ShadowStrategy",
    0.0,
    [
        Case("words=few", {"words": "few", "limit": 20}, 5),
        Case("words=many", {"words": "many", "limit": 90}, 8),
    ],
)
REFUSED = ["ConnectionError", "RateLimitError", "JSONDecodeError"]
SAID = {
    "ConnectionError": "upstream closed the connection before the first byte",
    "RateLimitError": "too many requests: try again in 2.4 s",
    "JSONDecodeError": "Expecting value: line 1 column 1 (char 0)",
    "TimeoutError": "no answer within 0.2 s",
}


class Demo:
    """A living demo: what happens is drawn from a seed, and told in the order of time.

    Example:
        >>> demo = Demo(start=0.0)
        >>> [event["event"] for event in demo.until(0.001)][:2]
        ['runtime.started', 'experiment.registered']
    """

    def __init__(self, start: float, *, seed: int = 7, pid: int = 4711) -> None:
        self._chance = random.Random(seed)
        self._coming: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self._told: list[Fields] = []
        self._now = start
        self._ids = itertools.count(1)
        self._seq = 0
        self._pid, self._start = pid, start
        self._busy: dict[str, int] = {}
        self._failed: dict[str, int] = {}
        self._rests: set[str] = set()
        self._at(start, self._begin)

    def until(self, ts: float) -> Iterator[Fields]:
        """Let time pass, and yield what is told meanwhile."""
        while self._coming and self._coming[0][0] <= ts:
            self._now, _, do = heapq.heappop(self._coming)
            do(self._now)
            yield from self._told
            self._told.clear()

    def _at(self, ts: float, do: Callable[[float], None]) -> None:
        heapq.heappush(self._coming, (ts, next(self._order), do))

    def _tell(self, ts: float, event: str, **fields: Any) -> None:
        if ts > self._now:
            self._at(ts, lambda at: self._tell(at, event, **fields))
            return
        self._seq += 1
        head = {"v": 1, "ts": round(ts, 6), "event": event, "level": EVENTS[event]}
        who = {"seq": self._seq, "pid": self._pid, "service": "shop", "runtime": "6ca7a3e0"}
        self._told.append({**head, **who, **{k: v for k, v in fields.items() if v is not None}})

    def _begin(self, ts: float) -> None:
        self._tell(ts, "runtime.started")
        for play in [*PLAYS, REWRITE]:
            who = {"experiment": play.name, "strategy": play.strategy}
            self._tell(ts, "experiment.registered", **who, count=len(play.cases))
            for name in (play.name, f"{play.name}/strategy"):
                self._tell(ts, "actor.started", experiment=play.name, actor=name, state="running")
            for case in play.cases:
                fields = {**_who(play, case), "state": "running", "values": case.values}
                self._tell(ts, "actor.started", **fields)
            if play.per_second:
                self._at(ts + self._chance.random(), partial(self._arrive, play=play))
        self._at(ts + 0.5, self._sample)
        self._at(ts + 23.0, self._stumble)
        self._at(ts + 31.0, self._lag)
        self._at(ts + 2.0, lambda at: self._work(at, "nightly-prompts", 1, 120))
        self._tell(ts, "run.started", run="2026-11-21-a", experiment="translate")
        self._at(ts + 47.0, lambda at: self._tell(at, "log.dropped", dropped=12, count=12))
        self._at(ts + 70.0, self._crash)
        self._at(ts + 90.0, self._reject)

    def _arrive(self, ts: float, play: Play) -> None:
        wave = 1.0 + 0.5 * self._chance.random() + (ts // 40 % 2) * 0.6
        pause = self._chance.expovariate(play.per_second * wave)
        self._at(ts + pause, lambda at: self._arrive(at, play))
        if play.strategy == "WeightedStrategy":
            cases = [self._chance.choices(play.cases, [6, 3, 1])[0]]
        else:
            cases = play.cases
        self._call(ts, play, cases, None)

    def _call(self, ts: float, play: Play, cases: list[Case], parent: str | None) -> float:
        call_id = f"6ca7a3e0-1-{next(self._ids)}"
        reason = {"WeightedStrategy": "split", "FixedStrategy": "static"}.get(play.strategy)
        reason = "case" if parent else reason or "static"
        planned = {**_who(play, cases[0]), "call_id": call_id, "count": len(cases)}
        planned["parent_branch_id"] = parent
        self._tell(ts, "call.planned", **planned, reason=reason)
        first = 0.0
        for case in cases:
            role = "primary" if case is cases[0] else "shadow"
            if play.strategy == "MultiBranchStrategy" and role != "primary":
                role = "branch"
            took = self._branch(ts, play, case, call_id, role, reason, parent)
            first = first or took
        return first

    def _branch(
        self,
        ts: float,
        play: Play,
        case: Case,
        call_id: str,
        role: str,
        reason: str,
        parent: str | None,
    ) -> float:
        name = f"{play.name}[{case.label}]"
        who = {
            **_who(play, case),
            "call_id": call_id,
            "branch_id": call_id if role == "primary" else f"6ca7a3e0-1-{next(self._ids)}",
            "parent_branch_id": parent,
            "role": role,
        }
        unbegun: Fields = {"duration_ms": 0.0, "queue_ms": 0.004}
        if name in self._rests:
            unbegun |= {"reason": "circuit_open", "status": "skipped"}
            self._tell(ts, "branch.skipped", **who, **unbegun)
            return 0.0
        if role != "primary" and self._busy.get(name, 0) >= 4:
            unbegun |= {"reason": "mailbox_full", "status": "shed"}
            self._tell(ts, "branch.shed", **who, **unbegun)
            return 0.0
        waited = self._chance.expovariate(2.0) if role != "primary" else 0.0
        took = case.milliseconds * self._chance.lognormvariate(0.0, 0.35)
        fate = self._chance.random()
        status, error = "ok", None
        if fate < case.failing:
            status, error = "error", self._chance.choices(REFUSED, [8, 2, 1])[0]
        elif fate < case.failing + case.hanging:
            status, error, took = "timeout", "TimeoutError", 200.0 + self._chance.random()
        self._busy[name] = self._busy.get(name, 0) + 1
        begins = ts + waited / 1e3
        inner = 0.0
        if play.name == "answer" and role == "primary":
            inner = self._call(begins + 0.0004, REWRITE, REWRITE.cases, who["branch_id"])
        self._at(begins, lambda at: self._tell(at, "branch.started", **who, reason=reason))
        ended = {
            "status": status,
            "reason": "deadline" if status == "timeout" else reason,
            "duration_ms": round(took + inner, 6),
            "queue_ms": round(waited, 6),
            "error.type": error,
            "error.message": SAID.get(error or ""),
        }
        self._at(begins + (took + inner) / 1e3, lambda at: self._end(at, name, who | ended))
        return took + inner

    def _end(self, ts: float, name: str, fields: Fields) -> None:
        self._busy[name] -= 1
        self._tell(ts, "branch.completed", **fields)
        who = {key: fields[key] for key in ("experiment", "actor", "config_id", "label")}
        self._failed[name] = 0 if fields["status"] == "ok" else self._failed.get(name, 0) + 1
        if self._failed[name] >= 6 and name not in self._rests:
            self._rests.add(name)
            self._tell(ts, "breaker.opened", **who)
            self._at(ts + 12.0, lambda at: self._recover(at, name, who))

    def _recover(self, ts: float, name: str, who: Fields) -> None:
        self._tell(ts, "breaker.half_opened", **who)
        self._tell(ts + 0.1, "breaker.closed", **who)
        self._failed[name] = 0
        self._rests.discard(name)

    def _sample(self, ts: float) -> None:
        for play in [*PLAYS, REWRITE]:
            for case in play.cases:
                busy = self._busy.get(f"{play.name}[{case.label}]", 0)
                waiting = self._chance.randrange(14) if busy >= 3 else 0
                numbers = {"waiting": waiting, "capacity": 16, "in_flight": busy}
                fields = {k: v for k, v in _who(play, case).items() if k != "config_id"}
                sampled = {"v": 1, "ts": round(ts, 6), "event": "actor.sampled", "level": "debug"}
                self._seq += 1
                sampled |= {"seq": self._seq, "pid": self._pid, "runtime": "6ca7a3e0"}
                self._told.append({**sampled, **fields, **numbers})
        self._at(ts + 1.0, self._sample)

    def _stumble(self, ts: float) -> None:
        who = {"experiment": "search/rank", "strategy": "WeightedStrategy"}
        error = {"error.type": "KeyError", "error.message": "'tenant'"}
        self._tell(ts, "strategy.failed", **who, **error)
        self._at(ts + 61.0, self._stumble)

    def _lag(self, ts: float) -> None:
        case = PLAYS[0].cases[0]
        where = "shop/answers.py:41 in parse, json/decoder.py:353 in raw_decode"
        lag = 80.0 + 200.0 * self._chance.random()
        fields = {**_who(PLAYS[0], case), "role": "primary", "place": "loop", "lag_ms": lag}
        self._tell(ts, "loop.lagged", **fields, function="answer", where=where)
        self._tell(ts + lag / 1e3, "loop.resumed", **fields, function="answer")
        self._at(ts + 37.0, self._lag)

    def _crash(self, ts: float) -> None:
        actor = {"experiment": "translate", "actor": "translate[tone=warm]"}
        error = {"error.type": "RuntimeError", "error.message": "the session is closed"}
        self._tell(ts, "actor.crashed", **actor, **error)
        self._tell(ts + 0.01, "actor.restarted", **actor, state="running", restarts=1)
        self._tell(ts + 3.0, "experiment.disabled", experiment="checkout")

    def _reject(self, ts: float) -> None:
        why = "retries: expected a number, got 'many' (line 12)"
        error = {"error.type": "ConfigError", "error.message": why}
        self._tell(
            ts, "config.rejected", experiment="answer", source="configs/answer.yaml", **error
        )

    def _work(self, ts: float, batch: str, item: int, count: int) -> None:
        if item == 1:
            self._tell(ts, "batch.started", batch=batch, run="2026-11-21-a", count=count)
        status = "error" if self._chance.random() < 0.06 else "ok"
        took = 400 * self._chance.lognormvariate(0, 0.4)
        fields = {"batch": batch, "run": "2026-11-21-a", "item": f"prompt-{item:03}"}
        self._tell(ts, "batch.item_completed", **fields, status=status, duration_ms=took)
        if item == count:
            self._tell(ts, "batch.completed", batch=batch, status="ok", count=count)
        else:
            later = ts + 0.8 + self._chance.random()
            self._at(later, lambda at: self._work(at, batch, item + 1, count))


def _who(play: Play, case: Case) -> Fields:
    return {
        "experiment": play.name,
        "actor": f"{play.name}[{case.label}]",
        "config_id": case.config_id,
        "label": case.label,
    }


def lines(events: Iterator[Fields]) -> Iterator[bytes]:
    """Yield them as they stand in a file."""
    for event in events:
        yield json.dumps(event, separators=(",", ":")).encode() + b"\n"


class Told(Event, frozen=True, omit_defaults=True, kw_only=True):
    """An event with what an actor tells of its config and its mailbox."""

    values: dict[str, Any] | None = None
    waiting: int | None = None
    capacity: int | None = None
    in_flight: int | None = None


def told(events: Iterator[Fields]) -> Iterator[Event]:
    """Yield them as events."""
    for event in events:
        yield msgspec.convert(event, Told)


async def live(path: Path, seconds: float = 100.0) -> None:
    """Write what happened in the last seconds to a file, and go on as it happens."""
    demo = Demo(time.time() - seconds)
    with path.open("ab", buffering=0) as file:
        while True:
            file.write(b"".join(lines(demo.until(time.time()))))
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    try:
        asyncio.run(live(Path(sys.argv[1])))
    except KeyboardInterrupt:
        sys.exit()
