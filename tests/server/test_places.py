"""The server on PostgreSQL and S3: the same as on SQLite and the disk, and when they are away."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.server.postgres import Postgres
from tests.server.s3 import S3Server
from tests.server.serving import base64, lines_of, points, served

DATA = bytes(range(256)) * 100
METRIC = "metrics/train/data.jsonl"


def test_a_run_is_kept_in_postgresql_and_its_files_in_s3(
    postgres_server: Postgres, s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.options["endpoint"])
    monkeypatch.setenv("AWS_REGION", s3.options["region"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.options["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.options["secret_access_key"])
    places = {"database": postgres_server.create("served"), "files": "s3://bucket/served"}
    at = "/projects/p%2Fq/runs/r1"
    with served(tmp_path / "data", places) as it, it.client() as client:
        batch: dict[str, Any] = lines_of(METRIC, points(100))
        odd = {"nul": "\x00", "quote": "';--", "big": 10**30}
        batch["documents"] = [
            {"path": "parameters.json", "version": 1, "data": base64(json.dumps(odd).encode())}
        ]
        for _ in range(2):
            assert client.post(f"{at}/batch", json=batch).status_code == 200
        info = client.get(at).json()["info"]
        assert info["params"] == {**odd, "big": 1e30}
        assert info["metrics"]["train"]["step"]["count"] == 100
        assert client.post(f"{at}/batch", json={"prefix": "a\x00b"}).status_code == 400
        told = {"size": len(DATA), "sha256": sha256(DATA).hexdigest(), "parts": 1}
        checksum = {"X-Part-SHA256": sha256(DATA).hexdigest()}
        assert client.put(f"{at}/files/f1/parts/0", content=DATA, headers=checksum).is_success
        assert client.post(f"{at}/files/f1", json={"prefix": "", "name": "m", **told}).is_success
        assert client.get(f"{at}/files/f1", headers={"Range": "bytes=5-9"}).content == DATA[5:10]
        with postgres_server.frozen(), monkeypatch.context() as impatient:
            impatient.setattr("understudy.server._database.ANSWER", 0.5)
            away = client.post(
                f"{at}/batch", json=lines_of(METRIC, points(1, 100), len(points(100)))
            )
            assert (away.status_code, away.json()["error"]) == (503, "away")
            assert int(away.headers["retry-after"]) >= 1
        again = client.post(f"{at}/batch", json=lines_of(METRIC, points(101)))
        assert again.json() == {"lengths": {METRIC: len(points(101))}}
        assert len(client.get(f"{at}/metrics/train").json()["points"]) == 101
        assert not (tmp_path / "data").exists()
