"""Runs that are sent to a real server, over a real connection."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.server.serving import Served, served
from understudy.runs import Run
from understudy.runs._sync import Synced, Syncer  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]


@pytest.fixture(autouse=True)
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNDERSTUDY_SYNC_PATIENCE", "60")


def record(run: Run, steps: int = 100) -> None:
    """Record something of every kind."""
    run.log("Training started", rank=0)
    run.params.set(lr=0.1, model={"size": 3})
    for step in range(steps):
        run.metrics("train").log(step=step, loss=1 / (1 + step))
        run.metrics("val/" + "Loss" * 60).log(step=step, loss=float("nan"))
    run.files("models").save(os.urandom(5_000_000), to="Model A.pth")
    run.files("models").save(b"", to="empty")


def synced(run: Run, it: Served) -> Synced:
    """Send what is left."""
    syncer = Syncer(f"{it.address}/#token={it.token}", lambda synced: None)
    try:
        return syncer.sync(run.path)
    finally:
        syncer.close()


def compare(run: Run, it: Served) -> dict[str, Any]:
    """Compare a run with what a server has of it, and return what it tells of the run."""
    with it.client() as client:
        base = f"/projects/{run.project}/runs/{run.id}"
        kept = client.get(f"{base}/lengths").json()
        for path, length in kept["lengths"].items():
            assert (run.path / path).stat().st_size == length
        for path in kept["documents"]:
            answer = client.get(f"{base}/documents/{path.replace('%', '%25')}")
            assert answer.content == (run.path / path).read_bytes()
        files = {file.id: file for name in ("models",) for file in run.files(name).list()}
        assert sorted(kept["files"]) == sorted(files)
        for name, file in files.items():
            assert client.get(f"{base}/files/{name}").content == file.path.read_bytes()
        for name in run.metric_names:
            points = client.get(f"{base}/metrics/{name.replace('/', '%2F')}").json()["points"]
            assert [point["step"] for point in points] == [
                each["step"] for each in run.metrics(name)
            ]
        found: dict[str, Any] = client.get(base).json()["info"]
        return found


def test_a_run_is_there_as_it_is_here(tmp_path: Path) -> None:
    with served(tmp_path / "data") as it:
        with Run(prefix="r", remote=it.address, token=it.token) as run:
            record(run)
        info = compare(run, it)
        assert (info["status"], info["prefix"], dict(run.problems)) == ("COMPLETED", "r", {})
        with Run(prefix="r", remote=it.address, token=it.token, rewind=10) as run:
            record(run)
            run.fail("diverged")
        info = compare(run, it)
        assert (info["status"], info["attempts"], info["error"]) == ("FAILED", 2, "diverged")


def test_a_server_that_lost_what_came_last_gets_it_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with served(data) as it:
        token = it.token
        with Run(prefix="r", remote=it.address, token=token) as run:
            record(run, 10)
    shutil.copytree(data, tmp_path / "backup")
    with served(data) as it, Run(prefix="r", remote=it.address, token=token) as run:
        record(run, 20)
    shutil.rmtree(data)
    (tmp_path / "backup").rename(data)
    with served(data) as it:
        it.token = token
        assert synced(run, it).is_complete
        assert compare(run, it)["status"] == "COMPLETED"
        assert synced(run, it).bytes == 0


@pytest.mark.parametrize("scope", ["read", "write"])
def test_a_token_of_another_project_or_for_reading_sends_nothing(
    scope: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with served(tmp_path / "data") as it:
        token = it.make_token("project" if scope == "read" else "other", scope)
        with Run(prefix="r", remote=it.address, token=token, capture=False) as run:
            run.log("x")
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "not for this project, or only for reading" in caplog.text
        with it.client() as client:
            assert client.get("/projects").json() == []


def test_what_the_server_has_limits_for_is_left_out_and_the_rest_is_sent(tmp_path: Path) -> None:
    with served(tmp_path / "data", line=5_000, metrics=2, part=1 << 20) as it:
        with Run(prefix="r", capture=False) as run:
            for name in "abcd":
                run.metrics(name).log(step=1)
            run.log("x" * 6_000)
            run.params.set(lr=0.1)
            run.files("models").save(os.urandom(3_000_000), to="model.pth")
        result = synced(run, it)
        assert not result.is_complete
        assert len(result.problems) == 3
        with it.client() as client:
            kept = client.get(f"/projects/project/runs/{run.id}/lengths").json()
        assert len([path for path in kept["lengths"] if path.startswith("metrics/")]) == 2
        assert "parameters.jsonl" in kept["lengths"]
        assert len(kept["files"]) == 1
