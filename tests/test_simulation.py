"""The deterministic simulation, in every run of the tests; `make sim SEEDS=1000000` plays more."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation._world import simulate
from tests.simulation.mutants import MUTANTS, ROOT, Mutant

SEEDS = 10_000


@pytest.mark.timeout(400)  # half a minute on two cores that nobody else uses
def test_ten_thousand_seeds_keep_all_promises() -> None:
    command = [sys.executable, "-m", "tests.simulation", "--seeds", str(SEEDS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{SEEDS} seeds, 0 failed"), done.stdout


def test_a_seed_plays_the_same_again() -> None:
    for seed in range(20):
        assert simulate(seed) == simulate(seed)


def test_seeds_differ() -> None:
    assert len({simulate(seed)[2] for seed in range(50)}) > 40


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_still_fits_the_code(mutant: Mutant) -> None:
    text = Path(ROOT, mutant.file).read_text()
    assert text.count(mutant.right) == 1
    assert mutant.right != mutant.wrong
    compile(text.replace(mutant.right, mutant.wrong), mutant.file, "exec")


def test_mutants_differ() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) > 12
