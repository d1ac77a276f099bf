"""Every test records into a folder of its own, and leaves no thread behind."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from understudy.runs import current_run


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Go to an empty folder; afterwards no run is open, and no thread is left."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNDERSTUDY_ROOT", raising=False)
    threads = {*threading.enumerate()}
    yield
    assert current_run() is None
    left = [each for each in threading.enumerate() if each not in threads]
    assert [each.name for each in left if each.name.startswith("understudy")] == []
