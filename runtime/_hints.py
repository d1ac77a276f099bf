"""What a function's source tells of the experiments it calls: a hint, and no more."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def experiments_in(function: Callable[..., Any], find: Callable[[object], T | None]) -> list[T]:
    """Return the experiments that a function calls by name, as far as its source tells.

    It never fails: without a source, or with names that mean nothing (yet), there are none.

    Args:
        function: the function to look into.
        find: returns the experiment that an object is, or None.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        names = inspect.getclosurevars(function)
    except (OSError, TypeError, SyntaxError, ValueError):
        return []
    known = {**names.globals, **names.nonlocals}
    found: list[T] = []
    for called in _calls(tree):
        experiment = find(_value(called, known))
        if experiment is not None and experiment not in found:
            found.append(experiment)
    return found


def _calls(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield what is called, and what is handed to a call: `inner(x)`, `runtime.call(inner, x)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.func
            yield from node.args


def _value(node: ast.expr, known: dict[str, Any]) -> object:
    """Return what a name, or a name of a name, means; None if that is not known."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, known)
        return None if owner is None else inspect.getattr_static(owner, node.attr, None)
    return None
