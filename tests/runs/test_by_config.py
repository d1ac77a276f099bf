"""Results are compared by config: those a runtime recorded, or somebody else did in their form."""

import pytest

from understudy.runs import Run, RunError, RunFolder, by_config


def test_results_are_found_by_the_end_of_the_name_and_one_experiment_needs_none() -> None:
    with Run(prefix="r", capture=False) as run:
        run.metrics("results/shop.answer").log(config="a", config_id="1", status="ok", value=2)
        for name in (None, "answer", "shop.answer"):
            assert by_config(run, name)["a"].summary["value"].mean == 2
        assert by_config(run)["1"].config == "a"
        assert by_config(run.path).experiment == "shop.answer"
        assert by_config(RunFolder(run.path), "answer")["a"].values == {}


@pytest.mark.parametrize(("name", "told"), [(None, "of one experiment"), ("x", "of 'x'")])
def test_an_error_says_which_experiments_there_are(name: str | None, told: str) -> None:
    with Run(prefix="r", capture=False) as run:
        with pytest.raises(RunError, match=f"results {told} .* it has none"):
            by_config(run, name)
        for experiment in ("a", "b"):
            run.metrics(f"results/{experiment}").log(config="a", status="ok")
        with pytest.raises(RunError, match=f"results {told} .* those of 'a', 'b'"):
            by_config(run, name)
        with pytest.raises(KeyError, match="a has no results of 'c'; there are 'a'"):
            by_config(run, "a")["c"]


def test_numbers_are_those_of_branches_that_ran_whatever_else_their_values_are() -> None:
    with Run(prefix="r", capture=False) as run:
        answer = run.metrics("results/answer")
        answer.log(config="a", status="ok", duration_ms=2.0, value={"x": 1, "y": "no", "z": True})
        answer.log(config="a", status="error", duration_ms=4.0, error="ValueError")
        answer.log(config="a", status="shed", duration_ms=0.0)
        answer.log_many({"config": "b", "status": "ok", "value": n} for n in range(2500))
    compared = by_config(run)
    assert compared["a"].summary["duration_ms"].mean == 3.0
    assert compared["a"].summary["value.z"].mean == 1
    assert "value.y" not in compared["a"].summary
    assert compared["a"].errors == {"ValueError": 1}
    assert compared["b"].summary["value"].mean == 1249.5
    assert repr(compared).splitlines()[0].split() == (
        ["answer", "results", "ok", "error", "shed", "ms", "value", "value.x", "value.z"]
    )
