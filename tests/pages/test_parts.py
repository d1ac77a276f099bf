"""The files of a page are in memory: what is asked for is one of them, or nothing."""

import sys
from pathlib import Path

import pytest

from understudy.pages import HEADERS, Parts


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with a page of its own."""
    folder = tmp_path / "page_of_a_test"
    (folder / "page").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "page" / "index.html").write_text("<p>{name}</p>")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, folder.name, raising=False)
    return folder


def test_a_page_has_its_own_files_and_those_that_all_share(package: Path) -> None:
    (package / "page" / "own.js").write_text("'own'")
    parts = Parts(package.name, {"name": "mine"})
    found = {path: parts.answer(path) for path in ("/", "/static/own.js", "/static/dom.js")}
    assert {path: answer and answer[0] for path, answer in found.items()} == dict.fromkeys(
        found, 200
    )
    assert found["/"] is not None
    assert found["/"][2] == b"<p>mine</p>"
    assert found["/"][1].items() >= HEADERS.items()
    assert parts.answer("/static/index.html") is None


def test_a_file_that_hides_a_shared_one_is_an_error(package: Path) -> None:
    (package / "page" / "dom.js").touch()
    with pytest.raises(ValueError, match=r"a file that all pages share: /static/dom\.js"):
        Parts(package.name)


@pytest.mark.parametrize("path", ["", "/static", "/static/", "/static//dom.js", "/../__init__.py"])
def test_no_other_path_is_answered(package: Path, path: str) -> None:
    assert Parts(package.name).answer(path) is None
