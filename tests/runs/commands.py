"""The command `understudy runs`, and runs for it."""

import json
import math
from typing import Any

import pytest

from understudy.cli import main
from understudy.runs import Run


def make(prefix: str, losses: int = 20, project: str = "vision", **params: Any) -> Run:
    """Record a run whose loss comes down."""
    with Run(prefix=prefix, project=project, capture=False, tags=[prefix[:1]]) as run:
        run.params.set(model="resnet", **params)
        run.metrics("train").log_many(
            {"step": step, "loss": math.exp(-step / 10), "epoch": step // 10}
            for step in range(losses)
        )
        run.log("began", device="gpu-1")
        run.log("slow \x1b[31mred", level="warning")
    return run


class Commands:
    """Runs the command in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> str:
        """Return what it says; it ends well."""
        code, out, err = self.all(*words)
        assert (code, err) == (0, "")
        return out

    def all(self, *words: str) -> tuple[int, str, str]:
        """Return what it exits with, says and complains of."""
        self._capsys.readouterr()
        code = main(["runs", *words])
        told = self._capsys.readouterr()
        return code, told.out, told.err

    def json(self, *words: str) -> Any:
        """Return what it says as JSON."""
        return json.loads(self(*words, "--json"))

    def refuses(self, *words: str) -> str:
        """Return why it does not do it."""
        code, out, err = self.all(*words)
        assert (code, out) == (1, "")
        return err
