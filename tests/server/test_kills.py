"""Client, server and database are killed in the midst of a load: nothing is lost, nothing twice."""

import os
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.runs.programs import begin, finish
from tests.server.postgres import Postgres
from tests.server.test_serve import Running, running
from tests.server.waiting import free_port, wait_until
from understudy.runs import RunFolder

AT = "/api/v1/projects/project/runs"
LOGGED = 80
"""How many points are logged before and after each kill."""

CLIENT = """
    import logging
    logging.disable()
    from understudy.runs import _sender
    _sender._EVERY = _sender._FIRST_WAIT = 0.003
    run = Run(prefix='r', remote=os.environ['UNDERSTUDY_REMOTE'], capture=False).start()
    for step in range(1_000_000):
        run.metrics('train').log(step=step, who=run.attempt)
        os.write(1, f'{run.attempt} {step}\\n'.encode())
        if step % 50 == 0:
            run.files('models').save(os.urandom(50_000), to='model')
        time.sleep(0.001)
"""
SYNC = """
    from understudy.cli import main
    sys.exit(main(['sync']))
"""


class Load:
    """Clients, one after the other, that record one run and send it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.acknowledged: list[str] = []
        self._process = begin(CLIENT, cwd=folder)

    def go_on(self) -> None:
        """Wait until some more is recorded."""
        assert self._process.stdout is not None
        self.acknowledged += [self._process.stdout.readline() for _ in range(LOGGED)]

    def kill(self) -> None:
        """Kill the client, and begin another."""
        self.end()
        self._process = begin(CLIENT, cwd=self.folder)

    def end(self) -> None:
        """Kill the client."""
        with self._process as process:
            assert process.stdout is not None
            process.kill()
            left = process.stdout.readlines()
        self.acknowledged += [line for line in left if line.endswith("\n")]


def kept_by(server: Running, token: str) -> int:
    """Return how many bytes of the metric a server has."""
    runs = server.get(AT, token).json()["runs"]
    if not runs:
        return 0
    lengths = server.get(f"{AT}/{runs[0]['id']}/lengths", token).json()["lengths"]
    return int(lengths.get("metrics/train/data.jsonl", 0))


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_whoever_is_killed_what_was_acknowledged_is_at_the_server_once(
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    port = free_port()
    data = tmp_path / "data"
    places = ["--port", str(port)]
    ends: list[Callable[[], None]] = []
    if database == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres_server")
        places += ["--database", postgres.create("all_killed")]
        ends = [postgres.kill, postgres.start]
    with ExitStack() as first:
        server = first.enter_context(running(data, *places))
        token = server.token or ""
        monkeypatch.setenv("UNDERSTUDY_REMOTE", server.address)
        monkeypatch.setenv("UNDERSTUDY_TOKEN", token)
        load = Load(tmp_path)
        load.go_on()
        wait_until(lambda: kept_by(server, token) > 0, "the server has some of it")
        load.kill()
        load.go_on()
        for end in ends:
            end()
            load.go_on()
        wait_until(lambda: kept_by(server, token) > 0, "the server is back")
        before = kept_by(server, token)
        server.process.kill()
    load.go_on()
    with running(data, *places) as server:
        wait_until(lambda: kept_by(server, token) > before, "the server goes on")
        load.go_on()
        load.end()
        # two at once, as nobody keeps them from it
        for sender in [begin(SYNC, cwd=tmp_path) for _ in range(2)]:
            finish(sender)
        here = RunFolder(tmp_path / "experiments/project/r")
        run = f"{AT}/{here.id}"
        lengths = server.get(f"{run}/lengths", token).json()
        for path, length in lengths["lengths"].items():
            assert length == os.path.getsize(here.path / path), path
        points = server.get(f"{run}/metrics/train?max_points=10000", token).json()["points"]
        there = Counter(f"{point['who']} {point['step']}\n" for point in points)
        assert there.keys() >= {*load.acknowledged}
        assert max(there.values()) == 1
        saved = here.files("models").list()
        assert sorted(lengths["files"]) == sorted(file.id for file in saved)
        for file in saved:
            assert server.get(f"{run}/files/{file.id}", token).content == file.path.read_bytes()
