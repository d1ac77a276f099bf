"""The conservation laws: what must hold of every runtime, whatever was done with it."""

from collections import Counter
from collections.abc import Sequence

from understudy import Event, Runtime


def assert_laws(runtime: Runtime) -> None:
    """Nothing is in flight any more, and every branch that was planned ended in one way."""
    for experiment in runtime.statistics().experiments:
        assert experiment.shadows_in_flight == 0, experiment
        for case in experiment.cases:
            ended = case.ok + case.error + case.timeout + case.cancelled + case.shed + case.skipped
            assert case.planned == ended, case
            assert case.in_flight == 0, case
            assert case.waiting == 0, case


def assert_event_laws(events: Sequence[Event]) -> None:
    """The events say the same: planned = started + skipped + shed, and started = completed."""
    count = Counter(event.event for event in events)
    planned = sum(event.count or 0 for event in events if event.event == "call.planned")
    assert planned == count["branch.started"] + count["branch.skipped"] + count["branch.shed"]
    assert count["branch.started"] == count["branch.completed"]
    assert sorted(event.seq for event in events) == [*range(1, len(events) + 1)]
    last = [event for event in events if event.event.startswith("branch.") and event.status]
    assert len({event.branch_id for event in last}) == len(last), "a branch ended twice"
    assert len(last) == planned
