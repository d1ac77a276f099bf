"""The folders, the wheel and the type checkers agree on what `understudy` is."""

import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUPTOOLS = PROJECT["tool"]["setuptools"]
FOLDERS: dict[str, str] = SETUPTOOLS["package-dir"]


def modules() -> Iterator[tuple[str, str]]:
    """Yield (name when installed, name in the checkout) of every module."""
    for package, folder in FOLDERS.items():
        for path in (ROOT / folder).rglob("*.py"):
            inner = path.relative_to(ROOT / folder).with_suffix("").parts
            if inner[-1] == "__init__":
                inner = inner[:-1]
            yield ".".join((package, *inner)), ".".join((folder, *inner))


def test_every_package_is_in_the_wheel() -> None:
    packages = {
        ".".join((package, *init.parent.relative_to(ROOT / folder).parts))
        for package, folder in FOLDERS.items()
        for init in (ROOT / folder).rglob("__init__.py")
    }
    assert packages == set(SETUPTOOLS["packages"])


def test_every_public_module_has_an_alias_stub() -> None:
    packages = set(SETUPTOOLS["packages"])
    expected = {name: f"from {source} import *\n" for name, source in modules() if "._" not in name}
    stubs = ROOT / "typings"
    found = {
        ".".join(path.relative_to(stubs).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path.read_text()
        for path in stubs.rglob("*.pyi")
    }
    assert found == expected
    assert packages <= set(found)


def test_the_core_depends_on_five_packages() -> None:
    names = [dependency.split(">")[0] for dependency in PROJECT["project"]["dependencies"]]
    assert names == ["anyio", "msgspec", "pyyaml", "structlog", "uvloop"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build an sdist from a copy of the checkout, and the wheel from that sdist."""
    folder = tmp_path_factory.mktemp("built")
    copy = folder / "checkout"
    left_out = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, copy, ignore=left_out)
    run(sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(copy))
    return folder / "dist"


@pytest.mark.timeout(300)
def test_the_pages_are_in_the_wheel_with_the_licence_of_their_charts(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    expected = {
        f"understudy/{path.relative_to(ROOT)}"
        for folder in (ROOT / "dashboard/page", ROOT / "server/page", ROOT / "pages/shared")
        for path in folder.rglob("*")
        if path.is_file()
    }
    with zipfile.ZipFile(wheel) as file:
        found = {name for name in file.namelist() if "/page/" in name or "/shared/" in name}
        licence = file.read("understudy/pages/shared/vendor/uPlot.LICENSE")
    assert found == expected
    assert b"The MIT License" in licence
    assert b"Leon Sorokin" in licence


@pytest.mark.timeout(300)
def test_only_understudy_lands_in_site_packages(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    venv.create(tmp_path / "fresh", with_pip=True)
    python = str(tmp_path / "fresh" / "bin" / "python")
    before = set(installed(python))
    run(python, "-m", "pip", "install", "--quiet", str(wheel))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    used = (
        "import understudy, understudy.configs as c; print(c.Config(a=1), understudy.__version__)"
    )
    assert run(python, "-c", used, cwd=elsewhere) == "Config({'a': 1}) 0.1.0\n"
    new = {name for name in installed(python) if name not in before}
    ours = {name for name in new if name.startswith("understudy")}
    assert ours == {"understudy", "understudy-0.1.0.dist-info"}
    assert not new & set(FOLDERS.values())
    shown = run(python, "-m", "pip", "show", "--files", "understudy")
    files = [line.strip() for line in shown.partition("Files:\n")[2].splitlines()]
    assert "understudy/py.typed" in files
    command = tmp_path / "fresh" / "bin" / "understudy"
    elsewhere_files = [file for file in files if not file.startswith("understudy")]
    assert [Path(file).name for file in elsewhere_files] == [command.name]
    (elsewhere / "events.jsonl").touch()
    assert run(str(command), "report", "events.jsonl", cwd=elsewhere) == "No events.\n"


def test_the_sdist_has_what_a_packager_needs(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "runtime/py.typed"} <= names
    assert {"tests/test_packaging.py", "docs/configs.md", "Makefile", "conftest.py"} <= names


def run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def installed(python: str) -> list[str]:
    where = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    return [path.name for path in Path(where).iterdir()]
