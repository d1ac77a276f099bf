"""Labels: short, human, made of what differs, no two siblings alike."""

import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy import Config, ConfigError, DynamicValue, parse_configs, sweep


def labels(*sources: Any) -> list[str]:
    return [config.label for config in parse_configs(list(sources))]


def test_only_what_differs_is_in_the_label() -> None:
    assert labels({"model": "gpt-4", "temp": 0.7}, {"model": "gpt-3.5", "temp": 0.7}) == [
        "gpt-4",
        "gpt-3.5",
    ]


def test_all_that_differs_is_in_the_label() -> None:
    assert labels({"model": "gpt-4", "temp": 0.7}, {"model": "gpt-3.5-turbo", "temp": 0.5}) == [
        "gpt-4-0.7",
        "gpt-3.5-turbo-0.5",
    ]


def test_a_config_alone_is_called_by_all_its_values() -> None:
    assert labels({"model": "gpt-4", "llm": {"temp": 0.7}}) == ["gpt-4-0.7"]
    assert Config(model="gpt-4").label == "gpt-4"
    assert Config().label == "default"


class Color(Enum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (True, "x=true"),
        (None, "x=none"),
        (3, "3"),
        ([1, 2], "1,2"),
        ("two  words\nand a line", "two_words_and_a_line"),
        ("a" * 30, "a" * 23 + "~"),
        (Color.RED, "RED"),
        ({}, "default"),
    ],
)
def test_how_a_value_is_written(value: object, label: str) -> None:
    assert Config(x=value).label == label


def test_functions_and_objects_are_called_by_their_names() -> None:
    assert Config(x=len).label == "len"
    assert Config(x=object()).label == "object"
    assert Config(x={"b", "a"}).label == "a,b"


class Silent:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


def test_what_cannot_be_written_is_called_by_its_type() -> None:
    assert Config(x=Silent()).label == "Silent"
    assert Config(x=10**5000).label == "int"
    assert Config(x="\x1b[31mred").label == "?[31mred"
    assert pickle.loads(pickle.dumps(Config(x=10**5000))).label == "int"


def test_labels_that_look_like_others_with_an_id_behind() -> None:
    one = Config(x=1).id[:6]
    found = labels({"x": 1}, {"x": "1"}, {"x": f"1-{one}"}, {"x": f"1-{one}-2"})
    assert len(set(found)) == 4
    texts = [f"{'a' * 30}{index}" for index in range(40)]
    assert len(set(labels(*({"x": text} for text in texts)))) == 40


def test_a_key_only_some_have() -> None:
    assert labels({"a": 1}, {"a": 1, "b": 2}) == ["no-b", "2"]
    assert labels({"a": {"b": True}}, {"a": {"b": False}}) == ["b=true", "b=false"]


def test_names_of_their_own_are_the_labels() -> None:
    assert labels({"name": "base", "lr": 1}, {"name": "fast", "lr": 2}) == ["base", "fast"]
    assert labels({"name": "base", "lr": 1}, {"name": "base", "lr": 2}) == ["1", "2"]


def test_values_that_look_alike_get_their_id_behind_them() -> None:
    one, other = parse_configs([{"x": 1}, {"x": "1"}])
    assert one.label == f"1-{one.id[:6]}"
    assert other.label == f"1-{other.id[:6]}"
    long = ["a" * 40 + "x", "a" * 40 + "y"]
    assert len(set(labels(*({"x": text} for text in long)))) == 2


def test_a_label_stays_short() -> None:
    values = {f"key{i}": "value" * 3 + str(i) for i in range(50)}
    assert len(Config(values).label) == 64


def test_the_same_config_has_another_label_among_other_siblings() -> None:
    config = Config(a=1, b=2)
    first, _ = parse_configs([config, {"a": 2, "b": 2}])
    second, _ = parse_configs([config, {"a": 1, "b": 3}])
    assert (first.label, second.label) == ("1", "2")
    assert first == second == config
    assert sweep(config, [{"a": 5}, {"a": 6}])[0].label == "5"


@given(
    st.lists(
        st.dictionaries(st.text(max_size=3), st.text() | st.integers() | st.booleans(), max_size=3),
        max_size=8,
    )
)
def test_no_two_siblings_have_the_same_label(sources: list[dict[str, Any]]) -> None:
    try:
        configs = parse_configs(sources)
    except ConfigError:
        return  # the same config twice
    assert len({config.label for config in configs}) == len(configs)
    assert all(config.label for config in configs)


def test_labels_of_dynamic_values() -> None:
    assert labels({"model": DynamicValue(["a", "b"]), "seed": 1}) == ["a", "b"]


def test_configs_without_ids_still_have_labels_of_their_own() -> None:
    configs = sweep({"f": len}, [{"x": 1}, {"x": "1"}])
    assert [config.label for config in configs] == ["1-no-id", "1-no-id-2"]
    assert pickle.loads(pickle.dumps(configs[1])).label == "1-no-id-2"


def test_a_config_does_not_keep_its_siblings_alive() -> None:
    class Data:
        pass

    data = Data()
    gone = weakref.ref(data)
    first = sweep({}, [{"a": 1}, {"a": data}])[0]
    del data
    assert first.label == "1"
    gc.collect()
    assert gone() is None


def test_threads_may_ask_at_once() -> None:
    for _ in range(20):
        configs = sweep({}, [{"a": number} for number in range(50)])
        with ThreadPoolExecutor(8) as pool:
            assert [*pool.map(lambda config: config.label, configs)] == [str(n) for n in range(50)]
