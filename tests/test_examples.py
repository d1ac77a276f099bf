"""The programs in examples/ run, and show what their documentation says."""

import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent


def test_the_shadows() -> None:
    command = [sys.executable, "-m", "examples.shadow"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "  async def answer(prompt: str, config: Config) -> str:" in lines  # its own code
    assert any(line.startswith("400 calls from 20 clients") for line in lines)
    roles = [tuple(line.split()) for line in lines if line.startswith(("  primary", "  shadow"))]
    assert roles == [
        ("primary", "dry:", "hello"),
        ("shadow", "dry:", "please,", "hello"),
        ("shadow", "warm:", "hello"),
        ("shadow", "warm:", "please,", "hello"),
    ]
    table = {
        line.split()[0]: line.split()[1:] for line in lines if line.endswith(("open", "closed"))
    }
    assert table["trusted"][:6] == ["400", "400", "0", "0", "0", "0"]
    for row in table.values():
        planned, *ended = map(int, row[:6])
        assert planned == sum(ended) == 400
    assert 10 <= int(table["failing"][2]) <= 20  # as many are in flight when the tenth fails
    assert table["failing"][-1] == "open"
    assert int(table["hanging"][3]) > 0
    assert any("circuit_open" in line for line in lines)
    assert any("mailbox_full" in line for line in lines)
    assert "  5 x summarize[hanging]: cancelled by a drain after 0.1 s" in lines
    assert "docs/tutorial.md" in lines[-2]


def test_the_guilty() -> None:
    command = [sys.executable, "-m", "examples.guilty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    held = [line for line in lines if line.startswith("  loop.lagged: ")]
    assert [line.partition(", at __main__.py:")[0] for line in held] == [
        "  loop.lagged: wait[badly] (shadow, loop)",
        "  loop.lagged: compute[badly] (shadow, thread)",
    ]
    assert [line.rpartition(" ")[2] for line in held] == ["wait", "compute"]
    assert "  loop.resumed: wait[badly]" in lines
    assert "  loop.resumed: compute[badly]" in lines


def test_the_sweep() -> None:
    command = [sys.executable, "-m", "examples.sweep"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "6 configs of walk(), two from files and the rest from a sweep:"
    labels = ["Descent", *(f"Momentum-{keep}" for keep in (0.9, 0.5, 0.6, 0.7, 0.8))]
    assert [line.split()[0] for line in lines[3:9]] == labels
    assert "Lowest: Momentum-0.9." in lines
    assert lines[-1].strip() == (
        "examples/sweep/broken.yaml:2: steps: expected `int`, got `str`, for 'steps' of walk "
        "(config '-1.5,2.0-many-Descent-0.001')"
    )
    assert done.stderr == ""


def test_the_living_service_shows_itself() -> None:
    command = [sys.executable, "-m", "examples.living", "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            address = running.stdout.readline().split()[-1]
            found: dict[str, Any] = {}
            for _ in range(300):
                with suppress(URLError):
                    state = json.load(urlopen(f"{address}api/state"))
                    found = state.get("experiment:answer", {})
                if found.get("calls", 0) > 3:
                    break
                time.sleep(0.1)
            assert found["calls"] > 3
            assert {case["label"] for case in found["cases"]} >= {"trusted"}
        finally:
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=30)
    assert running.returncode == 0, said
    assert said == ""
