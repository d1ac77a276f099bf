"""What recording cannot be cheaper than, and what people write by hand."""

import json
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from time import time
from typing import Any

import msgspec

TEN: Mapping[str, float] = {f"key_{number}": 0.1 * number for number in range(10)}
"""Ten keys of a point."""


def by_hand(
    opened: ExitStack, path: Path, count: int, more: Mapping[str, Any]
) -> Callable[[], None]:
    """Return what appends points with json.dumps, write and flush."""
    file = opened.enter_context(path.open("a", encoding="utf-8"))

    def run() -> None:
        for step in range(count):
            file.write(json.dumps({"ts": time(), "step": step, "loss": 0.1 * step, **more}) + "\n")
            file.flush()

    def run_plain() -> None:
        for step in range(count):
            file.write(json.dumps({"ts": time(), "step": step, "loss": 0.1 * step}) + "\n")
            file.flush()

    return run if more else run_plain


def by_one_write(opened: ExitStack, path: Path, count: int) -> Callable[[], None]:
    """Return what appends points with msgspec and one write each, and nothing else."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    opened.callback(os.close, file)
    encode = msgspec.json.Encoder().encode

    def run() -> None:
        for step in range(count):
            os.write(file, encode({"ts": time(), "step": step, "loss": 0.1 * step}) + b"\n")

    return run


def by_logging(opened: ExitStack, path: Path, count: int) -> Callable[[], None]:
    """Return what logs messages with logging.FileHandler."""
    logger = logging.getLogger("understudy.benchmarks.runs")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logging.FileHandler(path)
    opened.callback(handler.close)
    logger.handlers = [handler]

    def run() -> None:
        for step in range(count):
            logger.info("epoch done, step %s", step)

    return run


def by_replacing(path: Path, count: int) -> Callable[[], None]:
    """Return what keeps parameters in a JSON file that is replaced each time."""
    aside = path.with_suffix(".new")

    def run() -> None:
        for number in range(count):
            aside.write_text(json.dumps({"lr": number}))
            aside.replace(path)

    return run


def write_points(path: Path, count: int) -> None:
    """Write a file of points, as logging them one by one would."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for step in range(count):
            loss = 1 / (1 + step)
            file.write(f'{{"step":{step},"loss":{loss!r},"ts":1795284787.4462545}}\n')
