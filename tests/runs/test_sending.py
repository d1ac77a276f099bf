"""A run that is sent to a server: all of it arrives once, and nobody waits for it."""

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from understudy.cli import main
from understudy.runs import Run, RunArgumentError, RunFolder
from understudy.runs._remote import Remote, tokens_file  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.runs._sync import Synced, Syncer  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

from .programs import run as run_program
from .servers import TOKEN, Mood, Server, compare

PATIENCE = "UNDERSTUDY_SYNC_PATIENCE"
WELL: list[Mood] = ["well", "well"]
CERTIFICATE = Path(__file__).parent / "localhost.pem"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have the folder be looked at often, and the settings of whoever tests not at all."""
    monkeypatch.setattr("understudy.runs._sender._EVERY", 0.01)
    monkeypatch.setattr("understudy.runs._sender._FIRST_WAIT", 0.02)
    monkeypatch.setenv(PATIENCE, "60")
    for name in ("UNDERSTUDY_TOKEN", "http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def record(run: Run, steps: int = 20) -> None:
    """Record something of every kind."""
    run.log("Training started")
    run.params.set(lr=0.1)
    for step in range(steps):
        run.metrics("train").log(step=step, loss=1 / (1 + step))
        run.metrics("val/loss").log(step=step, loss=step)
    run.files("models").save(b"weights", to="model.pth")
    run.files("models").save(b"", to="empty")


def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def keep_token(address: str) -> None:
    """Have the user keep a token for an address."""
    kept = tokens_file()
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps({address: TOKEN}))


def synced(run: Path, address: str | None = None) -> Synced:
    """Send what is left."""
    syncer = Syncer(address, lambda synced: None)
    try:
        return syncer.sync(run)
    finally:
        syncer.close()


class TestASender:
    def test_what_is_recorded_is_at_the_server_byte_by_byte(self, server: Server) -> None:
        with Run(prefix="r", remote=server.address, token=TOKEN, system=True) as run:
            record(run)
        compare(run.path, server.kept)
        assert (server.kept.prefix, server.kept.is_ended, dict(run.problems)) == ("r", True, {})
        assert json.loads(server.kept.documents["run.json"][1])["status"] == "COMPLETED"

    def test_what_is_recorded_is_there_while_the_run_goes_on(self, server: Server) -> None:
        with Run(prefix="r", remote=server.address, token=TOKEN) as run:
            run.metrics("train").log(step=1)
            until(lambda: server.runs and "metrics/train/data.jsonl" in server.kept.lines)
            run.params.set(lr=0.1)
            until(lambda: "parameters.json" in server.kept.documents)
            assert not server.kept.is_ended

    def test_the_files_here_are_the_same_with_a_server_and_without(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(time, "time", lambda: 1.0)
        contents: list[dict[str, bytes]] = []
        for remote, root in ((server.address, "with"), (None, "without")):
            with Run(prefix="r", root=root, remote=remote, token=TOKEN, capture=False) as run:
                for step in range(50):
                    run.metrics("train").log(step=step, ts=1)
                run.files("models").save(b"weights", to="model.pth")
            names = ("sync.json", "run.json", "1.json", "file.json", "heartbeat")
            contents.append(
                {
                    re.sub(r"[0-9a-f]{16}", "ID", str(path.relative_to(run.path))): b""
                    if path.name in names
                    else path.read_bytes()
                    for path in run.path.rglob("*")
                    if path.is_file() and path.name != "sync.json"
                }
            )
        assert contents[0] == contents[1]
        assert "metrics/train/data.jsonl" in contents[0]

    @pytest.mark.parametrize(
        "moods",
        [
            [mood] * times
            for mood, times in (
                *(("503", 2), ("429", 2), ("500", 1), ("close", 2), ("midway", 1), ("gap", 2)),
                *(("rubbish", 1), ("lies", 1), ("html", 1), ("redirect", 1)),
            )
        ],
        ids=lambda moods: moods[0],
    )
    @pytest.mark.parametrize("after", [0, 1])
    def test_all_arrives_once_though_the_server_has_a_bad_moment(
        self, moods: list[Mood], after: int, server: Server
    ) -> None:
        server.moods.extend([*WELL[:after], *moods])
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as run:
            record(run)
        compare(run.path, server.kept)
        assert server.kept.is_ended
        assert not server.moods

    @pytest.mark.parametrize("mood", ["hang", "trickle", "503", "close", "rubbish", "forget"])
    def test_a_server_that_never_does_is_left_at_the_end_and_gets_the_rest_later(
        self,
        mood: Mood,
        server: Server,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv(PATIENCE, "0.3")
        server.mood = mood
        with Run(prefix="r", remote=server.address, token=TOKEN, strict=True, capture=False) as run:
            record(run)
            began = time.monotonic()
        assert time.monotonic() - began < 3
        assert f"understudy sync --remote {server.address} {run.path}" in caplog.text
        assert f"with its token in UNDERSTUDY_TOKEN or in {tokens_file()}: " in caplog.text
        assert set(run.problems) == {"remote"}
        assert len(run.metrics("train")) == 20
        server.mood = "well"
        assert synced(run.path, f"{server.address}/#token={TOKEN}").is_complete
        compare(run.path, server.kept)

    def test_the_end_waits_for_nobody_if_it_is_not_to(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(PATIENCE, "0")
        server.mood = "hang"
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as run:
            assert server.has_been_asked.wait(20)
            began = time.monotonic()
        assert time.monotonic() - began < 1
        assert run.problems["remote"] == 1

    def test_who_says_when_to_come_back_is_not_asked_before(self, server: Server) -> None:
        server.retry_after = "0.4"
        server.moods.append("429")
        began = time.monotonic()
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False):
            pass
        assert 0.4 <= time.monotonic() - began < 4
        assert server.kept.is_ended

    @pytest.mark.parametrize(
        ("mood", "advice"),
        [("401", "token add"), ("403", "this project"), ("differs", "stays as it is")],
    )
    def test_what_the_server_refuses_for_good_is_told_once_and_ends_it(
        self, mood: Mood, advice: str, server: Server, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.mood = mood
        with Run(prefix="r", remote=server.address, token=TOKEN, strict=True, capture=False) as run:
            record(run)
            until(lambda: "remote" in run.problems)
            asked = len(server.asked)
        assert len(server.asked) == asked
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert advice in caplog.text
        assert (run.status, dict(run.problems)) == ("COMPLETED", {"remote": 1})

    def test_a_server_that_lost_its_last_seconds_gets_them_again(self, server: Server) -> None:
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as run:
            run.metrics("train").log(step=1)
            run.files("models").save(b"weights", to="model.pth")
            until(lambda: server.runs and "metrics/train/data.jsonl" in server.kept.lines)
            backup = server.backup()
            record(run)
            until(lambda: len(server.kept.files) == 3)
            server.restore(backup)
            run.metrics("train").log(step=2)
        compare(run.path, server.kept)

    def test_a_server_that_lost_everything_gets_everything_again(self, server: Server) -> None:
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as run:
            record(run)
            until(lambda: server.runs and len(server.kept.files) == 2)
            server.restore({})
        compare(run.path, server.kept)

    def test_two_processes_that_record_into_one_run_send_it_once(self, server: Server) -> None:
        one = Run(prefix="r", remote=server.address, token=TOKEN, capture=False).start()
        two = Run(prefix="r", remote=server.address, token=TOKEN, capture=False).start()
        for step in range(200):
            one.metrics("train").log(step=step, who=1)
            two.metrics("train").log(step=step, who=2)
        one.complete()
        assert not server.kept.is_ended
        two.complete()
        compare(one.path, server.kept)
        assert server.kept.is_ended

    def test_a_process_that_is_forked_off_sends_nothing(self, server: Server) -> None:
        told = run_program(
            f"""
            import logging, threading
            logging.disable()
            with Run(prefix='r', remote={server.address!r}, token={TOKEN!r}) as run:
                child = os.fork()
                run.metrics('train').log(step=1, child=not child)
                if not child:
                    print([each.name for each in threading.enumerate()], flush=True)
                    os._exit(0)
                os.waitpid(child, 0)
            """,
            cwd=Path.cwd(),
        )
        assert told == "['MainThread']\n"
        assert server.kept.lines["metrics/train/data.jsonl"].count(b"\n") == 2

    def test_signs_of_life_are_given_when_there_is_nothing_to_tell(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("understudy.runs._sender._SILENCE", 0.05)
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False):
            until(lambda: server.asked.count("POST batch") > 5)

    def test_a_connection_that_the_server_closed_while_it_was_idle_is_no_failure(
        self, server: Server, caplog: pytest.LogCaptureFixture
    ) -> None:
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as run:
            until(lambda: server.runs)
            for connection in [*server._connections]:
                connection.shutdown(2)
            run.log("x")
        compare(run.path, server.kept)
        assert caplog.records == []


class TestWhatIsSent:
    def test_half_a_line_waits_for_its_other_half(self, server: Server) -> None:
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as run:
            run.metrics("train").log(step=1)
            with (run.path / "metrics/train/data.jsonl").open("ab") as file:
                file.write(b'{"step":2')
        assert server.kept.lines["metrics/train/data.jsonl"].count(b"\n") == 1
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as again:
            again.metrics("train").log(step=3)
        compare(run.path, server.kept)

    def test_a_line_that_is_too_long_there_holds_up_its_own_file_alone(
        self, server: Server, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.longest_line = 5_000
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as run:
            run.metrics("train").log(step=1)
            run.metrics("train").log(step=2, text="x" * 6_000)
            run.metrics("train").log(step=3)
            record(run)
        assert server.kept.lines["metrics/train/data.jsonl"].count(b"\n") == 1
        assert server.kept.lines["metrics/val%2Floss/data.jsonl"].count(b"\n") == 20
        assert len(server.kept.files) == 2
        assert "metrics/train/data.jsonl is not sent" in caplog.text
        assert not synced(run.path).is_complete

    def test_a_proxy_that_takes_little_at_once_gets_little_at_once(self, server: Server) -> None:
        server.longest_body = 150_000
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as run:
            for step in range(100):
                run.metrics("train").log(step=step, noise=os.urandom(4_000).hex())
            run.files("models").save(os.urandom(300_000), to="model.pth")
        compare(run.path, server.kept)

    def test_a_file_goes_on_with_the_part_that_is_missing(self, server: Server) -> None:
        with Run(prefix="r", capture=False) as run:
            run.files("models").save(os.urandom(9 << 20), to="model.pth")
        server.moods.extend(["well", "well", "well", "well", "close", "close"])
        result = synced(run.path, f"{server.address}/#token={TOKEN}")
        assert result.is_complete
        assert server.asked.count("PUT 2") == 1
        compare(run.path, server.kept)

    def test_a_file_that_is_not_what_was_saved_is_left_out(
        self, server: Server, caplog: pytest.LogCaptureFixture
    ) -> None:
        with Run(prefix="r", capture=False) as run:
            short = run.files("models").save(b"weights", to="short.pth")
            other = run.files("models").save(b"weights", to="other.pth")
            run.files("models").save(b"weights", to="good.pth")
        assert short is not None
        assert other is not None
        short.path.write_bytes(b"w")
        other.path.write_bytes(b"WEIGHTS")
        result = synced(run.path, f"{server.address}/#token={TOKEN}")
        assert [about["name"] for about, _ in server.kept.files.values()] == ["good.pth"]
        assert not result.is_complete
        assert len(result.problems) == 2

    def test_a_file_of_lines_that_was_changed_is_not_mixed_with_what_is_there(
        self, server: Server
    ) -> None:
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as run:
            run.metrics("train").log(step=1)
        before = dict(server.kept.lines)
        (run.path / "metrics/train/data.jsonl").write_bytes(b'{"another":' + b"1" * 200 + b"}\n")
        result = synced(run.path, f"{server.address}/#token={TOKEN}")
        assert server.kept.lines == before
        assert "no line begins" in result.problems[0]

    def test_what_a_link_in_a_folder_leads_to_is_not_sent_and_no_pipe_is_waited_at(
        self, server: Server, tmp_path: Path
    ) -> None:
        secret = tmp_path / "secret"
        secret.write_bytes(b"secret\n")
        with Run(prefix="r", root=tmp_path / "theirs", capture=False) as run:
            saved = run.files("f").save(b"secret\n", to="x")
        assert saved is not None
        (run.path / "diff.patch").symlink_to(secret)
        os.mkfifo(run.path / "environment.json")
        (run.path / "system").mkdir()
        (run.path / "system/data.jsonl").symlink_to(secret)
        saved.path.unlink()
        saved.path.symlink_to(secret)
        assert synced(run.path, f"{server.address}/#token={TOKEN}").files == 0
        kept = server.kept
        assert "run.json" in kept.documents
        assert not {"diff.patch", "environment.json"} & kept.documents.keys()
        assert not kept.files
        assert "system/data.jsonl" not in kept.lines

    def test_an_older_copy_that_went_on_is_not_mixed_with_what_is_there(
        self, server: Server, tmp_path: Path
    ) -> None:
        def go_on(root: Path, steps: Iterable[int]) -> Run:
            with Run(
                prefix="r", root=root, remote=server.address, token=TOKEN, capture=False
            ) as run:
                (run.path / "metrics/m").mkdir(parents=True, exist_ok=True)
                with (run.path / "metrics/m/data.jsonl").open("a") as file:
                    file.writelines(f'{{"step":{step},"ts":1}}\n' for step in steps)
            return run

        go_on(tmp_path / "one", range(3))
        shutil.copytree(tmp_path / "one", tmp_path / "two")
        one = go_on(tmp_path / "one", [3, 4])
        before = server.kept.lines["metrics/m/data.jsonl"]
        assert before == (one.path / "metrics/m/data.jsonl").read_bytes()
        for steps in ([7], [8, 9, 6]):  # as long as what is there, and longer
            two = go_on(tmp_path / "two", steps)
            assert server.kept.lines["metrics/m/data.jsonl"] == before
            assert dict(two.problems) == {"remote": 1}

    def test_a_document_of_a_clock_that_was_set_back_replaces_the_one_before(
        self, server: Server
    ) -> None:
        with Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as run:
            run.params.set(lr=0.1)
        path = run.path / "parameters.json"
        path.write_bytes(b'{"lr": 0.2}\n')
        os.utime(path, (1, 1))
        assert synced(run.path, f"{server.address}/#token={TOKEN}").is_complete
        assert server.kept.documents["parameters.json"][1] == b'{"lr": 0.2}\n'

    def test_a_big_file_takes_little_memory(self, server: Server) -> None:
        with (Path.cwd() / "big").open("wb") as file:
            file.truncate(40 << 20)
        told = run_program(
            f"""
            import resource
            def most():
                return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            with Run(prefix='r', remote={server.address!r}, token={TOKEN!r}) as run:
                run.files('f').save(b'x', to='small')
                time.sleep(1)
                before = most()
                run.files('f').save('big')
            print(most() - before)
            """,
            cwd=Path.cwd(),
        )
        assert sorted(len(data) for _, data in server.kept.files.values()) == [1, 40 << 20]
        assert int(told) < 25_000


class TestAnAddress:
    @pytest.mark.parametrize(
        "address",
        [
            "nonsense",
            "",
            "ftp://x",
            "http://",
            "http://x:0",
            "http://x:port",
            "http://a b",
            "http://x?y",
            7,
        ],
    )
    def test_what_is_none_is_an_error_at_once(self, address: str) -> None:
        with pytest.raises(RunArgumentError, match="no address of a server"):
            Run(prefix="r", remote=address)

    def test_a_password_in_it_would_be_kept_and_is_refused_without_being_told(self) -> None:
        with pytest.raises(RunArgumentError) as caught:
            Run(prefix="r", remote="http://alice:secret@host")
        assert "secret" not in str(caught.value)

    def test_a_token_is_a_text(self) -> None:
        with pytest.raises(RunArgumentError, match="token=7"):
            Run(prefix="r", remote="http://host", token=7)  # type: ignore[arg-type] # pyright: ignore

    def test_without_a_token_there_is_a_warning_and_all_is_recorded(
        self, server: Server, caplog: pytest.LogCaptureFixture
    ) -> None:
        with Run(prefix="r", remote=server.address, strict=True) as run:
            run.log("x")
        assert f"there is no token for {server.address}" in caplog.text
        assert (run.status, server.asked, dict(run.problems)) == ("COMPLETED", [], {"remote": 1})

    def test_the_token_comes_from_the_first_that_has_one(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        address = "http://Host:8780/base/"
        assert Remote(address).token is None
        kept = tmp_path / "config/understudy/tokens.json"
        kept.parent.mkdir(parents=True)
        kept.write_text(
            '{"http://host:8780/base": "of the file", "http://host:8780/base/": "file"}'
        )
        assert Remote(address).token is None  # no header takes a blank
        kept.write_text('{"http://host:8780/base/": "file"}')
        assert (Remote(address).token, Remote("http://host:8780").token) == ("file", None)
        monkeypatch.setenv("UNDERSTUDY_TOKEN", " environment\n")
        assert Remote(address).token == "environment"
        assert not Remote(f"{address}#token=environment").is_handed  # anybody here finds it
        assert Remote(f"{address}#token=address").is_handed
        assert Remote(f"{address}#token=address").token == "address"
        assert Remote(f"{address}#token=address", "argument").token == "argument"
        kept.write_text("{")
        monkeypatch.delenv("UNDERSTUDY_TOKEN")
        assert Remote(address).token is None

    def test_the_token_is_kept_nowhere(
        self, server: Server, caplog: pytest.LogCaptureFixture
    ) -> None:
        with Run(prefix="r", remote=f"{server.address}/#token={TOKEN}") as run:
            record(run)
        compare(run.path, server.kept)
        files = [path.read_bytes() for path in run.path.rglob("*") if path.is_file()]
        assert not any(TOKEN.encode() in data for data in files)
        assert run.read().info["remote"] == server.address
        assert TOKEN not in repr(vars(run)) + caplog.text

    def test_a_proxy_of_the_environment_is_used_but_for_those_that_need_none(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", server.address.replace("//", "//us%65r:pass@"))
        with Run(prefix="r", remote="http://runs.invalid/base", token=TOKEN, capture=False) as run:
            run.log("x")
        compare(run.path, server.kept)
        assert server.headers[0]["Host"] == "runs.invalid"
        assert server.headers[0]["Proxy-Authorization"] == "Basic dXNlcjpwYXNz"
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with Run(prefix="other", remote=server.address, token=TOKEN, capture=False):
            pass
        assert "Proxy-Authorization" not in server.headers[-1]


class TestTls:
    def test_a_server_is_trusted_if_the_certificates_of_the_system_say_so(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        with Server(CERTIFICATE) as server:
            with Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as run:
                record(run)
            compare(run.path, server.kept)

    def test_a_server_that_nobody_vouches_for_gets_nothing_not_even_the_token(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setenv(PATIENCE, "0.5")
        with (
            Server(CERTIFICATE) as server,
            Run(prefix="r", remote=server.address, token=TOKEN, capture=False) as run,
        ):
            until(lambda: "remote" in run.problems)
        assert "certificate verify failed" in caplog.text
        assert server.headers == []


class TestSyncing:
    def test_a_run_made_offline_is_sent_and_remembers_where(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with Run(prefix="r") as run:
            record(run)
        result = synced(run.path, f"{server.address}/#token={TOKEN}")
        assert (result.is_complete, result.files, result.problems) == (True, 2, [])
        compare(run.path, server.kept)
        assert server.kept.is_ended
        asked = len(server.asked)
        keep_token(server.address)
        assert synced(run.path).is_complete
        assert server.asked[asked:] == ["GET lengths"]

    def test_the_token_of_the_environment_goes_to_no_server_that_only_a_folder_names(
        self, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with Run(prefix="r", remote=server.address, capture=False):
            pass
        asked = len(server.asked)
        monkeypatch.setenv("UNDERSTUDY_TOKEN", TOKEN)
        assert main(["sync"]) == 1
        assert "it may be somebody else's: say --remote, or UNDERSTUDY_REMOTE" in (
            capsys.readouterr().out
        )
        assert len(server.asked) == asked
        monkeypatch.setenv("UNDERSTUDY_REMOTE", server.address)
        assert main(["sync"]) == 0

    def test_a_server_that_wants_it_slower_again_and_again_gets_all_of_it(
        self, server: Server
    ) -> None:
        with Run(prefix="r", capture=False) as run:
            for number in range(10):
                run.files("f").save(b"x", to=str(number))
        server.retry_after = "0.001"
        for _ in range(8):
            server.moods.extend([*WELL, "429"])
        result = synced(run.path, f"{server.address}/#token={TOKEN}")
        assert (result.is_complete, result.files, [*server.moods]) == (True, 10, [])

    def test_a_run_whose_process_is_gone_is_sent_and_has_not_ended(self, server: Server) -> None:
        run_program(
            """
            run = Run(prefix='r').start()
            run.metrics('train').log(step=1)
            os.kill(os.getpid(), 9)
            """,
            cwd=Path.cwd(),
            code=-9,
        )
        path = Path("experiments/project/r").absolute()
        assert synced(path, f"{server.address}/#token={TOKEN}").is_complete
        compare(path, server.kept)
        assert (RunFolder(path).status, server.kept.is_ended) == ("LOST", False)

    def test_a_project_that_there_is_not_is_an_error(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with Run(prefix="r", project="vision", capture=False):
            pass
        assert main(["sync", "--project", "vison"]) == 1
        told = capsys.readouterr()
        assert (told.out, "did you mean 'vision'?" in told.err) == ("", True)

    def test_the_command_sends_what_is_left_of_all_runs_and_tells_of_it(
        self, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("UNDERSTUDY_TOKEN", TOKEN)
        for project in ("a", "b"):
            with Run(prefix="r", project=project, capture=False) as run:
                record(run)
        assert main(["sync", "--project", "a"]) == 1
        assert capsys.readouterr().out.startswith("a/r: it was made without a remote: say --remote")
        assert main(["sync", "--project", "a", "--remote", server.address]) == 0
        assert re.fullmatch(
            r"a/r: [\d,]+ bytes and 2 files sent to http\S+\n"
            r"1 run: [\d,]+ bytes and 2 files sent; all is there\n",
            capsys.readouterr().out,
        )
        assert main(["sync", "--remote", server.address, "--json"]) == 0
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [(each["project"], each["files"], each["is_complete"]) for each in told] == [
            ("a", 0, True),
            ("b", 2, True),
        ]
        keep_token(server.address)
        assert main(["sync", "experiments/b/r", "experiments/b"]) == 0
        assert capsys.readouterr().out == "1 run: nothing sent; all is there\n"
        assert len(server.runs) == 2

    def test_a_run_is_named_as_for_the_other_commands(
        self, server: Server, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made: list[Run] = []
        for prefix in ("first", "second", "third"):
            with Run(prefix=prefix, project="vision", capture=False) as run:
                made.append(run)
        remote = f"{server.address}/#token={TOKEN}"
        assert main(["sync", "vision/first", made[1].id, "--remote", remote]) == 0
        assert {key for _, key in server.runs} == {made[0].id, made[1].id}
        capsys.readouterr()
        assert main(["sync", "vision/thrid", "--remote", remote]) == 1
        assert "did you mean 'vision/third'?" in capsys.readouterr().err

    def test_what_is_wrong_with_many_runs_is_one_line(
        self, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for number in range(5):
            with Run(prefix=f"r{number}", capture=False):
                pass
        who = "5 runs (project/r0, project/r1, project/r2, ...): "
        after = "5 runs: nothing sent; 5 are not complete"
        monkeypatch.setenv("UNDERSTUDY_TOKEN", "us_another")
        for words, problem in (
            ([], "it was made without a remote: say --remote URL"),
            (["--remote", server.address], f"it is not taken by {server.address}: "),
        ):
            assert main(["sync", *words]) == 1
            told = capsys.readouterr().out.splitlines()
            assert (len(told), told[0].startswith(who + problem), told[1]) == (2, True, after)
            assert "nevertheless" not in told[0]

    def test_the_command_says_what_is_wrong(
        self, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("understudy.runs._sync._FIRST_WAIT", 0.001)
        with Run(prefix="\x1b[31mr", capture=False):
            pass
        assert main(["sync", "nowhere"]) == 1
        assert "there is no folder" in capsys.readouterr().err
        assert main(["sync", "--remote", "nonsense"]) == 1
        assert "no address of a server" in capsys.readouterr().err
        assert main(["sync", "--remote", server.address]) == 1
        assert f"there is no token for {server.address}" in capsys.readouterr().out
        monkeypatch.setenv("UNDERSTUDY_TOKEN", "us_another")
        assert main(["sync", "--remote", server.address]) == 1
        assert "the token is not one of its own" in capsys.readouterr().out
        server.mood = "503"
        assert main(["sync", "--remote", server.address]) == 1
        told = capsys.readouterr().out
        assert "answers 503" in told
        assert "1 run: nothing sent; 1 is not complete" in told
        assert "\x1b" not in told

    def test_a_run_that_goes_on_is_sent_as_far_as_it_is(self, server: Server) -> None:
        with Run(prefix="r", capture=False) as run:
            record(run)
            result = synced(run.path, f"{server.address}/#token={TOKEN}")
            assert (result.is_complete, server.kept.is_ended) == (True, False)
            compare(run.path, server.kept)
