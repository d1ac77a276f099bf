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
import understudy.actors
import understudy.cli
import understudy.configs
import understudy.dashboard
import understudy.events
import understudy.pages
import understudy.runs
import understudy.server
import understudy.strategies
import understudy.terminal

PACKAGES = [
    understudy,
    understudy.actors,
    understudy.cli,
    understudy.configs,
    understudy.dashboard,
    understudy.events,
    understudy.pages,
    understudy.runs,
    understudy.server,
    understudy.strategies,
    understudy.terminal,
]
ROOMS: dict[str, str] = vars(understudy)["_ROOMS"]
NAMES = [
    (package, name)
    for package in PACKAGES
    for name in vars(package)["__all__"]
    if package is not understudy or ROOMS[name].startswith(".")
    if inspect.isclass(getattr(package, name)) or inspect.isroutine(getattr(package, name))
]
MADE_FOR_YOU = (
    *(
        "Branch",
        "CaseActor",
        "CaseStatistics",
        "Emit",
        "ExperimentStatistics",
        "ExperimentSupervisor",
    ),
    *("Casting", "Crew", "Injection", "Lineup", "OffStageError", "Reload", "Settings", "Stage"),
    *("Sign", "StageGone", "Stream", "Switches", "Tally", "answer_here", "answer_whole_here"),
    *("async_stream_of", "gather_here", "no_stream", "stream_here", "ways_of"),
)
"""What a user only gets from something else, which has the example."""
each_name = pytest.mark.parametrize(
    ("package", "name"), NAMES, ids=[f"{package.__name__}.{name}" for package, name in NAMES]
)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_a_face_is_sorted_and_complete(package: ModuleType) -> None:
    names: list[str] = vars(package)["__all__"]
    assert names == sorted(set(names), key=lambda name: (not name.isupper(), name))
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


def test_the_public_face_shows_what_its_packages_show() -> None:
    shown: list[str] = vars(understudy)["__all__"]
    assert sorted(ROOMS) == shown
    for name in shown:
        if not ROOMS[name].startswith("."):
            assert getattr(understudy, name) is getattr(sys.modules[ROOMS[name]], name)
    assert set(shown) <= set(dir(understudy))
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = understudy.Nothing  # type: ignore[attr-defined]  # pyright: ignore


@each_name
def test_every_public_name_is_documented_with_an_example(package: ModuleType, name: str) -> None:
    value = getattr(package, name)
    doc = inspect.getdoc(value) or ""
    if name not in MADE_FOR_YOU:
        assert ">>>" in doc
    assert doc
    for member, inner in vars(value).items() if inspect.isclass(value) else ():
        if not member.startswith("_") and callable(inner):
            assert inspect.getdoc(inner), f"{name}.{member}"


@each_name
def test_docstring_examples_run(
    package: ModuleType, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = getattr(package, name)
    examples = doctest.DocTestFinder().find(value, name, module=False, globs={})
    outcomes: list[doctest.TestResults] = []
    for number, example in enumerate(examples):
        folder = tmp_path / str(number)  # each its own: what one records, the next does not find
        folder.mkdir()
        monkeypatch.chdir(folder)
        outcomes.append(doctest.DocTestRunner().run(example))
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


ROOMS_OF_CONFIG = "_adapt _canonical _config _errors _freeze _keypath _labels _origin _overlay _paths _registry _secret"
MAY_BE_LOADED = {
    "import understudy": "",
    "import understudy.configs": "configs",
    "from understudy import Config": f"configs {ROOMS_OF_CONFIG}",
    "from understudy import Config; Config(a=1).id; Config(a=1).label": f"configs {ROOMS_OF_CONFIG}",
    "from understudy import register": "configs _errors _keypath _registry",
}
"""What of ours each statement loads: nothing that it does not need."""

RUNTIME = "from understudy import Config, MultiBranchStrategy, Runtime, ShadowStrategy"
DECLARED = f"""{RUNTIME}
runtime = Runtime(configs=[{{"model": "large"}}, {{"model": "small"}}], strategy=ShadowStrategy())
@runtime.experiment
async def answer(prompt: str, config: Config) -> str:
    return prompt"""
CALLED = f"""{DECLARED}
runtime.call_blocking(answer, "hello")"""
NOT_LOADED = {
    "the names of a runtime": RUNTIME,
    "a runtime and an experiment": DECLARED,
    "its calls": CALLED,
}
NOT_BY_A_RUNTIME = {
    *("yaml", "anyio", "structlog", "uvloop", "watchfiles", "pydantic", "numpy", "multiprocessing"),
    *("tempfile", "shutil", "random", "secrets", "tomllib", "dataclasses", "importlib.metadata"),
    *("understudy.events", "understudy._sinks", "understudy._events", "understudy._appended"),
    *("understudy._reload", "understudy._statistics", "understudy._whereabouts"),
    *("understudy.configs._yaml", "understudy.configs._watch", "understudy.configs._sweep"),
    *("understudy.strategies._conformance", "understudy.strategies._trial"),
}
"""What is loaded where files are read, somebody listens, or a loop is held: not before."""

NEVER_LOADED = {
    *("asyncio", "inspect", "dataclasses", "tomllib", "multiprocessing", "difflib", "random"),
    *("msgspec", "yaml", "anyio", "structlog", "uvloop", "watchfiles", "pydantic", "numpy"),
}
"""What is loaded later, where it is needed."""


@pytest.mark.parametrize("statement", MAY_BE_LOADED)
def test_an_import_loads_only_what_is_listed(statement: str) -> None:
    after = "print(*({*sys.modules} - before))"
    loaded = set(run_python(f"import sys; before = {{*sys.modules}}; {statement}; {after}").split())
    ours = {name for name in loaded if name.partition(".")[0] == "understudy"}
    listed = MAY_BE_LOADED[statement].split()
    rooms = {f"understudy.configs.{name}" for name in listed if name != "configs"}
    assert ours == {"understudy", *rooms, *(["understudy.configs"] if listed else [])}
    assert {name.partition(".")[0] for name in loaded} <= sys.stdlib_module_names | {"understudy"}
    assert not loaded & NEVER_LOADED


@pytest.mark.parametrize("what", NOT_LOADED)
def test_a_runtime_loads_nothing_that_only_some_need(what: str) -> None:
    print_all = "import sys; print(*sys.modules)"
    loaded = set(run_python(f"{NOT_LOADED[what]}\n{print_all}").split())
    before = set(run_python(print_all).split())
    assert {"asyncio", "understudy._runtime"} <= loaded
    assert (loaded - before) & NOT_BY_A_RUNTIME == set()


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
