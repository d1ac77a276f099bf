"""The conservation laws: what must hold of every runtime, whatever was done with it."""

from understudy import Runtime


def assert_laws(runtime: Runtime) -> None:
    """Nothing is in flight any more, and every branch that was planned ended in one way."""
    for experiment in runtime.statistics().experiments:
        assert experiment.shadows_in_flight == 0, experiment
        for case in experiment.cases:
            ended = case.ok + case.error + case.timeout + case.cancelled + case.shed + case.skipped
            assert case.planned == ended, case
            assert case.in_flight == 0, case
            assert case.waiting == 0, case
