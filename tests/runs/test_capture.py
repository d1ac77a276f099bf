"""What surrounds a run, and what the machine does meanwhile."""

import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from understudy.runs import Run, RunFolder
from understudy.runs._capture import without_secrets  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.runs._system import SystemSampler  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

capture_room: Any = import_module("understudy.runs._capture")
git_room: Any = import_module("understudy.runs._git")

R = Path("experiments/project/r")


def git(*words: str) -> str:
    names = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *names, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> str:
    git("init", "--quiet")
    (tmp_path / ".gitignore").write_text("experiments\n")
    (tmp_path / "train.py").write_text("lr = 0.1\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "first")
    git("remote", "add", "origin", "https://alice:secret@example.com/x.git")
    return git("rev-parse", "HEAD")


def test_the_commit_and_what_was_changed_since_are_kept(repository: str, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("lr = 0.2\n")
    with Run(prefix="r") as run:
        pass
    told = run.read().git
    assert (told["commit"], told["branch"], told["is_dirty"]) == (repository, "main", True)
    assert told["remote"] == "https://example.com/x.git"
    assert "+lr = 0.2" in (R / "diff.patch").read_text()


def test_a_clean_tree_has_no_diff(repository: str) -> None:
    with Run(prefix="r") as run:
        pass
    assert run.read().git["is_dirty"] is False
    assert not (R / "diff.patch").exists()


def test_a_diff_that_is_too_large_is_left_out(
    repository: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_room, "LARGEST_DIFF", 10)
    (tmp_path / "train.py").write_text("lr = 0.2\n")
    with Run(prefix="r") as run:
        pass
    assert run.read().git["diff"].startswith("left out")
    assert not (R / "diff.patch").exists()


def test_the_environment_and_the_command_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_TOKEN", "hidden")
    monkeypatch.setenv("MY_PASSWORD", "hidden")
    with Run(prefix="r") as run:
        pass
    told = run.read().environment
    assert told["packages"]["msgspec"] >= "0.20"
    assert told["python"].startswith("3.")
    assert told["variables"]["SLURM_JOB_ID"] == "7"
    assert "hidden" not in (R / "environment.json").read_text()
    assert run.attempts[0].command


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--token=abc", "x"], ["--token=***", "x"]),
        (["--api-key", "abc", "--lr", "1"], ["--api-key", "***", "--lr", "1"]),
        (["--password", "--lr", "1"], ["--password", "--lr", "1"]),
        (["secret.py", "a"], ["secret.py", "a"]),
        (["PASSWORD=abc"], ["PASSWORD=***"]),
        (["--tags=a=b"], ["--tags=a=b"]),
    ],
)
def test_what_looks_like_a_secret_is_not_kept(words: list[str], told: list[str]) -> None:
    assert without_secrets(words) == told


@pytest.mark.parametrize(
    ("aspects", "there"),
    [(True, {"git.json", "diff.patch", "environment.json"}), (False, set[str]()), (["git"], {"git.json"}), (["environment"], {"environment.json"})],
)  # fmt: skip
def test_each_can_be_switched_off(
    aspects: bool | list[str], there: set[str], repository: str, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text("lr = 0.2\n")
    with Run(prefix="r", capture=aspects) as run:
        pass
    found = {path.name for path in R.iterdir()}
    assert found & {"git.json", "diff.patch", "environment.json"} == there
    assert (run.attempts[0].command is not None) == (aspects is True)


def test_what_was_captured_first_stays() -> None:
    with Run(prefix="r"):
        pass
    (R / "environment.json").write_text('{"python": "2"}')
    with Run(prefix="r") as run:
        pass
    assert run.read().environment == {"python": "2"}


def test_without_git_the_rest_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with Run(prefix="r") as run:
        pass
    assert run.read().environment
    assert dict(run.problems) == {}


def test_what_fails_while_it_is_looked_up_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("no such machine")

    monkeypatch.setattr(capture_room, "environment", broken)
    with Run(prefix="r", strict=True) as run:
        run.log("goes on")
    assert run.problems["capture"] == 1
    assert run.status == "COMPLETED"


def test_the_machine_is_sampled_on_request() -> None:
    with Run(prefix="r", system=0.01) as run:
        assert run._recording is not None
        assert run._recording._pulse is not None
        run._recording._pulse._is_looked.wait(10)
    with Run(prefix="quiet") as quiet:
        pass
    samples = run.read().system
    assert samples
    assert samples[0]["process_memory_bytes"] > 1_000_000
    assert samples[0]["memory_total_bytes"] > samples[0]["memory_available_bytes"] > 0
    assert quiet.read().system == []


def test_graphics_cards_are_asked_where_there_are_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin/nvidia-smi"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\necho '97, 1024, 8192, 66, 250.5'\necho '3, 0, 8192, [N/A], 20'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/bin:/usr/bin")
    sampler = SystemSampler(tmp_path, 2)
    sampler()
    sampler()
    _, line = RunFolder(tmp_path).system
    assert (line["gpu0_percent"], line["gpu0_watts"], line["gpu1_percent"]) == (97.0, 250.5, 3.0)
    assert "gpu1_celsius" not in line
    assert line["attempt"] == 2
    assert 0 <= line["cpu_percent"] <= 100 if "cpu_percent" in line else True
    assert line["process_cpu_percent"] >= 0
