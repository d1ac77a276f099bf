"""The types: both checkers find the same, what they find is so, and nothing public is unknown."""

import asyncio
import inspect
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import pytest

from tests.typing import agreed
from understudy import ExperimentCaseResults

ROOT = Path(__file__).parent.parent
FILES = [str(ROOT / "tests" / "typing" / name) for name in ("agreed.py", "refused.py")]


def test_mypy_finds_what_is_agreed_and_refused() -> None:
    done = run("mypy", *FILES)
    assert done.stdout == "Success: no issues found in 2 source files\n", done.stdout + done.stderr


def test_pyright_finds_what_is_agreed_and_refused() -> None:
    done = run("pyright", "--pythonpath", sys.executable, "--outputjson", *FILES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["summary"]["filesAnalyzed"] == 2


CLAIMS = [
    function
    for function in vars(agreed).values()
    if inspect.isfunction(function) and "assert_type" in function.__code__.co_names
]


@pytest.mark.parametrize("claims", CLAIMS)
def test_what_the_checkers_find_is_so(
    claims: Callable[[], Coroutine[Any, Any, None] | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[object] = []

    def check_type(value: object, claimed: Any) -> None:
        assert is_of_type(value, claimed), f"{value!r} is no {claimed}"
        checked.append(value)

    monkeypatch.setattr(agreed, "assert_type", check_type)
    with agreed.runtime:
        played = claims()
        if played is not None:
            asyncio.run(played)
    assert checked


def is_of_type(value: object, claimed: Any) -> bool:
    """Tell whether a value is of a type, as far as `agreed` claims any."""
    if claimed is Any:
        return True
    kind, parts = get_origin(claimed) or claimed, get_args(claimed)
    if kind is UnionType:
        return any(is_of_type(value, part) for part in parts)
    if kind is ExperimentCaseResults:
        return isinstance(value, ExperimentCaseResults) and all(
            is_of_type(each.result, parts[0]) for each in value
        )
    if kind is list:
        return isinstance(value, list) and all(is_of_type(each, parts[0]) for each in value)
    return isinstance(value, kind)


def test_a_claim_that_is_not_so_is_found() -> None:
    assert not is_of_type("a", int)
    assert not is_of_type(["a"], list[int])
    assert not is_of_type("a", ExperimentCaseResults[str])


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay the folders out as they are installed; the checker does not follow editable installs."""
    folder = tmp_path_factory.mktemp("installed")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for package, source in project["tool"]["setuptools"]["package-dir"].items():
        target = folder.joinpath(*package.split("."))
        shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_every_public_type_is_known(installed: Path) -> None:
    unknown = unknown_types(installed)
    assert not unknown, "\n".join(unknown)


def test_a_public_type_that_is_unknown_is_found(installed: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(installed, tmp_path / "copy")
    with (copy / "understudy" / "actors" / "__init__.py").open("a") as file:
        file.write("\n\ndef forgotten(value): ...\n")
    assert unknown_types(copy) == [
        'understudy.actors.forgotten: Type annotation for parameter "value" is missing',
        "understudy.actors.forgotten: Return type annotation is missing",
    ]


def unknown_types(folder: Path) -> list[str]:
    """Return what `pyright --verifytypes` has no type for."""
    dependencies = sysconfig.get_path("purelib")
    done = run(
        *("pyright", "--pythonpath", sys.executable, "--outputjson"),
        *("--verifytypes", "understudy", "--ignoreexternal"),
        cwd=folder.parent,
        PYTHONPATH=os.pathsep.join([str(folder), dependencies]),
    )
    found = json.loads(done.stdout)["typeCompleteness"]
    assert found["packageRootDirectory"] == str(folder / "understudy")
    assert found["exportedSymbolCounts"]["withKnownType"] > 100
    unknown = [
        f"{each['name']}: {diagnostic['message']}"
        for each in found["symbols"]
        for diagnostic in each["diagnostics"]
        if diagnostic["severity"] == "error" and "partially unknown" not in diagnostic["message"]
    ]  # what is partially unknown is so because of another one
    assert (found["completenessScore"] == 1) == (not unknown)
    return unknown


def run(
    checker: str, *arguments: str, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", checker, *arguments]
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
