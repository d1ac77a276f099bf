"""What the face of the strategies shows: every example in it runs."""

import doctest
import inspect

import pytest

from understudy import strategies

NAMES: list[str] = vars(strategies)["__all__"]


def test_the_face_is_sorted() -> None:
    assert sorted(set(NAMES)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_run(name: str) -> None:
    value = getattr(strategies, name)
    examples = doctest.DocTestFinder().find(value, name, module=False, globs={})
    outcomes = [doctest.DocTestRunner().run(example) for example in examples]
    assert sum(outcome.failed for outcome in outcomes) == 0
    assert sum(outcome.attempted for outcome in outcomes) > 0


@pytest.mark.parametrize("name", NAMES)
def test_every_public_method_is_documented(name: str) -> None:
    value = getattr(strategies, name)
    members = vars(value).items() if inspect.isclass(value) else ()
    undocumented = [
        member
        for member, inner in members
        if not member.startswith("_") and callable(inner) and not inspect.getdoc(inner)
    ]
    assert undocumented == []
