"""No change makes a call heavier unnoticed: what a call weighs is recorded, and exact."""

import asyncio
import functools
from typing import Any

import pytest

from tests.weigh import HEAVIER, VERSION, Weights, counted, recorded, weigh
from understudy.actors import Tally

RECORD = recorded()
NEWEST = max(RECORD, key=lambda version: [int(part) for part in version.split(".")])
LIKELY = 1.1
"""A version of Python that nothing is recorded for may make a call so much heavier, at most."""


@functools.cache
def weights() -> Weights:
    return asyncio.run(weigh())


def test_something_is_recorded_for_each_call() -> None:
    for version, known in RECORD.items():
        assert known.keys() == weights().keys(), f"Python {version}: python -m tests.weigh --record"


@pytest.mark.parametrize("name", RECORD[NEWEST])
def test_a_call_weighs_what_is_recorded(name: str) -> None:
    now = weights()[name]
    if VERSION in RECORD:
        known = RECORD[VERSION][name]
        assert now == known, "heavier, or lighter: if it is meant, python -m tests.weigh --record"
    else:
        known = RECORD[NEWEST][name]
        assert all(now[unit] <= LIKELY * known[unit] for unit in known), (now, known)


def test_calls_weigh_the_same_again() -> None:
    assert asyncio.run(weigh()) == weights()


def test_what_a_call_does_more_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    ours: dict[str, Any] = {"took": Tally.took}
    source = "def took_by_way_of_another(tally, duration): took(tally, duration)"
    exec(compile(source, HEAVIER, "exec"), ours)
    monkeypatch.setattr(Tally, "took", ours["took_by_way_of_another"])
    before, now = weights()["single"], asyncio.run(weigh("single"))["single"]
    assert now["calls"] == before["calls"] + 1
    assert now["instructions"] > before["instructions"]


def test_what_is_not_ours_weighs_nothing() -> None:
    with counted() as counts:
        sorted(str(number) for number in range(10))
    assert counts == {"instructions": 0, "calls": 0, "c_calls": 0}
