"""Values: what people log is on disk as JSON that anybody reads, and comes back."""

import datetime
import enum
import json
import math
import uuid
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy import Config
from understudy.runs import Run
from understudy.runs._values import decode, encode  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

KEYS = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.just("$null"), st.just("$$null")
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(alphabet=st.characters(exclude_categories=["Cs"])),
        st.sampled_from(["nan", "null", "$null"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(KEYS, inner, max_size=4),
        st.builds(lambda value: {"$null": value}, inner),
    ),
    max_leaves=12,
)


def is_same(one: Any, two: Any) -> bool:
    if isinstance(one, float) and isinstance(two, float):
        return (math.isnan(one) and math.isnan(two)) or one == two
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(is_same, one, two))
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(is_same(one[key], two[key]) for key in one)
    return type(one) is type(two) and one == two


def refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


@given(VALUES)
def test_what_json_can_say_comes_back_as_it_was_and_so_do_nan_and_the_infinities(
    value: Any,
) -> None:
    lost: list[str] = []
    written = encode(value, lost.append)
    assert lost == []
    json.loads(written, parse_constant=refuse_constant)  # others read it as well
    assert b"\n" not in written
    assert is_same(decode(written), value)


@given(
    st.dictionaries(
        st.text(),
        st.one_of(st.text(), st.binary(), st.complex_numbers(), st.floats(), st.builds(object)),
        max_size=5,
    )
)
def test_whatever_is_logged_a_line_of_json_comes_of_it(value: dict[str, Any]) -> None:
    written = encode(value, lambda text: None)
    assert isinstance(json.loads(written, parse_constant=refuse_constant), dict)


class Color(enum.Enum):
    RED = "red"
    ODD = object()


class Level(enum.IntEnum):
    HIGH = 3


@dataclass
class Model:
    size: int
    where: Path
    loss: float = math.nan
    parts: list[Any] = field(default_factory=list)


class Point(msgspec.Struct):
    x: float
    y: Any = None


class Real(float): ...


class Pair(NamedTuple):
    a: int
    b: float


STORED: list[tuple[Any, Any]] = [
    (np.float64(1.5), 1.5),
    (np.float32(0.5), 0.5),
    (np.float32("nan"), math.nan),
    (np.float64("inf"), math.inf),
    (np.int64(3), 3),
    (np.bool_(True), True),
    (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    (np.array([1.0, np.nan]), [1.0, math.nan]),
    (np.array(2.5), 2.5),
    (np.str_("x"), "x"),
    (Real(0.25), 0.25),
    (Real("nan"), math.nan),
    (Path("/x/y"), "/x/y"),
    (Color.RED, "red"),
    (Color.ODD, "ODD"),
    (Level.HIGH, 3),
    (datetime.datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05"),
    (datetime.date(2026, 1, 2), "2026-01-02"),
    (datetime.timedelta(seconds=90), "PT90S"),
    (uuid.UUID(int=5), str(uuid.UUID(int=5))),
    (Decimal("1.50"), "1.50"),
    ((1, 2), [1, 2]),
    ({7}, [7]),
    (frozenset({7}), [7]),
    (range(3), [0, 1, 2]),
    (deque([1]), [1]),
    (OrderedDict(a=1), {"a": 1}),
    (Pair(1, math.inf), [1, math.inf]),
    (Config(lr=0.1, model={"size": 3}), {"lr": 0.1, "model": {"size": 3}}),
    (Config(lr=math.nan), {"lr": math.nan}),
    (Point(1.0), {"x": 1.0, "y": None}),
    (Point(math.nan, Path("p")), {"x": math.nan, "y": "p"}),
    (
        Model(3, Path("w"), parts=[np.float32(1)]),
        {"size": 3, "where": "w", "loss": math.nan, "parts": [1.0]},
    ),
    (Model, f"{__name__}.Model"),
    (math.sqrt, "math.sqrt"),
    (b"abc", "YWJj"),
    ({1: "a", (1, 2): "b"}, {"1": "a", "(1, 2)": "b"}),
    (2**70, 2**70),
]


@pytest.mark.parametrize(("value", "stored"), STORED, ids=[repr(value)[:30] for value, _ in STORED])
def test_each_kind_of_value_is_stored_as_what_it_means(value: Any, stored: Any) -> None:
    lost: list[str] = []
    assert is_same(decode(encode({"v": value}, lost.append))["v"], stored)
    assert lost == []


class Tensor:
    """What torch, jax and their like have in common."""

    def __init__(self, *values: float) -> None:
        self.values = values
        self.shape = (len(values),) if values[1:] else ()

    def tolist(self) -> Any:
        return list(self.values) if self.shape else self.values[0]


def test_tensors_are_known_by_what_they_can_do() -> None:
    with Run(prefix="r") as run:
        run.metrics("train").log(loss=Tensor(0.5), each=Tensor(0.5, math.nan))
        (point,) = run.metrics("train").read()
        assert point["loss"] == 0.5
        assert is_same(point["each"], [0.5, math.nan])
        assert dict(run.problems) == {}


class Broken:
    def __repr__(self) -> str:
        raise ValueError("not even that")

    @property
    def shape(self) -> Any:
        raise RuntimeError("nor that")


def within_itself() -> Any:
    values: list[Any] = [1]
    values.append(values)
    return values


def deep() -> Any:
    value: Any = 1
    for _ in range(5000):
        value = [value]
    return value


def levels(value: Any) -> int:
    """Count how deep lists of one are nested; one within itself is deeper than any."""
    for level in range(10_000):
        if not isinstance(value, list) or len(value) != 1:
            return level
        value = value[0]
    return 10_000


@pytest.mark.parametrize(
    "value", [object(), 1 + 2j, Broken(), within_itself(), deep(), "\ud800", np.zeros(20_000), np.datetime64("2026-01-01T00:00:00.000000000"), 10**5000, iter([1])],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_cannot_be_stored_costs_only_itself_and_is_told_once(
    value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with Run(prefix="r") as run:
        for step in range(3):
            run.metrics("train").log(
                step=step, loss=0.5, odd=value, deeper={"odd": value, "fine": 1}
            )
        points = run.metrics("train").read()
        assert [(p["step"], p["loss"], p["deeper"]["fine"]) for p in points] == [
            (0, 0.5, 1),
            (1, 0.5, 1),
            (2, 0.5, 1),
        ]
        told = run.problems.get("value", 0)
    if not told and isinstance(value, list) and levels(value) == 5000:  # Python 3.13 goes so deep
        assert [levels(p["odd"]) for p in points] == [5000] * 3
        return
    if isinstance(value, np.datetime64):
        assert told == 0  # a number of nanoseconds
        return
    assert told >= 3
    assert [record.name for record in caplog.records] == ["understudy"]
    assert "$repr" in str(points[0]["odd"])
    with Run(prefix="strict", strict=True) as run, pytest.raises(ValueError, match="only the repr"):
        run.metrics("train").log(odd=value)


def test_a_value_in_a_dataclass_that_cannot_be_stored_costs_only_itself() -> None:
    lost: list[str] = []
    stored = decode(encode(Model(3, Path("w"), parts=[object()]), lost.append))
    assert (stored["size"], stored["where"]) == (3, "w")
    assert len(lost) == 1
