"""`understudy top` on a terminal: it refreshes, does what keys say, and leaves all as it was."""

import signal
from pathlib import Path

import pytest

from tests.dashboard.terminal import Terminal
from tests.dashboard.test_commands import LINES, branch, run, told

FAST = ("--interval", "0.1")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(LINES[:-1]))
    return path


def test_it_shows_what_happens_and_goes_on_with_the_log(log: Path) -> None:
    with Terminal("top", *FAST, str(log)) as terminal:
        terminal.shows("8 events")
        assert "7/r1 idle since " in terminal.text
        terminal.shows("small")
        with log.open("ab") as file:
            file.write(branch(10, "new one", "shadow", "ok"))
        terminal.shows("new one")
        terminal.shows("9 events")
        terminal.type("q")
        assert terminal.end() == 0
        assert_left_as_it_was(terminal)


def assert_left_as_it_was(terminal: Terminal) -> None:
    assert terminal.raw.count(b"\x1b[?1049h") == terminal.raw.count(b"\x1b[?1049l") > 0
    assert terminal.raw.rindex(b"\x1b[?1049l") > terminal.raw.rindex(b"\x1b[?1049h")
    assert terminal.raw.rindex(b"\x1b[?25h") > terminal.raw.rindex(b"\x1b[?25l")
    assert terminal.modes() == terminal.before
    assert b"Traceback" not in terminal.raw


def test_ctrl_c_ends_it(log: Path) -> None:
    with Terminal("top", *FAST, str(log)) as terminal:
        terminal.shows("8 events")
        terminal.type("\x03")
        assert terminal.end() == 130
        assert_left_as_it_was(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it(log: Path, number: signal.Signals) -> None:
    with Terminal("top", "--interval", "30", str(log)) as terminal:
        terminal.shows("8 events")
        terminal.process.send_signal(number)
        assert terminal.end() == 128 + number
        assert_left_as_it_was(terminal)


def test_what_cannot_be_read_ends_it_with_the_terminal_as_it_was(tmp_path: Path) -> None:
    with Terminal("top", *FAST, str(tmp_path)) as terminal:
        assert terminal.end() == 1
        assert_left_as_it_was(terminal)
        assert "Is a directory" in terminal.text


def test_another_size_is_taken_at_once(log: Path) -> None:
    with Terminal("top", "--interval", "30", str(log), width=100) as terminal:
        terminal.shows("8 events")
        terminal.resize(60, 12)
        terminal.process.send_signal(signal.SIGWINCH)
        terminal.wait(lambda: "q quit" in terminal.screen.display[11])
        terminal.type("q")
        assert terminal.end() == 0
        assert_left_as_it_was(terminal)


def test_keys_pause_sort_and_scroll(log: Path) -> None:
    with log.open("ab") as file:
        for number in range(40):
            file.write(branch(20 + number, f"config {number:02}", "shadow", "ok"))
    with Terminal("top", *FAST, str(log)) as terminal:
        terminal.shows("by name")
        terminal.shows("config 00")
        terminal.type("\x1b[B\x1b[Bj")  # several at once, as a key that is held gives them
        # They stand as they were first heard of: `large` and `small` before `config 00`.
        terminal.wait(lambda: "config 00" not in terminal.text and "config 01" in terminal.text)
        terminal.type("\x1b[A")
        terminal.shows("config 00")
        assert "large" not in terminal.text
        terminal.type("s")
        terminal.shows("by errors")
        assert "small" in terminal.screen.display[7]
        terminal.type("p")
        terminal.shows("PAUSED")
        with log.open("ab") as file:
            file.write(told("nobody.knows", 99))
        terminal.type("s")
        terminal.shows("by planned")
        assert "48 events" in terminal.text
        terminal.type("p")
        terminal.shows("49 events")
        terminal.type("q")
        assert terminal.end() == 0


def test_where_there_is_no_terminal_it_prints_once(log: Path) -> None:
    done = run("top", log)
    assert (done.returncode, done.stderr) == (0, "")
    assert "8 events" in done.stdout
    assert "small" in done.stdout
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
