"""A script that only records imports next to nothing."""

import sys

import pytest

from tests.test_faces import cpu_seconds, run_python

IMPORT = "from understudy.runs import Run"
RECORD = f"""
{IMPORT}
with Run(prefix='r') as run:
    run.metrics('train').log(loss=1)
    run.params.set(a=1)
    run.log('x')
    run.files('f').save(b'x', to='x')
"""
LATER = {
    "asyncio",
    "sqlite3",
    "subprocess",
    "structlog",
    "anyio",
    "uvloop",
    "yaml",
    "numpy",
    "logging",
    "ssl",
    "http",
    "socket",
    "concurrent",
}


@pytest.mark.parametrize(
    ("code", "more"),
    [(IMPORT, {"msgspec", "threading", "pathlib", "inspect", "difflib"}), (RECORD, set[str]())],
    ids=["import", "record"],
)
def test_what_is_not_needed_is_not_imported(code: str, more: set[str]) -> None:
    told = run_python(
        f"import sys; before = {{*sys.modules}}\n{code}\nprint(*({{*sys.modules}} - before))"
    )
    loaded = {name.partition(".")[0] for name in told.split()}
    in_git = (
        {"subprocess", "selectors"} if code == RECORD else set[str]()
    )  # git is asked, in its thread
    assert not loaded & ((LATER - in_git) | more)
    assert loaded <= sys.stdlib_module_names | {"understudy", "msgspec", "typing_extensions"}


def test_the_import_costs_at_most_60_ms_here_and_30_where_nothing_else_runs() -> None:
    rounds = [cpu_seconds(IMPORT) - cpu_seconds("pass") for _ in range(9)]
    assert min(rounds) < 0.060
