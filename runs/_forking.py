"""Beginning a run where another one was at some step: what is seen of it until then is copied."""

import os
from pathlib import Path
from time import time

import msgspec

from ._append import Appender
from ._names import make_folder
from ._overview import seen_chunks
from ._reading import RunFolder
from ._rewinds import FILE as REWINDS
from ._rewinds import sizes_of
from ._settings import Origin


def hide_behind(run: Path, step: float, attempt: int) -> None:
    """Hide the points of a run behind a step; they stay in the files."""
    line = {"ts": time(), "step": step, "attempt": attempt, "sizes": sizes_of(run / "metrics")}
    file = Appender(run / REWINDS, lambda: None)
    file.append(msgspec.json.encode(line) + b"\n")
    file.close()


def copy_until(origin: Origin, target: Path) -> None:
    """Copy the parameters, and the points up to a step.

    Args:
        origin: the run, and the step; None copies all.
        target: the folder of the new run.
    """
    source = RunFolder(origin.path)
    for name in ("parameters.jsonl", "parameters.json"):
        if (source.path / name).exists():
            (target / name).write_bytes((source.path / name).read_bytes())
    for metric in source.metric_names:
        folder = source.metrics(metric).path
        copied = target / "metrics" / folder.name
        make_folder(copied, metric)
        with (copied / "data.jsonl").open("wb") as file:
            for lines, _ in seen_chunks(source.path, folder):
                kept = [line for line in lines if _is_until(line.get("step"), origin.step)]
                for line in kept:
                    line.pop("attempt", None)
                file.write(_encoded(kept))
            file.flush()
            os.fsync(file.fileno())


def _is_until(step: object, last: float | None) -> bool:
    return last is None or not isinstance(step, (int, float)) or step <= last


def _encoded(lines: list[dict[str, object]]) -> bytes:
    from ._values import encode

    return b"".join(encode(line, lambda text: None) + b"\n" for line in lines)
