"""The command: a process that serves, its first token, its end; and tokens made beside it."""

import json
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server.serving import ROOT
from understudy.cli import main
from understudy.configs import ExtraNotInstalledError
from understudy.server import ServerError, ServerSettings


class Running:
    """A server in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(
            r"(http://127\.0\.0\.1:(\d+))/(?:#token=(us_\S+))? \(Ctrl-C ends it\)", line
        )
        assert found is not None, line + process.stdout.read()
        self.address, self.port, self.token = found[1], int(found[2]), found[3]

    def get(self, path: str, token: str | None = None) -> httpx2.Response:
        """Ask for something."""
        given = token or self.token
        headers = {"Authorization": f"Bearer {given}"} if given else {}
        return httpx2.get(self.address + path, headers=headers, timeout=30)


@contextmanager
def running(data: Path, *more: str) -> Generator[Running]:
    """Run `understudy server` for as long as the block lasts."""
    command = [
        sys.executable,
        "-m",
        "understudy",
        "server",
        "--data",
        str(data),
        "--port",
        "0",
        *more,
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=data.parent
    )
    try:
        yield Running(process)
    finally:
        process.kill()
        process.communicate()


def token(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Run `understudy server token` here, and return how it ended and what it said."""
    ended = main(["server", "token", *words])
    said = capsys.readouterr()
    return ended, said.out + said.err


def test_the_first_start_tells_a_token_and_later_ones_do_not(tmp_path: Path) -> None:
    with running(tmp_path / "data") as it:
        assert it.get(f"{ROOT}/whoami").json() == {
            "name": "first", "projects": ["*"], "scope": "write",
        }  # fmt: skip
        page = it.get("/")
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert it.get("/static/../_app.py").status_code == 404
        first = it.token
        assert it.process.stdout is not None
        it.process.stdout.readline()
        told = shlex.split(it.process.stdout.readline())
        assert main([*told[1:5], "add", "next"]) == 0
        it.process.send_signal(signal.SIGINT)
        assert it.process.wait(30) == 130
        assert it.process.stderr is not None
        assert it.process.stderr.read() == ""
    with running(tmp_path / "data") as it:
        assert it.token is None
        assert it.get(f"{ROOT}/whoami", first).status_code == 200
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert first.encode() not in kept, "only its checksum is kept"


def test_a_token_made_beside_the_server_is_let_in_until_it_is_taken_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(tmp_path / "data")
    with running(tmp_path / "data") as it:
        ended, text = token(
            capsys, "add", "laptop", "--project", "vision", "--scope", "read", "--data", data
        )
        assert (ended, text[:3]) == (0, "us_")
        who = {"name": "laptop", "projects": ["vision"], "scope": "read"}
        assert it.get(f"{ROOT}/whoami", text.strip()).json() == who
        _, listed = token(capsys, "ls", "--data", data, "--json")
        tokens = [json.loads(line) for line in listed.splitlines()]
        assert [each["name"] for each in tokens] == ["first", "laptop"]
        assert text.strip() not in listed
        _, table = token(capsys, "ls", "--data", data)
        assert re.search(r"read +vision +laptop", table)
        assert token(capsys, "rm", tokens[1]["id"], "--data", data) == (0, "")
        assert it.get(f"{ROOT}/whoami", text.strip()).status_code == 401
        assert it.get(f"{ROOT}/whoami").status_code == 200
    ended, said = token(capsys, "rm", "nonsense", "--data", data)
    assert (ended, "there is no token 'nonsense'" in said) == (1, True)
    ended, said = token(capsys, "add", "x", "--project", "", "--data", data)
    assert (ended, "is no project" in said) == (1, True)


def test_a_request_that_is_under_way_is_answered_before_the_server_ends(tmp_path: Path) -> None:
    body = json.dumps({"prefix": "last"}).encode()
    with running(tmp_path / "data") as it:
        head = (
            f"POST {ROOT}/projects/p/runs/r/batch HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
            f"Authorization: Bearer {it.token}\r\nExpect: 100-continue\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", it.port), timeout=30) as client:
            client.sendall(head.encode())
            assert client.recv(1000).startswith(b"HTTP/1.1 100")  # it waits for the body
            it.process.send_signal(signal.SIGTERM)
            _until_refused(it.port)
            client.sendall(body)
            answer = client.recv(10_000)
        assert answer.startswith(b"HTTP/1.1 200")
        it.process.wait(30)
        token = it.token
    with running(tmp_path / "data") as it:
        assert it.get(f"{ROOT}/projects/p/runs/r", token).json()["info"]["prefix"] == "last"


def _until_refused(port: int) -> None:
    """Return when the server takes no further connections."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=30).close()
        except OSError:
            return


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--port", "x"], 1, "the settings of the server are not understood"),
        (["--port", "70000"], 1, "the settings of the server are not understood"),
        (["--port", "TAKEN"], 1, "; --port chooses another"),
        (["--host", "no such host"], 1, "; --host chooses another"),
        (["--database", "postgresql://127.0.0.1:1/none", "token", "ls"], 1, ""),
        (["token", "add", "x"], 1, "no server has its data in"),
        (["token"], 2, "ORDER"),
        (["token", "add"], 2, "name"),
    ],
)
def test_the_command_says_in_a_line_what_is_wrong(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        try:
            ended = main(["server", *(port if a == "TAKEN" else a for a in arguments)])
        except SystemExit as left:
            ended = int(left.code or 0)
    assert ended == code
    told = capsys.readouterr().err
    assert re.search("^understudy", told, re.MULTILINE)
    assert said in told


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    command = [sys.executable, "-m", "understudy", "server", "--data", "data", "--port", "0"]
    ended = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert re.search("^understudy: .*data", ended.stderr, re.MULTILINE)
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        ({}, {}, (8780, None, 200.0)),
        ({"port": "1"}, {"PORT": "2", "RATE": "0.5"}, (1, None, 0.5)),
        ({"port": None}, {"PORT": "2", "DATABASE": "postgresql://x"}, (2, "postgresql://x", 200.0)),
    ],
)
def test_settings_are_what_is_given_else_what_the_environment_says(
    given: dict[str, Any], environment: dict[str, str], expected: tuple[Any, ...]
) -> None:
    named = {f"UNDERSTUDY_SERVER_{name}": value for name, value in environment.items()}
    found = ServerSettings.found(given, named)
    assert (found.port, found.database, found.limits.rate) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [("RAET", "1"), ("RATE", "often"), ("RATE", "0"), ("RATE", "nan"), ("LIMITS", "{}")],
)
def test_a_variable_that_means_nothing_is_an_error(name: str, value: str) -> None:
    with pytest.raises(ServerError, match="RATE|rate"):
        ServerSettings.found({}, {f"UNDERSTUDY_SERVER_{name}": value})


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import importlib

    room: Any = importlib.import_module("understudy.server._serve")
    monkeypatch.setattr(room, "find_spec", lambda name: None)
    with pytest.raises(ExtraNotInstalledError, match="pip install starlette uvicorn"):
        room.serve(ServerSettings(data=tmp_path))
