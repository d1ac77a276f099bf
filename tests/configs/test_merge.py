"""The rule of composition: plain keys replace, dotted keys reach in and keep the siblings."""

import copy
import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy import Bind, Config, ConfigError, ConfigTypeError, DynamicValue, merge

names = st.sampled_from("abcd")
trees = st.recursive(
    st.integers(),
    lambda inner: st.dictionaries(names, inner, min_size=1, max_size=3),
    max_leaves=8,
).filter(lambda tree: isinstance(tree, dict))
BASE: dict[str, Any] = {"model": {"size": 256, "layers": [{"kind": "a"}, {"kind": "b"}]}, "lr": 0.1}


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        ({"lr": 1}, {**BASE, "lr": 1}),
        ({"model": {"size": 1}}, {"model": {"size": 1}, "lr": 0.1}),
        ({"model.size": 1}, {"model": {**BASE["model"], "size": 1}, "lr": 0.1}),
        ({"new.deep.key": 1}, {**BASE, "new": {"deep": {"key": 1}}}),
        ({"model.layers[1].kind": "c"}, {**BASE, "model": {"size": 256, "layers": [{"kind": "a"}, {"kind": "c"}]}}),
        ({"model.layers.0": 5}, {**BASE, "model": {"size": 256, "layers": [5, {"kind": "b"}]}}),
        ({"model": {"gpt-4.1": 1}}, {"model": {"gpt-4.1": 1}, "lr": 0.1}),
        ({"list": [{"a.b": 1}]}, {**BASE, "list": [{"a.b": 1}]}),
        ({"model.layers": [1], "model.layers[0]": 5}, {**BASE, "model": {"size": 256, "layers": [5]}}),
        ({'"gpt-4.1"': 1}, {**BASE, "gpt-4.1": 1}),
        ({'lr': None, 'lr.warm': 3}, {**BASE, "lr": {"warm": 3}}),
        ({}, BASE),
    ],
)  # fmt: skip
def test_merge(update: dict[str, Any], expected: dict[str, Any]) -> None:
    assert merge(BASE, update) == expected


def test_the_order_of_the_keys_decides_nothing() -> None:
    """A dotted key refines the plain one beside it, wherever the two were written."""
    plain_first = {"model": {"size": 1, "depth": 2}, "model.size": 3}
    dotted_first = {"model.size": 3, "model": {"size": 1, "depth": 2}}
    assert merge(BASE, plain_first) == merge(BASE, dotted_first)
    assert merge(BASE, dotted_first).model == {"size": 3, "depth": 2}
    assert merge({}, {"a.b.c": 1, "a.b": {"d": 2}}) == {"a": {"b": {"c": 1, "d": 2}}}


@given(trees, trees)
def test_plain_keys_replace(base: dict[str, Any], update: dict[str, Any]) -> None:
    assert merge(base, update).to_dict() == {**base, **update}


@given(trees, trees)
def test_dotted_equals_nested(base: dict[str, Any], update: dict[str, Any]) -> None:
    """Setting each leaf by its dotted path is laying one tree into the other."""

    def leaves(tree: dict[str, Any], above: str = "") -> dict[str, int]:
        found: dict[str, int] = {}
        for key, value in tree.items():
            path = f"{above}.{key}" if above else key
            found |= leaves(value, path) if isinstance(value, dict) else {path: value}
        return found

    def laid(one: Any, other: dict[str, Any]) -> dict[str, Any]:
        result = dict(one) if isinstance(one, dict) else {}
        for key, value in other.items():
            result[key] = laid(result.get(key), value) if isinstance(value, dict) else value
        return result

    assert merge({}, leaves(update)) == update
    try:
        merged = merge(base, leaves(update))
    except ConfigError as error:
        assert "which has no keys" in str(error)
    else:
        assert merged == laid(base, update)


@given(trees, trees, trees)
def test_merging_is_associative_for_plain_keys(one: Any, two: Any, three: Any) -> None:
    assert merge(merge(one, two), three) == merge(one, merge(two, three))


@given(trees)
def test_merging_nothing_changes_nothing(tree: dict[str, Any]) -> None:
    assert merge(tree, {}) == merge({}, tree) == tree


def test_neither_argument_is_changed_nor_aliased() -> None:
    base: dict[str, Any] = {"a": {"items": [1]}}
    update: dict[str, Any] = {"b": {"items": [2]}, "a.c": [3]}
    before = copy.deepcopy((base, update))
    merged = merge(base, update)
    assert (base, update) == before
    base["a"]["items"].append(9)
    update["b"]["items"].append(9)
    assert merged == {"a": {"items": [1], "c": [3]}, "b": {"items": [2]}}


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({"lr.warm": 1}, "lr.warm: lr is a float, which has no keys: replace the whole of it"),
        ({"model.size.x": 1}, "model.size.x: model.size is an int, which has no keys"),
        ({"model.layers[7].kind": 1}, "model.layers[7]: no such item to set: the list has 2, counted from 0"),
        ({"model.layers.x": 1}, "model.layers.x: no such item to set"),
        ({"lr": 1, '"lr".': 2}, "'\"lr\".' is not a path"),
        ({'a.b': 1, 'a."b"': 2}, "a.b: written twice, as 'a.b' and as 'a.\"b\"'"),
        ({"model[0].x": 1}, "model[0]: an index in brackets needs a list"),
        ({"a..b": 1}, "'a..b' is not a path"),
    ],
)  # fmt: skip
def test_an_update_that_cannot_be_laid_is_an_error(update: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        merge(BASE, update)
    assert str(caught.value).startswith(message)


def test_the_keys_of_a_config_are_final() -> None:
    assert merge(Config({"gpt-4.1": 1}), {}) == {"gpt-4.1": 1}
    assert merge({}, Config({"gpt-4.1": {"x.y": 1}})) == {"gpt-4.1": {"x.y": 1}}
    assert merge({}, {"prices": Config({"gpt-4.1": 1})}) == {"prices": {"gpt-4.1": 1}}


def test_an_id_belongs_to_what_stated_it() -> None:
    base = {"__config_id__": "base", "a": 1}
    assert merge(base, {"a": 2}).id == Config(a=2).id
    assert merge(Config(base), {"a": 2}).id == Config(a=2).id
    assert merge(base, {"a": 2, "__config_id__": "mine"}).id == "mine"


def test_dynamic_values_survive() -> None:
    values = DynamicValue([1, 2])
    assert merge({"a": {"b": 1}}, {"a.b": values}).a.b == values


def test_objects_with_fields_are_laid_too() -> None:
    @dataclasses.dataclass
    class Model:
        size: int = 1
        depth: int = 2

    assert merge({"model": Model()}, {"model.size": 5}).model == {"size": 5, "depth": 2}
    assert merge({"model": {"x": 0}}, {"model": Model()}).model == {"size": 1, "depth": 2}


def test_an_update_that_contains_itself() -> None:
    cycle: dict[str, Any] = {}
    cycle["self"] = cycle
    for base, update in (({}, cycle), (cycle, {}), ({"a": 1}, {"a.b": cycle})):
        with pytest.raises(ConfigError, match="does it contain itself|has no keys"):
            merge(base, update)


def test_merge_takes_mappings() -> None:
    for wrong in ("text", 5, None, [("a", 1)]):
        with pytest.raises(ConfigTypeError, match="merge takes mappings"):
            merge(wrong, {})  # type: ignore[arg-type]  # pyright: ignore
        with pytest.raises(ConfigTypeError, match="merge takes mappings"):
            merge({}, wrong)  # type: ignore[arg-type]  # pyright: ignore


def test_a_bind_reads_the_same_paths() -> None:
    assert Bind("a.b[0]") == Bind(("a", "b", 0))
    assert repr(Bind('models."gpt-4.1"')) == "Bind('models[\"gpt-4.1\"]')"
    assert len({Bind("a"), Bind("a"), Bind("b")}) == 2
    with pytest.raises(ConfigError, match="is not a path"):
        Bind("a..b")
