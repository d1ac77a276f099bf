"""The language of filters: what is typed is a filter or our error, and nothing is ever evaluated."""

import warnings
from time import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.runs import Filter, FilterError, RunInfo, Summary

NOW = time()
RUN = RunInfo(
    id="0001",
    project="vision",
    prefix="resnet/50",
    path="experiments/vision/resnet%2F50",
    status="FAILED",
    created=NOW - 3_600,
    started=NOW - 3_600,
    ended=NOW - 3_000,
    description=None,
    tags=["baseline", "wide"],
    bindrs=["gpu-1"],
    params={"lr": 0.1, "model.size": 256, "debug": False, "seed": None, "gpt-4.1": "x", "dims": [1, 2]},
    metrics={
        "train": {"loss": Summary(count=3, first=4.0, last=0.5, min=0.25, max=4.0, mean=1.5)},
        "train/loss": {"value": Summary(count=1, first=2, last=2, min=2, max=2, mean=2)},
        "odd": {"loss": Summary(count=1, first=float("nan"), last=float("nan"))},
    },
    attempts=2,
    error="ValueError: diverged",
)  # fmt: skip

TRUE = [
    "status == 'FAILED'",
    'status == "FAILED" and params.lr > 0.01',
    "status in ['FAILED', 'LOST']",
    "status not in ('COMPLETED', 'RUNNING')",
    "not status == 'COMPLETED'",
    "params.lr == 0.1 or params.nothing > 3",
    "0.01 < params.lr <= 0.1 < params.model.size",
    "params['model.size'] == 256",
    "params['gpt-4.1'] == 'x'",
    "params['model'].size == params.model['size']",
    "params.dims == [1, 2]",
    "1 in params.dims",
    "params.debug == False and not params.debug",
    "params.seed == None and not has(params.seed)",
    "has(params.lr) and not has(params.nothing)",
    "metrics.train.loss == 0.5",
    "metrics.train.loss == metrics.train.loss.last",
    "metrics.train.loss.min < metrics.train.loss",
    "metrics.train.loss.count == 3 and metrics.train.loss.mean > 1",
    "metrics['train/loss'].value == 2 and metrics['train/loss'] == 2",
    "'baseline' in tags and 'gpu-1' in bindrs",
    "'res' in prefix",
    "matches(prefix, 'resnet*') and matches(tags, 'w?de')",
    "not matches(prefix, 'ResNet*')",
    "matches(error, 'ValueError*')",
    "created > '-2h' and created < '-30m'",
    "'-2h' < created < '-30m'",
    "created >= '2020-01-01' and ended <= '2999-01-01T10:00'",
    "started > '2020-01-01T00:00:00Z'",
    "duration > '5m' and duration < 601 and duration <= '1h'",
    "description == None",
    "id == '0001' and project == 'vision' and attempts == 2",
    "params.lr == -1 or (True and (status))",
    " status == 'FAILED' \n and attempts > 1 ",
    "metrics.odd.loss != metrics.odd.loss",
]
FALSE = [
    "params.nothing > 1",
    "params.nothing != 1",
    "params.nothing == None",
    "params.nothing not in [1]",
    "1 < params.nothing < 3",
    "params.nothing",
    "has(metrics.val.loss)",
    "metrics.val.loss < 1",
    "metrics.train.accuracy < 1",
    "metrics.odd.loss < 1 or metrics.odd.loss >= 1",
    "metrics.odd.loss.min < 1",
    "params.lr > 'a'",
    "params.lr in 3",
    "3 in prefix",
    "status < 3",
    "description > 'a'",
    "matches(description, '*')",
    "matches(params.lr, '*')",
    "created > '-1m'",
    "'RUNNING' == status",
    "False",
    "None",
]


@pytest.mark.parametrize("text", TRUE)
def test_it_holds(text: str) -> None:
    assert Filter(text)(RUN)


@pytest.mark.parametrize("text", FALSE)
def test_it_does_not_hold_and_what_is_not_there_is_no_error(text: str) -> None:
    assert not Filter(text)(RUN)


REFUSED = {
    "": "empty",
    " \n ": "empty",
    "status =": "compare with ==",
    "status = 'FAILED'": "compare with ==",
    "status == 'FAILED' && params.lr > 1": "`and`, `or`",
    "status is None": "not with `is`",
    "stats == 'FAILED'": "did you mean `status`",
    "learning_rate > 1": "did you mean `params.learning_rate` or `metrics.learning_rate`",
    "val.loss < 1": "did you mean `params.val.loss` or `metrics.val.loss`",
    "train['loss'].min < 1": "or `metrics.train.loss.min`",
    "params": "say which",
    "params > 1": "say which",
    "params[0] > 1": "in brackets stands a text",
    "params[lr] > 1": "in brackets stands a text",
    "status.upper == 'X'": "no parts",
    "metrics.train.loss.median": "min, max, mean",
    "metrics.a.b.min.c": "min, max, mean",
    "created > 'soon'": "it is no time",
    "created == '2026-11-01'": "compare `created` with <",
    "created in ['2026-11-01']": "compare `created` with <",
    "duration > 'long'": "it is no duration",
    "matches(prefix)": "the functions are",
    "matches(prefix, prefix)": "a pattern is a text",
    "has(params.lr, 1)": "the functions are",
    "len(tags) > 1": "the functions are",
    "1 + 1 == 2": "there are names",
    "b'x' == prefix": "there are names",
    "1j == 1": "there are names",
    "... == 1": "there are names",
    "params.lr == [params.lr]": "there are names",
    "f'{status}' == 'x'": "there are names",
    "status == 'x' if True else False": "there are names",
    "(status := 'x')": "there are names",
    "lambda: 1": "there are names",
    "status; status": "invalid syntax",
    "import os": "invalid syntax",
    "\x00": "not understood",
    "status == '\ud800'": "not understood",
    "1" * 5_001: "characters",
    "9" * 4_400: "not understood",
}
ATTACKS = [
    "__import__('os').system('true')",
    "().__class__.__bases__[0].__subclasses__()",
    "status.__class__",
    "params.__class__.__init__.__globals__['os']()",
    "has.__globals__",
    "matches.__globals__['re']",
    "(lambda: 0).__code__",
    "[x for x in ().__class__.__mro__]",
    "{**params}",
    "open('/etc/passwd')",
    "9**9**9**9 > 1",
    "'x' * 10**10",
    "1 << 10**10",
    "getattr(params, 'lr')",
    "exec('1')",
    "yield 1",
    "await status",
    "*params",
    "params.lr[::1]",
    "status[0]",
    "not " * 1_200 + "True",
    "-" * 4_990 + "1",
    "(" * 2_400 + "1" + ")" * 2_400,
    "[" * 2_400 + "]" * 2_400,
    "(1 and " * 60 + "1" + ")" * 60,
]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text)[:40])
def test_what_is_no_filter_is_an_error_that_says_what_is_wrong(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        Filter(text)
    assert REFUSED[text] in str(caught.value)


@pytest.mark.parametrize("text", ATTACKS, ids=lambda text: text[:40])
def test_what_would_reach_into_python_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        Filter(text)


def test_dunders_of_params_are_only_keys() -> None:
    assert not Filter("params.__class__ == 1")(RUN)
    assert not Filter("metrics.__class__.__init__ == 1")(RUN)


@pytest.mark.parametrize(
    ("text", "marked"),
    [("params.lr > 1 and tag == 'x'", "tag"), ("'é' == prefix and öl > 1", "öl"),
     ("status == 'x' " + "and status == 'x' " * 20 + "and wrong > 1", "wrong")],
)  # fmt: skip
def test_the_error_marks_the_place(text: str, marked: str) -> None:
    with pytest.raises(FilterError) as caught:
        Filter(text)
    shown, mark = str(caught.value).splitlines()[-2:]
    assert shown[mark.index("^") :].startswith(marked)


def test_a_filter_is_a_text() -> None:
    with pytest.raises(FilterError, match="a filter is a text, not 3"):
        Filter(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


WORDS = st.sampled_from(
    [*"()[]{}.,:=<>!-+*/%~@&|^'\"# ", "params", "params.lr", "metrics", "metrics.train.loss", "status", "tags",
     "created", "'-7d'", "'x'", "0.1", "1e999", "9" * 30, "and", "or", "not", "in", "is", "if", "else", "lambda",
     "matches", "has", "for", "True", "None", "==", "<=", "**", "...", ".min", "__class__", "\\", "é", "\n"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=14).map(" ".join)))
def test_anything_typed_is_a_filter_or_our_error(text: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = Filter(text)
        except FilterError:
            return
    assert caught == []
    assert found(RUN) in (True, False)


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.lists(st.integers(), max_size=2))  # fmt: skip


@given(VALUES, VALUES, st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in"]))
def test_any_two_values_are_compared_as_python_does_or_do_not_fit(
    left: Any, right: Any, sign: str
) -> None:
    run = RunInfo(id="1", project="p", prefix="r", params={"a": left, "b": right})
    try:
        wanted = bool(eval(f"left {sign} right"))
    except TypeError:
        wanted = False
    assert Filter(f"params.a {sign} params.b")(run) is wanted
    assert Filter(f"not params.a {sign} params.b")(run) is not wanted
