"""The server's interface, route by route, over a real connection."""

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from tests.server.serving import Served, base64, batch_of, lines_of, points, served
from understudy.runs import Run, fork

METRIC = "metrics/train/data.jsonl"
DATA = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def it(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.fixture
def client(it: Served) -> Iterator[httpx2.Client]:
    with it.client() as found:
        yield found


@pytest.fixture
def at(request: pytest.FixtureRequest) -> str:
    """The address of a run of the test's own."""
    name = sha256(request.node.name.encode()).hexdigest()[:16]
    return f"/projects/p{name}/runs/{name}"


def told(response: httpx2.Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


def sent(client: httpx2.Client, at: str, run: Run) -> dict[str, Any]:
    """Send a run's folder, as it is."""
    path = at.rpartition("/")[0] + "/" + run.id
    kept = client.get(f"{path}/lengths")
    since = kept.json()["lengths"] if kept.status_code == 200 else {}
    found: dict[str, Any] = told(client.post(f"{path}/batch", json=batch_of(run.read(), since)))
    return found


def test_the_server_says_that_it_is_there_and_who_asks(it: Served) -> None:
    with it.client("") as nobody, it.client(it.make_token("a", "read")) as reader:
        assert told(nobody.get("/health"))["ok"] is True
        assert "/api/v1/whoami" in told(nobody.get("/openapi.json"))["paths"]
        assert told(nobody.get("/whoami"), 401)["error"] == "token"
        assert told(reader.get("/whoami")) == {"name": "a read", "projects": ["a"], "scope": "read"}


def test_a_run_is_told_as_it_tells_itself(client: httpx2.Client, at: str, tmp_path: Path) -> None:
    with Run(prefix="train/one", project="x", root=str(tmp_path), tags=["base"]) as run:
        run.params.set(model={"size": 3}, lr=float("nan"))
        for step in range(300):
            run.metrics("train/loss").log(step=step, loss=step * 0.5, odd=float("inf"))
        run.metrics("AUC").log(value=0.5)
        run.metrics("long" * 100).log(value=0.25)
        run.log("begins", lr=0.1)
        run.log("ends", level="warning")
    sent(client, at, run)
    project = at.rpartition("/runs/")[0]
    whole = told(client.get(f"{project}/runs/{run.id}"))
    local = run.read()
    assert whole["info"]["status"] == "COMPLETED"
    assert whole["info"]["tags"] == ["base"]
    assert (whole["info"]["prefix"], whole["info"]["attempts"]) == ("train/one", 1)
    assert whole["info"]["params"] == {"model.size": 3, "lr": {"$null": "nan"}}
    assert whole["params"] == {"model": {"size": 3}, "lr": {"$null": "nan"}}
    assert whole["run"]["id"] == run.id
    assert whole["environment"]["packages"] == local.environment["packages"]
    assert sorted(whole["info"]["metrics"]) == ["AUC", "long" * 100, "train/loss"]
    expected = msgspec.to_builtins(local.metrics("train/loss").summary()["loss"])
    assert whole["info"]["metrics"]["train/loss"]["loss"] == expected
    curve = told(client.get(f"{project}/runs/{run.id}/metrics/train%2Floss"))
    assert [point["loss"] for point in curve["points"]] == [step * 0.5 for step in range(300)]
    assert curve["points"][0]["odd"] == {"$null": "inf"}
    assert curve["summary"]["loss"] == expected
    long = told(client.get(f"{project}/runs/{run.id}/metrics/{'long' * 100}"))
    assert long["points"][0]["value"] == 0.25
    part = client.get(
        f"{project}/runs/{run.id}/metrics/train%2Floss", params={"start": 10, "stop": 12}
    )
    assert [point["step"] for point in told(part)["points"]] == [10, 11]
    few = told(client.get(f"{project}/runs/{run.id}/metrics/train%2Floss?max_points=20"))["points"]
    assert len(few) <= 20
    assert (few[0]["step"], few[-1]["step"]) == (0, 299)
    log = told(client.get(f"{project}/runs/{run.id}/log"))
    assert [line["message"] for line in log["messages"]] == ["begins", "ends"]
    only = told(client.get(f"{project}/runs/{run.id}/log?level=warning"))
    assert [line["message"] for line in only["messages"]] == ["ends"]
    document = client.get(f"{project}/runs/{run.id}/documents/parameters.json")
    assert document.content == (run.path / "parameters.json").read_bytes()
    assert document.headers["content-type"].startswith("text/plain")


def test_what_rewinding_hid_is_not_told(client: httpx2.Client, at: str, tmp_path: Path) -> None:
    with Run(prefix="r", root=str(tmp_path)) as run:
        for step in range(10):
            run.metrics("train").log(step=step, loss=step)
    sent(client, at, run)
    with Run(prefix="r", root=str(tmp_path), rewind=4) as again:
        again.metrics("train").log(step=5, loss=-1)
    sent(client, at, again)
    path = at.rpartition("/")[0] + "/" + run.id
    curve = told(client.get(f"{path}/metrics/train"))
    assert [point["step"] for point in curve["points"]] == [0, 1, 2, 3, 4, 5]
    assert curve["summary"]["loss"]["max"] == 4
    info = told(client.get(path))["info"]
    assert (info["metrics"]["train"]["loss"]["max"], info["attempts"]) == (4, 2)
    listed = told(client.get(at.rpartition("/")[0]))
    assert listed["runs"][0]["metrics"]["train"]["loss"]["last"] == -1


def test_a_fork_is_told_with_the_points_it_begins_with(
    client: httpx2.Client, at: str, tmp_path: Path
) -> None:
    with Run(prefix="r", root=str(tmp_path)) as run:
        for step in range(5):
            run.metrics("train").log(step=step, loss=step)
    with fork(run, prefix="other", root=str(tmp_path), step=2) as other:
        other.metrics("train").log(step=3, loss=9)
    sent(client, at, other)
    path = at.rpartition("/")[0] + "/" + other.id
    curve = told(client.get(f"{path}/metrics/train"))
    assert [point["loss"] for point in curve["points"]] == [0, 1, 2, 9]


def test_a_batch_is_taken_once_however_often_it_is_sent(client: httpx2.Client, at: str) -> None:
    batch = lines_of(METRIC, points(10))
    length = len(points(10))
    for _ in range(3):  # as if the reply had been lost
        assert told(client.post(f"{at}/batch", json=batch)) == {"lengths": {METRIC: length}}
    overlapping = lines_of(METRIC, points(20))
    assert told(client.post(f"{at}/batch", json=overlapping))["lengths"][METRIC] == len(points(20))
    curve = told(client.get(f"{at}/metrics/train"))
    assert [point["step"] for point in curve["points"]] == [*range(20)]
    assert curve["summary"]["step"]["count"] == 20


def test_a_gap_says_from_where_to_go_on_and_nothing_of_the_batch_is_kept(
    client: httpx2.Client, at: str
) -> None:
    client.post(f"{at}/batch", json=lines_of(METRIC, points(2)))
    length = len(points(2))
    batch = lines_of(METRIC, points(1), length + 1)
    batch["documents"] = [{"path": "run.json", "data": base64(b"{}"), "version": 1}]
    refused = told(client.post(f"{at}/batch", json=batch), 409)
    assert (refused["error"], refused["lengths"]) == ("gap", {METRIC: length})
    kept = told(client.get(f"{at}/lengths"))
    assert (kept["lengths"], kept["documents"]) == ({METRIC: length}, {})


def test_other_bytes_than_those_that_are_kept_are_refused(client: httpx2.Client, at: str) -> None:
    client.post(f"{at}/batch", json=lines_of(METRIC, points(2)))
    refused = told(client.post(f"{at}/batch", json=lines_of(METRIC, points(2, start=1))), 409)
    assert (refused["error"], refused["path"], refused["place"]) == ("differs", METRIC, 8)


def test_an_older_document_does_not_replace_a_newer_one(client: httpx2.Client, at: str) -> None:
    def send(version: int, text: str) -> None:
        document = {"path": "run.json", "data": base64(text.encode()), "version": version}
        told(client.post(f"{at}/batch", json={"prefix": "exp", "documents": [document]}))

    send(2, '{"description": "new"}')
    send(1, '{"description": "old"}')
    assert told(client.get(at))["info"]["description"] == "new"


@pytest.mark.parametrize("is_packed", [True, False])
def test_msgpack_and_gzip_are_taken_and_given(
    client: httpx2.Client, at: str, is_packed: bool
) -> None:
    line = {"path": METRIC, "start": 0, "data": points(3000)}
    body = msgspec.msgpack.encode({"prefix": "exp", "lines": [line]})
    headers = {"Content-Type": "application/msgpack", "Accept": "application/msgpack"}
    if is_packed:
        body = gzip.compress(body)
        headers["Content-Encoding"] = "gzip"
    response = client.post(f"{at}/batch", content=body, headers=headers)
    assert msgspec.msgpack.decode(response.content) == {"lengths": {METRIC: len(points(3000))}}
    curve = client.get(f"{at}/metrics/train?max_points=100", headers=headers)
    assert 50 < len(msgspec.msgpack.decode(curve.content)["points"]) <= 100


def test_what_has_not_changed_is_not_told_again(client: httpx2.Client, at: str) -> None:
    client.post(f"{at}/batch", json=lines_of(METRIC, points(10)))
    paths = [at.rpartition("/")[0], at, f"{at}/metrics/train", f"{at}/log", f"{at}/files"]
    tags = {path: client.get(path).headers["etag"] for path in paths}
    for path in paths:
        same = client.get(path, headers={"If-None-Match": f'W/"x", {tags[path]}'})
        assert (same.status_code, same.content) == (304, b"")
    client.post(f"{at}/batch", json=lines_of(METRIC, points(20)))
    changed = [
        path
        for path in paths
        if client.get(path, headers={"If-None-Match": tags[path]}).status_code == 200
    ]
    assert changed == paths[:3]


def test_a_live_run_is_running_and_lost_when_it_falls_silent(
    it: Served, client: httpx2.Client, at: str, tmp_path: Path
) -> None:
    project = at.rpartition("/")[0]

    def status() -> tuple[str, str]:
        listed = told(client.get(project))["runs"][0]["status"]
        return listed, told(client.get(f"{project}/{run.id}"))["info"]["status"]

    run = Run(prefix="live", root=str(tmp_path)).start()
    try:
        sent(client, at, run)
        assert status() == ("RUNNING", "RUNNING")
        it.clock.now += 91
        assert status() == ("LOST", "LOST")
        told(client.post(f"{project}/{run.id}/batch", json={"prefix": "live"}))
        assert status() == ("RUNNING", "RUNNING")
        found = told(client.get(f"{project}?filter=status == 'RUNNING'"))
        assert found["total"] == 1
    finally:
        run.complete()
    sent(client, at, run)
    it.clock.now += 1000
    assert status() == ("COMPLETED", "COMPLETED")


def test_runs_are_found_sorted_and_told_a_page_at_a_time(client: httpx2.Client, at: str) -> None:
    project = at.rpartition("/")[0]
    for number in range(5):
        documents = [
            {"path": "run.json", "version": 1, "data": base64(b'{"created":%d}' % number)},
            {"path": "parameters.json", "version": 1, "data": base64(b'{"lr":%d}' % (number % 2))},
        ]
        batch = {"prefix": f"run-{number}", "documents": documents}
        told(client.post(f"{project}/r{number}/batch", json=batch))

    def found(**query: Any) -> list[Any]:
        answer = told(client.get(project, params=query))
        return [run["prefix"] for run in answer["runs"]] + [answer["total"]]

    assert found(limit=2) == ["run-4", "run-3", 5]
    assert found(limit=2, offset=4) == ["run-0", 5]
    assert found(filter="params.lr == 1", sort="prefix") == ["run-1", "run-3", 2]
    assert told(client.get(project, params={"filter": "params.lr ="}), 400)["error"] == "filter"
    assert found(sort="-params.lr", limit=3) == ["run-1", "run-3", "run-0", 5]
    assert found(sort="metrics.train.loss")[-1] == 5  # that none has changes nothing, and is told
    answer = told(
        client.get(project, params={"sort": "metrics.train.loss", "filter": "params.l<1"})
    )
    assert answer["note"].startswith("no run has params.l: did you mean 'lr'?")
    assert answer["note"].endswith("; no run has metrics.train: there are none")
    assert told(client.get(project, params={"sort": "-params.lr"}))["note"] is None
    assert told(client.get(project, params={"sort": "lr"}), 400)["error"] == "sort"
    projects = told(client.get("/projects"))
    assert [each["runs"] for each in projects if f"/{each['project']}/" in project + "/"] == [5]


def test_the_log_is_read_a_page_at_a_time(client: httpx2.Client, at: str) -> None:
    lines = [json.dumps({"ts": n, "level": "info", "message": f"m{n}"}) for n in range(25)]
    data = ("\n".join(lines) + "\n").encode()
    told(client.post(f"{at}/batch", json=lines_of("logs/logs.jsonl", data)))
    place, read = 0, []
    while place < len(data):
        page = told(client.get(f"{at}/log?after={place}&limit=10"))
        read += [line["message"] for line in page["messages"]]
        place = page["next"]
    assert read == [f"m{n}" for n in range(25)]
    last = told(client.get(f"{at}/log?limit=-3"))
    assert [line["message"] for line in last["messages"]] == ["m22", "m23", "m24"]
    assert last["next"] == len(data)
    earlier = told(client.get(f"{at}/log?before={last['first']}&limit=-20"))
    assert [line["message"] for line in earlier["messages"]] == [f"m{n}" for n in range(2, 22)]
    assert earlier["next"] == last["first"]
    first = told(client.get(f"{at}/log?before={earlier['first']}&limit=-20"))
    assert [line["message"] for line in first["messages"]] == ["m0", "m1"]
    assert first["first"] == 0


def finish(client: httpx2.Client, at: str, data: bytes, parts: int, **more: Any) -> httpx2.Response:
    about = {"ts": 7.0, "kind": "bytes"}
    body = {"prefix": "models", "name": "models/Größe 1.pth", "about": about, "parts": parts}
    checksum = {"size": len(data), "sha256": sha256(data).hexdigest()}
    return client.post(f"{at}/files/f1", json={**body, **checksum, **more})


def put(client: httpx2.Client, at: str, number: int, data: bytes) -> httpx2.Response:
    headers = {"X-Part-SHA256": sha256(data).hexdigest()}
    return client.put(f"{at}/files/f1/parts/{number}", content=data, headers=headers)


def test_a_file_comes_in_parts_and_is_there_when_it_is_whole(
    client: httpx2.Client, at: str
) -> None:
    client.post(f"{at}/batch", json={"prefix": "exp"})
    assert told(client.get(f"{at}/files/f1/parts")) == {"parts": []}
    told(put(client, at, 1, DATA[5000:]))
    missing = told(finish(client, at, DATA, 2), 409)
    assert (missing["error"], missing["missing"]) == ("parts", [0])
    for _ in range(2):
        told(put(client, at, 0, DATA[:5000]))
    assert told(client.get(f"{at}/files/f1/parts")) == {"parts": [0, 1]}
    assert client.get(f"{at}/files/f1").status_code == 404
    assert told(client.get(f"{at}/files")) == []
    row = told(finish(client, at, DATA, 2))
    assert (row["size"], row["ts"], row["about"]["kind"]) == (len(DATA), 7.0, "bytes")
    assert told(finish(client, at, DATA, 2)) == row
    assert told(put(client, at, 1, DATA[5000:])) == {"parts": [1]}
    assert told(client.get(f"{at}/files/f1/parts")) == {"parts": []}
    assert told(client.get(f"{at}/files")) == [row]
    assert told(client.get(f"{at}/lengths"))["files"] == ["f1"]
    assert told(finish(client, at, b"other", 1), 409)["error"] == "differs"
    content = client.get(f"{at}/files/f1")
    assert content.content == DATA
    assert content.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe%201.pth"
    )
    assert "sandbox" in content.headers["content-security-policy"]
    assert content.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=10000-", 206, slice(10000, None)),
        ("bytes=-5", 206, slice(-5, None)),
        ("bytes=5-999999999", 206, slice(5, None)),
        ("bytes=x", 200, slice(None)),
        ("bytes=1-2,5-6", 200, slice(None)),
        ("bytes=10240-", 416, slice(0, 0)),
        ("bytes=7-3", 416, slice(0, 0)),
    ],
)
def test_a_range_of_a_file_is_told(
    client: httpx2.Client, at: str, asked: str, status: int, part: slice
) -> None:
    client.post(f"{at}/batch", json={"prefix": "exp"})
    put(client, at, 0, DATA)
    told(finish(client, at, DATA, 1))
    response = client.get(f"{at}/files/f1", headers={"Range": asked})
    assert response.status_code == status
    if status != 416:
        assert response.content == DATA[part]
        assert client.head(f"{at}/files/f1").headers["content-length"] == str(len(DATA))


def test_an_empty_file_is_a_file(client: httpx2.Client, at: str) -> None:
    client.post(f"{at}/batch", json={"prefix": "exp"})
    told(finish(client, at, b"", 0))
    assert client.get(f"{at}/files/f1").content == b""


def test_a_file_whose_parts_are_not_it_is_refused(
    it: Served, client: httpx2.Client, at: str
) -> None:
    client.post(f"{at}/batch", json={"prefix": "exp"})
    headers = {"X-Part-SHA256": sha256(b"other").hexdigest()}
    bad = client.put(f"{at}/files/f1/parts/0", content=DATA, headers=headers)
    assert told(bad, 422)["error"] == "checksum"
    assert told(client.get(f"{at}/files/f1/parts")) == {"parts": []}
    put(client, at, 0, DATA)
    assert told(finish(client, at, DATA, 1, size=5), 422)["error"] == "size"
    wrong = finish(client, at, DATA, 1, sha256=sha256(b"other").hexdigest())
    assert told(wrong, 422)["error"] == "checksum"
    assert told(client.get(f"{at}/files")) == []
    put(client, at, 0, DATA)
    told(finish(client, at, DATA, 1))


def test_a_removed_run_is_gone_with_its_files(it: Served, client: httpx2.Client, at: str) -> None:
    before = {path for path in (it.data / "files").rglob("*") if path.is_file()}
    client.post(f"{at}/batch", json=lines_of(METRIC, points(10)))
    assert len(told(client.get(f"{at}/metrics/train"))["points"]) == 10
    put(client, at, 0, DATA)
    told(finish(client, at, DATA, 1))
    assert told(client.delete(at)) == {"removed": at.rpartition("/")[2]}
    for path in (at, f"{at}/files", f"{at}/metrics/train", f"{at}/files/f1", f"{at}/lengths"):
        assert client.get(path).status_code == 404
    assert told(client.delete(at), 404)["error"] == "run"
    assert {path for path in (it.data / "files").rglob("*") if path.is_file()} == before
    client.post(f"{at}/batch", json=lines_of(METRIC, points(3)))
    assert len(told(client.get(f"{at}/metrics/train"))["points"]) == 3


def test_what_is_left_of_a_removed_run_goes_as_soon_as_its_place_is_there(
    it: Served, client: httpx2.Client, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path for path in (it.data / "files").rglob("*") if path.is_file()}
    client.post(f"{at}/batch", json=lines_of(METRIC, points(10)))
    put(client, at, 0, DATA)
    told(finish(client, at, DATA, 1))

    def away(*_: object) -> None:
        raise OSError("away")

    with monkeypatch.context() as patched:
        patched.setattr("understudy.server._disk.DiskBlobs._remove", away)
        assert told(client.delete(at), 503)["error"] == "away"
    assert told(client.delete(at), 404)["error"] == "run"
    assert {path for path in (it.data / "files").rglob("*") if path.is_file()} == before


def test_what_takes_many_times_its_room_once_it_is_read_is_read_a_little_at_a_time(
    client: httpx2.Client, at: str
) -> None:
    line = b'{"a":[' + b"[]," * 30_000 + b"[]]}\n"
    tracemalloc.start()
    try:
        told(client.post(f"{at}/batch", json=lines_of(METRIC, line * 40)))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 10 * 40 * len(line)  # as objects all of it would take twenty times as much
    document = {
        "path": "run.json",
        "version": 1,
        "data": base64(b'{"a":"' + b"x" * (4 << 20) + b'"}'),
    }
    refused = told(client.post(f"{at}/batch", json={"prefix": "r", "documents": [document]}), 413)
    assert (refused["error"], refused["path"]) == ("too_big", "run.json")


def test_of_a_run_that_was_rewound_only_what_is_new_is_read(
    client: httpx2.Client, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from understudy.server._tables import Tables  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

    read: list[str] = []
    lines = Tables.lines

    def counted(self: Any, project: str, run: str, path: str, *rest: Any) -> Any:
        read.append(path)
        return lines(self, project, run, path, *rest)

    monkeypatch.setattr(Tables, "lines", counted)
    paths = [f"metrics/m{number}/data.jsonl" for number in range(5)]
    rewind = b'{"step":1,"sizes":{"m0":%d}}\n' % len(points(3))
    for batch in (
        *(lines_of(path, points(3)) for path in paths),
        lines_of("rewinds.jsonl", rewind),
    ):
        told(client.post(f"{at}/batch", json=batch))

    def listed(metric: str) -> Any:
        read.clear()
        (run,) = told(client.get(at.rpartition("/")[0]))["runs"]
        return run["metrics"][metric]["step"]["count"], sorted({*read} & {*paths})

    assert listed("m0") == (2, paths)
    told(client.post(f"{at}/batch", json=lines_of(paths[1], points(2, 3), len(points(3)))))
    assert listed("m1") == (5, paths[1:2])
    told(client.post(f"{at}/batch", json=lines_of("rewinds.jsonl", rewind, len(rewind))))
    assert listed("m0")[0] == 2


def test_a_range_of_another_content_or_of_a_head_is_the_whole(
    client: httpx2.Client, at: str
) -> None:
    client.post(f"{at}/batch", json={"prefix": "r"})
    put(client, at, 0, DATA)
    told(finish(client, at, DATA, 1))
    part = {"Range": "bytes=0-9"}
    tag = client.get(f"{at}/files/f1").headers["ETag"]
    assert client.get(f"{at}/files/f1", headers={**part, "If-Range": tag}).content == DATA[:10]
    other = client.get(f"{at}/files/f1", headers={**part, "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, DATA)
    head = client.head(f"{at}/files/f1", headers=part)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(DATA)))


def test_a_run_that_comes_again_is_not_taken_for_the_one_that_was_removed(
    client: httpx2.Client, at: str
) -> None:
    def shown(description: str) -> Any:
        said = base64(json.dumps({"description": description}).encode())
        batch = lines_of(METRIC, points(3) if description == "first" else points(3, 7))
        batch["documents"] = [{"path": "run.json", "version": 1, "data": said}]
        told(client.post(f"{at}/batch", json=batch))
        listed = told(client.get(at.rpartition("/")[0]))["runs"]
        return listed[0]["description"], told(client.get(f"{at}/metrics/train"))

    _, before = shown("first")
    told(client.delete(at))
    description, after = shown("second")
    assert description == "second"
    assert [point["step"] for point in after["points"]] == [7, 8, 9]
    assert after["summary"]["step"]["min"] == 7 > before["summary"]["step"]["max"]


def test_a_long_metric_is_told_in_short_and_goes_on(client: httpx2.Client, at: str) -> None:
    data = points(100_000)
    told(client.post(f"{at}/batch", json=lines_of(METRIC, data)))
    for count in (100_000, 100_010):
        curve = told(client.get(f"{at}/metrics/train?max_points=500"))
        assert 100 < len(curve["points"]) <= 500
        assert curve["points"][-1]["step"] == count - 1
        assert curve["summary"]["loss"]["max"] == count - 0.5
        told(client.post(f"{at}/batch", json=lines_of(METRIC, points(10, 100_000), len(data))))
    part = told(client.get(f"{at}/metrics/train?start=99990&max_points=500"))
    assert [point["step"] for point in part["points"]] == [*range(99_990, 100_010)]


def test_a_token_is_for_its_project_and_its_scope(
    it: Served, client: httpx2.Client, at: str
) -> None:
    project = at.split("/")[2]
    client.post(f"{at}/batch", json={"prefix": "exp"})
    with it.client(it.make_token(project, "read")) as reader, it.client("us_nonsense") as stranger:
        assert reader.get(at).status_code == 200
        assert told(reader.post(f"{at}/batch", json={"prefix": "exp"}), 403)["error"] == "scope"
        assert told(reader.delete(at), 403)["error"] == "scope"
        assert told(reader.get("/projects/other/runs"), 403)["error"] == "project"
        assert [each["project"] for each in told(reader.get("/projects"))] == [project]
        assert told(stranger.get(at), 401)["error"] == "token"


def test_what_is_asked_too_often_is_put_off(tmp_path: Path) -> None:
    limits: dict[str, Any] = {"rate": 0.01, "burst": 3, "failures": 0.01, "failures_burst": 2}
    with (
        served(tmp_path, **limits) as it,
        it.client() as client,
        it.client("us_wrong") as stranger,
    ):
        statuses = [client.get("/whoami") for _ in range(4)]
        assert [each.status_code for each in statuses] == [200, 200, 200, 429]
        assert int(statuses[-1].headers["retry-after"]) > 50
        wrong = [stranger.get("/whoami").status_code for _ in range(3)]
        assert wrong == [401, 401, 429]


def test_a_storage_that_is_away_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from understudy.server._errors import AwayError  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

    async def away(*_: Any) -> None:
        raise AwayError("it is away")

    with served(tmp_path) as it, it.client() as client:
        monkeypatch.setattr(it.app._desk.storage, "append", away)
        response = client.post("/projects/p/runs/r/batch", json={"prefix": "exp"})
        assert told(response, 503)["error"] == "away"
        assert int(response.headers["retry-after"]) >= 1
        monkeypatch.undo()
        told(client.post("/projects/p/runs/r/batch", json={"prefix": "exp"}))


def test_what_is_there_is_kept_when_the_server_starts_anew(tmp_path: Path) -> None:
    with served(tmp_path) as it, it.client() as client:
        token = it.token
        told(client.post("/projects/p/runs/r/batch", json=lines_of(METRIC, points(5))))
    with served(tmp_path) as it, it.client(token) as client:
        assert it.token == ""
        assert len(told(client.get("/projects/p/runs/r/metrics/train"))["points"]) == 5


def test_many_long_batches_at_once_are_all_taken(client: httpx2.Client, at: str) -> None:
    def send(number: int) -> int:
        batch = lines_of(METRIC, points(6000))
        body = gzip.compress(json.dumps(batch).encode())
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        return client.post(f"{at}{number}/batch", content=body, headers=headers).status_code

    with ThreadPoolExecutor(10) as pool:
        assert [*pool.map(send, range(10))] == [200] * 10
