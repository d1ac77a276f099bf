"""The page on how a call travels names code that is there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
LINK = re.compile(r"\[`([\w.]+)`\]\(([\w./]+\.py)\)")
LINKS = sorted(set(LINK.findall((DOCS / "journey.md").read_text())))


@pytest.mark.parametrize(("name", "file"), LINKS)
def test_what_the_journey_names_stands_in_the_file_it_links_to(name: str, file: str) -> None:
    assert name in {*names_in((DOCS / file).read_text())}


def test_the_journey_goes_through_the_code() -> None:
    assert {"View.call", "CaseActor.play", "CaseActor.conclude"} <= {name for name, _ in LINKS}


def names_in(source: str) -> Iterator[str]:
    """Yield the names of classes, functions and methods."""
    for node in ast.parse(source).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    yield f"{node.name}.{inner.name}"
