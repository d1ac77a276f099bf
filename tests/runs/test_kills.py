"""Nothing that was acknowledged is lost; `make kills` tries it a hundred times as often."""

import random
from pathlib import Path

import pytest

from . import sendings
from .kills import Trouble, play


@pytest.mark.parametrize("writers", [1, 4])
@pytest.mark.parametrize("trouble", ["kill", "term", "fork", "limit", "full"])
def test_what_was_acknowledged_is_there_once(
    trouble: Trouble, writers: int, tmp_path: Path
) -> None:
    chance = random.Random(f"{trouble} {writers}")
    for time in range(2 if writers == 1 else 1):
        root = tmp_path / str(time)
        root.mkdir()
        outcome = play(trouble, writers, chance, root)
        assert outcome.is_right, outcome
        assert outcome["acknowledged"] > 0


def test_what_was_acknowledged_is_at_the_server_once(tmp_path: Path) -> None:
    outcome = sendings.play(random.Random("sent"), tmp_path)
    assert outcome.is_right, outcome
    assert outcome["acknowledged"] > 0
