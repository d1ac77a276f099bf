"""Statistics: found by name, told as a table and as JSON."""

import functools
import json
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from understudy import Config, ExperimentStatistics, Runtime, RuntimeStatistics, ShadowStrategy
from understudy._statistics import CaseStatistics  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy._table import table  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

TWO = [{"model": "large"}, {"model": "small"}]
COUNTS = (
    "waiting",
    "in_flight",
    "planned",
    "ok",
    "error",
    "timeout",
    "cancelled",
    "shed",
    "skipped",
)

cases = st.builds(
    CaseStatistics,
    label=st.text(max_size=64),
    circuit=st.sampled_from(["closed", "open", "half_open"]),
    **{name: st.integers(0, 10**12) for name in COUNTS},
    **{name: st.none() | st.floats(0, 1e6) for name in ("p50", "p90", "p99")},
)


def case(**fields: Any) -> Any:
    given: dict[str, Any] = dict.fromkeys((*COUNTS, "most_waiting"), 0)
    given |= dict.fromkeys(("config_id", "label", "state", "circuit"), "closed")
    given |= dict.fromkeys(("p50", "p90", "p99"))
    return CaseStatistics(**(given | fields))


def statistics(*cases: Any, name: str = "answer") -> RuntimeStatistics:
    experiment = ExperimentStatistics(
        experiment=name,
        state="running",
        loops=1,
        is_disabled=False,
        strategy="ShadowStrategy",
        strategy_state="running",
        restarts=0,
        shadows_in_flight=0,
        cases=cases,
    )
    return RuntimeStatistics(experiments=(experiment,), events_dropped=0)


def statistics_with(*names: str) -> RuntimeStatistics:
    """Return the statistics of a runtime with some experiments."""
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

    def make(name: str) -> Any:
        @runtime.experiment(name=name)
        async def play(config: Config) -> str:
            return str(config.model)

        return play

    made = [*map(make, names)]
    found = runtime.statistics()
    assert len(found.experiments) == len(made)
    return found


def test_a_misspelt_experiment_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(KeyError) as caught:
        statistics_with("shop.answer", "shop.rank")["anser"]
    assert caught.value.args == (
        "no experiment is called 'anser' (did you mean 'answer'?); there are shop.answer, shop.rank",
    )


@pytest.mark.parametrize(("names", "known"), [((), "none"), (("a.b",), "a.b")])
def test_where_none_is_near_the_error_says_which_there_are(
    names: tuple[str, ...], known: str
) -> None:
    with pytest.raises(KeyError) as caught:
        statistics_with(*names)["other"]
    assert caught.value.args == (f"no experiment is called 'other'; there are {known}",)


def test_the_end_of_two_names_is_an_error_that_says_both_and_leaves_out_the_others() -> None:
    with pytest.raises(KeyError) as caught:
        statistics_with("shop.answer", "home.answer", "rank")["answer"]
    assert caught.value.args == (
        "2 experiments are called 'answer': shop.answer, home.answer; ask for one by its whole name",
    )


def test_two_of_one_name_are_an_error_that_says_to_give_them_others() -> None:
    with pytest.raises(KeyError) as caught:
        statistics_with("same", "same", "rank")["same"]
    assert caught.value.args == (
        "2 experiments are called 'same': same, same; give each another with name=",
    )


def test_a_function_that_is_defined_again_is_the_newest() -> None:
    """As the cell of a notebook does it; nobody waits for the garbage collector."""
    runtime = Runtime(configs=TWO)
    cell = "@runtime.experiment\ndef answer(config): return config.model"
    names: dict[str, Any] = {"runtime": runtime, "__name__": "notebook"}
    kept = []
    for calls in (3, 2, 1):
        exec(cell, names)
        kept.append(names["answer"])
        for _ in range(calls):
            names["answer"]()
    found = runtime.statistics()
    assert [each.planned for each in found.experiments] == [3, 2, 1]
    assert found["answer"] == found["notebook.answer"] == found.experiments[-1]
    runtime.close()


@pytest.mark.parametrize("make", ["lambda config: 1", "Part().answer", "functools.partial(play)"])
def test_what_may_be_many_under_one_name_is_not_taken_for_one_that_is_defined_again(
    make: str,
) -> None:
    runtime = Runtime(configs=TWO)
    names: dict[str, Any] = {"functools": functools, "__name__": "service"}
    exec("class Part:\n def answer(self, config): return 1\ndef play(config): return 1", names)
    kept = [runtime.experiment(name="many")(eval(make, names)) for _ in TWO]
    with pytest.raises(KeyError, match="2 experiments are called 'many'.*give each another"):
        runtime.statistics()["many"]
    assert len(kept) == 2


def test_at_a_prompt_the_statistics_are_the_table() -> None:
    whole = statistics(case(label="large", planned=3, ok=3))
    assert repr(whole) == str(whole)
    assert repr(whole["answer"]) == str(whole["answer"])
    assert repr(whole).startswith("answer: running")


def test_a_misspelt_config_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(
        KeyError,
        match=r"answer has no config 'smal' \(did you mean 'small'\?\); it has large, small",
    ):
        statistics_with("answer")["answer"]["smal"]


async def test_statistics_are_plain_values_that_json_takes() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

    @runtime.experiment
    async def answer(config: Config) -> str:
        return str(config.model)

    async with runtime:
        await runtime.collect(answer)
    told = runtime.statistics().to_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    [experiment] = told["experiments"]
    assert [(each["label"], each["ok"]) for each in experiment["cases"]] == [
        ("large", 1),
        ("small", 1),
    ]
    assert experiment["cases"][0]["p50"] == runtime.statistics().experiments[0].cases[0].p50
    assert told["events_dropped"] == 0


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_has_no_word_for_is_none_also_through_a_web_framework(
    odd: float,
) -> None:
    app = FastAPI()

    @app.get("/statistics")
    def _() -> dict[str, Any]:
        return statistics(case(p50=odd, p99=0.5)).to_dict()

    with TestClient(app) as client:
        [told] = client.get("/statistics").json()["experiments"][0]["cases"]
    assert (told["p50"], told["p90"], told["p99"]) == (None, None, 0.5)


def test_the_dict_has_all_that_the_statistics_have() -> None:
    whole = statistics(case(label="large", planned=3, ok=3, p50=0.25), case(label="small"))
    assert msgspec.convert(whole.to_dict(), RuntimeStatistics) == whole


def test_the_table_has_a_row_for_each_case_and_no_columns_of_zeros() -> None:
    cases = (
        case(label="large", planned=12, ok=12, p50=0.0204, p99=1.5),
        case(label="small", planned=12, error=10, skipped=2, circuit="open"),
    )
    assert str(statistics(*cases)).splitlines() == [
        "answer: running, ShadowStrategy",
        "config  planned  ok  error  skipped  p50 ms  p99 ms  circuit",
        "large        12  12      0        0    20.4  1500.0   closed",
        "small        12   0     10        2       -       -     open",
    ]


def test_a_disabled_experiment_says_so_and_a_runtime_without_any_too() -> None:
    runtime = Runtime()

    @runtime.experiment(name="answer")
    async def answer() -> None: ...

    @runtime.experiment(name="rank")
    async def rank() -> None: ...

    answer.disable()
    first, second = str(runtime.statistics()).split("\n\n")
    assert first.startswith("answer: new, SingleConfigStrategy, disabled\n")
    assert second.startswith("rank: new, SingleConfigStrategy\n")
    assert rank.experiment.name == "rank"
    assert str(Runtime().statistics()) == "no experiments"


def test_lost_events_are_told() -> None:
    lost = msgspec.structs.replace(statistics(case()), events_dropped=7)
    assert str(lost).endswith("\n\nevents dropped: 7")


@given(st.lists(cases, min_size=1, max_size=4))
def test_whatever_the_numbers_are_the_table_has_80_columns_at_most(made: list[Any]) -> None:
    told = str(statistics(*made))
    lines = told.split("\n")
    assert max(map(len, lines)) <= 80
    assert (len(lines) - 1) % (len(made) + 1) == 0
    for each in made:
        assert str(each.planned) in told
        assert str(each.ok) in told


def test_a_long_name_is_cut_and_one_of_two_lines_is_put_in_one() -> None:
    assert table([{"config": "a" * 64, "ok": "1"}, {"config": "b\nc", "ok": "2"}]).split("\n") == [
        "config                    ok",
        f"{'a' * 23}~   1",
        "b c                        2",
    ]


def test_no_rows_are_no_table() -> None:
    assert table([]) == ""
