"""Reading a filter: each part of the text becomes a function that looks something up in a run.

Python's own parser reads it; but of what that finds only what is listed here is taken, and nothing
is evaluated.
"""

import ast
import operator
import re
import threading
import warnings
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from fnmatch import translate
from time import time
from typing import Any, Final, cast

from ._errors import FilterError
from ._info import RunInfo
from ._scores import MISSING, STATISTICS, is_true, metric_value
from ._times import ago_of, moment_of, span_of

Look = Callable[[RunInfo], Any]
"""Looks something up in a run; MISSING if it is not there."""

LONGEST: Final = 5_000
"""How many characters a filter has at most."""
DEEPEST: Final = 40
"""How many parts may lie within each other."""

_PLAIN: Final = (
    *("status", "tags", "bindrs", "prefix", "project", "id", "description", "folder", "error"),
    *("attempts", "git_commit", "path"),
)
_TIMES: Final = ("created", "started", "ended")
_KNOWN: Final = (*_PLAIN, *_TIMES, "duration", "params", "metrics")
_WAYS: Final = (
    "params.lr, params['model.size'], metrics.train.loss, metrics['train/loss'].value.min"
)

_CONSTANTS: Final = "there are names, texts, numbers, True, False, None, and lists of these"
_FUNCTIONS: Final = (
    'the functions are matches(prefix, "resnet*") and has(params.lr), and there are no others'
)

_parsing = threading.Lock()
"""Held while warnings are put aside, which is one setting of the whole process."""

_COMPARES: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_ORDERED: Final = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


class Reader:
    """Turns one text into a function.

    Args:
        text: the filter.

    Attributes:
        names: the parameters and metrics that it names.
    """

    def __init__(self, text: object) -> None:
        if not isinstance(text, str):
            raise FilterError(f"a filter is a text, not {text!r}: \"status == 'FAILED'\"")
        self._text = re.sub(r"[\r\n\f]", " ", text).strip()
        self._kind = "filter"  # what an error calls it
        self.names: list[tuple[str, ...]] = []

    def read(self) -> Look:
        """Return what tells of a run whether the text holds.

        Raises:
            FilterError: the text is no filter.
        """
        return self._truth(self._parsed().body, 0)

    def _parsed(self) -> ast.Expression:
        text = self._text
        if not text:
            raise FilterError("the filter is empty: \"status == 'FAILED'\", for example")
        if len(text) > LONGEST:
            raise FilterError(f"the filter has {len(text):,} characters; {LONGEST:,} are allowed")
        try:
            with _parsing, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(text, mode="eval")
        except SyntaxError as error:
            raise self._refused((error.offset or 1) - 1, _advice(text, error)) from None
        except (ValueError, MemoryError, RecursionError):
            raise FilterError(f"the {self._kind} is not understood:\n  {text[:200]!r}") from None

    def read_name(self) -> Look:
        """Return what looks up a name alone: what runs are sorted by.

        Raises:
            FilterError: the text is no name.
        """
        self._kind = "name"
        node = self._parsed().body
        if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
            raise self._refused_at(node, f"it is no name: {', '.join(_KNOWN)}; {_WAYS}")
        return self._named(node)

    def _truth(self, node: ast.expr, depth: int) -> Look:
        """Read what is true or false."""
        if depth > DEEPEST:
            raise self._refused_at(node, f"more than {DEEPEST} parts lie within each other")
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                parts = [self._truth(value, depth + 1) for value in values]
                return lambda info: all(is_true(part(info)) for part in parts)
            case ast.BoolOp(values=values):
                parts = [self._truth(value, depth + 1) for value in values]
                return lambda info: any(is_true(part(info)) for part in parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                part = self._truth(operand, depth + 1)
                return lambda info: not is_true(part(info))
            case ast.Compare():
                return self._comparison(node)
            case ast.Call():
                return self._call(node)
            case _:
                return self._value(node)

    def _comparison(self, node: ast.Compare) -> Look:
        operands = [node.left, *node.comparators]
        looks = [self._operand(operands, place, node.ops) for place in range(len(operands))]
        compares: list[Callable[[Any, Any], Any]] = []
        for op, right in zip(node.ops, node.comparators, strict=True):
            compare = _COMPARES.get(type(op))
            if compare is None:
                raise self._refused_at(right, "compare with == and !=, not with `is`")
            compares.append(compare)

        def holds(info: RunInfo) -> bool:
            left = looks[0](info)
            for compare, look in zip(compares, looks[1:], strict=True):
                right = look(info)
                if left is MISSING or right is MISSING:
                    return False
                try:
                    if not compare(left, right):
                        return False
                except (TypeError, ValueError):  # of kinds that are not compared
                    return False
                left = right
            return True

        return holds

    def _operand(self, operands: Sequence[ast.expr], place: int, ops: Sequence[ast.cmpop]) -> Look:
        """Read one side of a comparison: beside a time, a text is a time."""
        node = operands[place]
        beside = [
            (other.id, isinstance(op, _ORDERED))
            for other, op in zip(
                [*operands[max(0, place - 1) : place], *operands[place + 1 : place + 2]],
                ops[max(0, place - 1) : place + 1],
                strict=True,
            )
            if isinstance(other, ast.Name) and (other.id in _TIMES or other.id == "duration")
        ]
        texts = [
            each
            for each in (node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node])
            if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        if not beside or not texts:
            return self._value(node)
        name = beside[0][0]
        if texts[0] is not node or not all(is_ordered for _, is_ordered in beside):
            raise self._refused_at(texts[0], f"compare `{name}` with <, <=, > or >=")
        text = str(texts[0].value)
        if name == "duration":
            seconds = span_of(text)
            if seconds is None:
                raise self._refused_at(
                    node, 'it is no duration, as "90s", "5m", "2h", "1d", "1w" are'
                )
            return lambda info: seconds
        ago, moment = ago_of(text), moment_of(text)
        if ago is not None:
            return lambda info: time() - ago
        if moment is None:
            raise self._refused_at(
                node, 'it is no time: "2026-11-01", "2026-11-01T10:00", "-7d" or "-3h" are'
            )
        return lambda info: moment

    def _call(self, node: ast.Call) -> Look:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "has" and len(node.args) == 1 and not node.keywords:
            look = self._value(node.args[0])
            return lambda info: look(info) is not MISSING and look(info) is not None
        if name == "matches" and len(node.args) == 2 and not node.keywords:
            pattern = node.args[1]
            if not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str):
                raise self._refused_at(pattern, 'a pattern is a text: matches(prefix, "resnet*")')
            return _matching(self._value(node.args[0]), pattern.value)
        raise self._refused_at(node, _FUNCTIONS)

    def _value(self, node: ast.expr) -> Look:
        """Read what has a value: a name, or a constant."""
        match node:
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return self._named(node)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                values = [self._constant(element) for element in elements]
                return lambda info: values
            case ast.Call():
                raise self._refused_at(node, _FUNCTIONS)
            case _:
                value = self._constant(node)
                return lambda info: value

    def _constant(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None):
                return node.value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return -value
            case _:
                raise self._refused_at(node, _CONSTANTS)

    def _named(self, node: ast.expr) -> Look:
        steps: list[str] = []
        inner = node
        while isinstance(inner, (ast.Attribute, ast.Subscript)):
            if isinstance(inner, ast.Attribute):
                steps.append(inner.attr)
            elif isinstance(inner.slice, ast.Constant) and isinstance(inner.slice.value, str):
                steps.append(inner.slice.value)
            else:
                raise self._refused_at(inner.slice, f"in brackets stands a text: {_WAYS}")
            inner = inner.value
        steps.reverse()
        if not isinstance(inner, ast.Name):
            raise self._refused_at(inner, f"what has parts is params or metrics: {_WAYS}")
        name = inner.id
        if name == "params" and steps:
            key = ".".join(steps)
            self.names.append((name, key))
            return lambda info: info.params.get(key, MISSING)
        if name == "metrics" and steps:
            return self._metric(node, steps)
        if name in ("params", "metrics"):
            raise self._refused_at(inner, f"say which of them: {_WAYS}")
        if name not in _KNOWN:
            parts = ".".join([name, *steps])
            raise self._refused_at(inner, f"{name!r} is not known{_nearest(parts)}")
        if steps:
            raise self._refused_at(node, f"`{name}` has no parts; params and metrics have: {_WAYS}")
        return operator.attrgetter(name)

    def _metric(self, node: ast.expr, steps: list[str]) -> Look:
        metric, field, statistic = [*steps, *[None] * 3][:3]
        if len(steps) > 3 or (statistic is not None and statistic not in STATISTICS):
            words = ", ".join(STATISTICS)
            raise self._refused_at(node, f"metrics.METRIC.FIELD, or one of {words} behind it")
        self.names.append(("metrics", *steps))
        return lambda info: metric_value(info, cast("str", metric), field, statistic or "last")

    def _refused_at(self, node: ast.AST, why: str) -> FilterError:
        before = self._text.encode()[: getattr(node, "col_offset", 0)]
        return self._refused(len(before.decode(errors="replace")), why)

    def _refused(self, place: int, why: str) -> FilterError:
        start = max(0, min(place, len(self._text)) - 60)
        shown = self._text[start : start + 100]
        mark = " " * (min(place, len(self._text)) - start) + "^"
        return FilterError(f"the {self._kind} is not understood: {why}\n  {shown}\n  {mark}")


def _matching(look: Look, pattern: str) -> Look:
    is_like = re.compile(translate(pattern)).match

    def matches(info: RunInfo) -> bool:
        found = look(info)
        texts = cast("list[object]", found) if isinstance(found, list) else [found]
        return any(isinstance(text, str) and is_like(text) is not None for text in texts)

    return matches


def _nearest(parts: str) -> str:
    name = parts.partition(".")[0]
    # only these two have parts: `train.loss` is not meant to be `duration`
    possible = ["params", "metrics"] if "." in parts else [*_KNOWN, "matches", "has"]
    near = get_close_matches(name, possible, n=1)
    meant = f"`{near[0]}`" if near else f"`params.{parts}` or `metrics.{parts}`"
    return f": did you mean {meant}? There are {', '.join(_KNOWN)}"


def _advice(text: str, error: SyntaxError) -> str:
    place = (error.offset or 1) - 1
    if re.match(r"[^=<>!]?=(?!=)", text[place : place + 2]) or "==" in (error.msg or ""):
        return "compare with =="
    if "&&" in text or "||" in text:
        return "put together with `and`, `or`"
    return error.msg or "it is no expression"
