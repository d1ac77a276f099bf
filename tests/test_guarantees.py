"""Each promise on the page of guarantees links to a test that is there."""

import ast
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "guarantees.md"
NOT_PROMISED = "## Not promised"
LINK = re.compile(r"\[`(test_\w+)`\]\((\.\./tests/[\w./]+\.py)\)")
ITEM = re.compile(r"^- .*(?:\n .*)*", re.MULTILINE)


def promises_in(text: str) -> list[str]:
    """Return the items of the lists above what is not promised."""
    return ITEM.findall(text.partition(NOT_PROMISED)[0].partition("\n## ")[2])


def missing_in(text: str, page: Path) -> list[str]:
    """Return what is wrong: promises without a test, and tests that are not there."""
    found = [f"no test: {each}" for each in promises_in(text) if not LINK.search(each)]
    for name, path in LINK.findall(text):
        file = page.parent / path
        if not file.is_file() or name not in names_of_tests(file):
            found.append(f"not there: {name} in {path}")
    return found


def names_of_tests(file: Path) -> set[str]:
    """Return the names of the tests in a file, also of those in classes."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(file.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, functions)}


def test_every_promise_links_to_a_test_that_is_there() -> None:
    text = PAGE.read_text()
    assert len(promises_in(text)) > 20
    assert missing_in(text, PAGE) == []


def test_every_link_into_the_tests_names_one() -> None:
    text = PAGE.read_text()
    assert text.count("](../tests/") == len(LINK.findall(text))


def test_what_is_not_promised_has_a_section_of_its_own() -> None:
    _, heading, rest = PAGE.read_text().partition(NOT_PROMISED)
    assert heading
    assert len(ITEM.findall(rest)) > 5


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ("- All is well.", "no test: - All is well."),
        ("- All is\n  well.", "no test: - All is\n  well."),
        ("- Well: [`test_x`](../tests/test_none.py)", "not there: test_x in ../tests/test_none.py"),
        ("- [`test_x`](../tests/laws.py)", "not there: test_x in ../tests/laws.py"),
    ],
)
def test_a_promise_that_nothing_shows_is_found(item: str, problem: str) -> None:
    assert missing_in(f"# Page\n\n## Part\n\n{item}\n\n{NOT_PROMISED}\n\n- Much.\n", PAGE) == [
        problem
    ]
