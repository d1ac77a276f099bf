"""Runs of a team for the tests of the page, and how they come to a server."""

import random
from hashlib import sha256
from math import exp
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import msgspec

from tests.server.serving import base64, batch_of
from understudy.runs import Run, RunFolder

HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'


def send(client: httpx2.Client, run: Run | RunFolder, project: str = "vision") -> None:
    """Send what is new of a run, with its files."""
    found = run.read() if isinstance(run, Run) else run
    at = f"/projects/{project}/runs/{found.id}"
    kept = client.get(f"{at}/lengths")
    told: dict[str, Any] = {"lengths": {}, "files": []}
    if kept.status_code == 200:
        told = kept.json()
    answer = client.post(f"{at}/batch", json=batch_of(found, told["lengths"]))
    assert answer.status_code == 200, answer.text
    for prefix in found.file_prefixes:
        for file in found.files(prefix).list():
            if file.id not in told["files"]:
                data = file.path.read_bytes()
                checksum = sha256(data).hexdigest()
                part = client.put(
                    f"{at}/files/{file.id}/parts/0",
                    content=data,
                    headers={"X-Part-SHA256": checksum},
                )
                body = {"prefix": prefix, "name": file.name, "parts": 1, "about": {"ts": file.ts}}
                body |= {"size": len(data), "sha256": checksum}
                whole = client.post(f"{at}/files/{file.id}", json=body)
                assert (part.status_code, whole.status_code) == (200, 200), (part.text, whole.text)


def begin(root: Path, name: str, **more: Any) -> Run:
    """Start a run of the project `vision`."""
    given: dict[str, Any] = {"capture": False, **more}
    return Run(prefix=name, project="vision", root=str(root), **given).start()


def train(run: Run, lr: float, steps: int = 120, start: int = 0, seed: int = 1) -> None:
    """Log what a training would."""
    chance = random.Random(f"{seed} {start}")
    for step in range(start, start + steps):
        loss = exp(-step * lr) + 0.1 * chance.random() + 0.02
        run.metrics("train").log(step=step, loss=loss, epoch=step // 10)
        if step % 10 == 0:
            accuracy = 1 - 0.8 * exp(-step * lr) - 0.02 * chance.random()
            run.metrics("val/acc").log(step=step, value=accuracy)


def made_up(client: httpx2.Client, count: int, project: str) -> None:
    """Send many small runs that nobody ever made."""
    at = f"/projects/{quote(project, safe='')}/runs"
    for number in range(count):
        run = f"{number:016x}"
        began = 1_690_000_000.0 + number
        attempt = {"n": 1, "status": "COMPLETED", "started": began, "ended": began + 60}
        process = {"pid": number, "host": "node", "started": began, "boot": "b"}
        documents = {
            "run.json": {"id": run, "prefix": f"run-{number:04d}", "created": began},
            "attempts/1.json": {**attempt, "process": process},
            "parameters.json": {"lr": 1 / (1 + number), "seed": number},
        }
        body = {
            "prefix": f"run-{number:04d}",
            "documents": [
                {"path": path, "version": 1, "data": base64(msgspec.json.encode(data))}
                for path, data in documents.items()
            ],
            "lines": [
                {
                    "path": "metrics/train/data.jsonl",
                    "start": 0,
                    "data": base64(b'{"step":1,"loss":%d.5,"ts":1.0}\n' % number),
                }
            ],
        }
        answer = client.post(f"{at}/{run}/batch", json=body)
        assert answer.status_code == 200, answer.text
