"""Ids: the same everywhere, different for different contents, never made up."""

import datetime
import enum
import hashlib
import json
import os
import subprocess
import sys
import uuid
from decimal import Decimal
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy import Config, ConfigTypeError

Values = dict[str, Any]

keys = st.text().filter(lambda key: key != "__config_id__" and not key.startswith("$"))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)
json_configs = st.dictionaries(keys, json_values)


class Color(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 1


GOLDEN: dict[str, Values] = {
    "44136fa355b3678a": {},
    "09c986a294e78e7b": {"model": "gpt-4"},
    "e4e51ca76ff9bc73": {"a": [1, 1.0, True, None, "1", {"b": -0.0}]},
}


def test_the_ids_of_some_configs_never_change() -> None:
    """They are written into logs and results: a change would orphan all of them.

    To see one without us: `printf '{"model": "gpt-4"}' | sha256sum | cut -c1-16`.
    """
    assert {config_id: Config(values).id for config_id, values in GOLDEN.items()} == {
        config_id: config_id for config_id in GOLDEN
    }


@given(json_configs)
def test_the_id_of_plain_values_is_that_of_their_json(values: Values) -> None:
    """The same id that the documents this began with gave: nobody's records are orphaned."""
    text = json.dumps(values, sort_keys=True)
    assert Config(values).id == hashlib.sha256(text.encode()).hexdigest()[:16]


@given(json_configs, st.randoms())
def test_the_order_of_keys_does_not_count(values: Values, random: Any) -> None:
    keys = list(values)
    random.shuffle(keys)
    assert Config({key: values[key] for key in keys}).id == Config(values).id


@given(json_configs, json_configs)
def test_different_contents_have_different_ids(one: Values, other: Values) -> None:
    is_same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (Config(one).id == Config(other).id) == is_same


class Right(enum.IntFlag):
    READ = 1


DIFFERENT: list[Any] = [
    Right(8), Right(16), Right(9), [8], ["Right", 8],
    1, 1.0, True, "1", None, 0, False, 0.0, -0.0, "", [], {}, [1], {"a": 1}, "True", "None", "null",
    float("inf"), float("-inf"), float("nan"), "nan", {"$float": "nan"}, {"$$float": "nan"},
    Decimal(1), Decimal("1.0"), {"$decimal": "1"}, b"1", b"", {"$bytes": ""},
    PurePosixPath("1"), {"$path": "1"}, Color.RED, Level.LOW, "Color.RED",
    datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2), datetime.time(1), "2026-01-02",
    datetime.timedelta(1), datetime.timedelta(microseconds=1), uuid.UUID(int=1), str(uuid.UUID(int=1)),
]  # fmt: skip


def test_values_that_differ_in_kind_differ_in_id() -> None:
    ids = [Config(value=value).id for value in DIFFERENT]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 2], (1, 2)),
        (PurePosixPath("a/b"), PureWindowsPath("a\\b")),
        ({"a": {"b": 1}}, Config(a={"b": 1})),
        (b"x", bytearray(b"x")),
    ],
)
def test_the_same_content_in_another_dress_has_the_same_id(one: Any, other: Any) -> None:
    assert Config(value=one).id == Config(value=other).id


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (len, "the function len"),
        (lambda: 1, "the function <lambda>"),
        ({1, 2}, "a set"),
        (int, "the class int"),
        (object(), "an object"),
        (1j, "a complex"),
    ],
)
def test_a_value_without_a_canonical_form_is_a_type_error_naming_its_path(
    value: Any, name: str
) -> None:
    config = Config({"outer": [{"inner": value}]})
    with pytest.raises(ConfigTypeError) as caught:
        _ = config.id
    assert str(caught.value).startswith(f"outer[0].inner: {name} has no canonical JSON form")
    assert "__config_id__" in str(caught.value)
    assert config.replace({"__config_id__": "mine"}).id == "mine"


PRINT_IDS = """
import datetime, enum, pathlib, decimal
from understudy import Config
class Color(enum.Enum):
    RED = 1
values = {
    "a": [1, 1.0, True, None, "é\\U0001f600", 1e-7, 1e22, 0.1 + 0.2, 10**30], "b": {"z": 1, "y": {}},
    "c": [Color.RED, pathlib.PurePosixPath("a"), datetime.datetime(2026, 1, 2, 3, 4, 5, 6)],
    "d": [decimal.Decimal("1.50"), b"\\xff", float("inf"), datetime.timedelta(1, 2, 3)],
}
print(Config(values).id)
"""


def test_ids_are_the_same_in_every_process() -> None:
    ids = {
        subprocess.run(
            [sys.executable, "-c", PRINT_IDS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "12345")
    }
    assert ids == {"04c2b44e42727f51\n"}
