"""The order of the house: each folder imports only from those below it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

MAY_IMPORT = {
    "configs": set[str](),
    "events": set[str](),
    "terminal": set[str](),
    "strategies": {"configs"},
    "actors": {"strategies", "configs"},
    "runtime": {"cli", "dashboard", "server", "actors", "strategies", "configs", "events"},
    "runs": {"configs", "terminal"},
    "batch": {"runtime", "actors", "strategies", "configs", "events", "runs"},
    "pages": set[str](),
    "dashboard": {"configs", "events", "pages", "terminal"},
    "server": {"runs", "configs", "pages", "terminal"},
    "cli": {"dashboard", "server", "runs", "configs", "events", "terminal"},
}


def forbidden_imports(folder: str, source: str, module: str = "module") -> Iterator[str]:
    """Yield what a module imports from a folder that its own may not import from."""
    for node in ast.walk(ast.parse(source)):
        for name in _imported(node):
            top, _, rest = name.partition(".")
            if top != "understudy":
                if top in MAY_IMPORT and top != folder:
                    yield f"{folder}/{module}: {name} is installed as understudy.{top}"
                continue
            target = rest.partition(".")[0]
            target = target if target in MAY_IMPORT else "runtime"
            if target != folder and target not in MAY_IMPORT[folder]:
                yield f"{folder}/{module} imports {name}"


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0:
        for alias in node.names:
            yield f"{node.module}.{alias.name}"


@pytest.mark.parametrize("folder", [name for name in MAY_IMPORT if (ROOT / name).is_dir()])
def test_a_folder_imports_only_from_those_below_it(folder: str) -> None:
    broken = [
        problem
        for path in (ROOT / folder).rglob("*.py")
        for problem in forbidden_imports(folder, path.read_text(), path.name)
    ]
    assert broken == []


@pytest.mark.parametrize(
    ("folder", "source"),
    [
        ("configs", "from understudy.actors import Mailbox"),
        ("configs", "import understudy"),
        ("configs", "from understudy import Runtime"),
        ("configs", "def late():\n    from understudy.runtime_ import x"),
        ("strategies", "import understudy.actors"),
        ("actors", "from understudy import runs"),
        ("runs", "from understudy.strategies import Plan"),
        ("runtime", "from configs import Config"),
    ],
)
def test_an_import_from_above_is_found(folder: str, source: str) -> None:
    assert len([*forbidden_imports(folder, source)]) == 1


def test_an_import_from_below_is_fine() -> None:
    assert [*forbidden_imports("actors", "from understudy.configs import Config")] == []
    assert [*forbidden_imports("configs", "from ._config import Config\nimport json")] == []
