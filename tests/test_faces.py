"""What the packages show: sorted faces, documented names, examples that run."""

import ast
import doctest
import inspect
import resource
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import understudy
import understudy.configs

PACKAGES = [understudy, understudy.configs]
MADE_FOR_YOU = ("Injection", "Reload")
"""Classes that a user only gets from a function, which has the example."""


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_a_face_is_sorted_and_complete(package: ModuleType) -> None:
    names: list[str] = vars(package)["__all__"]
    assert names == sorted(set(names))
    source = Path(str(package.__file__)).read_text()
    imported = {
        alias.asname
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert imported == set(names)
    for name in names:
        assert getattr(package, name) is not None


def test_the_public_face_shows_only_what_its_packages_show() -> None:
    shown: list[str] = vars(understudy)["__all__"]
    for name in shown:
        assert getattr(understudy, name) is getattr(understudy.configs, name)
    assert set(shown) <= set(dir(understudy))
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = understudy.Nothing  # type: ignore[attr-defined]  # pyright: ignore


@pytest.mark.parametrize("name", vars(understudy.configs)["__all__"])
def test_every_public_name_is_documented_with_an_example(name: str) -> None:
    value = getattr(understudy.configs, name)
    doc = inspect.getdoc(value) or ""
    if name not in MADE_FOR_YOU:
        assert ">>>" in doc
    assert doc
    for member, inner in vars(value).items() if inspect.isclass(value) else ():
        if not member.startswith("_") and callable(inner):
            assert inspect.getdoc(inner), f"{name}.{member}"


@pytest.mark.parametrize("name", vars(understudy.configs)["__all__"])
def test_docstring_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    value = getattr(understudy.configs, name)
    examples = doctest.DocTestFinder().find(value, name, module=False, globs={})
    outcomes = [doctest.DocTestRunner().run(example) for example in examples]
    assert sum(outcome.failed for outcome in outcomes) == 0
    assert sum(outcome.attempted for outcome in outcomes) > 0 or name in MADE_FOR_YOU


def test_every_name_is_in_the_room_the_face_says() -> None:
    from understudy.configs import Limits

    for name, room in vars(understudy.configs)["_ROOMS"].items():
        value = getattr(understudy.configs, name)
        home = value.__module__
        assert home in ("understudy.configs", f"understudy.configs.{room}")
    assert Limits.__name__ in dir(understudy.configs)
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = understudy.configs.Nothing  # type: ignore[attr-defined]  # pyright: ignore


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import understudy", {"understudy"}),
        ("from understudy import Config, parse_configs", {"understudy"}),
        ("from understudy.configs import Binder, watch_configs", {"understudy"}),
    ],
)
def test_an_import_loads_only_what_is_listed(statement: str, allowed: set[str]) -> None:
    listing = (
        f"import sys; before = {{*sys.modules}}; {statement}; print(*({{*sys.modules}} - before))"
    )
    loaded = run_python(listing).split()
    tops = {name.partition(".")[0] for name in loaded}
    assert tops - sys.stdlib_module_names <= allowed
    assert not {"asyncio", "tomllib", "multiprocessing", "importlib.metadata"} & set(loaded)
    if statement == "import understudy":
        assert [name for name in loaded if name.startswith("understudy")] == ["understudy"]


@pytest.mark.parametrize("statement", ["import understudy", "from understudy import Config"])
def test_an_import_costs_at_most_60_ms(statement: str) -> None:
    rounds = [cpu_seconds(statement) - cpu_seconds("pass") for _ in range(9)]
    assert min(rounds) < 0.060


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def cpu_seconds(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run_python(code)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
