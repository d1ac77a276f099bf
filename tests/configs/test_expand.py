"""DynamicValue: every combination, in order, however it is written."""

import itertools
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy import Config, ConfigError, ConfigTypeError, DynamicValue, parse_configs
from understudy.configs import Limits, expand


def test_the_last_key_changes_fastest() -> None:
    configs = expand({"a": DynamicValue([1, 2]), "b": 0, "c": {"d": DynamicValue("xy".__iter__())}})
    assert [(c.a, c.b, c.c.d) for c in configs] == [
        (1, 0, "x"), (1, 0, "y"), (2, 0, "x"), (2, 0, "y"),
    ]  # fmt: skip


def test_generators_are_read_once_and_kept() -> None:
    values = DynamicValue(i / 2 for i in range(3))
    assert values.values == (0.0, 0.5, 1.0)
    assert expand({"a": values}) == expand({"a": values})
    assert repr(values) == "DynamicValue([0.0, 0.5, 1.0])"


def test_in_lists_configs_and_structs() -> None:
    class Settings(msgspec.Struct):
        size: Any

    assert [c.at("a") for c in expand({"a": [0, DynamicValue([1, 2]), 3]})] == [
        (0, 1, 3),
        (0, 2, 3),
    ]
    config = Config(a={"b": DynamicValue([1, 2])})
    assert expand(config) == [Config(a={"b": 1}), Config(a={"b": 2})]
    assert parse_configs(Settings(DynamicValue([1, 2]))) == [Config(size=1), Config(size=2)]
    assert parse_configs({"part": Settings(DynamicValue([1, 2]))})[1].part.size == 2


def test_values_may_hold_further_dynamic_values() -> None:
    optimizers = DynamicValue(
        [{"kind": "sgd", "momentum": DynamicValue([0.8, 0.9])}, {"kind": "adam"}]
    )
    assert [c.to_dict() for c in expand({"optimizer": optimizers, "seed": 1})] == [
        {"optimizer": {"kind": "sgd", "momentum": 0.8}, "seed": 1},
        {"optimizer": {"kind": "sgd", "momentum": 0.9}, "seed": 1},
        {"optimizer": {"kind": "adam"}, "seed": 1},
    ]


dynamic_trees = st.recursive(
    st.integers() | st.lists(st.integers(), min_size=1, max_size=3).map(DynamicValue),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from("abc"), dynamic_trees, max_size=3))
def test_the_count_is_the_product_and_the_order_that_of_nested_loops(tree: dict[str, Any]) -> None:
    found: list[DynamicValue[int]] = []

    def collect(value: Any) -> None:
        if isinstance(value, DynamicValue):
            found.append(value)
        for inner in (
            value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        ):
            collect(inner)

    collect(tree)

    def filled(value: Any, choices: Any) -> Any:
        if isinstance(value, DynamicValue):
            return next(choices)
        if isinstance(value, dict):
            return {key: filled(inner, choices) for key, inner in value.items()}
        return [filled(inner, choices) for inner in value] if isinstance(value, list) else value

    expected = [
        filled(tree, iter(choice)) for choice in itertools.product(*(d.values for d in found))
    ]
    configs = expand(tree)
    assert len(configs) == math.prod(len(d.values) for d in found)
    assert [config.to_dict() for config in configs] == expected


@pytest.mark.parametrize("values", ["abc", b"abc", {"a": 1}, {1, 2}, frozenset(), 5, None])
def test_what_is_not_several_values_in_an_order(values: Any) -> None:
    with pytest.raises(ConfigTypeError, match="a DynamicValue takes values in an order"):
        DynamicValue(values)


def test_an_empty_one_is_an_error() -> None:
    nothing: list[int] = []
    for empty in (nothing, (), iter(nothing), (i for i in nothing)):
        with pytest.raises(ConfigError, match="needs at least one value"):
            DynamicValue(empty)


def test_an_endless_one_is_an_error() -> None:
    with pytest.raises(ConfigError, match="at most 1,000,000 values"):
        DynamicValue(itertools.count())


def test_too_many_combinations_are_refused_before_any_is_made() -> None:
    axis = DynamicValue(range(100))
    with pytest.raises(ConfigError) as caught:
        parse_configs([{f"k{i}": axis for i in range(10)}])
    assert str(caught.value).startswith(
        "sources[0]: it expands to 100,000,000,000,000,000,000 configs"
    )
    with pytest.raises(ConfigError, match="it expands to 100 configs, more than 99"):
        expand({"a": axis}, limits=Limits(max_configs=99))


def test_an_id_gets_a_suffix_for_each_combination() -> None:
    source = {
        "__config_id__": "base",
        "lr": DynamicValue([0.1, 0.2]),
        "deep": [DynamicValue([True, None])],
    }
    assert [config.id for config in parse_configs(source)] == [
        "base-0.1-deep[0]=true", "base-0.1-deep[0]=none", "base-0.2-deep[0]=true", "base-0.2-deep[0]=none",
    ]  # fmt: skip


def test_the_suffix_does_not_move_when_a_value_is_added_in_front() -> None:
    before = {c.lr: c.id for c in expand({"__config_id__": "b", "lr": DynamicValue([2, 3])})}
    after = {c.lr: c.id for c in expand({"__config_id__": "b", "lr": DynamicValue([1, 2, 3])})}
    assert before.items() <= after.items()


def test_long_values_still_give_different_ids() -> None:
    texts = ["p" * 50 + "1", "p" * 50 + "2"]
    configs = parse_configs({"__config_id__": "base", "prompt": DynamicValue(texts)})
    assert len({config.id for config in configs}) == 2
    assert all(config.id.startswith("base-ppp") for config in configs)


def test_dynamic_ids() -> None:
    configs = parse_configs({"__config_id__": DynamicValue(["x", "y"]), "a": 1})
    assert [config.id for config in configs] == ["x", "y"]


def test_the_same_value_twice_is_the_same_config_twice() -> None:
    with pytest.raises(ConfigError, match="the same id"):
        parse_configs({"a": DynamicValue([1, 1])})
    with pytest.raises(ConfigError, match="the same id"):
        parse_configs({"__config_id__": "base", "a": DynamicValue([1, 1])})


def test_the_source_is_not_changed() -> None:
    source = {"__config_id__": "base", "a": {"b": DynamicValue([1, 2])}, "c": [1]}
    expand(source)
    assert source == {"__config_id__": "base", "a": {"b": DynamicValue([1, 2])}, "c": [1]}
    assert hash(DynamicValue([1])) == hash(DynamicValue([1]))
    assert DynamicValue([1]) != [1]


def test_a_source_that_contains_itself() -> None:
    source: dict[str, Any] = {}
    source["self"] = source
    with pytest.raises(ConfigError, match="does it contain itself"):
        expand(source)
    with pytest.raises(ConfigError, match=r"sources\[0\]: .*does it contain itself"):
        parse_configs([source])


def test_a_config_that_is_not_expanded_has_no_id() -> None:
    with pytest.raises(ConfigTypeError, match="a: a DynamicValue has no canonical JSON form"):
        _ = Config(a=DynamicValue([1])).id
