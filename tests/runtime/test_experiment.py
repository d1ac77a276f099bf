"""What an experiment looks like where it is printed."""

import pytest

from understudy import Config, Runtime


@pytest.mark.parametrize(
    ("count", "shown"), [(1, "0"), (2, "0, 1"), (10, "0, 1, 2, 3, 4, 5, 6, 7, and 2 more")]
)
def test_an_experiment_shows_its_name_and_its_configs(count: int, shown: str) -> None:
    runtime = Runtime(configs=[{"n": number} for number in range(count)])

    @runtime.experiment(name="answer")
    async def answer(config: Config) -> None: ...

    assert repr(answer.experiment) == f"<Experiment answer: {shown}>"


def test_an_experiment_without_configs_shows_the_one_it_plays() -> None:
    @Runtime().experiment(name="answer")
    async def answer() -> None: ...

    assert repr(answer.experiment) == "<Experiment answer: default>"
