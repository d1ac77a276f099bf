"""Loads the peers that are installed; none of them has to be.

    pip install omegaconf pydantic mlflow-skinny laboratory
    pip install --no-deps spearmint-framework

Spearmint asks for the whole of MLflow, and uses no more than is in `mlflow-skinny`.
"""

import importlib
import os
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

SPEARMINT, OMEGACONF, PYDANTIC = "spearmint-framework", "omegaconf", "pydantic"


def load(module: str) -> Any:
    """Return a module of a peer; None where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def load_spearmint() -> Any:
    """Return Spearmint with its tracing off; None where it is not installed.

    With tracing on each of its calls writes a trace to a store, which is another kind of work.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    spearmint = load("spearmint")
    if spearmint is not None:
        load("mlflow").tracing.disable()
    return spearmint


def silenced(run: Callable[[], object]) -> Callable[[], None]:
    """Return a function that keeps to itself what `run` prints."""

    def run_silently() -> None:
        with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            run()

    return run_silently
